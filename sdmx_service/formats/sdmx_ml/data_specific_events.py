"""Structure-specific data messages: components are attributes of ``Series`` and ``Obs``, or ``Comp`` elements (3.x)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final
from xml.parsers import expat

from sdmx_service.errors import UnreadableFile
from sdmx_service.formats.sdmx_ml.data_events import DataEvents, Done, Handler, OpenDataSet, pairs_of, text_of
from sdmx_service.formats.sdmx_ml.data_opening import Opening
from sdmx_service.formats.sdmx_ml.data_plain import PlainRows, read_plain
from sdmx_service.formats.sdmx_ml.data_rows import Value
from sdmx_service.formats.sdmx_ml.namespaces import XML_LANG
from sdmx_service.formats.sdmx_ml.structure_elements import Element, children, local_name
from sdmx_service.model.message import Resolve

PART: Final = 64 * 1024
"""Bytes down to which a piece that is not plain as a whole is halved: most of it may be."""
_MOST_MISSES: Final = 64
"""So many parts one after the other that are not plain: the message is of another kind."""


class SpecificEvents(DataEvents):
    """Structure-specific messages: components are attributes, or ``Comp`` elements (3.x)."""

    def __init__(self, opening: Opening, resolve: Resolve) -> None:
        self._series: dict[str, Value] | None = None
        self._series_at = (0, 0)
        self._pending: list[tuple[str, Value]] = []
        self._may_be_plain = True
        self._observation = "Obs"
        """Name of observations, ``namespace}name`` where it is qualified."""
        self._misses = 0
        self._depth = self._dataset_depth = 0
        """How many elements are open, and how many were when the data set had begun."""
        self._begun: OpenDataSet | None = None
        self._unseen = (0, 0)
        """A line, and how many of its characters the parser was not given."""
        super().__init__(opening, resolve)
        self.xml.XmlDeclHandler = self._take_encoding
        self.starts |= {
            "Series": self._start_series,
            "Group": self._start_row,
            "Atts": self._start_row,
            "Comp": self._capture,
        }
        self.ends |= {"Series": self._end_series, "Group": self._end_row, "Atts": self._end_row}
        self.captured["Comp"] = self._take_component

    def feed(self, piece: bytes) -> None:
        """Take the next piece of the file, the short way where it is plain."""
        plain = self._plain(piece) if self._may_be_plain and self._is_between() else None
        if plain is not None:
            self._misses = 0
            self._stand_in(piece, plain)
            self._take_plain(plain)
            return
        middle = piece.find(b">", len(piece) // 2) + 1
        if len(piece) <= PART or middle in (0, len(piece)):
            self._misses += 1
            self._may_be_plain = self._may_be_plain and self._misses < _MOST_MISSES
            self._feed_events(piece)
            return
        self.feed(piece[:middle])
        self.feed(piece[middle:])

    def placed(self, fault: expat.ExpatError) -> expat.ExpatError:
        """An error of the parser at its place in the file."""
        line, unseen = self._unseen
        fault.offset += unseen if fault.lineno == line else 0
        return fault

    def _deeper(self, start: Handler, end: Callable[[str], Any], data: Callable[[str], Any] | None, done: Done) -> None:
        def ended() -> None:
            self._depth -= 1
            done()

        super()._deeper(start, end, data, ended)

    def _is_between(self) -> bool:
        """Whether the parser is inside a data set or a series, not inside something in it."""
        depth = self._dataset_depth + (self._series is not None)
        return self._is_listening and self._rows is not None and not self._pending and self._depth == depth

    def _plain(self, piece: bytes) -> PlainRows | None:
        if self._series is not None and not all(isinstance(one, str) for one in self._series.values()):
            return None
        if self._series_at[0] == self.rows.place and re.match(rb"\s*</Series\s*>", piece):
            return None  # The series of the piece before is empty, which makes a row.
        return read_plain(piece, self.line, self._series)

    def _stand_in(self, piece: bytes, plain: PlainRows) -> None:
        """Give the parser, in place of a plain piece, the line breaks in it and the series that it opens or ends."""
        line, column = self.xml.CurrentLineNumber, self.xml.CurrentColumnNumber
        if not plain.breaks:
            column += self._unseen[1] if self._unseen[0] == line else 0
        begin = piece.rfind(b"\n") + 1
        column = len(piece[begin:].decode()) + (0 if begin else column)
        was_open, is_open = self._series is not None, plain.series is not None
        tag = b"<Series>" if is_open > was_open else b"</Series>" if was_open > is_open else b""
        self.xml.StartElementHandler = self.xml.EndElementHandler = None
        self.xml.Parse(b"\n" * plain.breaks + tag, False)
        self._listen()
        self._depth += is_open - was_open
        self._unseen = (self.xml.CurrentLineNumber, column - self.xml.CurrentColumnNumber)

    def _feed_events(self, piece: bytes) -> None:
        self.xml.Parse(piece, False)
        openings = ((b"<!--", b"-->"), (b"<![CDATA[", b"]]>"), (b"<?", b"?>"))
        if any(piece.rfind(start) > piece.rfind(end) for start, end in openings):
            self._may_be_plain = False  # What follows may not be markup.

    def _take_plain(self, plain: PlainRows) -> None:
        rows = self.rows
        for id, first in plain.names.items():
            rows.column(id, first)
        if rows.flat:
            self._flush()
        assert self._dataset is not None
        if len(plain.lines):
            self._ready.append((self._dataset, rows.batch_of(plain.texts, plain.lines)))
        self._series = None if plain.series is None else dict(plain.series)
        self._series_at = (-1, 0) if plain.empty_at is None else (rows.place, plain.empty_at)
        rows.begin(self._series or {})

    def _take_encoding(self, _: str, encoding: str | None, __: int) -> None:
        self._may_be_plain = encoding is None or encoding.lower() == "utf-8"

    def _start_dataset(self, name: str, attributes: list[str]) -> None:
        super()._start_dataset(name, attributes)
        self._listen()

    def _listen(self) -> None:
        """As above, with a short way for observations."""
        super()._listen()
        if self._rows is None:
            return
        if self._dataset is not self._begun:
            self._begun, self._dataset_depth = self._dataset, self._depth
        start_other: Any = self.xml.StartElementHandler
        end_other: Any = self.xml.EndElementHandler
        say, end_row, pending, xml = self._rows.flat.extend, self._rows.flat.append, self._pending, self.xml
        observation = self._observation

        def start(name: str, attributes: list[str]) -> None:
            self._depth += 1
            if name == observation:
                if pending:
                    self._give_to_series()
                say(attributes)
                end_row(xml.CurrentLineNumber)
            else:
                start_other(name, attributes)

        def end(name: str) -> None:
            self._depth -= 1
            if name != observation:
                end_other(name)
            elif pending:
                self._end_row()

        self.xml.StartElementHandler = start
        self.xml.EndElementHandler = end

    def _start_row(self, _: str, attributes: list[str]) -> None:
        self.rows.add(attributes, self.line)

    def _end_row(self) -> None:
        for id, value in self._pending:
            self.rows.extend(id, value)
        self._pending.clear()

    def _start_series(self, _: str, attributes: list[str]) -> None:
        rows = self.rows
        said = {name: value for name, value in pairs_of(attributes) if "}" not in name}
        for name in said:
            rows.column(name, self.line)
        self._series = {name: value for name, value in said.items() if value}
        self._series_at = (rows.place, self.line)
        rows.begin(self._series)

    def _give_to_series(self) -> None:
        if self._series is None:
            raise UnreadableFile(f"Line {self.line}: a Comp stands outside an observation, series, group or Atts.")
        self._series.update(self._pending)
        self._pending.clear()

    def _end_series(self) -> None:
        rows, (start, line) = self.rows, self._series_at
        if self._pending:
            self._give_to_series()
        if rows.place == start and (self._series or self._is_deletion):
            rows.add([], line)
        self._series = None
        rows.begin({})

    def _take_component(self, element: Element) -> None:
        id = element.get("id", "")
        column = self.rows.column(id, self.line)
        values = [_component_value(one) for one in children(element) if local_name(one) == "Value"]
        if column.kind == "multi":
            self._pending.append((id, [_written(value) for value in values]))
        elif column.kind == "multilingual":
            texts: dict[str, str] = {}
            for value in values:
                texts |= {"en": value} if isinstance(value, str) else value
            self._pending.append((id, texts))
        elif len(values) == 1:
            self._pending.append((id, _written(values[0])))
        elif values:
            raise UnreadableFile(
                f"Line {self.line}: {id} has {len(values)} values, and the structure allows one.",
                hint="Send one, or use a version of the structure whose maxOccurs allows more.",
            )


def _component_value(element: Element) -> str | dict[str, str]:
    """A ``Value`` of a ``Comp``: its text, or its texts by language."""
    texts = {one.get(XML_LANG, "en"): text_of(one) for one in children(element) if local_name(one) == "Text"}
    return texts or text_of(element)


def _written(value: str | dict[str, str]) -> str:
    """One text of a value; of several languages, all of them as SDMX-CSV writes them (``en:Yes;fr:Oui``)."""
    if isinstance(value, str):
        return value
    return next(iter(value.values())) if len(value) == 1 else ";".join(f"{tag}:{text}" for tag, text in value.items())
