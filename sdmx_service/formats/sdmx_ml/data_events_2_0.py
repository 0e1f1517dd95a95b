"""Data messages of SDMX-ML 2.0: compact, generic, cross-sectional. What is a row is as in later versions.

*Choices:* an element of a compact data set that is no ``Series`` is a group, as 2.0 calls it by the group's id; a group
of generic data that says nothing but its key, and only holds series, is no row. An observation of cross-sectional data
is called by its measure: by a value of the measure dimension where the structure has one, else by the measure itself.
"""

from __future__ import annotations

from typing import Final

from sdmx_service.errors import UnreadableFile, UnresolvedReference
from sdmx_service.formats.sdmx_ml.data_events import SETTINGS, DataEvents, pairs_of, settings_of
from sdmx_service.formats.sdmx_ml.data_generic_events import GenericEvents
from sdmx_service.formats.sdmx_ml.data_opening import Opening, StructureUse
from sdmx_service.formats.sdmx_ml.data_rows import Value
from sdmx_service.formats.sdmx_ml.data_specific_events import SpecificEvents
from sdmx_service.formats.sdmx_ml.key_families import names_of, provider_of, resolve_family
from sdmx_service.model.message import Resolve

_SETTINGS_2_0: Final = SETTINGS | {
    "keyFamilyURI", "datasetID", "dataProviderSchemeAgencyId", "dataProviderSchemeId", "dataProviderID",
    "dataflowAgencyID", "dataflowID",
}  # fmt: skip
"""Attributes of a DataSet that are no components."""


class _FamilyEvents(DataEvents):
    """What data sets of all kinds have in common: they refer to key families."""

    def _start_dataset(self, name: str, attributes: list[str]) -> None:
        self._refuse_nesting()
        self._open_family(name, attributes, None)

    def _open_family(self, name: str, attributes: list[str], family: str | None) -> None:
        settings, space = settings_of(attributes), name.rpartition("}")[0]
        try:
            ref, target = resolve_family(self._opening.family, settings, space, family, self._resolve)
        except UnresolvedReference as fault:
            raise UnresolvedReference(f"Line {self.line}: {fault.detail}", hint=fault.hint) from None
        names = names_of(target.structure)
        use = StructureUse(ref=ref)
        self._open_dataset(attributes, use, target, id=settings.get("datasetID"), settings=_SETTINGS_2_0, names=names)
        assert self._dataset is not None
        self._dataset.provider = provider_of(settings)


class CompactEvents(_FamilyEvents, SpecificEvents):
    """Compact messages: components are attributes of series, observations and groups, all in a namespace."""

    def __init__(self, opening: Opening, resolve: Resolve) -> None:
        super().__init__(opening, resolve)
        self.starts["Obs"] = self._start_row
        self.other = self._start_group

    def _start_dataset(self, name: str, attributes: list[str]) -> None:
        space, _, _ = name.rpartition("}")
        self._observation = f"{space}}}Obs" if space else "Obs"
        super()._start_dataset(name, attributes)
        self._listen()

    def _start_group(self, name: str, attributes: list[str]) -> None:
        if self._rows is None:
            return
        if self._series is not None:
            raise UnreadableFile(f"Line {self.line}: {name.rpartition('}')[2]!r} stands inside a series.")
        if attributes:
            self._start_row(name, attributes)


class Generic20Events(_FamilyEvents, GenericEvents):
    """Generic messages: ``Value`` elements with concept and value; the key family stands inside the data set."""

    def __init__(self, opening: Opening, resolve: Resolve) -> None:
        self._waiting: tuple[str, list[str]] | None = None
        self._text: list[str] = []
        self._key_size = 0
        super().__init__(opening, resolve)
        self.starts |= {"KeyFamilyRef": self._start_text, "Time": self._start_text}
        self.ends |= {
            "KeyFamilyRef": self._end_family,
            "Time": self._end_time,
            "GroupKey": self._end_group_key,
            "Group": self._end_group,
        }

    def _start_dataset(self, name: str, attributes: list[str]) -> None:
        self._refuse_nesting()
        if self._waiting is not None:
            raise UnreadableFile(f"Line {self.line}: a DataSet stands inside another one.")
        self._waiting = (name, attributes)
        self._current, self._line = [], self.line

    def _open(self, family: str | None = None) -> None:
        """Begin the data set, now that what it refers to has been said, or will not be."""
        if self._waiting is not None:
            (name, attributes), self._waiting = self._waiting, None
            self._open_family(name, attributes, family)
            self._take_structure()
            time = self.structure.time_dimension
            self._at_observation = "TIME_PERIOD" if time is None else time.id

    def _end_dataset(self) -> None:
        self._open()
        super()._end_dataset()

    def _start_text(self, _: str, __: list[str]) -> None:
        self._text = []
        self.xml.CharacterDataHandler = self._text.append

    def _end_text(self) -> str:
        self.xml.CharacterDataHandler = None
        return "".join(self._text).strip()

    def _end_family(self) -> None:
        self._open(self._end_text() or None)

    def _end_time(self) -> None:
        self._current += (self._at_observation, self._end_text())

    def _value(self, _: str, attributes: list[str]) -> None:
        if len(attributes) == 4 and attributes[0] == "concept" and attributes[2] == "value":
            self._current += (attributes[1], attributes[3])
            return
        said = dict(pairs_of(attributes))
        if "concept" not in said:
            raise UnreadableFile(f"Line {self.line}: a Value has no concept.")
        if "value" in said:
            self._current += (said["concept"], said["value"])

    def _start_group(self, name: str, attributes: list[str]) -> None:
        self._open()
        super()._start_group(name, attributes)
        self._key_size = 0

    def _end_group_key(self) -> None:
        self._key_size = len(self._current)

    def _start_series(self, name: str, attributes: list[str]) -> None:
        self._open()
        if len(self._current) == self._key_size:
            self._current = []
        self._key_size = 0
        super()._start_series(name, attributes)

    def _end_group(self) -> None:
        if self._current:
            self._end_observation()
        self._key_size = 0


class CrossSectionalEvents(_FamilyEvents):
    """Cross-sectional messages: what data set, group and section say holds for the observations in them."""

    def __init__(self, opening: Opening, resolve: Resolve) -> None:
        self._contexts: list[dict[str, Value]] = []
        self._measure_dimension: str | None = None
        super().__init__(opening, resolve)
        self.starts |= {"Group": self._start_level, "Section": self._start_level}
        self.ends |= {"Group": self._end_level, "Section": self._end_level}
        self.other = self._start_observation

    def _start_dataset(self, name: str, attributes: list[str]) -> None:
        super()._start_dataset(name, attributes)
        dimensions = self.structure.dimensions
        self._measure_dimension = next((one.id for one in dimensions if one.is_measure_dimension), None)
        self._contexts = [{}]

    def _start_level(self, _: str, attributes: list[str]) -> None:
        rows = self.rows
        own: dict[str, Value] = {name: value for name, value in pairs_of(attributes) if "}" not in name and value}
        for name in own:
            rows.column(name, self.line)
        self._contexts.append({**self._contexts[-1], **own})
        rows.begin(self._contexts[-1])

    def _end_level(self) -> None:
        self._contexts.pop()
        self.rows.begin(self._contexts[-1])

    def _start_observation(self, name: str, attributes: list[str]) -> None:
        if self._rows is None:
            return
        measure = name.rpartition("}")[2]
        structure = self.structure
        if self._measure_dimension is not None:
            attributes = [self._measure_dimension, measure, *attributes]
        elif any(one.id == measure for one in structure.measures):
            attributes = [measure if one == "value" and not place % 2 else one for place, one in enumerate(attributes)]
        else:
            known = ", ".join(one.id for one in structure.measures)
            raise UnreadableFile(
                f"Line {self.line}: {measure!r} is no measure of {structure.ref.text}.",
                hint=f"Its measures are {known}; where measures are codes, the structure needs a measure dimension.",
            )
        self.rows.add(attributes, self.line)
