"""Every data specimen as pysdmx and sdmx1 read it, where they do: observation by observation, by the full key.

Each observation is one row: its key, its measures, and the attributes of its own, its series, its groups and its data
set. Rows are compared as the texts that were sent. What a library cannot read is no oracle and is counted as such; what
it reads otherwise is excused by a rule below, which names its fault and the condition on the message. The figures at
the end of each test are those found when it was written: fewer compared, or a rule that excuses nothing, fails.
"""

from __future__ import annotations

import ast
import contextlib
import csv
import io
import warnings
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import pytest
from lxml import etree

from sdmx_service.errors import SdmxError
from sdmx_service.model.structure import DataStructure
from tests.formats.data.specimen_data import Read, Row, key_of, read_specimen
from tests.formats.data.test_csv_reader import REFUSED
from tests.formats.data.test_specimen_round_trip import KINDS, POINTS_NOWHERE, VERSIONS
from tests.reference import Specimen, select_specimens

Keyed = dict[tuple[str, ...], list[Row]]


@dataclass(frozen=True)
class Seen:
    """A message with our reading of it, and what rules ask about it."""

    specimen: Specimen
    ours: Sequence[Read]

    @property
    def is_csv(self) -> bool:
        return self.specimen.format == "sdmx-csv"

    @cached_property
    def tree(self) -> Any:
        return etree.fromstring(self.specimen.path.read_bytes())

    @property
    def view(self) -> str:
        """The dimension at the observation."""
        return str(self.tree.find("{*}Header/{*}Structure").get("dimensionAtObservation", "TIME_PERIOD"))

    @cached_property
    def in_groups(self) -> set[str]:
        """Names of what its groups say."""
        if self.is_csv:
            return set()
        groups = list(self.tree.iter("{*}Group"))
        generic = {one.get("id", "") for group in groups for one in group.iterfind("{*}Attributes/{*}Value")}
        return generic | {name for group in groups for name in group.attrib}

    @cached_property
    def on_data_sets(self) -> set[str]:
        """Names of the XML attributes of its data sets."""
        return set() if self.is_csv else {name for one in self.tree.iterfind("{*}DataSet") for name in one.attrib}

    @cached_property
    def of_series_after_observations(self) -> set[str]:
        """Names of what series say in a data set that has observations without a series, too."""
        mixed = [one for one in self.tree.iterfind("{*}DataSet") if one.find("{*}Obs") is not None]
        return {name for one in mixed for series in one.iterfind("{*}Series") for name in series.attrib}

    @cached_property
    def lines(self) -> list[dict[str, str]]:
        if not self.is_csv:
            return []
        return list(csv.DictReader(io.StringIO(self.specimen.path.read_text("utf-8-sig"), newline="")))

    def is_of_partial_key(self, name: str, value: Any, keys: Sequence[str]) -> bool:
        """Whether a line that leaves dimensions empty says this."""
        return any(
            line.get(name) == value and any(line.get(key) == "" for key in keys) and any(line.get(key) for key in keys)
            for line in self.lines
        )


@dataclass(frozen=True)
class Cell:
    """What differs: a component of one observation."""

    seen: Seen
    structure: DataStructure
    name: str
    ours: Any
    theirs: Any


@dataclass
class Tally:
    """What was compared and what was excused."""

    rules: Mapping[str, Callable[[Cell], bool]]
    messages: Counter[str] = field(default_factory=Counter)
    observations: int = 0
    values: int = 0
    excused: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)

    def compare(self, seen: Seen, structure: DataStructure, ours: Keyed, theirs: Keyed) -> None:
        """Everything that both have, by key; a key that one of them lacks is a fault."""
        where = seen.specimen.file
        if ours.keys() != theirs.keys():
            only = sorted(ours.keys() ^ theirs.keys())[:2]
            self.faults.append(f"{where}: {len(ours)} keys here, {len(theirs)} there; {only}")
        for key in ours.keys() & theirs.keys():
            mine, others = sorted(ours[key], key=_order), sorted(theirs[key], key=_order)
            if len(mine) != len(others):
                self.faults.append(f"{where}: {key}: {len(mine)} times here, {len(others)} times there")
                continue
            self.observations += len(mine)
            for one, other in zip(mine, others, strict=True):
                self._compare_rows(seen, structure, one, other)

    def _compare_rows(self, seen: Seen, structure: DataStructure, ours: Row, theirs: Row) -> None:
        for name in ours.keys() | theirs.keys():
            cell = Cell(seen, structure, name, ours.get(name), theirs.get(name))
            if cell.ours == cell.theirs:
                self.values += 1
                continue
            rule = next((rule for rule, holds in self.rules.items() if holds(cell)), None)
            if rule is None:
                self.faults.append(f"{seen.specimen.file}: {name}: {cell.ours!r} here, {cell.theirs!r} there")
            else:
                self.excused[rule] += 1

    def check(self, *, messages: int, observations: int, values: int) -> None:
        """No difference but those excused, every rule needed, and as much compared as when this was written."""
        print(dict(self.messages), self.observations, self.values, dict(self.excused))
        assert not self.faults, "\n".join(self.faults[:20])
        assert set(self.rules) == set(self.excused), "a rule that excuses nothing"
        assert self.messages["compared"] >= messages
        assert self.observations >= observations
        assert self.values >= values


def _order(row: Row) -> str:
    return repr(sorted((name, repr(value)) for name, value in row.items() if not isinstance(value, (list, dict))))


def _specimens() -> Iterator[Specimen]:
    for one in select_specimens(kind=KINDS, **VERSIONS):
        if (one.format, one.version) != ("sdmx-ml", "2.0") and not one.is_invalid:
            yield one


def _seen(specimen: Specimen) -> Seen | None:
    """Our reading; None where the message is refused, which it must deserve."""
    try:
        return Seen(specimen, read_specimen(specimen)[0])
    except SdmxError as error:
        assert specimen.file in REFUSED or any(words in error.detail for words in POINTS_NOWHERE), specimen.file
        return None


def _keyed(rows: Sequence[Row], structure: DataStructure) -> Keyed:
    """The observations among rows by their key."""
    found: Keyed = defaultdict(list)
    for row in rows:
        if row.keys() >= set(structure.key_ids):
            found[key_of(row, structure)].append(row)
    return found


def _is_lost(cell: Cell) -> bool:
    return cell.theirs is None


def _is_of_partial_key(cell: Cell) -> bool:
    return _is_lost(cell) and cell.seen.is_of_partial_key(cell.name, cell.ours, cell.structure.key_ids)


def _is_several(cell: Cell) -> bool:
    return isinstance(cell.ours, (list, dict))


# --- pysdmx -----------------------------------------------------------------------------------------------------------

PYSDMX_RULES: dict[str, Callable[[Cell], bool]] = {
    # the data set's validity and namespaces, and metadata of an observation, are no attributes of the structure
    "takes other things of XML for components": lambda cell: (
        cell.ours is None and cell.name in ("validFromDate", "validToDate", "xmlns", "Metadata")
    ),
    # SDMX-CSV allows columns of the sender's own, which are not bound to the structure
    "keeps columns of the sender's own": lambda cell: (
        cell.ours is None and cell.seen.is_csv and cell.name in ("SERIESKEY", "UPDATED", "LAST UPDATE")
    ),
    "keeps the last element Comp of an observation": lambda cell: _is_lost(cell) and _is_several(cell),
    "drops groups of flat data, and the first of two kinds of groups": lambda cell: (
        _is_lost(cell) and cell.name in cell.seen.in_groups
    ),
    "spells nan as pandas does": lambda cell: cell.seen.is_csv and (cell.ours, cell.theirs) == ("nan", "NaN"),
    # labels=both has names for coded components; pysdmx takes "1: 1" of an uncoded one for a code and its name, too
    "takes names from components that have none": lambda cell: (
        cell.seen.is_csv and str(cell.ours).startswith(f"{cell.theirs}: ")
    ),
    "leaves what lines of a partial key say": _is_of_partial_key,
}


def _unfolded(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    """What pysdmx leaves as an element of XML, as components."""
    if name == "Atts":
        yield from value.items()
    elif name == "Comp":
        found = ast.literal_eval(value)
        for one in found if isinstance(found, list) else [found]:
            values = one["Value"]
            yield one["id"], values if isinstance(values, list) else [values]
    else:
        yield name, value


def _pysdmx_rows(dataset: Any) -> list[Row]:
    found = []
    for record in dataset.data.to_dict("records"):
        row = {name: str(value) for name, value in record.items() if value == value and value not in (None, "")}
        parts = {**(dataset.attributes or {}), **row}
        found.append({id: one for name, value in parts.items() for id, one in _unfolded(name, value)})
    return found


def _without_repeats(seen: Seen, rows: Sequence[Row], keys: Sequence[str]) -> list[Row]:
    """Each observation once: of data that are not by time it repeats them for each group, whichever that describes."""
    of_groups = seen.in_groups.difference(keys)
    own = [{name: value for name, value in row.items() if name not in of_groups} for row in rows]
    return list({_order(row): row for row in own}.values())


def _compare_with_pysdmx(tally: Tally, seen: Seen, datasets: Sequence[Any]) -> None:
    theirs: dict[str, list[Row]] = defaultdict(list)
    for one in datasets:
        urn = one.structure if isinstance(one.structure, str) else one.structure.short_urn
        theirs[urn.partition(":")[2].partition("(")[0]] += _pysdmx_rows(one)
    for id in {one.ref.id for one in seen.ours}:
        same = [one for one in seen.ours if one.ref.id == id]
        rows = [row for one in same for row in one.rows]
        others = theirs.pop(id, [])
        structure = same[0].structure
        if seen.in_groups and seen.view not in ("TIME_PERIOD", "AllDimensions"):
            tally.messages["each observation once"] += 1
            rows = _without_repeats(seen, rows, structure.key_ids)
            others = _without_repeats(seen, others, structure.key_ids)
        tally.compare(seen, structure, _keyed(rows, structure), _keyed(others, structure))
    assert not theirs, f"{seen.specimen.file}: data of {list(theirs)}"


def test_pysdmx_reads_the_same_observations(shared: object) -> None:
    from pysdmx.io import read_sdmx

    tally = Tally(PYSDMX_RULES)
    for specimen in _specimens():
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                theirs = read_sdmx(io.BytesIO(specimen.path.read_bytes()), validate=False).data or []
        except Exception as fault:  # noqa: BLE001 - whatever it cannot do is no oracle
            tally.messages[f"{specimen.format}: {type(fault).__name__}"] += 1
            continue
        if (seen := _seen(specimen)) is None:
            tally.messages["refused here"] += 1
        elif specimen.format == "sdmx-ml" and seen.tree.find(".//{*}Structure[@explicitMeasures='true']") is not None:
            tally.messages["explicit measures, which pysdmx does not take for keys"] += 1
        else:
            tally.messages["compared"] += 1
            _compare_with_pysdmx(tally, seen, theirs)
    tally.check(messages=139, observations=31147, values=390907)


# --- sdmx1 ------------------------------------------------------------------------------------------------------------

SDMX1_RULES: dict[str, Callable[[Cell], bool]] = {
    "leaves the attributes of structure-specific data sets": lambda cell: (
        _is_lost(cell) and cell.name in cell.seen.on_data_sets
    ),
    "does not take several values and languages apart": _is_several,
    "gives observations that stand before all series to the first": lambda cell: (
        not cell.seen.is_csv and cell.name in cell.seen.of_series_after_observations
    ),
    "leaves what lines of a partial key say": _is_of_partial_key,
}


def _sdmx1_structure(structure: DataStructure) -> Any:
    """Our structure in its model: its reader of SDMX-CSV needs one."""
    from sdmx.model import v30

    made = v30.DataStructureDefinition(id=structure.id)
    for id in structure.key_ids:
        made.dimensions.append(v30.Dimension(id=id))
    for measure in structure.measures:
        made.measures.append(v30.Measure(id=measure.id))
    for attribute in structure.attributes:
        made.attributes.append(v30.DataAttribute(id=attribute.id))
    return made


def _import_sdmx1_afresh() -> None:
    """Its reader of SDMX-ML 3.0 cannot be loaded once that of 2.1 has met a message's own namespace."""
    from sdmx.format.xml import v21 as names
    from sdmx.reader.xml import v21

    for tag, event in [key for key in v21.Reader.parser if key[0].namespace not in set(names.NS.values())]:
        del v21.Reader.parser[tag, event]
    import sdmx.reader.xml.v30  # noqa: F401


def _by_sdmx1(seen: Seen) -> Sequence[Any]:
    import sdmx
    from sdmx.reader.csv import Reader

    file = io.BytesIO(seen.specimen.path.read_bytes())
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        if seen.is_csv:
            return Reader().convert(file, structure=_sdmx1_structure(seen.ours[0].structure)).data  # type: ignore[no-any-return]
        return sdmx.read_sdmx(file).data  # type: ignore[attr-defined, no-any-return]


def _sdmx1_rows(dataset: Any, structure: DataStructure, is_csv: bool) -> list[Row]:
    found = []
    measure = structure.measures[0].id if is_csv and structure.measures else "OBS_VALUE"
    for one in dataset.obs:
        row = {} if one.value is None else {measure: str(one.value)}
        levels = [getattr(dataset, "attrib", {}), *(group.attrib for group in one.group_keys)]
        levels += [] if one.series_key is None else [one.series_key.attrib]
        for level in (*levels, one.attached_attribute, one.key.values):
            row.update({id: str(value.value) for id, value in level.items()})
        found.append({id: value for id, value in row.items() if value != ""})
    return found


def _why_not(seen: Seen) -> str | None:
    """Why sdmx1 cannot read a message, although it says nothing."""
    if not seen.is_csv:
        return None
    if len({one.ref for one in seen.ours}) > 1:
        return "several structures in one SDMX-CSV"
    return "labels=both" if any(": " in (name or "") for name in (seen.lines or [{}])[0]) else None


def test_sdmx1_reads_the_same_observations(shared: object, caplog: pytest.LogCaptureFixture) -> None:
    _import_sdmx1_afresh()
    caplog.set_level("CRITICAL")
    tally = Tally(SDMX1_RULES)
    for specimen in _specimens():
        if specimen.format == "sdmx-json":  # it reads drafts of before 1.0
            continue
        seen = _seen(specimen)
        if seen is None or not seen.ours:
            continue
        if why := _why_not(seen):
            tally.messages[why] += 1
            continue
        try:
            theirs = _by_sdmx1(seen)
        except Exception as fault:  # noqa: BLE001 - whatever it cannot do is no oracle
            tally.messages[f"{specimen.format} {specimen.version}: {type(fault).__name__}"] += 1
            continue
        tally.messages["compared"] += 1
        if len(theirs) == len(seen.ours):
            pairs = [([one], [other]) for one, other in zip(seen.ours, theirs, strict=True)]
        else:
            pairs = [(list(seen.ours), list(theirs))]
        for ours, others in pairs:
            structure = ours[0].structure
            rows = [row for one in others for row in _sdmx1_rows(one, structure, seen.is_csv)]
            tally.compare(
                seen, structure, _keyed([row for one in ours for row in one.rows], structure), _keyed(rows, structure)
            )
    tally.check(messages=90, observations=10796, values=213707)
