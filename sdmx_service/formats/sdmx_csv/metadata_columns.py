"""Columns and cells of SDMX-CSV metadata messages (field guide *SDMX-CSV*, metadata messages 2.0 and 2.1).

A column stands for one metadata attribute: ``PARENT[].CHILD[][en;fr]``, with ``[]`` after each id that may occur
several times, and with the languages where texts are by language. The guide does not say what a cell holds below a
parent that occurs several times; *choice*: one sub-field per occurrence of the parent, empty where that has nothing,
and quoted where it holds sub-fields of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from sdmx_service.formats.sdmx_csv.cells import DEFAULT_LANGUAGE, split_texts, split_values
from sdmx_service.model.artefact import NO_TEXTS, Texts
from sdmx_service.model.metadata import MetadataAttributeValue
from sdmx_service.model.structure import MetadataAttribute, MetadataStructure

SEPARATOR: Final = ","
SUBFIELD: Final = ";"
_STEP = r"[A-Za-z0-9_@$-]+(?:\[\])?"
_HEADING = re.compile(
    rf"(?P<path>{_STEP}(?:\.{_STEP})*)(?:\[(?P<languages>[^\[\]]+)\])?(?P<label>: .*)?", re.ASCII | re.DOTALL
)
_LANGUAGE = re.compile(r"[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Step:
    """A metadata attribute on the way down to a column's own."""

    id: str
    is_multi: bool = False


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a metadata attribute."""

    steps: tuple[Step, ...]
    languages: tuple[str, ...] = ()

    @property
    def path(self) -> str:
        """The ids, dotted."""
        return ".".join(step.id for step in self.steps)

    @property
    def heading(self) -> str:
        """The heading, without a label."""
        languages = f"[{SUBFIELD.join(self.languages)}]" if self.languages else ""
        return ".".join(step.id + ("[]" if step.is_multi else "") for step in self.steps) + languages

    @property
    def has_subfields(self) -> bool:
        """Its cells may hold several values or texts."""
        return bool(self.languages) or any(step.is_multi for step in self.steps)


def parse_column(text: str, separator: str | None) -> tuple[Column, bool] | None:
    """The column that a heading says, and whether it has a label; None if it is none."""
    match = _HEADING.fullmatch(text)
    if match is None:
        return None
    steps = tuple(Step(one.removesuffix("[]"), one.endswith("[]")) for one in match["path"].split("."))
    marks = re.escape(separator or SUBFIELD) + r"|\||;"
    languages = tuple(part.strip() for part in re.split(marks, match["languages"] or "") if part.strip())
    if not all(_LANGUAGE.fullmatch(one) for one in languages):
        return None
    return Column(steps, languages), match["label"] is not None


# -------------------------------------------------------------------------------------------------------------- writing


@dataclass(slots=True)
class _Node:
    """What is known of an attribute in all sets."""

    is_multi: bool = False
    has_value: bool = False
    languages: dict[str, None] = field(default_factory=dict)
    children: dict[str, _Node] = field(default_factory=dict)


def columns_of(
    sets: Iterable[Sequence[MetadataAttributeValue]], structures: Iterable[MetadataStructure] = ()
) -> tuple[Column, ...]:
    """The columns that carry the values of some sets, parents before children.

    Args:
        sets: the values.
        structures: their order (*standard*); what is in none of them follows in the order of first occurrence.
    """
    root = _Node()
    for structure in structures:
        for listed in (structure.attributes, *(report.attributes for report in structure.reports)):
            _seed(listed, root)
    for attributes in sets:
        _note(attributes, root)
    found: list[Column] = []
    _collect(root, (), found)
    return tuple(found)


def _seed(attributes: Sequence[MetadataAttribute], node: _Node) -> None:
    for one in attributes:
        _seed(one.items, node.children.setdefault(one.id, _Node()))


def _note(attributes: Sequence[MetadataAttributeValue], node: _Node) -> None:
    counts: dict[str, int] = {}
    for one in attributes:
        counts[one.id] = counts.get(one.id, 0) + 1
        inner = node.children.setdefault(one.id, _Node())
        inner.is_multi |= counts[one.id] > 1
        inner.has_value |= one.value is not None or bool(one.texts)
        inner.languages.update(dict.fromkeys(tag or DEFAULT_LANGUAGE for tag in one.texts))
        _note(one.attributes, inner)


def _collect(node: _Node, above: tuple[Step, ...], found: list[Column]) -> None:
    for identity, inner in node.children.items():
        steps = (*above, Step(identity, inner.is_multi))
        if inner.has_value:
            found.append(Column(steps, tuple(inner.languages)))
        _collect(inner, steps, found)


def cell_of(attributes: Sequence[MetadataAttributeValue], column: Column, names: dict[str, str] | None = None) -> str:
    """The cell of a column for a set with these attributes; ``names``: values -> what is written in their place."""
    return _cell(attributes, column.steps, column, names or {})


def _cell(
    attributes: Sequence[MetadataAttributeValue], steps: tuple[Step, ...], column: Column, names: dict[str, str]
) -> str:
    step, rest = steps[0], steps[1:]
    matching = [one for one in attributes if one.id == step.id]
    items = [_cell(one.attributes, rest, column, names) if rest else _rendered(one, column, names) for one in matching]
    if not any(items):
        return ""
    if not step.is_multi:
        return items[0]
    return SUBFIELD.join(_quoted(item) for item in items)


def _rendered(one: MetadataAttributeValue, column: Column, names: dict[str, str]) -> str:
    texts = one.texts
    if not texts:
        if one.value is None or not column.languages:
            return "" if one.value is None else names.get(one.value, one.value)
        texts = Texts({column.languages[0]: one.value})  # another set has texts by language here
    return SUBFIELD.join(f"{tag or DEFAULT_LANGUAGE}:{_quoted(text)}" for tag, text in texts.items())


def _quoted(text: str) -> str:
    if not any(mark in text for mark in (SUBFIELD, '"', "\n", "\r")):
        return text
    return '"' + text.replace('"', '""') + '"'


# -------------------------------------------------------------------------------------------------------------- reading


@dataclass(slots=True)
class Draft:
    """A value being put together from several columns."""

    value: str | None = None
    texts: Texts = NO_TEXTS
    children: dict[str, dict[int, Draft]] = field(default_factory=dict)

    def take(self, column: Column, cell: str, separator: str | None) -> None:
        """Put the values of a cell in their places."""
        self._take(column.steps, column, cell, separator)

    def _take(self, steps: tuple[Step, ...], column: Column, cell: str, separator: str | None) -> None:
        step, rest = steps[0], steps[1:]
        items = split_values(cell, separator) if step.is_multi else [cell]
        for place, item in enumerate(items):
            if not item:
                continue
            inner = self.children.setdefault(step.id, {}).setdefault(place, Draft())
            if rest:
                inner._take(rest, column, item, separator)
            elif column.languages:
                inner.texts = Texts(split_texts(item, separator, column.languages))
            else:
                inner.value = item

    def attributes(self) -> tuple[MetadataAttributeValue, ...]:
        """The values below this one."""
        return tuple(
            MetadataAttributeValue(id=id, value=one.value, texts=one.texts, attributes=one.attributes())
            for id, places in self.children.items()
            for _, one in sorted(places.items())
        )
