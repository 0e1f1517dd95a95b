"""Figures that a store holds of a provider, as the cells of a questionnaire's table show them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from itertools import count

import pyarrow as pa

from sdmx_service.catalog.catalog import Catalog
from sdmx_service.catalog.questionnaire import CellSign, Choice, Questionnaire, QuestionnaireTable
from sdmx_service.catalog.questionnaire_keys import NO_ID, NOTE_SEPARATOR
from sdmx_service.model.columns import MARKS, columns, render_numbers
from sdmx_service.model.confidentiality import Confidentiality, PublicView
from sdmx_service.model.selection import Cube, Selection, dataflow_name, provider_name
from sdmx_service.model.structure import DataStructure
from sdmx_service.model.urn import Ref
from sdmx_service.storage.port import Store

MULTIPLIER = "UNIT_MULT"
"""The power of ten in which figures are given (SDMX cross-domain concept)."""
_EXACT_DIGITS = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldFigure:
    """A stored observation: its key with time, its figure as text (None if there is none), its attributes.

    ``is_hidden``: what is read is not what was sent: the figure is confidential, or shown rounded.
    """

    codes: Mapping[str, str]
    value: str | None
    attributes: Mapping[str, str]
    is_hidden: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """Whose figures of which store are meant."""

    store: Store
    release: int
    provider: Ref


def held_figures(
    questionnaire: Questionnaire,
    table: QuestionnaireTable,
    area: str,
    periods: Sequence[str],
    catalog: Catalog,
    holder: Holder,
) -> list[HeldFigure]:
    """The provider's own figures of an area that belong to a table, of the periods asked for.

    Figures that are not read as they were sent are there if the questionnaire has a symbol for them.
    """
    dataflow = catalog.dataflow(table.dataflow)
    structure = catalog.structure_of(dataflow)
    wanted = {questionnaire.area: frozenset({area})}
    wanted |= {id: frozenset({code}) for id, code in table.fixed.items() if id in structure.dimension_ids}
    for axis in (questionnaire.axes[name] for name in (*table.rows, *table.columns)):
        if axis.open is None and axis.codes and axis.component in structure.dimension_ids:
            wanted[axis.component] = frozenset((*axis.codes, *axis.last))
    selection = Selection(
        structure=structure,
        cube=Cube.of(structure),
        context="provisionagreement",
        release=holder.release,
        dataflows=(dataflow_name(dataflow.ref),),
        providers=(provider_name(holder.provider),),
        keys=(tuple(wanted.get(id) for id in structure.dimension_ids),),
        periods=frozenset(periods),
    )
    domains = holder.store.domains(selection)
    if not any(domains.get(id) for id in structure.key_ids):
        return []
    document, view = catalog.confidentiality_of(structure), catalog.public_view(dataflow)
    found = (figure for batch in holder.store.scan(selection, domains) for figure in _figures(batch, structure))
    if document is None:
        return list(found)
    seen = [replace(one, value=None, is_hidden=True) if _is_hidden(one, document, view) else one for one in found]
    return [figure for figure in seen if questionnaire.kept is not None or not figure.is_hidden]


def _is_hidden(figure: HeldFigure, document: Confidentiality, view: PublicView) -> bool:
    """A figure that is not read as it was sent: sent back as it is read, it would be lost."""
    if figure.value is None:
        return figure.attributes.get(document.status) in document.confidential
    return bool(view.rounding) and all(figure.attributes.get(id) in codes for id, codes in view.when.items())


def _figures(batch: pa.RecordBatch, structure: DataStructure) -> Iterator[HeldFigure]:
    textual = [one.id for one in columns(structure) if one.kind in ("code", "text") and one.id in batch.schema.names]
    texts = {id: batch.column(id).cast(pa.string()).to_pylist() for id in textual}
    measure = structure.measures[0].id
    values = render_numbers(
        batch.column(measure), batch.column(f"{measure}.decimals"), batch.column(f"{measure}.text")
    ).to_pylist()
    keys = set(structure.key_ids)
    for number, value in enumerate(values):
        said = {id: column[number] for id, column in texts.items() if column[number] is not None}
        yield HeldFigure(
            codes={id: text for id, text in said.items() if id in keys},
            value=None if value in MARKS else value,
            attributes={id: text for id, text in said.items() if id not in keys},
        )


# --- as cells -------------------------------------------------------------------------------------------------------
@dataclass(slots=True)
class NoteBook:
    """The footnotes of a workbook: each stored pair of id and text gets a mark of its own."""

    marks: dict[tuple[str, str], str] = field(default_factory=dict)

    def marks_of(self, id: str | None, text: str | None) -> list[str]:
        """The marks of a figure's footnotes; several in one (``1,2``) are told apart where their texts can be."""
        if id is None and text is None:
            return []
        ids, texts = (id or "").split(","), (text or "").split(NOTE_SEPARATOR)
        if id is None or text is None or len(ids) != len(texts) or not all(one.strip() for one in (*ids, *texts)):
            return [self._mark(id, text)]
        return [self._mark(one, said) for one, said in zip(ids, texts, strict=True)]

    def _mark(self, id: str | None, text: str | None) -> str:
        pair = (id or NO_ID, text or "")
        if pair not in self.marks:
            used = set(self.marks.values())
            wish = [id] if id is not None and id.isalnum() and len(id) <= 3 else []
            free = (str(number) for number in count(1))
            self.marks[pair] = next(one for one in (*wish, *_few(free)) if one not in used)
        return self.marks[pair]


def _few(marks: Iterator[str]) -> Iterator[str]:
    return (next(marks) for _ in range(100_000))


@dataclass(frozen=True, slots=True, kw_only=True)
class CellText:
    """How stored figures are written into the cells of a sheet."""

    questionnaire: Questionnaire
    unit: Choice
    notes: NoteBook

    def of(self, figure: HeldFigure) -> str | int | float | None:
        """The cell of a figure; None if the sheet's unit cannot say it."""
        if figure.is_hidden:
            return None if self.questionnaire.kept is None else self.questionnaire.kept.texts[0]
        value = self._in_unit(figure)
        if value is None and figure.value is not None:
            return None
        signs = self._signs(figure, value)
        notes = self.notes.marks_of(
            figure.attributes.get(self.questionnaire.footnote_id or ""),
            figure.attributes.get(self.questionnaire.footnote_text or ""),
        )
        if value is not None and not signs and not notes:
            return _number(value)
        words = [*([value] if value is not None else []), *signs, *(f"({mark})" for mark in notes)]
        return " ".join(words)

    def _in_unit(self, figure: HeldFigure) -> str | None:
        said = {id: figure.attributes.get(id) for id in self.unit.sets if id != MULTIPLIER}
        if figure.value is None or any(text not in (None, self.unit.sets[id]) for id, text in said.items()):
            return None
        shift = int(figure.attributes.get(MULTIPLIER, "0")) - int(self.unit.sets.get(MULTIPLIER, "0"))
        return figure.value if shift == 0 else f"{Decimal(figure.value).scaleb(shift):f}"

    def _signs(self, figure: HeldFigure, value: str | None) -> list[str]:
        """Symbols and marks that say what differs from the default."""
        spoken = {*self.questionnaire.default}
        spoken |= {id for sign in (*self.questionnaire.symbols, *self.questionnaire.marks) for id in sign.sets}
        default = self.questionnaire.default
        differs = {id: text for id, text in figure.attributes.items() if id in spoken and text != default.get(id)}
        signs: list[str] = []
        if value is None:
            symbol = _fitting([one for one in self.questionnaire.symbols if one.value is None], differs)
            signs += [symbol.texts[0]] if symbol is not None else []
            differs = {id: text for id, text in differs.items() if symbol is None or id not in symbol.sets}
        while (mark := _fitting(self.questionnaire.marks, differs)) is not None:
            signs.append(mark.texts[0])
            differs = {id: text for id, text in differs.items() if id not in mark.sets}
        status = self.questionnaire.status_component
        if status in differs or (value is None and not signs):
            signs.append(f"[{figure.attributes.get(status or '', 'A')}]")
        return signs


def _fitting(signs: Sequence[CellSign], differs: Mapping[str, str]) -> CellSign | None:
    fitting = [one for one in signs if one.sets and all(differs.get(id) == text for id, text in one.sets.items())]
    return max(fitting, key=lambda one: len(one.sets), default=None)


def _number(text: str) -> str | int | float:
    """The figure as a number where a spreadsheet gives the same digits back, else as text."""
    if text.removeprefix("-").isdigit() and len(text) <= _EXACT_DIGITS and str(int(text)) == text:
        return int(text)
    try:
        number = float(text)
    except ValueError:
        return text
    return number if format(number, f".{_EXACT_DIGITS}g") == text else text


def unit_of(questionnaire: Questionnaire, figures: Sequence[HeldFigure]) -> Choice:
    """The unit in which all figures are held; else the questionnaire's first."""
    for unit in questionnaire.units:
        if figures and all(figure.attributes.get(id) == text for figure in figures for id, text in unit.sets.items()):
            return unit
    return questionnaire.units[0]
