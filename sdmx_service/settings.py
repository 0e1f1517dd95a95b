"""Everything that can be set, in one frozen object: every field has a default and a help text."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from pathlib import Path
from urllib.parse import unquote

_HERE = Path(__file__).resolve().parent


def content_folder() -> Path:
    """Where the structures and mappings delivered with the program are: a checkout's root, else inside the package."""
    checkout = _HERE.parent
    return checkout if (checkout / "dsd").is_dir() else _HERE / "_content"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings of a service or command."""

    data: Path = field(default=Path("data"), metadata={"help": "directory of the embedded store"})
    store: str | None = field(default=None, metadata={"help": "duckdb:///PATH or postgresql://...; default: in --data"})
    content: Path = field(
        default_factory=content_folder,
        metadata={"help": "directory with dsd/, codelists/ and mappings/ that fill an empty store"},
    )
    host: str = field(default="127.0.0.1", metadata={"help": "address to listen on"})
    port: int = field(default=8080, metadata={"help": "port to listen on"})
    address: str = field(
        default="", metadata={"help": "base URL under which others find the service; default: of host and port"}
    )
    sender: str = field(default="SDMX_SERVICE", metadata={"help": "id that stands as sender in messages"})
    threads: int = field(default=4, metadata={"help": "worker threads for queries"})
    max_streams: int = field(default=64, metadata={"help": "answers open at once; more are answered 503"})
    max_body: int = field(default=1024 * 1024 * 1024, metadata={"help": "bytes of a submitted file at most"})
    max_address: int = field(default=32_000, metadata={"help": "characters of an address at most"})
    bulk: Path | None = field(
        default=None, metadata={"help": "directory of whole dataflows as files; default: in --data"}
    )
    bulk_kinds: str = field(
        default="csv.gz,parquet",
        metadata={"help": "kinds of such files that are made right after a release; may be empty"},
    )
    bulk_kept: int = field(
        default=3, metadata={"help": "releases of a dataflow whose files are kept; others are made anew"}
    )
    memory_limit: str = field(default="150MB", metadata={"help": "memory of the embedded database at most"})
    read_models: bool = field(
        default=True, metadata={"help": "answer from read models, which are made after each release"}
    )
    models: Path | None = field(default=None, metadata={"help": "directory of the read models; default: in --data"})
    partners: str = field(
        default="",
        metadata={
            "help": "hosts that submissions may be fetched from (HOST, HOST:PORT), with commas, in place of "
            "mappings/partners.txt; an address or network in the list makes private addresses reachable"
        },
    )
    fetch_seconds: float = field(default=300.0, metadata={"help": "seconds that fetching a file may take"})
    openid: Path | None = field(
        default=None, metadata={"help": "JSON file that names the OpenID Connect provider at which people sign in"}
    )
    accounts: bool = field(default=True, metadata={"help": "let people sign in with accounts of the service's own"})
    key_file: Path | None = field(
        default=None,
        metadata={"help": "file with the key that protects second factors, made when it is needed; default: beside the "
                          "embedded store, none with PostgreSQL"},
    )  # fmt: skip
    session_idle: int = field(default=60, metadata={"help": "minutes after which a session without request ends"})
    session_whole: int = field(default=720, metadata={"help": "minutes after which a session ends in any case"})
    proxies: int = field(
        default=0, metadata={"help": "trusted proxies in front, each adding to X-Forwarded-For who asked it"}
    )
    workspace_memory: str = field(
        default="1GB", metadata={"help": "memory of one check's workspace at most; 128 MB do for nearly all"}
    )

    @property
    def store_url(self) -> str:
        """The store's URL, the default one made from ``data``."""
        return self.store or f"duckdb:///{self.data / 'store.duckdb'}"

    @property
    def known_partners(self) -> str:
        """The hosts that submissions may be fetched from, with commas: those set, else those of the content."""
        listed = self.content / "mappings" / "partners.txt"
        if self.partners or not listed.is_file():
            return self.partners
        hosts = (line.partition("#")[0].strip() for line in listed.read_text("utf-8").splitlines())
        return ",".join(filter(None, hosts))

    @property
    def found_at(self) -> str:
        """Where others find the newest SDMX-REST interface."""
        return f"{(self.address or f'http://{self.host}:{self.port}').rstrip('/')}/sdmx/v2"

    @property
    def bulk_folder(self) -> Path:
        """Where whole dataflows stand as files."""
        return self.bulk or self.data / "bulk"

    @property
    def key_path(self) -> Path | None:
        """The key file: that named, else beside the embedded store, so that no copy of the store has it.

        Stores on a server have none unless it is named: several processes share them, and all need the same.
        """
        if self.key_file is not None:
            return self.key_file
        if self.store is None:
            folder = self.data.resolve()
            return folder.with_name(f"{folder.name}.key")
        path = unquote(self.store.removeprefix("duckdb:///"))
        return Path(f"{path}.key") if self.store.startswith("duckdb:///") else None

    @property
    def models_folder(self) -> Path:
        """The directory of the read models, the default one in ``data``."""
        return self.models or self.data / "models"

    @classmethod
    def help(cls) -> dict[str, str]:
        """Field -> help text."""
        return {one.name: str(one.metadata["help"]) for one in fields(cls)}
