"""Structure-specific data messages: components are attributes of ``Series`` and ``Obs``, or ``Comp`` elements (3.x)."""

from __future__ import annotations

import re
from typing import Any

from sdmx_service.errors import UnreadableFile
from sdmx_service.formats.sdmx_ml.data_events import DataEvents, pairs_of, text_of
from sdmx_service.formats.sdmx_ml.data_opening import Opening
from sdmx_service.formats.sdmx_ml.data_plain import PlainRows, read_plain
from sdmx_service.formats.sdmx_ml.data_rows import Value
from sdmx_service.formats.sdmx_ml.namespaces import XML_LANG
from sdmx_service.formats.sdmx_ml.structure_elements import Element, children, local_name
from sdmx_service.model.message import Resolve


class SpecificEvents(DataEvents):
    """Structure-specific messages: components are attributes, or ``Comp`` elements (3.x)."""

    def __init__(self, opening: Opening, resolve: Resolve) -> None:
        self._series: dict[str, Value] | None = None
        self._series_at = (0, 0)
        self._pending: list[tuple[str, Value]] = []
        self._line = 1
        self._may_be_plain = True
        self._observation = "Obs"
        """Name of observations, ``namespace}name`` where it is qualified."""
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
        line = self._line
        self._line += piece.count(b"\n")
        if not (self._may_be_plain and self._is_listening and self._rows is not None and not self._pending):
            self._feed_events(piece)
            return
        plain = self._plain(piece, line)
        if plain is None:
            self._feed_events(piece)
            return
        self.xml.StartElementHandler = self.xml.EndElementHandler = None
        self.xml.Parse(piece, False)
        self._listen()
        self._take_plain(plain)

    def _plain(self, piece: bytes, line: int) -> PlainRows | None:
        if self._series is not None and not all(isinstance(one, str) for one in self._series.values()):
            return None
        if self._series_at[0] == self.rows.place and re.match(rb"\s*</Series>", piece):
            return None  # The series of the piece before is empty, which makes a row.
        try:
            return read_plain(piece, line, self._series)
        except (ValueError, OverflowError):  # No UTF-8, or no character: the parser says so in its own words.
            return None

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
        start_other: Any = self.xml.StartElementHandler
        end_other: Any = self.xml.EndElementHandler
        say, end_row, pending, xml = self._rows.flat.extend, self._rows.flat.append, self._pending, self.xml
        observation = self._observation

        def start(name: str, attributes: list[str]) -> None:
            if name == observation:
                if pending:
                    self._give_to_series()
                say(attributes)
                end_row(xml.CurrentLineNumber)
            else:
                start_other(name, attributes)

        def end(name: str) -> None:
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
