"""Signs in what people send that are not seen, and digits that are not those of ASCII."""

from __future__ import annotations

import unicodedata
from typing import Final

INVISIBLE: Final = (
    "\u00ad\u061c\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff"
)
"""Soft hyphen, joiners, byte order mark, and the marks of direction that come along where text is copied."""
DECIMAL_SIGN: Final = "\u066b"
"""The decimal sign of numbers in Arabic digits."""
THOUSANDS_SIGN: Final = "\u066c"
"""The thousands mark of numbers in Arabic digits."""


def western(text: str) -> str:
    """The text with digits of another script (Arabic, Devanagari, full width ...) as 0 to 9.

    A text with digits of two scripts stays as it is: what it means is not clear.
    """
    if text.isascii():
        return text
    zeros = {ord(sign) - unicodedata.decimal(sign) for sign in text if sign.isdecimal()}
    if len(zeros) != 1:
        return text
    return "".join(str(unicodedata.decimal(sign)) if sign.isdecimal() else sign for sign in text)
