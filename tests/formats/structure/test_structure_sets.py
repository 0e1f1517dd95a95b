"""Maps of SDMX 3.x in the structure sets of SDMX 2.1, and back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from lxml import etree

from sdmx_service.errors import CannotWrite, UnreadableFile
from sdmx_service.formats.structure_sets import StructureSet
from sdmx_service.model.artefact import Annotation, Maintainable, Texts
from sdmx_service.model.mapping import (
    ComponentMap,
    FixedValue,
    MappedValue,
    MappingRow,
    RepresentationMap,
)
from sdmx_service.model.message import Message
from sdmx_service.model.urn import Ref
from tests.every_type.artefacts import every_artefact, ref
from tests.formats.structure.messages import FORMATS, by_urn

ML_2_1 = FORMATS[0]
EVERY: dict[Ref, Maintainable] = {one.ref: one for one in every_artefact()}
MAP: Any = EVERY[ref("StructureMap", "SM_HONEY")]
CODES: Any = EVERY[ref("RepresentationMap", "RM_REGION")]
MAPS = [one for one in EVERY.values() if type(one).__name__.endswith("Map")]


def written(*structures: Maintainable, lookup: Callable[[Ref], Maintainable | None] | None = EVERY.get) -> bytes:
    content = ML_2_1.write(Message(structures=structures, lookup=lookup))
    assert ML_2_1.faults(content) == []
    return content


def test_every_map_comes_back_as_it_was() -> None:
    assert by_urn(ML_2_1.read(written(*MAPS)).structures) == by_urn(MAPS)


def test_a_structure_map_brings_its_representation_map_and_says_what_its_components_are() -> None:
    tree = etree.fromstring(written(MAP))
    (made,) = tree.iter("{*}StructureSet")
    assert [etree.QName(one).localname for one in made if one.get("id")] == ["CodelistMap", "StructureMap"]
    (source, target, *_) = (one.attrib for one in tree.iter("Ref") if one.get("containerID"))
    assert dict(source) == {
        "id": "REGION", "containerID": "DimensionDescriptor", "package": "datastructure", "class": "Dimension",
    }  # fmt: skip
    assert (target["id"], target["class"]) == ("PLACE", "Dimension")
    assert by_urn(ML_2_1.read(written(MAP)).structures) == by_urn([MAP, CODES])


def test_attributes_time_and_measure_stand_in_their_lists() -> None:
    pairs = [("UNIT", "OBS_VALUE"), ("TIME_PERIOD", "TIME_PERIOD"), ("OBS_VALUE", "OBS_VALUE")]
    components = tuple(ComponentMap(sources=(source,), targets=(target,)) for source, target in pairs)
    flow = replace(MAP, source=ref("Dataflow", "DF_HONEY"), components=components)
    content = written(flow)
    found = [(one.get("containerID"), one.get("class")) for one in etree.fromstring(content).iter("Ref")]
    assert [one for one in found if one[0]] == [
        ("AttributeDescriptor", "Attribute"), ("MeasureDescriptor", "PrimaryMeasure"),
        ("DimensionDescriptor", "TimeDimension"), ("DimensionDescriptor", "TimeDimension"),
        ("MeasureDescriptor", "PrimaryMeasure"), ("MeasureDescriptor", "PrimaryMeasure"),
    ]  # fmt: skip
    assert ML_2_1.read(content).structures == (flow,)


def test_a_stub_is_a_set_without_maps() -> None:
    stub = replace(MAP, components=(), is_external_reference=True)
    (found,) = ML_2_1.read(written(stub)).structures
    assert isinstance(found, StructureSet)
    assert (found.id, found.names, found.is_external_reference, found.maps) == ("SM_HONEY", MAP.names, True, ())
    assert ML_2_1.read(written(found)).structures == (found,)


def _rows(*rows: MappingRow) -> RepresentationMap:
    return replace(CODES, rows=rows)


PLAIN = MappedValue(value="NORTH")
REFUSED = {
    "fixed values": replace(MAP, fixed=(FixedValue(component="FREQ", values=("A",)),)),
    "one component to one other": replace(MAP, components=(ComponentMap(sources=("FREQ", "REGION"), targets=("FREQ",)),)),
    "no component NONE": replace(MAP, components=(ComponentMap(sources=("NONE",), targets=("FREQ",)),)),
    "maps nothing": replace(MAP, components=()),
    "one codelist to another": replace(CODES, sources=("String",)),
    "one code to one other": _rows(MappingRow(sources=(replace(PLAIN, is_regex=True),), targets=("SOUTH",))),
    "not 'NORTH'": _rows(MappingRow(sources=(PLAIN,), targets=("SOUTH",), valid_from="2020-01-01")),
    "mapped to none": replace(
        EVERY[ref("ConceptSchemeMap", "CSM_BEES")],
        items=(replace(EVERY[ref("ConceptSchemeMap", "CSM_BEES")].items[0], target=""),),  # type: ignore[attr-defined]
    ),
}  # fmt: skip


@pytest.mark.parametrize("words", REFUSED)
def test_what_2_1_cannot_map_is_named(words: str) -> None:
    with pytest.raises(CannotWrite, match=words) as caught:
        written(REFUSED[words])
    assert REFUSED[words].urn in caught.value.detail


def test_without_the_structures_a_structure_map_is_refused() -> None:
    with pytest.raises(CannotWrite, match=r"RM_REGION.* is not at hand"):
        written(MAP, lookup=None)
    with pytest.raises(CannotWrite, match=r"data structure of BEES:DSD_HONEY\(1\.0\.0\) is not at hand"):
        written(MAP, CODES, lookup=None)
    assert written(MAP, CODES, EVERY[MAP.source], EVERY[MAP.target], lookup=None)


def test_a_kept_identity_that_is_none_is_refused() -> None:
    content = written(MAP).replace(MAP.urn.encode(), b"nonsense")
    with pytest.raises(UnreadableFile, match="annotation of the map"):
        ML_2_1.read(content)


def test_what_a_set_says_is_kept() -> None:
    content = written(replace(MAP, annotations=(Annotation(type="STRUCTURE_SET", id="SET", title="SM", texts=Texts({"en": "Set"})),
                                                Annotation(type="STRUCTURE_SET_DESCRIPTION", id="SET", texts=Texts({"en": "All"})))))  # fmt: skip
    tree = etree.fromstring(content)
    (made,) = tree.iter("{*}StructureSet")
    assert (made.get("id"), made.findtext("{*}Name"), made.findtext("{*}Description")) == ("SET", "Set", "All")
    again = ML_2_1.read(content)
    assert by_urn(ML_2_1.read(ML_2_1.write(again)).structures) == by_urn(again.structures)
