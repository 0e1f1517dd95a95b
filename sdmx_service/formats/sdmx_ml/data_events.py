"""What the parser meets in an SDMX-ML data message, turned into rows: what all kinds of messages have in common."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final
from xml.parsers import expat

import pyarrow as pa
from lxml import etree

from sdmx_service.errors import SyntaxFault, UnreadableFile
from sdmx_service.formats.sdmx_ml.data_opening import Opening, StructureUse, parser_of
from sdmx_service.formats.sdmx_ml.data_rows import Rows
from sdmx_service.formats.sdmx_ml.namespaces import XML_LANG
from sdmx_service.formats.sdmx_ml.structure_elements import Element, named
from sdmx_service.formats.sdmx_ml.structure_references import read_reference
from sdmx_service.model.artefact import Texts
from sdmx_service.model.message import Action, Resolve, Target
from sdmx_service.model.structure import DataStructure
from sdmx_service.model.urn import Ref

IGNORED_METADATA: Final = "IGNORED_METADATA"
"""Code of the note in ``Message.errors`` that reference metadata inside the data were read over."""
BATCH: Final = 400_000
"""Ids, values and lines that make a batch: some 50,000 rows."""
SETTINGS: Final = frozenset(
    {"structureRef", "setID", "action", "reportingBeginDate", "reportingEndDate", "validFromDate", "validToDate",
     "publicationYear", "publicationPeriod", "dataScope", "noNamespaceSchemaLocation", "schemaLocation", "type"}
)  # fmt: skip
"""Attributes of a DataSet that are no components."""


@dataclass(slots=True, kw_only=True)
class OpenDataSet:
    """A ``DataSet`` element."""

    target: Target
    use: StructureUse
    action: Action
    provider: Ref | None = None
    id: str | None = None
    valid_from: str | None = None
    valid_to: str | None = None


EventPiece = tuple[OpenDataSet, pa.RecordBatch]
"""A batch and the data set that it belongs to."""
Handler = Callable[[str, list[str]], None]
Done = Callable[[], None]


class DataEvents:
    """Data sets of a message; what both kinds of messages have in common.

    Subclasses list in ``starts`` and ``ends`` what they do at elements inside a data set, by local name; ``captured``
    are small elements that are handed over whole.
    """

    def __init__(self, opening: Opening, resolve: Resolve) -> None:
        self.xml = parser_of()
        self.notes: list[tuple[str, str, Texts]] = []
        self._opening = opening
        self._resolve = resolve
        self._ready: list[EventPiece] = []
        self._dataset: OpenDataSet | None = None
        self._rows: Rows | None = None
        self._known: dict[str, Callable[[str, list[str]], None] | None] = {}
        self._known_ends: dict[str, Callable[[], None] | None] = {}
        self.starts: dict[str, Handler] = {"DataSet": self._start_dataset, "Header": self._skip}
        self.ends: dict[str, Callable[[], None]] = {"DataSet": self._end_dataset}
        self.other: Handler | None = None
        """What is done at elements of any other name."""
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
    def structure(self) -> DataStructure:
        """The structure of the data set that is open."""
        assert self._dataset is not None
        return self._dataset.target.structure

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

    def placed(self, fault: expat.ExpatError) -> expat.ExpatError:
        """An error of the parser at its place in the file."""
        return fault

    def ready(self) -> Iterator[EventPiece]:
        """What can be taken, in order."""
        if self._rows is not None and len(self._rows.flat) >= BATCH:
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
                handler = known[name] = starts.get(name.rpartition("}")[2], self.other)
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

    def _deeper(self, start: Handler, end: Callable[[str], Any], data: Callable[[str], Any] | None, done: Done) -> None:
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
        self._refuse_nesting()
        settings = settings_of(attributes)
        use = self._use(settings.get("structureRef"))
        target = self._resolve(use.ref)
        names = _names_of_2_1(target.structure) if self._opening.version == "2.1" else None
        self._open_dataset(attributes, use, target, id=settings.get("setID"), names=names)

    def _refuse_nesting(self) -> None:
        if self._dataset is not None:
            raise UnreadableFile(f"Line {self.line}: a DataSet stands inside another one.")

    def _open_dataset(
        self,
        attributes: list[str],
        use: StructureUse,
        target: Target,
        *,
        id: str | None,
        settings: frozenset[str] = SETTINGS,
        names: Mapping[str, str] | None = None,
    ) -> None:
        """Begin a data set.

        Args:
            settings: attributes that are no components.
            names: what the message calls components whose id is another one.
        """
        said = settings_of(attributes)
        self._dataset = OpenDataSet(
            target=target,
            use=use,
            action=self._action(said.get("action")),
            id=id,
            valid_from=said.get("validFromDate"),
            valid_to=said.get("validToDate"),
        )
        self._rows = Rows(target.structure, use.ref, is_explicit=use.is_explicit, names=names)
        own = [
            (name, value)
            for name, value in pairs_of(attributes)
            if "}" not in name and (name not in settings or name in self._rows.columns)
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
            tag, text = one.get(XML_LANG, "en"), text_of(one)
            texts[tag] = f"{texts[tag]}\n{text}" if tag in texts else text
        self.notes.append((element.get("code", ""), element.get("severity", ""), Texts(texts)))


def _names_of_2_1(structure: DataStructure) -> dict[str, str]:
    """The primary measure of 2.1 is ``OBS_VALUE``, whatever a structure of 3.x calls its first one."""
    if not structure.measures or structure.component("OBS_VALUE") is not None:
        return {}
    return {"OBS_VALUE": structure.measures[0].id}


def pairs_of(attributes: list[str]) -> Iterator[tuple[str, str]]:
    """Names and values of a list in which they alternate."""
    return zip(attributes[::2], attributes[1::2], strict=True)


def settings_of(attributes: list[str]) -> dict[str, str]:
    """What the attributes of an element say, by their local names."""
    return {name.rpartition("}")[2]: value for name, value in pairs_of(attributes)}


def text_of(element: Element) -> str:
    """All text of an element and of those inside it."""
    return "".join(map(str, element.itertext()))


def _tag(name: str) -> str:
    return "{" + name if "}" in name else name
