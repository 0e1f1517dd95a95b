"""Lines for a terminal, made of what others wrote: names of files, reasons, comments, values."""

from __future__ import annotations

import re
from typing import Final

from sdmx_service.errors import SdmxError

_MOVING: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters, ends of lines, signs that turn the direction of what follows, halves of characters."""

NO_FILE: Final = (FileNotFoundError, IsADirectoryError, PermissionError)
"""What is raised where a file that was named cannot be opened."""


def line(text: str) -> str:
    """A text as one line; signs that begin another, move the cursor or turn the direction are written as escapes."""
    return _MOVING.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def lines(text: str, indent: str) -> str:
    """A text of several lines, of which all but the first are indented, so that none looks like an entry of a list."""
    return f"\n{indent}".join(map(line, text.splitlines()))


def fault_line(fault: SdmxError | OSError, name: str = "") -> str:
    """What went wrong, as the one line that a command writes; ``name`` is the file it was about."""
    if isinstance(fault, SdmxError):
        return line(f"sdmx-service: {name}{': ' if name else ''}{fault} [{fault.code}]")
    if isinstance(fault, FileNotFoundError):
        return f"sdmx-service: there is no file {fault.filename!r}."
    return f"sdmx-service: {fault.filename!r} cannot be read: {fault.strerror}."
