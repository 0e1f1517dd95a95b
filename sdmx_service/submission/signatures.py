"""Which layout reads a table: the one that the sender names, or the one whose signature the file has.

A remedy names only layouts that read tables, and first those whose headers the file nearly has.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from sdmx_service.catalog.layout import Layout
from sdmx_service.errors import NotFound, UnknownFormat
from sdmx_service.model.message import Tables
from sdmx_service.submission.headers import lacking, rows_of, words_of
from sdmx_service.submission.recognising import HEADER_ROWS, is_alike, recognise

_NEAR = 3
"""Layouts named at most whose headers a file nearly has."""
_LACKING = 4
"""Headers named at most that a file lacks of one."""


def named_layout(id: str, layouts: Mapping[str, Layout]) -> Layout:
    """The layout of that id.

    Raises:
        NotFound: there is none; those that take files are listed.
    """
    if id not in layouts:
        takers = _names(one for one in layouts.values() if not one.refuse)
        raise NotFound(f"There is no mapping {id!r}.", hint=f"There are: {takers}.")
    return layouts[id]


def layout_of(tables: Tables, format: str, file: str, layouts: Mapping[str, Layout]) -> Layout:
    """The one layout that recognises a file, even if it is to say why the file cannot be taken.

    Raises:
        UnknownFormat: none does, or several do.
    """
    fitting = recognise(layouts.values(), tables, format, file)
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        takers = [one for one in fitting if not one.refuse]
        raise UnknownFormat(f"Several mappings recognise {file!r}.", hint=f"Say which: {_names(takers or fitting)}.")
    raise UnknownFormat(f"{file!r} is a table, and no mapping recognises it.", hint=_remedy(tables, format, layouts))


def _remedy(tables: Tables, format: str, layouts: Mapping[str, Layout]) -> str:
    readers = [one for one in layouts.values() if one.tables and not one.messages]
    near = "; ".join(
        f"{layout.id}, but for the header{'s' * (len(missing) > 1)} {_quoted(missing)}" if missing else layout.id
        for layout, missing in _nearest(readers, tables, format)
    )
    if near:
        return f"It looks like a file for {near}. Correct the headers, or say the mapping, or send an SDMX message."
    return f"Say the mapping ({_names(readers)}) or send an SDMX message."


def _nearest(layouts: Iterable[Layout], tables: Tables, format: str) -> list[tuple[Layout, list[str]]]:
    """Layouts of whose headers some row of the file has more than half, and those it lacks; the nearest first.

    Of layouts of other formats the file must have all: it was saved anew.
    """
    found = []
    rows = [words_of(row) for sheet in tables.sheets for row in rows_of(sheet, HEADER_ROWS)]
    for layout in layouts:
        headers = list(layout.signature.headers)
        missing = min((lacking(headers, words) for words in rows), key=len, default=headers)
        is_of_format = not layout.signature.formats or is_alike(format, layout.signature.formats)
        if headers and (2 * len(missing) < len(headers) if is_of_format else not missing):
            found.append((layout, missing))
    return sorted(found, key=lambda one: len(one[1]) / len(one[0].signature.headers))[:_NEAR]


def _quoted(texts: Sequence[str]) -> str:
    more = f" and {len(texts) - _LACKING} more" if len(texts) > _LACKING else ""
    return ", ".join(map(repr, texts[:_LACKING])) + more


def _names(layouts: Iterable[Layout]) -> str:
    return ", ".join(sorted(one.id for one in layouts)) or "none"
