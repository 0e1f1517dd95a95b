"""A sent file becomes data sets with known dataflow and provider: receive and map.

What the caller says (dataflow, provider, mapping) is taken; else what the file itself says; else a layout that
recognises the file. Where several fit or none does, the candidates are listed and nothing is guessed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any, cast

from sdmx_service.catalog.catalog import Catalog
from sdmx_service.catalog.layout import Layout
from sdmx_service.errors import (
    NotFound,
    SemanticFault,
    UnknownFormat,
    UnreadableFile,
    UnresolvedReference,
)
from sdmx_service.formats.recognition import head_of, recognise_data
from sdmx_service.formats.registry import Format, read_bare_csv
from sdmx_service.formats.registry import named as named_format
from sdmx_service.model.artefact import Texts
from sdmx_service.model.finding import FindingGroup
from sdmx_service.model.items import DataProviderScheme
from sdmx_service.model.message import UNSAID, Action, Dataset, Message, Resolve, SeekableFile, Tables, Target
from sdmx_service.model.structure import Dataflow, DataStructure
from sdmx_service.model.urn import Ref
from sdmx_service.submission.encodings import declared, known_words, report_encoding
from sdmx_service.submission.headers import column_letter
from sdmx_service.submission.mapped_parts import MappedParts
from sdmx_service.submission.message_tables import in_workbook, nearly
from sdmx_service.submission.messages import MessageLayouts, sheets
from sdmx_service.submission.parts import Part
from sdmx_service.submission.questionnaire_tables import iterate
from sdmx_service.submission.questionnaires import FilledQuestionnaire, open_questionnaire
from sdmx_service.submission.recognising import recognise
from sdmx_service.submission.report import Report
from sdmx_service.submission.signatures import layout_of, named_layout
from sdmx_service.submission.suggestions import Suggester
from sdmx_service.submission.validity import Validity

_LOOK = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What the sender said beside the file; None = take what the file says.

    Attributes:
        dataflow, provider: references as people write them (``AGENCY:ID(VERSION)``, id ...).
        mapping: id of a layout.
        format: name of a format, when the sender knows better than its looks.
        encoding: of a text that is no SDMX message.
        xsd: a message is judged by its schema too.
    """

    dataflow: str | None = None
    provider: str | None = None
    mapping: str | None = None
    format: str | None = None
    encoding: str | None = None
    xsd: bool = False


@dataclass(slots=True, kw_only=True)
class Received:
    """A file recognised: its format, the mapping that reads it, its parts in order.

    An SDMX message in one of our structures has no mapping; which one reads a message in a structure of the sender's
    is known when its parts are.

    Attributes:
        questionnaire: the workbook of a questionnaire says itself what it is.
    """

    format: Format
    layout: Layout | None
    parts: Iterator[Part]
    questionnaire: FilledQuestionnaire | None = None

    @property
    def mapping(self) -> str | None:
        """The layout's id, or the questionnaire's name."""
        if self.questionnaire is not None:
            return self.questionnaire.questionnaire.name
        return None if self.layout is None else self.layout.id

    @property
    def complete(self) -> tuple[str, ...]:
        """Dimensions for which the file claims to list every part."""
        if self.questionnaire is not None:
            return self.questionnaire.complete
        return () if self.layout is None else self.layout.complete


def receive(
    file: SeekableFile,
    name: str,
    media_type: str | None,
    wish: Wish,
    catalog: Catalog,
    report: Report,
    sender: Ref | None,
) -> Received:
    """Recognise a file and read it lazily.

    Args:
        sender: the provider that the principal is bound to; used when nothing else says who the data come from.

    Raises:
        UnknownFormat: no format or no mapping recognises the file, or several do.
        UnreadableFile: it is not what it claims to be.
        NotFound: something the sender named does not exist.
    """
    _refuse_nothing(file, name)
    format = recognise_data(head_of(file, name=name, media_type=media_type), wish.format)
    named = None if wish.mapping is None else named_layout(wish.mapping, catalog.layouts)
    known = MessageLayouts(catalog, named if named is not None and named.messages else None, wish.dataflow)
    reader = _Reader(file, catalog, declared(wish.encoding, media_type))
    format, content = _content(reader, format, name, wish, catalog, known.target)
    filled: FilledQuestionnaire | None = None
    if isinstance(content, Tables) and wish.mapping is None:
        filled = open_questionnaire(content, catalog, report, name)
        if filled is None:
            content = _message_inside(reader, content, format, name, wish, catalog, known.target, report) or content
    if isinstance(content, Message):
        if named is not None and not named.messages:
            raise SemanticFault(
                f"{name!r} is an SDMX message ({format.name}), which needs no mapping; {wish.mapping!r} reads tables.",
                hint="Send it without a mapping.",
            )
        report_encoding(content, report)
        received = Received(format=format, layout=named, parts=iter(()))
        received.parts = _message_parts(content, received, known, wish, catalog, report, sender)
        return received
    if filled is not None:
        parts = _questionnaire_parts(filled, wish, catalog, sender)
        return Received(format=format, layout=None, parts=parts, questionnaire=filled)
    layout = named or _layout(content, format, name, wish, catalog, known.target)
    if format.name == "csv" and (layout.delimiter or layout.encoding):
        content = reader.table(layout)
    report_encoding(content, report)
    parts = _table_parts(content, layout, wish, catalog, report, sender)
    return Received(format=format, layout=layout, parts=parts)


class _Reader:
    """A sent file, read as one format or another.

    Args:
        encoding: what the sender declares of a text.
    """

    def __init__(self, file: SeekableFile, catalog: Catalog, encoding: str | None) -> None:
        self._file, self._catalog, self._encoding = file, catalog, encoding

    def content(self, format: Format, resolve: Resolve) -> Message | Tables:
        """What it holds."""
        if format.name == "csv":
            return self.table(None)
        if format.name == "sdmx-csv":
            read = cast(Any, format.read)
            message = read(self._file, resolve, encoding=self._encoding, known=known_words(self._catalog))
            assert isinstance(message, Message)
            return message
        assert format.read is not None
        return format.read(self._file, resolve)

    def bare(self, resolve: Resolve, names: Mapping[str, Texts]) -> Message | None:
        """What a CSV file holds as data of the dataflow that the sender says; None if its columns are others.

        Args:
            names: of the components, by id.
        """
        return read_bare_csv(self._file, resolve, names, encoding=self._encoding, known=known_words(self._catalog))

    def table(self, layout: Layout | None) -> Tables:
        """The table of a plain CSV file, with what a layout declares of it."""
        read = cast(Any, named_format("csv").read)
        encoding = self._encoding or (layout.encoding if layout is not None else None)
        delimiter = layout.delimiter if layout is not None else None
        found = read(
            self._file, self._catalog.target, delimiter=delimiter, encoding=encoding, known=known_words(self._catalog)
        )
        assert isinstance(found, Tables)
        return found


def _content(
    reader: _Reader, format: Format, name: str, wish: Wish, catalog: Catalog, resolve: Resolve
) -> tuple[Format, Message | Tables]:
    """What the file holds. SDMX-CSV in a structure that is not here is a plain table, if a mapping recognises it."""
    content = reader.content(format, resolve)
    if isinstance(content, Tables):
        return format, content
    datasets = iter(content.datasets)
    try:
        first = list(islice(datasets, 1))
    except UnresolvedReference:
        plain = named_format("csv")
        if not set(format.suffixes) <= set(plain.suffixes):
            raise
        tables = reader.table(None)
        if wish.mapping is not None:
            reads_tables = not named_layout(wish.mapping, catalog.layouts).messages
        else:
            reads_tables = bool(recognise(catalog.layouts.values(), tables, plain.name, name))
        if not reads_tables:
            raise
        return plain, tables
    content.datasets = chain(first, datasets)
    return format, content


def _message_inside(
    reader: _Reader,
    tables: Tables,
    format: Format,
    name: str,
    wish: Wish,
    catalog: Catalog,
    resolve: Resolve,
    report: Report,
) -> Message | None:
    """The message that a table is: SDMX-CSV in a workbook, or components alone of the dataflow that the sender says.

    A mapping that recognises the file reads it if its structure is not here, or if it names none.
    """
    found = in_workbook(tables, resolve, report)
    if found is None:
        if wish.dataflow is None or recognise(catalog.layouts.values(), tables, format.name, name):
            return None
        names = catalog.component_names(resolve(UNSAID).structure)
        return reader.bare(resolve, names) if format.name == "csv" else in_workbook(tables, resolve, report, names)
    datasets = iter(found.datasets)
    try:
        first = list(islice(datasets, 1))
    except UnresolvedReference:
        if recognise(catalog.layouts.values(), tables, format.name, name):
            return None
        raise
    found.datasets = chain(first, datasets)
    return found


def _layout(tables: Tables, format: Format, name: str, wish: Wish, catalog: Catalog, resolve: Resolve) -> Layout:
    """The layout that recognises a table.

    Raises:
        UnknownFormat: none does, or several do; a table that nearly is a message is told so.
    """
    try:
        return layout_of(tables, format.name, name, catalog.layouts)
    except UnknownFormat as fault:
        hint = nearly(tables, catalog, resolve, wish.dataflow)
        if not hint or recognise(catalog.layouts.values(), tables, format.name, name):
            raise
        raise UnknownFormat(fault.detail, hint=hint) from None


def _refuse_nothing(file: SeekableFile, name: str) -> None:
    file.seek(0)
    start = file.read(_LOOK)
    file.seek(0)
    if len(start) < _LOOK and not start.strip():
        raise UnreadableFile(f"{name!r} is empty.", hint="It was probably cut off on its way; send it again.")


# --- SDMX messages --------------------------------------------------------------------------------------------------
def _message_parts(
    message: Message,
    received: Received,
    known: MessageLayouts,
    wish: Wish,
    catalog: Catalog,
    report: Report,
    sender: Ref | None,
) -> Iterator[Part]:
    is_empty = True
    validity = Validity(report)
    for dataset in message.datasets:
        is_empty = False
        said = dataset.provider or message.header.provider
        layout = known.layout(dataset.ref)
        if layout is not None:
            received.layout = received.layout or layout
            provider = _provider(wish, catalog, layout.provider or said, sender)
            mapped = MappedParts(
                layout, catalog, report, provider=provider, action=dataset.action, dataflow=wish.dataflow
            )
            for sheet in sheets(dataset, report):
                yield from mapped.read(Tables(sheets=(sheet,)))
            yield from mapped.sums()
            continue
        target = Target(structure=dataset.structure, dataflow=dataset.dataflow, provider=dataset.provider)
        dataflow = _dataflow(target, wish, catalog)
        validity.note(dataset, dataflow.ref.text)
        yield _part(dataflow, _provider(wish, catalog, said, sender), dataset)
    validity.finish()
    for _, severity, texts in message.errors:
        if not (is_empty and _is_harmless(severity)):
            report.add(_note(severity, texts))


def _note(severity: str, texts: Texts) -> FindingGroup:
    """What the reader, or the sender in the message itself, says beside the data."""
    said = texts.best(("en",))
    return FindingGroup.of("F105" if _is_harmless(severity) else "F110", value=said[1] if said else "no text")


def _is_harmless(severity: str) -> bool:
    return severity.lower().startswith("info")


def _part(dataflow: Dataflow, provider: Ref, dataset: Dataset) -> Part:
    target = Target(structure=dataset.structure, dataflow=dataflow.ref, provider=provider)
    return Part(
        target=target,
        dataflow=dataflow,
        provider=provider,
        action=dataset.action,
        batches=dataset.batches,
        letters=_letters(dataset),
        is_of_moment=dataset.valid_from is not None or dataset.valid_to is not None,
    )


def _letters(dataset: Dataset) -> dict[str, str] | None:
    """The letters of the components' columns, where the data set stands in a sheet."""
    return None if dataset.places is None else {id: column_letter(at) for id, at in dataset.places.items()}


def _dataflow(target: Target, wish: Wish, catalog: Catalog) -> Dataflow:
    if wish.dataflow is not None:
        return _wished_dataflow(wish.dataflow, target.structure, catalog)
    if target.dataflow is not None:
        return catalog.dataflow(target.dataflow)
    flows = catalog.dataflows_of(target.structure.ref)
    if len(flows) == 1:
        return flows[0]
    names = ", ".join(flow.ref.text for flow in flows) or "none"
    raise SemanticFault(
        f"The file says {target.structure.ref.text}, and it does not say for which dataflow.",
        hint=f"Say the dataflow; of this structure there are: {names}.",
    )


def _wished_dataflow(text: str, structure: DataStructure, catalog: Catalog) -> Dataflow:
    dataflow = catalog.named(text, "Dataflow")
    assert isinstance(dataflow, Dataflow)
    other = catalog.structure_of(dataflow)
    if (other.agency, other.id) != (structure.agency, structure.id):
        raise SemanticFault(
            f"The file holds data of {structure.ref.text}, and {dataflow.ref.text} is of {other.ref.text}.",
            hint="Choose a dataflow of the file's structure.",
        )
    return dataflow


def _provider(wish: Wish, catalog: Catalog, said: Ref | None, sender: Ref | None) -> Ref:
    if wish.provider is not None:
        return named_provider(wish.provider, catalog)
    if said is not None:
        return named_provider(f"{said.agency}.{said.item or said.id}", catalog)
    if sender is not None:
        return sender
    raise SemanticFault(
        "The file does not say who provides the data.", hint="Say the provider, or send the header with one."
    )


def named_provider(text: str, catalog: Catalog) -> Ref:
    """The provider a person means: ``AGENCY:SCHEME(1.0).ID``, ``AGENCY:ID``, ``AGENCY.ID``, a URN or an id.

    Raises:
        NotFound: no provider scheme has it; the nearest are listed.
    """
    wanted = text.rpartition("=")[2]
    known: dict[str, Ref] = {}
    for scheme in catalog.of_type("DataProviderScheme"):
        assert isinstance(scheme, DataProviderScheme)
        for item in scheme.items:
            ref = Ref(type="DataProvider", agency=scheme.agency, id=scheme.id, version=scheme.version, item=item.id)
            for form in (ref.text, f"{ref.agency}:{item.id}", f"{ref.agency}.{item.id}", item.id):
                known.setdefault(form, ref)
    if wanted in known:
        return known[wanted]
    near = Suggester.of_words(known).nearest(wanted)
    raise NotFound(f"There is no data provider {text!r}.", hint=f"Near: {near}." if near else "")


# --- tables through a mapping ---------------------------------------------------------------------------------------
def _table_parts(
    tables: Tables, layout: Layout, wish: Wish, catalog: Catalog, report: Report, sender: Ref | None
) -> Iterator[Part]:
    if layout.refuse:
        said = layout.refuse.best()
        report.add(FindingGroup.of("F111", reason=said[1] if said else ""))
        return
    provider = _provider(wish, catalog, layout.provider, sender)
    mapped = MappedParts(layout, catalog, report, provider=provider, action=layout.action, dataflow=wish.dataflow)
    yield from mapped.read(tables)
    yield from mapped.sums()


# --- questionnaires -------------------------------------------------------------------------------------------------
def _questionnaire_parts(
    filled: FilledQuestionnaire, wish: Wish, catalog: Catalog, sender: Ref | None
) -> Iterator[Part]:
    provider = filled.provider = _provider(wish, catalog, filled.provider, sender)
    for rows in filled.rows():
        if wish.dataflow is not None and catalog.named(wish.dataflow, "Dataflow").ref != rows.dataflow.ref:
            raise SemanticFault(
                f"The table {rows.table.id} gives data of {rows.dataflow.ref.text}, not of {wish.dataflow}.",
                hint="Leave the dataflow out; a questionnaire says it for each of its tables.",
            )
        for deletes, batch in iterate(rows):
            yield Part(
                target=Target(structure=rows.structure, dataflow=rows.dataflow.ref, provider=provider),
                dataflow=rows.dataflow,
                provider=provider,
                action=Action.DELETE if deletes else Action.MERGE,
                batches=iter([batch]),
                letters={},
            )
