"""Secrets sealed with keys of a file: opened with the same key, for the same owner, and by nobody else."""

from __future__ import annotations

import base64
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdmx_service.auth.seal import Seal, is_sealed
from sdmx_service.errors import SemanticFault, StorageFault, SyntaxFault
from sdmx_service.settings import Settings

SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"


@pytest.fixture
def seal(tmp_path: Path) -> Seal:
    made = Seal(tmp_path / "key")
    made.make_key()
    return made


def test_a_secret_is_opened_for_its_owner_alone(seal: Seal) -> None:
    kept = seal.sealed(SECRET, "maria")
    assert is_sealed(kept)
    assert SECRET not in kept
    assert seal.opened(kept, "maria") == SECRET
    assert seal.opened(kept, "ines") is None
    assert seal.sealed(SECRET, "maria") != kept  # alike secrets do not look alike
    assert seal.opened(SECRET, "maria") == SECRET  # as earlier versions kept it


def test_what_was_changed_is_not_opened(seal: Seal) -> None:
    kept = seal.sealed(SECRET, "maria")
    head, _, closed = kept.rpartition(":")
    data = base64.b64decode(closed)
    for place in range(len(data)):
        changed = bytes([*data[:place], data[place] ^ 1, *data[place + 1 :]])
        assert seal.opened(f"{head}:{base64.b64encode(changed).decode()}", "maria") is None


@given(st.text())
def test_no_text_breaks_it(text: str) -> None:
    assert Seal().opened(f"sealed:{text}", "maria") is None
    assert not Seal().is_newest(f"sealed:{text}")


def test_the_file_is_its_owners_and_stays(seal: Seal) -> None:
    assert seal.path is not None
    assert stat.S_IMODE(seal.path.stat().st_mode) == 0o600
    before = seal.path.read_bytes()
    assert len(base64.b64decode(before)) == 32
    seal.make_key()
    assert seal.path.read_bytes() == before


def test_of_several_that_make_it_at_once_all_have_the_same(tmp_path: Path) -> None:
    def make(_: int) -> None:
        Seal(tmp_path / "key").make_key()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(make, range(50)))
    kept = Seal(tmp_path / "key").sealed(SECRET, "maria")
    assert Seal(tmp_path / "key").opened(kept, "maria") == SECRET


def test_the_first_key_seals_and_the_others_open(seal: Seal, tmp_path: Path) -> None:
    other = Seal(tmp_path / "other")
    other.make_key()
    assert seal.path is not None
    assert other.path is not None
    old, elsewhere = seal.sealed(SECRET, "maria"), other.sealed(SECRET, "maria")
    assert seal.opened(elsewhere, "maria") is None
    seal.path.write_text(f"{other.path.read_text()}\n# the old one\n{seal.path.read_text()}")
    assert seal.opened(old, "maria") == seal.opened(elsewhere, "maria") == SECRET
    assert (seal.is_newest(old), seal.is_newest(elsewhere)) == (False, True)
    assert seal.is_newest(seal.sealed(SECRET, "maria"))


def test_without_a_file_there_is_no_key(tmp_path: Path) -> None:
    for none in (Seal(), Seal(tmp_path / "key")):
        assert not none.has_key
        with pytest.raises(SemanticFault, match="no key"):
            none.sealed(SECRET, "maria")
    with pytest.raises(SemanticFault, match="no key"):
        Seal().make_key()
    with pytest.raises(SemanticFault, match="cannot be made"):
        Seal(tmp_path / "nowhere" / "key").make_key()


@pytest.mark.parametrize("line", ["rubbish", "AAAA", "\u00e9", "A" * 43])
def test_a_line_that_is_no_key_is_named_and_not_shown(tmp_path: Path, line: str) -> None:
    seal = Seal(tmp_path / "key")
    seal.make_key()
    assert seal.path is not None
    kept = seal.sealed(SECRET, "maria")
    seal.path.write_text(seal.path.read_text() + line + "\n")
    with pytest.raises(SyntaxFault, match="Line 2") as caught:
        _ = seal.has_key
    assert line not in str(caught.value)
    assert seal.opened(kept, "maria") is None


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(StorageFault, match="cannot be read"):
        _ = Seal(tmp_path).has_key


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (Settings(data=Path("/srv/sdmx/store")), Path("/srv/sdmx/store.key")),  # beside it, and in no copy of it
        (Settings(data=Path("/srv/sdmx/store"), key_file=Path("/etc/sdmx/key")), Path("/etc/sdmx/key")),
        (Settings(store="duckdb:////srv/my%20store.duckdb"), Path("/srv/my store.duckdb.key")),
        (Settings(store="postgresql://sdmx@database/sdmx"), None),
        (Settings(store="postgresql://sdmx@database/sdmx", key_file=Path("key")), Path("key")),
    ],
)
def test_where_the_file_is(settings: Settings, expected: Path | None) -> None:
    assert settings.key_path == expected
