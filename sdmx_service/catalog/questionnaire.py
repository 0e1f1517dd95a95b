"""Questionnaires: workbooks whose rows and columns are keys of dataflows. Our own schema; see docs/questionnaires.md.

A questionnaire is a specification of tables. Each table is a sheet that asks for figures of one dataflow; its axes are
components with the codes that make its rows and columns. The same document says how a filled cell is read (symbols,
marks, footnotes), what the cover asks, and in which languages all of it is printed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sdmx_service.catalog.documents import Node
from sdmx_service.errors import SyntaxFault
from sdmx_service.model.artefact import NO_TEXTS, Texts
from sdmx_service.model.urn import Ref, parse_ref


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenList:
    """The further codes of an axis that a sender may use: any of the component's codelist.

    Attributes:
        annotation, title: those printed are the items with that annotation (type and title); all, if none is said.
        without: items with an annotation of this type are not printed.
        aliases: types of annotations whose titles are other ids of a code.
        blank_rows: how many empty rows follow for codes that are not printed.
    """

    annotation: str = ""
    title: str = ""
    without: str = ""
    aliases: tuple[str, ...] = ()
    blank_rows: int = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """A component along the rows or columns of a table.

    Attributes:
        codes: printed first, in this order; none for the time, whose codes are the periods asked for.
        last: printed after the open list.
        labels: what is printed for a code instead of its name in the codelist.
    """

    id: str
    component: str
    names: Texts = NO_TEXTS
    codes: tuple[str, ...] = ()
    last: tuple[str, ...] = ()
    labels: Mapping[str, Texts] = field(default_factory=dict)
    open: OpenList | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionnaireTable:
    """A table: a sheet of one dataflow.

    Attributes:
        rows, columns: ids of axes, outermost first. A time dimension that no axis has is asked once for the sheet.
        fixed: components with one value throughout.
        complete: dimensions of which every part is listed, if the cover declares the table complete.
        group: heading under which the cover lists it.
    """

    id: str
    names: Texts
    dataflow: Ref
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    fixed: Mapping[str, str]
    complete: tuple[str, ...] = ()
    group: Texts = NO_TEXTS
    notes: Texts = NO_TEXTS


@dataclass(frozen=True, slots=True, kw_only=True)
class CellSign:
    """A symbol that stands for a figure, or a mark beside one.

    Attributes:
        texts: how it may be written; the first is printed.
        value: the figure that a symbol means; None: no figure.
        sets: components and their values.
    """

    texts: tuple[str, ...]
    names: Texts
    value: str | None = None
    sets: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One of several answers: a unit of a sheet, a declaration on the cover, an answer on the metadata sheet.

    Attributes:
        sets: components and their values (units).
        is_whole: figures in this unit are whole numbers (units).
        is_complete: a table so declared lists every part (declarations).
    """

    id: str
    names: Texts
    sets: Mapping[str, str] = field(default_factory=dict)
    is_whole: bool = False
    is_complete: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A line of the cover or of the metadata sheet.

    Attributes:
        component: an attribute that takes the answer, in the tables whose structure has it.
        choices: name of a list of choices; without it and without a coded component the answer is free text.
        group: heading under which it stands.
    """

    id: str
    names: Texts
    component: str | None = None
    choices: str | None = None
    group: Texts = NO_TEXTS
    notes: Texts = NO_TEXTS


@dataclass(frozen=True, slots=True, kw_only=True)
class Questionnaire:
    """A revision of a questionnaire.

    Attributes:
        status: ``official``, ``proposed`` or ``reconstructed``; with ``notice`` it stands on every sheet.
        area: the dimension that the cover's country or area fills.
        provider_annotation: type of the annotation by which a data provider names the area that it reports for.
        status_component: component that a code in square brackets beside a figure sets.
        default: components of every figure for which nothing else says a value.
        footnote_id, footnote_text: components of a figure's footnotes.
        deletion: texts that, in place of a figure, delete the stored one.
        kept: the symbol of a figure that is held and not shown, which means: as sent; None: such cells are left empty.
        words: the fixed words of the workbook.
    """

    id: str
    revision: str
    names: Texts
    status: str
    notice: Texts
    languages: tuple[str, ...]
    area: str
    provider_annotation: str
    axes: Mapping[str, Axis]
    tables: tuple[QuestionnaireTable, ...]
    units: tuple[Choice, ...]
    symbols: tuple[CellSign, ...]
    marks: tuple[CellSign, ...]
    deletion: Texts
    kept: CellSign | None
    status_component: str | None
    default: Mapping[str, str]
    footnote_id: str | None
    footnote_text: str | None
    cover: tuple[Question, ...]
    declarations: tuple[Choice, ...]
    metadata: tuple[Question, ...]
    choices: Mapping[str, tuple[Choice, ...]]
    instructions: tuple[Texts, ...]
    words: Mapping[str, Texts]
    document: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @property
    def name(self) -> str:
        """``ID(REVISION)``, as receipts and the catalog call it."""
        return f"{self.id}({self.revision})"

    def table(self, id: str) -> QuestionnaireTable | None:
        """The table with that id, whatever the case of its letters."""
        return next((one for one in self.tables if one.id.casefold() == id.strip().casefold()), None)

    def word(self, id: str, language: str) -> str:
        """A fixed word of the workbook in a language, else in English, else as the program has it."""
        return self.words.get(id, NO_TEXTS).text((language,), WORDS[id])


WORDS: Mapping[str, str] = {
    "cover": "Cover", "footnotes": "Footnotes", "metadata": "Metadata", "area": "Reporting area", "code": "Code",
    "name": "Name", "questionnaire": "Questionnaire", "revision": "Revision", "status": "Status",
    "language": "Language", "periods": "Periods", "period": "Period", "provider": "Data provider",
    "unit": "Unit", "table": "Table", "title": "Title", "declaration": "Declared completeness", "note": "Note",
    "notes": "Footnotes of the row", "text": "Text", "symbols": "Symbols and marks", "instructions": "Instructions",
    "contact": "Contact", "all_tables": "All tables", "question": "Question", "own_rows": "Further rows",
    "deletion": "Takes the figure held back",
    "not_a_figure": "This is neither a figure nor a symbol of the cover sheet. Keep it?",
}  # fmt: skip
"""The fixed words of a workbook, in English; a questionnaire may give each in every language."""


def read_questionnaire(document: Mapping[str, Any], place: str) -> Questionnaire:
    """The questionnaire of a JSON document.

    Raises:
        InvalidStructure: something is missing, misspelt or of the wrong type; ``place`` and the path say where.
    """
    node = Node(document, place)
    cover, metadata, footnotes = (_section(node, name) for name in ("cover", "metadata", "footnotes"))
    found = Questionnaire(
        id=node.at("id").text(),
        revision=node.at("revision").text(),
        names=_texts(node.at("names")),
        status=node.at("status").choice("official", "proposed", "reconstructed"),
        notice=_texts(node.at("notice")),
        languages=node.at("languages").texts() or ("en",),
        area=node.at("area").text(),
        provider_annotation=node.at("provider_annotation").text_or_none() or "",
        axes={name: _axis(name, member) for name, member in node.at("axes").fields()},
        tables=node.at("tables").each(_table),
        units=node.at("units").each(_choice),
        symbols=node.at("symbols").each(_sign),
        marks=node.at("marks").each(_sign),
        deletion=_texts(node.at("deletion")),
        kept=None if node.at("kept").value is None else _sign(node.at("kept")),
        status_component=node.at("status_component").text_or_none(),
        default=node.at("default").words(),
        footnote_id=footnotes.at("id").text_or_none(),
        footnote_text=footnotes.at("text").text_or_none(),
        cover=cover.at("questions").each(_question),
        declarations=cover.at("declarations").each(_choice),
        metadata=metadata.at("questions").each(_question),
        choices={name: member.each(_choice) for name, member in node.at("choices").fields()},
        instructions=node.at("instructions").each(_texts),
        words={name: _texts(member) for name, member in node.at("words").fields()},
        document=document,
    )
    node.at("source")
    for used in (cover, metadata, footnotes, node):
        used.done()
    _check(found, node)
    return found


def _section(node: Node, name: str) -> Node:
    """An object that may be left out."""
    found = node.at(name)
    return found if found.value is not None else Node({}, found.place)


def _texts(node: Node) -> Texts:
    return Texts(node.words())


def _axis(name: str, node: Node) -> Axis:
    axis = Axis(
        id=name,
        component=node.at("component").text(),
        names=_texts(node.at("names")),
        codes=node.at("codes").texts(),
        last=node.at("last").texts(),
        labels={code: _texts(member) for code, member in node.at("labels").fields()},
        open=_open(node.at("open")),
    )
    node.done()
    return axis


def _open(node: Node) -> OpenList | None:
    if node.value is None:
        return None
    blank = node.at("blank_rows").number_or_none()
    found = OpenList(
        annotation=node.at("annotation").text_or_none() or "",
        title=node.at("title").text_or_none() or "",
        without=node.at("without").text_or_none() or "",
        aliases=node.at("aliases").texts(),
        blank_rows=20 if blank is None else blank,
    )
    node.done()
    return found


def _table(node: Node) -> QuestionnaireTable:
    table = QuestionnaireTable(
        id=node.at("id").text(),
        names=_texts(node.at("names")),
        group=_texts(node.at("group")),
        dataflow=_dataflow(node.at("dataflow")),
        rows=node.at("rows").texts(),
        columns=node.at("columns").texts(),
        fixed=node.at("fixed").words(),
        complete=node.at("complete").texts(),
        notes=_texts(node.at("notes")),
    )
    node.done()
    return table


def _dataflow(node: Node) -> Ref:
    try:
        found = parse_ref(node.text(), "Dataflow").complete()
    except SyntaxFault as fault:
        raise node.fault(fault.detail) from None
    if found is None:
        raise node.fault(f"{node.value!r} is not AGENCY:ID(VERSION).")
    return found


def _choice(node: Node) -> Choice:
    choice = Choice(
        id=node.at("id").text(),
        names=_texts(node.at("names")),
        sets=node.at("set").words(),
        is_whole=node.at("whole").flag(),
        is_complete=node.at("complete").flag(),
    )
    node.done()
    return choice


def _sign(node: Node) -> CellSign:
    sign = CellSign(
        texts=node.at("texts").texts(),
        names=_texts(node.at("names")),
        value=node.at("value").text_or_none(),
        sets=node.at("set").words(),
    )
    node.done()
    if not sign.texts:
        raise node.fault("a symbol or mark needs a text.")
    return sign


def _question(node: Node) -> Question:
    question = Question(
        id=node.at("id").text(),
        names=_texts(node.at("names")),
        component=node.at("component").text_or_none(),
        choices=node.at("choices").text_or_none(),
        group=_texts(node.at("group")),
        notes=_texts(node.at("notes")),
    )
    node.done()
    return question


def _check(found: Questionnaire, node: Node) -> None:
    """Axes, lists of choices and words that are used are there; ids and the texts of signs are said once."""
    tables = node.at("tables")
    for number, table in enumerate(found.tables):
        place = Node(None, f"{tables.place}[{number}]")
        named = (*table.rows, *table.columns)
        if unknown := [name for name in named if name not in found.axes]:
            raise place.fault(f"no axis {', '.join(unknown)}; there are {', '.join(found.axes)}.")
        _refuse_twice([found.axes[name].component for name in named] + list(table.fixed), place)
        if [name for name in (*table.rows[1:], *table.columns) if found.axes[name].open is not None]:
            raise place.fault("only the first axis of the rows may be an open list.")
        if not table.rows or not table.columns:
            raise place.fault("a table needs an axis for its rows and one for its columns.")
    _refuse_twice([table.id for table in found.tables], tables)
    kept = () if found.kept is None else (found.kept,)
    _refuse_twice([text for one in (*found.symbols, *found.marks, *kept) for text in one.texts], node.at("symbols"))
    if found.kept is not None and (found.kept.sets or found.kept.value is not None):
        raise node.at("kept").fault("what is kept as it was sent sets nothing.")
    for question in (*found.cover, *found.metadata):
        if question.choices is not None and question.choices not in found.choices:
            raise node.at("choices").fault(f"there is no list {question.choices!r} for {question.id}.")
    if unknown := sorted(set(found.words) - set(WORDS)):
        raise node.at("words").fault(f"unknown {', '.join(unknown)}; known here: {', '.join(WORDS)}.")
    if not found.units:
        raise node.at("units").fault("at least one unit is needed.")


def _refuse_twice(words: list[str], node: Node) -> None:
    if twice := sorted({word for word in words if words.count(word) > 1}):
        raise node.fault(f"{', '.join(twice)} stands more than once.")
