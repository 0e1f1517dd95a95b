"""Every real metadata message: read, written in every version that can carry it, valid there, and read back equal."""

from __future__ import annotations

import io
from collections import Counter

import pytest

from sdmx_service.errors import CannotWrite, SdmxError
from sdmx_service.formats.recognition import artefact_format
from sdmx_service.model.message import Message
from sdmx_service.model.metadata import MetadataSet
from tests.formats.metadata.messages import FORMATS, plain
from tests.reference import Specimen, select_specimens

KINDS = ("metadata", "genericmetadata", "ssmetadata")
EXCUSED = {
    # five quotes close a text in the cell, where RFC 4180 wants six
    "sdmx-csv-2.0/metadata/sdmx-csv-guide/example-02.csv": "cannot be cut into cells",
    "sdmx-csv-2.1/metadata/sdmx-csv-guide/example-02.csv": "cannot be cut into cells",
    # the rows lack the names of a column, so that values stand under the wrong heading
    "sdmx-csv-2.0/metadata/sdmx-csv-guide/example-04.csv": "cells where the heading has",
    "sdmx-csv-2.1/metadata/sdmx-csv-guide/example-04.csv": "cells where the heading has",
    # a comma after the first heading, semicolons after the others
    "sdmx-csv-2.0/metadata/sdmx-csv-guide/example-03.csv": "no field and no metadata attribute",
    # structures, which name the schema of metadata; a Categorisation has no parts
    "sdmx-json-2.0/metadata/jsdmx/structures-all-artefacts.json": "a Categorisation has no parts",
    "sdmx-json-2.0/metadata/jsdmx/structures-all-artefacts~1.json": "a Categorisation has no parts",
    "sdmx-json-2.0/metadata/jsdmx/structure~1.json": "a Categorisation has no parts",
    # the schema of SDMX-JSON 2.0 allows any property there
    "sdmx-json-2.x/metadata/sdmx-json/generated-sample.json": "has no adipisicing7a",
}
"""Messages marked valid that are refused, and why."""


def specimens() -> list[Specimen]:
    return [one for kind in KINDS for one in select_specimens(kind=kind)]


def read(specimen: Specimen) -> Message:
    content = specimen.path.read_bytes()
    found = artefact_format(content, specimen.path.name)
    assert found.read is not None
    message = found.read(io.BytesIO(content), None)  # type: ignore[arg-type]
    assert isinstance(message, Message)
    return message


def test_valid_messages_are_read_or_excused(shared: object) -> None:
    refused: dict[str, str] = {}
    valid = [one for one in specimens() if one.expectation.startswith("valid")]
    for specimen in valid:
        try:
            assert all(isinstance(one, MetadataSet) for one in read(specimen).structures)
        except SdmxError as error:
            refused[specimen.file] = str(error)
    print(f"{len(valid)} valid, {len(valid) - len(refused)} read")
    assert [file for file, error in refused.items() if EXCUSED.get(file, "nothing") not in error] == [], refused
    assert len(refused) == len(EXCUSED)


@pytest.mark.parametrize("target", FORMATS, ids=str)
def test_what_is_read_is_written_valid_and_read_back_equal(shared: object, target) -> None:
    counts: Counter[str] = Counter()
    faults = []
    for specimen in specimens():
        if specimen.file in EXCUSED:
            continue
        try:
            message = read(specimen)
        except SdmxError:
            continue
        try:
            written = target.write(message)
        except CannotWrite as error:
            counts["cannot be carried"] += 1
            if target.name.split("-")[1] == specimen.format.split("-")[1] and target.version == specimen.version:
                if message.structures or target.family == "json":
                    faults.append(f"{specimen.file}: not even in its own version: {error}")
            continue
        counts["written"] += 1
        if (found := target.faults(written)) and not _is_defect_of_schema(message, found):
            faults.append(f"{specimen.file}: {found}")
        before = [plain(one, target) for one in message.structures]
        after = [plain(one, target) for one in target.read(written).structures]
        if before != after:
            faults.append(f"{specimen.file}: read back differently")
    print(f"{target}: {dict(counts)}, {len(faults)} faults")
    assert not faults, "\n".join(faults)
    assert counts["written"] > (10 if target.name.split("-")[2] != "2.1" or target.family != "xml" else 5)


def _is_defect_of_schema(message: Message, found: list[str]) -> bool:
    """Whether the only fault is one of the schemas of SDMX-JSON: versions of two numbers, and sets as targets."""
    legacy = any(one.version.count(".") == 1 and one.version != "1.0" for one in message.structures)
    about_sets = any("MetadataSet=" in urn for one in message.structures for urn in one.targets)
    return all(("'version'" in fault and legacy) or ("'targets'" in fault and about_sets) for fault in found)


def test_invalid_messages_give_located_errors(shared: object) -> None:
    counts: Counter[str] = Counter()
    for specimen in specimens():
        if specimen.expectation.startswith("valid"):
            continue
        try:
            read(specimen)
            counts["read leniently"] += 1
        except SdmxError as error:
            assert "/data/metadataSets/0" in error.detail or "line " in error.detail
            counts["refused"] += 1
    print(f"not valid: {dict(counts)}")
    assert counts == {"refused": 2, "read leniently": 7}


def test_the_real_esms_report(shared: object) -> None:
    """Eurostat's report, generic and structure-specific, says the same, and pieces of it are as in the file."""
    generic, specific = (
        read(one).structures[0] for kind in ("genericmetadata", "ssmetadata") for one in select_specimens(kind=kind)
    )
    assert isinstance(generic, MetadataSet) and isinstance(specific, MetadataSet)
    assert dict(flat(generic)) == dict(flat(specific))
    said = dict(flat(generic))
    assert said["CONTACT.ADDRESS.POSTAL_CODE"] == "2721"
    assert said["META_UPDATE.UPDATED.NEXT"] == "2011-01-20"
    assert generic.targets == (
        "urn:sdmx:org.sdmx.infomodel.categoryscheme.Category=ESTAT:DATAFLOWS_SCHEME(1.0).PSC.DEM.TOT",
        "urn:sdmx:org.sdmx.infomodel.base.DataProvider=ESTAT:DATA_PROVIDERS(1.0).ESTAT",
    )
    text = str(said["STAT_PRES.DATA_DESCR"])
    assert "<strong><em>Rapid</em></strong>" in text and "in order to produce a 1<sup>st</sup> January" in text


def flat(metadata_set: MetadataSet) -> list[tuple[str, object]]:
    return [
        (path, " ".join(one.texts.text().split()) if one.texts else one.value) for path, one in metadata_set.values()
    ]
