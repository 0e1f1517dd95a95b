"""Metadata sets to SDMX-CSV 2.0 and 2.1 (field guide *SDMX-CSV*, metadata messages).

*Standard*: one row per set, one column per metadata attribute, all languages of multilingual values whatever the client
wishes, names in the best language (``labels``). The format has no place for descriptions, annotations, links and the
validity of a set, which are left out. *Choices*: the column separator is a comma and the sub-field separator a
semicolon whatever the language; reporting and publication periods are the columns that the guide gives as examples; a
value that another set has by language counts as a text in the first of these languages.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sdmx_service.errors import CannotWrite
from sdmx_service.formats.metadata_values import check_written
from sdmx_service.formats.sdmx_csv.metadata_columns import SEPARATOR, SUBFIELD, Column, cell_of, columns_of
from sdmx_service.model.artefact import NO_TEXTS
from sdmx_service.model.message import Action, Message, WriteOptions
from sdmx_service.model.metadata import MetadataSet, TargetPattern
from sdmx_service.model.structure import MetadataStructure
from sdmx_service.model.urn import artefact_type, artefact_type_of_item

METADATA_PARAMETERS: Final = {"labels": ("id", "name", "both")}
_STRUCTURES = {"Metadataflow": "metadataflow", "MetadataProvisionAgreement": "metadataprovision"}
_ACTIONS = {
    "2.0": {Action.MERGE: "A", Action.REPLACE: "R", Action.DELETE: "D"},
    "2.1": {Action.MERGE: "M", Action.REPLACE: "R", Action.DELETE: "D"},
}
_CUSTOM = {
    "reportingBegin": "reporting_begin",
    "reportingEnd": "reporting_end",
    "publicationYear": "publication_year",
    "publicationPeriod": "publication_period",
}


def write_metadata(message: Message, options: WriteOptions, *, version: str) -> Iterator[bytes]:
    """The metadata sets of a message (``Message.structures``) as SDMX-CSV of a version.

    Metadata structures among them give the order of the columns.

    Raises:
        CannotWrite: a set is described by something that the format does not know, or has a target that is none.
    """
    sets = [one for one in message.structures if isinstance(one, MetadataSet)]
    for one in sets:
        if not one.is_any:
            check_written(one, f"SDMX-CSV {version}")
        if one.described_by is None or one.described_by.type not in _STRUCTURES:
            raise CannotWrite(
                f"{one.id}: SDMX-CSV knows metadata of a metadataflow or a metadata provision agreement only."
            )
    structures = (one for one in message.structures if isinstance(one, MetadataStructure))
    columns = columns_of((one.attributes for one in sets), structures)
    table = _Table(tuple(sets), columns, message.names, options, version)
    rows = [table.heading(), *(table.row(one) for one in sets)]
    for row in rows:
        yield (SEPARATOR.join(map(_field, row)) + "\n").encode()


def _field(text: str) -> str:
    """A field of RFC 4180; a carriage return alone needs quotes too, since readers take it for the end of a line."""
    if any(mark in text for mark in (SEPARATOR, '"', "\n", "\r")):
        return '"' + text.replace('"', '""') + '"'
    return text


@dataclass(frozen=True, slots=True)
class _Table:
    """The columns of a message."""

    sets: tuple[MetadataSet, ...]
    columns: tuple[Column, ...]
    names: Mapping[str, Mapping[str, str]]
    options: WriteOptions
    version: str

    def _has(self, name: str) -> bool:
        return any(getattr(one, name) is not None for one in self.sets)

    @property
    def _has_language(self) -> bool:
        return self.version >= "2.1" and self._has("is_partial_language")

    @property
    def _custom(self) -> list[str]:
        return [name for name in _CUSTOM if self._has(_CUSTOM[name])]

    def heading(self) -> list[str]:
        """The first row."""
        needs = any(one.has_subfields for one in self.columns) or any(len(one.targets) > 1 for one in self.sets)
        cells = [f"MDSTRUCTURE[{SUBFIELD}]" if needs else "MDSTRUCTURE"]
        cells += self._pair("MDSTRUCTURE_ID", "MDSTRUCTURE_NAME") + self._pair("METADATASET_ID", "METADATASET_NAME")
        cells += ["ACTION"] if self._has("action") else []
        cells += ["IS_PARTIAL_LANGUAGE"] if self._has_language else []
        cells += ["TARGET_TYPES", *self._pair("TARGET_IDS", "TARGET_NAMES"), *self._custom]
        for column in self.columns:
            name = self._attribute_name(column) if self.options.labels != "id" else ""
            cells += self._labelled(column.heading, name)
        return cells

    def _pair(self, identity: str, name: str) -> list[str]:
        return [identity, name] if self.options.labels == "name" else [identity]

    def _labelled(self, identity: str, name: str) -> list[str]:
        """The cells for an id and its name, as ``labels`` wishes."""
        if self.options.labels == "name":
            return [identity, name]
        return [f"{identity}: {name}" if self.options.labels == "both" and name else identity]

    def _name(self, key: str) -> str:
        texts = self.names.get(key, NO_TEXTS)
        return texts.text(self.options.languages) if hasattr(texts, "text") else ""

    def _attribute_name(self, column: Column) -> str:
        keys = dict.fromkeys(_attribute_key(one, column) for one in self.sets)
        return next((name for key in keys if (name := self._name(key))), column.steps[-1].id)

    def row(self, one: MetadataSet) -> list[str]:
        """The row of a set."""
        assert one.described_by is not None
        cells = [_STRUCTURES[one.described_by.type]]
        cells += self._labelled(one.described_by.text, self._name(one.described_by.urn))
        identity = "" if one.is_any else f"{one.agency}:{one.id}({one.version})"
        cells += self._labelled(identity, one.names.text(self.options.languages))
        if self._has("action"):
            cells.append("" if one.action is None else _ACTIONS[self.version][one.action])
        if self._has_language:
            cells.append({None: "", True: "1", False: "0"}[one.is_partial_language])
        cells += self._targets(one)
        cells += [getattr(one, _CUSTOM[name]) or "" for name in self._custom]
        for column in self.columns:
            cells += self._values(one, column)
        return cells

    def _targets(self, one: MetadataSet) -> list[str]:
        types, ids, names = [], [], []
        for urn in one.targets:
            target = TargetPattern.parse(urn)
            if target is None:
                raise CannotWrite(f"{one.id}: the target {urn!r} is no URN of an artefact.")
            name = self._name(urn) if self.options.labels != "id" else ""
            types.append(_resource(target))
            ids.append(self._labelled(target.text, name)[0])
            names.append(name)
        cells = [_joined(types), _joined(ids)]
        return [*cells, _joined(names)] if self.options.labels == "name" else cells

    def _values(self, one: MetadataSet, column: Column) -> Sequence[str]:
        cell = cell_of(one.attributes, column)
        if self.options.labels == "id":
            return [cell]
        labels = {
            value: name
            for value in dict.fromkeys(_values_at(one, column))
            if (name := self._name(f"{_attribute_key(one, column)}={value}"))
        }
        if self.options.labels == "name":
            return [cell, cell_of(one.attributes, column, labels) if labels else ""]
        return [cell_of(one.attributes, column, {value: f"{value}: {name}" for value, name in labels.items()})]


def _values_at(one: MetadataSet, column: Column) -> Iterator[str]:
    return (value.value for path, value in one.values() if path == column.path and value.value is not None)


def _attribute_key(one: MetadataSet, column: Column) -> str:
    """The key of an attribute's names: the URN of the metadata attribute."""
    return "" if one.structure is None else one.structure.to_item(column.path, "MetadataAttribute").urn


def _joined(parts: Sequence[str]) -> str:
    quoted = [f'"{part.replace(chr(34), chr(34) * 2)}"' if SUBFIELD in part or '"' in part else part for part in parts]
    return SUBFIELD.join(quoted) if len(parts) > 1 else "".join(parts)


def _resource(target: TargetPattern) -> str:
    """The class of a target: the resource of its artefact, if reading that gives the class back; else its own name."""
    kind = artefact_type_of_item(target.type) if target.item is not None else artefact_type(target.type)
    if kind is None or kind.resource is None or (target.item is not None and kind.item_types[0] != target.type):
        return target.type.lower()
    return kind.resource
