"""The content itself: every type is there, valid in SDMX-ML 3.1 and SDMX-JSON 2.1, and a service starts on it."""

from __future__ import annotations

from pathlib import Path

from sdmx_service.formats.registry import named
from sdmx_service.model.artefact_types import ARTEFACT_TYPES
from sdmx_service.model.message import Message, WriteOptions
from tests.every_type.artefacts import every_artefact
from tests.every_type.house import FIGURES, open_apiary
from tests.rest.reading_back import faults


def test_every_type_is_there() -> None:
    assert {one.type for one in every_artefact()} == {one.name for one in ARTEFACT_TYPES if one.resource is not None}


def test_it_is_valid() -> None:
    for name in ("structure-xml-3.1", "structure-json-2.1"):
        format = named(name)
        assert format.write is not None
        body = b"".join(format.write(Message(structures=every_artefact()), WriteOptions()))
        assert faults(format.media_types[0], body) == [], name


def test_references_are_resolved_and_a_service_starts(tmp_path: Path) -> None:
    with open_apiary(tmp_path) as house:
        catalog = house.library.view().catalog
        for artefact in catalog.artefacts.values():
            assert all(catalog.lookup(ref) is not None for ref in artefact.references()), artefact.urn
        assert len(house.rows("v2/data/dataflow/BEES/DF_HONEY/1.0.0")) == len(FIGURES)
