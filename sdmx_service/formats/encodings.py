"""In which encoding a text without a declared one is: what its bytes allow, what reads like words, what is known.

*Choices:* a byte order mark decides; then UTF-8 where the whole text is valid in it, which chance does not bring
about; then UTF-16 by its many zeros. Of the older encodings that offices use, those are left in which every byte has a
meaning, and of these the one in which most words are known to the caller, then the one with the fewest oddities: signs
in the middle of words, capitals after small letters, scripts mixed in a word. Where several are still equal and read
differently, charset-normalizer ranks them, the first is taken, and the others are told.
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Final

from charset_normalizer import from_bytes

from sdmx_service.formats.sniffing import HEAD_SIZE, unmarked_utf_16
from sdmx_service.model.message import TextEncoding

Known = Callable[[str], bool]
"""Whether a word (in small letters) is known: of a code list, or a label of a sender."""
_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
OLDER: Final = (
    "cp1252", "cp1250", "cp1251", "cp1256", "cp1253", "cp1254", "cp1255", "cp1257", "cp1258",
    "gb18030", "cp932", "big5", "euc_kr", "euc_jp", "cp874",
    "iso8859_1", "iso8859_2", "iso8859_15", "iso8859_5", "iso8859_6", "iso8859_7", "iso8859_8", "iso8859_9",
    "iso8859_13", "koi8_r", "koi8_u", "cp850", "cp852", "cp866", "mac_roman", "mac_cyrillic",
)  # fmt: skip
"""Encodings of one national kind or another, the likelier of those that read the same first."""
_SAMPLE: Final = 256 * 1024
"""Bytes of lines with letters beyond ASCII that are looked at."""
_WORD = re.compile(r"[^\W\d_]+(?:[^\s\d;,\t|\"'()\[\]/.:-][^\W\d_]*)*")
_HARMLESS: Final = frozenset("\u00a0\u2007\u2009\u202f–—‘’‚‛“”„‟«»‹›…•·€£¥©®°²³¹ªº§№†‡½¼¾×、。「」（）・％ー")
_IN_WORDS: Final = frozenset("\u00ad·‘’ʼ–ー・")
_RARE: Final = frozenset("ƒªºµ")
_TOGETHER: Final = frozenset({"CJK", "HIRAGANA", "KATAKANA", "IDEOGRAPHIC"})
_ODD: Final = frozenset({"HALFWIDTH", "BOX", "BLOCK", "PRIVATE"})
_WORST: Final = 5
_SEVERAL: Final = 3


@dataclass(frozen=True, slots=True)
class _Reading:
    """A text read in one of the encodings."""

    encoding: str
    text: str
    words: int
    is_latin: bool
    known: int
    odd: int


def find_encoding(data: bytes, known: Known | None = None) -> TextEncoding:
    """The encoding of a text; ``is_sure`` where its bytes say it.

    Args:
        known: tells words that the caller has met; its word counts most.
    """
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return TextEncoding(name=encoding, is_sure=True)
    if (unmarked := unmarked_utf_16(data[:HEAD_SIZE])) is not None:
        return TextEncoding(name=unmarked, is_sure=True)
    try:
        data.decode("utf-8")
        return TextEncoding(name="utf-8", is_sure=True)
    except UnicodeDecodeError:
        return _older(_sample(data), data, known)


def _sample(data: bytes) -> bytes:
    """Lines that have bytes beyond ASCII, each once."""
    lines: dict[bytes, None] = {}
    size = 0
    for line in data.splitlines():
        if not line.isascii() and line not in lines:
            lines[line] = None
            size += len(line)
            if size > _SAMPLE:
                break
    return b"\n".join(lines)


def _older(sample: bytes, data: bytes, known: Known | None) -> TextEncoding:
    """The most plausible of the older encodings."""
    readings: dict[str, _Reading] = {}
    for encoding in OLDER:
        try:
            text = sample.decode(encoding)
        except UnicodeDecodeError:
            continue
        readings.setdefault(text, _reading(encoding, text, known))
    ranks = _ranks(sample, [one.encoding for one in readings.values()])
    latin = [one.encoding for one in readings.values() if one.is_latin]
    if all(one.words < _SEVERAL for one in readings.values()):  # too little to tell languages of one script apart
        ranks |= dict.fromkeys(latin, min((ranks.get(encoding, 99) for encoding in latin), default=99))
    order = sorted(
        readings.values(), key=lambda one: (-one.known, one.odd, ranks.get(one.encoding, 99), OLDER.index(one.encoding))
    )
    whole = [one for one in order if _decodes(data, one.encoding)]
    if not whole:
        return TextEncoding(name="latin-1", example=_example(sample.decode("latin-1")))
    best = whole[0]
    rivals = [
        one
        for one in whole[1:]
        if (one.known, one.odd) == (best.known, best.odd) and (not ranks or one.encoding in ranks)
    ]
    return TextEncoding(
        name=best.encoding,
        example=_example(best.text),
        others=tuple((one.encoding, _same_place(best.text, one.text)) for one in rivals[:3]),
    )


def _reading(encoding: str, text: str, known: Known | None) -> _Reading:
    words = {word for word in _WORD.findall(text) if not word.isascii()}
    return _Reading(
        encoding=encoding,
        text=text,
        words=len(words),
        is_latin=all(_script(sign) == "LATIN" for word in words for sign in word if sign.isalpha()),
        known=0 if known is None else sum(known(word.casefold()) for word in words),
        odd=sum(map(_oddity, words)) + _stray(text) + _is_small(words),
    )


def _is_small(words: Iterable[str]) -> bool:
    """Whether no word begins with a capital though the script has them; Latin letters, in every text, do not count."""
    cased = [word for word in words if not any(sign.isascii() for sign in word) and word.upper() != word.lower()]
    return len(cased) >= _SEVERAL and _script(cased[0][0]) != "LATIN" and not any(word[0].isupper() for word in cased)


def _stray(text: str) -> int:
    """Signs outside words that hardly anyone writes."""
    return sum(_of_sign(sign) for sign in set(text) if not sign.isascii() and not sign.isalpha())


@lru_cache(maxsize=4096)
def _of_sign(sign: str) -> int:
    kind = unicodedata.category(sign)
    if kind in ("Cc", "Co", "Cn"):
        return _WORST
    return 0 if sign in _HARMLESS or _is_mark(sign) else 1


@lru_cache(maxsize=4096)
def _script(letter: str) -> str:
    return unicodedata.name(letter, "PRIVATE").partition(" ")[0]


def _oddity(word: str) -> int:
    """How unlike a word it is."""
    scripts = {_script(letter) for letter in word if letter.isalpha()}
    found = len(scripts & _ODD)
    groups = (scripts - _TOGETHER) | ({"CJK"} if scripts & _TOGETHER else set())
    found += max(len(groups) - 1, 0)
    found += sum(one in _RARE or not (one.isascii() or one.isalpha() or one in _IN_WORDS or _is_mark(one))
                 for one in word[:-1])  # fmt: skip
    found += sum(after.isupper() and before.islower() for before, after in pairwise(word))
    return found


def _is_mark(sign: str) -> bool:
    """Whether it is a sign above or below a letter that people write; vowels of Hebrew and Arabic are left out."""
    return unicodedata.category(sign).startswith("M") and _script(sign) not in ("HEBREW", "ARABIC")


def _ranks(sample: bytes, encodings: Iterable[str]) -> dict[str, int]:
    """In which order charset-normalizer puts encodings; those that it does not think of are left out."""
    wanted = list(encodings)
    ranks: dict[str, int] = {}
    for rank, match in enumerate(from_bytes(sample, cp_isolation=wanted, enable_fallback=False)):
        for name in (match.encoding, *match.could_be_from_charset):
            ranks.setdefault(name, rank)
    return ranks


def _decodes(data: bytes, encoding: str) -> bool:
    try:
        data.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _example(text: str) -> str:
    """A word that shows how the text was read: the one with most letters beyond ASCII."""
    words = [word for word in _WORD.findall(text) if not word.isascii()]
    return max(words, key=lambda word: sum(not sign.isascii() for sign in word), default="")[:40]


def _same_place(text: str, other: str) -> str:
    """How a rival reads the first word that it reads differently."""
    pairs = zip(text.split("\n"), other.split("\n"), strict=False)
    for mine, theirs in pairs:
        for one, another in zip(re.split(r"[;,\t|]", mine), re.split(r"[;,\t|]", theirs), strict=False):
            if one != another:
                return another.strip()[:40]
    return ""
