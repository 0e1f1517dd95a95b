"""Archives: unpacked within limits, refused in words when cut off, damaged or bombs."""

from __future__ import annotations

import gzip
import io
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdmx_service.errors import SdmxError, TooLarge, UnreadableFile, UnsafeFile
from sdmx_service.formats import archives
from sdmx_service.formats.archives import unpack
from sdmx_service.formats.sniffing import peek

CONTENT = b"DATAFLOW,A\nINV:DF(1.0),1\n" * 200


def unpacked(data: bytes, name: str | None = None) -> list[tuple[str | None, bytes]]:
    file = io.BytesIO(data)
    return [(each, content.read()) for each, content in unpack(file, peek(file, name=name))]


def zipped(*members: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return out.getvalue()


def test_what_is_no_archive_is_handed_on() -> None:
    assert unpacked(CONTENT, "x.csv") == [("x.csv", CONTENT)]
    office = zipped(("[Content_Types].xml", b"x"), ("xl/workbook.xml", b"x"))
    assert unpacked(office, "x.xlsx") == [("x.xlsx", office)]


def test_gzip_and_zip_with_one_or_several_files() -> None:
    assert unpacked(gzip.compress(CONTENT), "x.csv.gz") == [("x.csv", CONTENT)]
    assert unpacked(gzip.compress(CONTENT[:30]) + gzip.compress(CONTENT[30:])) == [(None, CONTENT)]
    data = zipped(("a/x.csv", CONTENT), ("__MACOSX/._x", b"m"), ("a/.DS_Store", b"m"), ("y.csv", b"y"), ("d/", b""))
    assert unpacked(data, "x.zip") == [("a/x.csv", CONTENT), ("y.csv", b"y")]


@pytest.mark.parametrize("keep", [10, 40, -1, -8])
def test_truncated_archives_are_named_so(keep: int) -> None:
    with pytest.raises(UnreadableFile, match="truncated"):
        unpacked(gzip.compress(CONTENT, mtime=0)[:keep])
    with pytest.raises(UnreadableFile, match="truncated or damaged"):
        unpacked(zipped(("x", CONTENT))[:keep])


def test_damage_inside_is_found() -> None:
    data = bytearray(zipped(("x.csv", CONTENT), method=zipfile.ZIP_STORED))
    data[200] ^= 0xFF
    with pytest.raises(UnreadableFile, match=r"'x\.csv' is damaged"):
        unpacked(bytes(data))


def test_bombs_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "_RATIO_FLOOR", 10**6)
    for data in (gzip.compress(bytes(10**7)), zipped(("x", bytes(10**7)))):
        with pytest.raises(UnsafeFile, match="500 times"):
            unpacked(data)


def test_limits_of_size_and_number_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "MAX_UNPACKED", 8000)
    with pytest.raises(TooLarge, match="more than 8000 bytes"):
        unpacked(gzip.compress(CONTENT * 2))
    with pytest.raises(TooLarge, match="unpacks to more than"):
        unpacked(zipped(("x", CONTENT), ("y", CONTENT)))
    monkeypatch.setattr(archives, "MAX_MEMBERS", 1)
    with pytest.raises(TooLarge, match="2 files"):
        unpacked(zipped(("x", b""), ("y", b"")))


def test_empty_and_encrypted_archives_are_refused() -> None:
    with pytest.raises(UnreadableFile, match="holds no file"):
        unpacked(zipped())
    data = bytearray(zipped(("x.csv", CONTENT)))
    for magic, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(magic) + place] |= 1
    with pytest.raises(UnreadableFile, match="encrypted"):
        unpacked(bytes(data))


def test_archives_in_archives_are_refused() -> None:
    for name, inner in (("b.zip", zipped(("x.csv", CONTENT))), ("b.gz", gzip.compress(CONTENT))):
        for data in (zipped(("a.csv", CONTENT), (name, inner)), gzip.compress(inner)):
            with pytest.raises(UnreadableFile, match="archive inside the archive"):
                unpacked(data, f"{name}.gz")
    office = zipped(("[Content_Types].xml", b"x"), ("xl/workbook.xml", b"x"))
    assert unpacked(zipped(("a.xlsx", office))) == [("a.xlsx", office)]


ZIP, GZIP = zipped(("x.csv", CONTENT), ("y", b"y")), gzip.compress(CONTENT, mtime=0)


@given(st.sampled_from([ZIP, GZIP]), st.data())
def test_any_damage_is_read_or_refused(good: bytes, data: st.DataObject) -> None:
    start, size, inserted = (
        data.draw(st.integers(0, len(good))),
        data.draw(st.integers(0, 8)),
        data.draw(st.binary(max_size=8)),
    )
    try:
        unpacked(good[:start] + inserted + good[start + size :])
    except SdmxError:
        pass
