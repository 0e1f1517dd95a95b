"""What a format may look at to recognise a file: its first bytes, its name, the media type, the members of a zip."""

from __future__ import annotations

import codecs
import re
import zipfile
from dataclasses import dataclass
from pathlib import PurePath
from typing import IO

HEAD_SIZE = 64 * 1024
"""Bytes that a sniffer sees."""

ZIP_MAGIC = b"PK\x03\x04"
OLE_MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
"""A compound file: what Office wrote before 2007."""
GZIP_MAGIC = b"\x1f\x8b"
_EMPTY_ZIP_MAGIC = b"PK\x05\x06"
_LEAST = 8
_FOREIGN = (
    (b"%PDF", "a PDF document"), (b"Rar!", "a RAR archive"), (b"7z\xbc\xaf", "a 7z archive"),
    (b"\xfd7zXZ", "an xz archive"), (b"BZh91AY&SY", "a bzip2 archive"), (b"\x28\xb5\x2f\xfd", "a zstd archive"),
    (b"\x89PNG", "a picture"), (b"\xff\xd8\xff", "a picture"), (b"GIF8", "a picture"), (b"{\\rtf", "a text document"),
)  # fmt: skip
"""How files begin that offices send and nobody can take figures from."""
_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_XML_NAME = r"(?:[\w.-]+:)?([\w.-]+)"
_XML_SKIPPED = re.compile(r"\s+|<\?.*?\?>|<!--.*?-->", re.DOTALL)
_XML_DOCTYPE = re.compile(r"<!DOCTYPE[^\[>]*(?:\[.*?\]\s*)?>", re.DOTALL)
_XML_ROOT = re.compile(rf"<{_XML_NAME}(\s[^>]*)?/?>", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The beginning of a file and what is said about it.

    Attributes:
        start: the first ``HEAD_SIZE`` bytes.
        name: the file's name; None where there is none (a request body).
        media_type: the declared media type with its parameters, as sent; None if none was.
        members: names in a zip archive, in its order; empty for other files and for archives that cannot be listed.
    """

    start: bytes
    name: str | None = None
    media_type: str | None = None
    members: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The beginning as text, by its byte order mark or its zeros, else UTF-8; what does not decode is replaced."""
        for mark, encoding in _BOMS:
            if self.start.startswith(mark):
                return self.start[len(mark) :].decode(encoding, "replace")
        return self.start.decode(unmarked_utf_16(self.start) or "utf-8", "replace")

    @property
    def first_line(self) -> str:
        """The first line that is not blank."""
        return next((line for line in self.text.splitlines() if line.strip()), "")

    @property
    def suffix(self) -> str:
        """The last suffix of the name in lower case, with its dot."""
        return PurePath(self.name).suffix.lower() if self.name else ""

    @property
    def declared(self) -> str:
        """The media type in lower case, without parameters."""
        return (self.media_type or "").partition(";")[0].strip().lower()

    @property
    def is_text(self) -> bool:
        """Whether the beginning looks like text: no NUL, unless it is UTF-16."""
        if b"\x00" not in self.start or self.start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return True
        return unmarked_utf_16(self.start) is not None

    @property
    def is_workbook(self) -> bool:
        """Whether it is an Office Open XML workbook."""
        return "[Content_Types].xml" in self.members and any(name.startswith("xl/") for name in self.members)

    @property
    def is_archive(self) -> bool:
        """Whether it holds other files: gzip, or a zip that is no office document."""
        if self.start.startswith(GZIP_MAGIC):
            return True
        is_document = "[Content_Types].xml" in self.members or "mimetype" in self.members[:1]
        return self.start.startswith((ZIP_MAGIC, _EMPTY_ZIP_MAGIC)) and not is_document

    @property
    def foreign(self) -> str | None:
        """What the file is, where it is known and holds no figures that could be read; None if it is not known."""
        start = self.start.lstrip()
        if any(name.startswith("word/") for name in self.members):
            return "a text document (Word)"
        if any(name.startswith("ppt/") for name in self.members):
            return "a presentation"
        if start[:64].lower().startswith((b"<!doctype html", b"<html")):
            return "a web page"
        return next((what for beginning, what in _FOREIGN if start.startswith(beginning)), None)

    @property
    def xml_root(self) -> tuple[str, str] | None:
        """Local name and attributes (as text) of the root element; None if this is not XML as far as can be seen."""
        text, place = self.text, 0
        while found := _XML_SKIPPED.match(text, place) or _XML_DOCTYPE.match(text, place):
            place = found.end()
        root = _XML_ROOT.match(text, place)
        return None if root is None else (root[1], root[2] or "")


def unmarked_utf_16(start: bytes) -> str | None:
    """The UTF-16 that a text without byte order mark is in, by its zeros; None if it is none."""
    for encoding, zeros, others in (("utf-16-le", start[1::2], start[0::2]), ("utf-16-be", start[0::2], start[1::2])):
        if len(start) >= _LEAST and zeros.count(0) > len(start) // 4 and not others.count(0):
            signs = start[: len(start) // 2 * 2].decode(encoding, "replace")
            if not any(sign < " " and sign not in "\t\r\n" for sign in signs):
                return encoding
    return None


def peek(file: IO[bytes], *, name: str | None = None, media_type: str | None = None) -> Head:
    """The head of a seekable file, which stands at its beginning afterwards."""
    file.seek(0)
    start = file.read(HEAD_SIZE)
    members = _members(file) if start.startswith(ZIP_MAGIC) else ()
    file.seek(0)
    return Head(start=start, name=name, media_type=media_type, members=members)


def _members(file: IO[bytes]) -> tuple[str, ...]:
    try:
        with zipfile.ZipFile(file) as archive:
            return tuple(archive.namelist())
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, EOFError):
        return ()
