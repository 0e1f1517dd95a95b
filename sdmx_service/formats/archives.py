"""Files inside gzip and zip, unpacked within limits.

*Choice:* an archive may hold one or several messages; each is read like a file of its own. Archives in archives are
refused. Limits hold while unpacking, whatever the archive says about itself.
"""

from __future__ import annotations

import gzip
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import IO, Final, cast

from sdmx_service.errors import TooLarge, UnreadableFile, UnsafeFile
from sdmx_service.formats.sniffing import GZIP_MAGIC, Head, peek

MAX_UNPACKED: Final = 8 * 1024**3
"""Bytes that all members of an archive may have together."""
MAX_MEMBERS: Final = 1000
MAX_RATIO: Final = 500
"""Bytes unpacked for each byte packed, looked at beyond ``_RATIO_FLOOR``; deflate reaches 1032 on constant bytes."""
_RATIO_FLOOR: Final = 32 * 1024**2
_IN_MEMORY: Final = 16 * 1024**2
_CHUNK: Final = 1024**2
_TRUNCATED = "Send the archive again; it was probably cut off on its way."


def unpack(file: IO[bytes], head: Head) -> Iterator[tuple[str | None, IO[bytes]]]:
    """The files in an archive as (name, seekable file), or the file itself where ``head`` is no archive.

    Each file is open until the next one is asked for.

    Raises:
        UnreadableFile: the archive is truncated, damaged or encrypted, or holds nothing, or another archive.
        UnsafeFile: a member unpacks to far more than its packed size.
        TooLarge: more members or bytes than the limits.
    """
    file.seek(0)
    if not head.is_archive:
        yield head.name, file
    elif head.start.startswith(GZIP_MAGIC):
        with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY) as target:
            with gzip.GzipFile(fileobj=file) as source:
                _copy(cast(IO[bytes], source), target, _size(file), MAX_UNPACKED, "The gzip file")
            name = head.name.removesuffix(".gz") if head.name else None
            _refuse_archive(target, name)
            yield name, target
    else:
        yield from _unpack_zip(file)


def _refuse_archive(file: IO[bytes], name: str | None) -> None:
    if peek(file, name=name).is_archive:
        raise UnreadableFile(
            f"{name!r} is an archive inside the archive, which is not opened.",
            hint="Put the files themselves into one archive, or send them one by one.",
        )


def _size(file: IO[bytes]) -> int:
    size = file.seek(0, 2)
    file.seek(0)
    return size


def _unpack_zip(file: IO[bytes]) -> Iterator[tuple[str, IO[bytes]]]:
    try:
        archive = zipfile.ZipFile(file)
    except (zipfile.BadZipFile, OSError, ValueError, EOFError, NotImplementedError) as fault:
        raise UnreadableFile(f"The zip archive is truncated or damaged ({fault}).", hint=_TRUNCATED) from None
    with archive:
        members = [info for info in archive.infolist() if not _is_by_the_way(info)]
        if len(members) > MAX_MEMBERS:
            raise TooLarge(f"The archive holds {len(members)} files; {MAX_MEMBERS} are the limit.")
        if not members:
            raise UnreadableFile("The zip archive holds no file.", hint="Put the message into it.")
        left = MAX_UNPACKED
        for info in members:
            with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY) as target:
                left -= _unpack_member(archive, info, target, left)
                _refuse_archive(target, info.filename)
                yield info.filename, target


def _is_by_the_way(info: zipfile.ZipInfo) -> bool:
    path = PurePosixPath(info.filename)
    return info.is_dir() or path.name.startswith(".") or "__MACOSX" in path.parts


def _unpack_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, target: IO[bytes], left: int) -> int:
    what = f"The archive's file {info.filename!r}"
    if info.flag_bits & 1:
        raise UnreadableFile(f"{what} is encrypted.", hint="Send it without a password.")
    try:
        source = archive.open(info)
    except (zipfile.BadZipFile, OSError, ValueError, EOFError, RuntimeError, NotImplementedError) as fault:
        raise UnreadableFile(f"{what} cannot be unpacked ({fault}).", hint="Pack it again as a plain zip.") from None
    with source:
        return _copy(source, target, info.compress_size, left, what)


def _copy(source: IO[bytes], target: IO[bytes], packed: int, limit: int, what: str) -> int:
    total = 0
    while chunk := _read(source, what, total):
        total += len(chunk)
        if total > limit:
            raise TooLarge(f"{what} unpacks to more than {limit} bytes.", hint="Send it in parts.")
        if total > _RATIO_FLOOR and total > packed * MAX_RATIO:
            raise UnsafeFile(
                f"{what} unpacks to more than {MAX_RATIO} times its size; that is how decompression bombs look.",
                hint="Send the file unpacked.",
            )
        target.write(chunk)
    target.seek(0)
    return total


def _read(source: IO[bytes], what: str, place: int) -> bytes:
    try:
        return source.read(_CHUNK)
    except EOFError:
        raise UnreadableFile(f"{what} is truncated: it ends after {place} bytes.", hint=_TRUNCATED) from None
    except (zipfile.BadZipFile, OSError, zlib.error, ValueError, NotImplementedError, RuntimeError) as fault:
        raise UnreadableFile(f"{what} is damaged after {place} bytes ({fault}).", hint=_TRUNCATED) from None
