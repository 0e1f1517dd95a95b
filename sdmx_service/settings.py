"""Everything that can be set, in one frozen object: every field has a default and a help text."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

_HERE = Path(__file__).resolve().parent


def content_folder() -> Path:
    """Where the structures and mappings delivered with the program are: a checkout's root, else inside the package."""
    checkout = _HERE.parent
    return checkout if (checkout / "dsd").is_dir() else _HERE / "_content"


def _setting(default: Any, help: str) -> Any:  # noqa: A002
    if callable(default):
        return field(default_factory=default, metadata={"help": help})
    return field(default=default, metadata={"help": help})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings of a service or command."""

    data: Path = _setting(lambda: Path("data"), "directory of the embedded store")
    store: str | None = _setting(None, "URL of the store: duckdb:///PATH or postgresql://...; default: in the data directory")
    content: Path = _setting(content_folder, "directory with dsd/, codelists/ and mappings/ that fill an empty store")
    host: str = _setting("127.0.0.1", "address to listen on")
    port: int = _setting(8080, "port to listen on")
    sender: str = _setting("UNSD_MIG", "id that stands as sender in messages")
    threads: int = _setting(4, "worker threads for queries")
    max_streams: int = _setting(64, "answers open at once; more are answered 503")
    max_body: int = _setting(1024 * 1024 * 1024, "bytes of a submitted file at most")
    memory_limit: str = _setting("2GB", "memory of the embedded database at most")
    workspace_memory: str = _setting("1GB", "memory of the rules' workspace at most")

    @property
    def store_url(self) -> str:
        """The store's URL, the default one made from ``data``."""
        return self.store or f"duckdb:///{self.data / 'store.duckdb'}"

    @classmethod
    def help(cls) -> dict[str, str]:
        """Field -> help text."""
        return {one.name: str(one.metadata["help"]) for one in fields(cls)}
