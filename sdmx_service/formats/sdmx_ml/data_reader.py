"""SDMX-ML data messages to ``Message``: 2.1 structure-specific and generic with their time-series variants, 3.0, 3.1.

One pass; what is in memory is one batch. The hot loop is expat's (of the standard library), which was measured to be
faster here than lxml's event interfaces; header and references are read by lxml.

What becomes a row (*choices* where the standard leaves it open):

* ``Obs``: a row that repeats what its ``Series`` says. A ``Series`` without ``Obs``: a row without the dimension at the
  observation level.
* ``Group``, ``Atts``, attributes of the ``DataSet``: a row with the dimensions that they name, or none.
* An empty attribute is an omitted value. A ``DataSet`` without content has no rows, also with the action Delete: what
  is to be deleted must be said, if only by an empty ``Series``, ``Obs`` or ``Atts``.
* Reference metadata inside data (3.x) and annotations are read over; ``Message.errors`` says so. Messages of the footer
  are there too. Both are complete once the data sets are read to the end.
* ``_row`` is the line of the sender's file.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain, groupby
from typing import IO, Any, Final
from xml.parsers import expat

import pyarrow as pa
from lxml import etree

from sdmx_service.errors import SyntaxFault, UnreadableFile
from sdmx_service.formats.sdmx_ml.data_opening import (
    KINDS,
    LEGACY_ROOTS,
    Opening,
    StructureUse,
    explain,
    parser_of,
    read_opening,
)
from sdmx_service.formats.sdmx_ml.data_plain import PlainRows, read_plain
from sdmx_service.formats.sdmx_ml.data_rows import Rows, Value
from sdmx_service.formats.sdmx_ml.namespaces import XML_LANG
from sdmx_service.formats.sdmx_ml.structure_elements import Element, children, local_name, named
from sdmx_service.formats.sdmx_ml.structure_references import read_reference
from sdmx_service.formats.sniffing import Head
from sdmx_service.model.artefact import Texts
from sdmx_service.model.message import Action, Dataset, Message, Resolve, Target
from sdmx_service.model.urn import Ref

IGNORED_METADATA: Final = "IGNORED_METADATA"
"""Code of the note in ``Message.errors`` that reference metadata inside the data were read over."""
PIECE: Final = 512 * 1024
"""Bytes given to the parser at once."""
_BATCH: Final = 400_000
"""Ids, values and lines that make a batch: some 50,000 rows."""
_SETTINGS: Final = frozenset(
    {"structureRef", "setID", "action", "reportingBeginDate", "reportingEndDate", "validFromDate", "validToDate",
     "publicationYear", "publicationPeriod", "dataScope", "noNamespaceSchemaLocation", "schemaLocation", "type"}
)  # fmt: skip
"""Attributes of a DataSet that are no components."""


def sniff_sdmx_ml_data(head: Head) -> int:
    """How sure it is that this is an SDMX-ML data message, of 2.0 too (which is then refused in clear words)."""
    root = head.xml_root
    if root is None or (root[0] not in KINDS and root[0] not in LEGACY_ROOTS):
        return 0
    return 100 if "sdmx" in root[1].lower() else 50


def read_sdmx_ml_data(file: IO[bytes], resolve: Resolve) -> Message:
    """The message in a file; its header is read at once, the rest while the data sets are iterated.

    Raises:
        UnsafeFile: a DOCTYPE.
        UnreadableFile: here or while iterating: not well-formed, truncated, no data message, a component that the
            structure does not have; with the line.
        NotBuilt: SDMX-ML 2.0, reference metadata.
        UnresolvedReference: while iterating, a structure that is not there.
    """
    opening = read_opening(file)
    message = Message(header=opening.header)
    message.datasets = _datasets(file, opening, resolve, message)
    return message


@dataclass(slots=True, kw_only=True)
class _DataSet:
    """A ``DataSet`` element."""

    target: Target
    use: StructureUse
    action: Action
    provider: Ref | None = None
    id: str | None = None
    valid_from: str | None = None
    valid_to: str | None = None


_Piece = tuple[_DataSet, pa.RecordBatch]


def _datasets(file: IO[bytes], opening: Opening, resolve: Resolve, message: Message) -> Iterator[Dataset]:
    for _, group in groupby(_pieces(file, opening, resolve, message), key=lambda piece: id(piece[0])):
        first = next(group)
        one = first[0]
        yield Dataset(
            structure=one.target.structure,
            ref=one.use.ref,
            batches=(batch for _, batch in chain([first], group)),
            action=one.action,
            dataflow=one.target.dataflow,
            provider=one.provider or one.target.provider or opening.header.provider,
            dimension_at_observation=one.use.dimension_at_observation,
            id=one.id,
            valid_from=one.valid_from,
            valid_to=one.valid_to,
        )


def _pieces(file: IO[bytes], opening: Opening, resolve: Resolve, message: Message) -> Iterator[_Piece]:
    parser = (_Specific if opening.kind == "specific" else _Generic)(opening, resolve)
    file.seek(0)
    try:
        for piece in _cut(file):
            parser.feed(piece)
            yield from parser.ready()
        parser.xml.Parse(b"", True)
    except expat.ExpatError as fault:
        raise explain(fault) from None
    yield from parser.ready()
    message.errors = (*message.errors, *parser.notes)


def _cut(file: IO[bytes]) -> Iterator[bytes]:
    """The file in pieces that end with ``>`` where it has any."""
    rest = b""
    while chunk := file.read(PIECE):
        end = chunk.rfind(b">") + 1
        if end:
            yield rest + chunk[:end]
            rest = chunk[end:]
        else:
            rest += chunk
    yield rest


# ----------------------------------------------------------------------------------------------------------- parsers

_Handler = Callable[[str, list[str]], None]


class _Parser:
    """Data sets of a message; what both kinds of messages have in common.

    Subclasses list in ``starts`` and ``ends`` what they do at elements inside a data set, by local name; ``captured``
    are small elements that are handed over whole.
    """

    def __init__(self, opening: Opening, resolve: Resolve) -> None:
        self.xml = parser_of()
        self.notes: list[tuple[str, str, Texts]] = []
        self._opening = opening
        self._resolve = resolve
        self._ready: list[_Piece] = []
        self._dataset: _DataSet | None = None
        self._rows: Rows | None = None
        self._known: dict[str, Callable[[str, list[str]], None] | None] = {}
        self._known_ends: dict[str, Callable[[], None] | None] = {}
        self.starts: dict[str, _Handler] = {"DataSet": self._start_dataset, "Header": self._skip}
        self.ends: dict[str, Callable[[], None]] = {"DataSet": self._end_dataset}
        for name in ("Annotations", "Metadata", "DataProvider", "Message"):
            self.starts[name] = self._capture
        self.captured: dict[str, Callable[[Element], None]] = {
            "Metadata": self._note_metadata,
            "DataProvider": self._take_provider,
            "Message": self._take_footer,
        }
        self._listen()

    @property
    def rows(self) -> Rows:
        """The rows of the data set that is open."""
        if self._rows is None:
            raise UnreadableFile(f"Line {self.line}: data stand outside a DataSet.")
        return self._rows

    @property
    def line(self) -> int:
        """Where the parser is."""
        return self.xml.CurrentLineNumber

    @property
    def _is_deletion(self) -> bool:
        return self._dataset is not None and self._dataset.action is Action.DELETE

    def feed(self, piece: bytes) -> None:
        """Take the next piece of the file."""
        self.xml.Parse(piece, False)

    def ready(self) -> Iterator[_Piece]:
        """What can be taken, in order."""
        if self._rows is not None and len(self._rows.flat) >= _BATCH:
            self._flush()
        taken, self._ready = self._ready, []
        yield from taken

    def _flush(self) -> None:
        assert self._dataset is not None
        self._ready.append((self._dataset, self.rows.batch()))

    def _listen(self) -> None:
        """React to elements as the subclass says."""
        starts, ends, known, known_ends = self.starts, self.ends, self._known, self._known_ends

        def start(name: str, attributes: list[str]) -> None:
            try:
                handler = known[name]
            except KeyError:
                handler = known[name] = starts.get(name.rpartition("}")[2])
            if handler is not None:
                handler(name, attributes)

        def end(name: str) -> None:
            try:
                handler = known_ends[name]
            except KeyError:
                handler = known_ends[name] = ends.get(name.rpartition("}")[2])
            if handler is not None:
                handler()

        self.xml.StartElementHandler = start
        self.xml.EndElementHandler = end
        self.xml.CharacterDataHandler = None
        self._is_listening = True

    def _skip(self, name: str, _: list[str]) -> None:
        """Read over an element."""
        self._deeper(lambda *_: None, lambda _: None, None, lambda: None)

    def _capture(self, name: str, attributes: list[str]) -> None:
        """Take an element as a whole and hand it over at its end."""
        builder: Any = etree.TreeBuilder()

        def start(name: str, attributes: list[str]) -> None:
            pairs = zip(map(_tag, attributes[::2]), attributes[1::2], strict=True)
            builder.start(_tag(name), dict(pairs))

        def done() -> None:
            builder.end(_tag(name))
            take = self.captured.get(name.rpartition("}")[2])
            if take is not None:
                take(builder.close())

        start(name, attributes)
        self._deeper(start, lambda name: builder.end(_tag(name)), builder.data, done)

    def _deeper(
        self, start: _Handler, end: Callable[[str], Any], data: Callable[[str], Any] | None, done: Callable[[], None]
    ) -> None:
        """Until the element that has just begun ends, give its content to others; then call ``done``."""
        depth = 1

        def start_inside(name: str, attributes: list[str]) -> None:
            nonlocal depth
            depth += 1
            start(name, attributes)

        def end_inside(name: str) -> None:
            nonlocal depth
            depth -= 1
            if depth:
                end(name)
                return
            self._listen()
            done()

        self._is_listening = False
        self.xml.StartElementHandler = start_inside
        self.xml.EndElementHandler = end_inside
        self.xml.CharacterDataHandler = data

    # Data sets ----------------------------------------------------------------------------------------------------

    def _start_dataset(self, _: str, attributes: list[str]) -> None:
        if self._dataset is not None:
            raise UnreadableFile(f"Line {self.line}: a DataSet stands inside another one.")
        settings = {name.rpartition("}")[2]: value for name, value in _pairs(attributes)}
        use = self._use(settings.get("structureRef"))
        target = self._resolve(use.ref)
        self._dataset = _DataSet(
            target=target,
            use=use,
            action=self._action(settings.get("action")),
            id=settings.get("setID"),
            valid_from=settings.get("validFromDate"),
            valid_to=settings.get("validToDate"),
        )
        self._rows = Rows(target.structure, use.ref, is_explicit=use.is_explicit)
        own = [
            (name, value)
            for name, value in _pairs(attributes)
            if "}" not in name and (name not in _SETTINGS or name in self._rows.columns)
        ]
        if own:
            self._rows.add(list(chain.from_iterable(own)), self.line)

    def _end_dataset(self) -> None:
        self._flush()
        self._dataset = self._rows = None

    def _use(self, name: str | None) -> StructureUse:
        uses = self._opening.uses
        if name in uses:
            return uses[name]
        if name is None and len(uses) == 1:
            return next(iter(uses.values()))
        raise UnreadableFile(
            f"Line {self.line}: the DataSet refers to the structure {name!r}, which the header does not have.",
            hint=f"The header has {', '.join(uses) or 'no structure'}: give structureRef one of its structureIDs.",
        )

    def _action(self, text: str | None) -> Action:
        if text is None:
            return self._opening.header.action or Action.MERGE
        try:
            return Action.from_text(text)
        except SyntaxFault as fault:
            raise UnreadableFile(f"Line {self.line}: {fault.detail}") from None

    # Elements taken as a whole ------------------------------------------------------------------------------------

    def _note_metadata(self, _: Element) -> None:
        if not any(code == IGNORED_METADATA for code, _, _ in self.notes):
            text = f"Reference metadata inside the data were read over, first those in line {self.line}."
            self.notes.append((IGNORED_METADATA, "information", Texts({"en": text})))

    def _take_provider(self, element: Element) -> None:
        if self._dataset is not None:
            self._dataset.provider = read_reference(element, "DataProvider")

    def _take_footer(self, element: Element) -> None:
        texts: dict[str, str] = {}
        for one in named(element, "Text"):
            tag, text = one.get(XML_LANG, "en"), _text(one)
            texts[tag] = f"{texts[tag]}\n{text}" if tag in texts else text
        self.notes.append((element.get("code", ""), element.get("severity", ""), Texts(texts)))


class _Specific(_Parser):
    """Structure-specific messages: components are attributes, or ``Comp`` elements (3.x)."""

    def __init__(self, opening: Opening, resolve: Resolve) -> None:
        self._series: dict[str, Value] | None = None
        self._series_at = (0, 0)
        self._pending: list[tuple[str, Value]] = []
        self._line = 1
        self._may_be_plain = True
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
        self._take_plain(plain, line)

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

    def _take_plain(self, plain: PlainRows, line: int) -> None:
        rows = self.rows
        for id, first in plain.names.items():
            rows.column(id, first)
        if rows.flat:
            self._flush()
        assert self._dataset is not None
        if len(plain.lines):
            self._ready.append((self._dataset, rows.batch_of(plain.texts, plain.lines)))
        self._series = None if plain.series is None else dict(plain.series)
        self._series_at = (rows.place if plain.is_series_empty else -1, line)
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

        def start(name: str, attributes: list[str]) -> None:
            if name == "Obs":
                if pending:
                    self._give_to_series()
                say(attributes)
                end_row(xml.CurrentLineNumber)
            else:
                start_other(name, attributes)

        def end(name: str) -> None:
            if name != "Obs":
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
        self._series = {name: value for name, value in _pairs(attributes) if "}" not in name}
        for name in self._series:
            rows.column(name, self.line)
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
    texts = {one.get(XML_LANG, "en"): _text(one) for one in children(element) if local_name(one) == "Text"}
    return texts or _text(element)


def _written(value: str | dict[str, str]) -> str:
    """One text of a value; of several languages, all of them as SDMX-CSV writes them (``en:Yes;fr:Oui``)."""
    if isinstance(value, str):
        return value
    return next(iter(value.values())) if len(value) == 1 else ";".join(f"{tag}:{text}" for tag, text in value.items())


class _Generic(_Parser):
    """Generic messages (2.1): components are ``Value`` elements with id and value."""

    def __init__(self, opening: Opening, resolve: Resolve) -> None:
        self._current: list[str] = []
        self._series: list[str] | None = None
        self._series_at = (0, 0)
        self._is_series_open = False
        self._line = 0
        self._measure = self._at_observation = ""
        super().__init__(opening, resolve)
        self.starts |= {
            "Value": self._value,
            "ObsDimension": self._observation_dimension,
            "ObsValue": self._observation_value,
            "Obs": self._start_observation,
            "Series": self._start_series,
            "Group": self._start_group,
        }
        self.ends |= {"Obs": self._end_observation, "Series": self._end_series, "Group": self._end_observation}

    def _start_dataset(self, name: str, attributes: list[str]) -> None:
        super()._start_dataset(name, attributes)
        assert self._dataset is not None
        structure = self._dataset.target.structure
        measures = [one.id for one in structure.measures]
        self._measure = measures[0] if len(measures) == 1 else "OBS_VALUE"
        self._at_observation = self._dataset.use.dimension_at_observation or "TIME_PERIOD"
        self._current = []
        self._line = self.line

    def _end_dataset(self) -> None:
        self._give_to_dataset()
        super()._end_dataset()

    def _value(self, _: str, attributes: list[str]) -> None:
        if len(attributes) == 4 and attributes[0] == "id" and attributes[2] == "value":
            self._current += (attributes[1], attributes[3])
            return
        said = dict(_pairs(attributes))
        if "id" not in said:
            raise UnreadableFile(f"Line {self.line}: a Value has no id.")
        if "value" in said:
            self._current += (said["id"], said["value"])

    def _observation_dimension(self, _: str, attributes: list[str]) -> None:
        said = dict(_pairs(attributes))
        if "value" in said:
            self._current += (said.get("id", self._at_observation), said["value"])

    def _observation_value(self, _: str, attributes: list[str]) -> None:
        if len(attributes) == 2 and attributes[0] == "value":
            self._current += (self._measure, attributes[1])
            return
        said = dict(_pairs(attributes))
        if "value" in said:
            self._current += (said.get("id", self._measure), said["value"])

    def _give_to_dataset(self) -> None:
        """What stands in the data set before its first group, series or observation."""
        if self._series is None and self._current:
            self.rows.add(self._current, self._line)
        self._current = []

    def _start_group(self, _: str, __: list[str]) -> None:
        self._give_to_dataset()
        self._line = self.line

    def _start_series(self, _: str, __: list[str]) -> None:
        self._give_to_dataset()
        rows = self.rows
        self._series = self._current = []
        self._is_series_open = True
        self._series_at = (rows.place, self.line)

    def _close_series_key(self) -> None:
        if self._series is not None and self._is_series_open:
            self._is_series_open = False
            context: dict[str, Value] = dict(_pairs(self._series))
            for name in context:
                self.rows.column(name, self.line)
            self.rows.begin(context)

    def _start_observation(self, _: str, __: list[str]) -> None:
        if self._series is None:
            self._give_to_dataset()
        elif self._is_series_open:
            self._close_series_key()
        self._current = []
        self._line = self.line

    def _end_observation(self) -> None:
        self.rows.add(self._current, self._line)
        self._current = []

    def _end_series(self) -> None:
        self._close_series_key()
        rows, (start, line) = self.rows, self._series_at
        if rows.place == start and (self._series or self._is_deletion):
            rows.add([], line)
        self._series = None
        self._current = []
        rows.begin({})


def _text(element: Element) -> str:
    return "".join(map(str, element.itertext()))


def _pairs(attributes: list[str]) -> Iterator[tuple[str, str]]:
    return zip(attributes[::2], attributes[1::2], strict=True)


def _tag(name: str) -> str:
    return "{" + name if "}" in name else name
