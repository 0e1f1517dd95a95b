"""Every real structure message: read, written in every version that can carry it, valid there, and read back equal."""

from __future__ import annotations

import io
from collections import Counter

import pytest

from sdmx_service.errors import CannotWrite, SdmxError
from tests.formats.structure.messages import FORMATS, by_urn, plain, reader_of
from tests.reference import Specimen, select_specimens

EXCUSED = {
    # valid by the schema's patterns only: URNs that the information model does not have
    "sdmx-ml-3.0/structure/jsdmx/all.xml": "a Categorisation has no parts",
    "sdmx-ml-3.0/structure/jsdmx/categorisation.xml": "a Categorisation has no parts",
    "sdmx-ml-3.0/structure/jsdmx/process.xml": "needs its id",
    # valid by the schema only, which takes anything for a URN
    "sdmx-json-1.0/structure/sdmx-json/generated-sample.json": "is not an SDMX URN",
    # the schema of SDMX-JSON 2.0 allows any property: these are of 1.0, or of a draft
    "sdmx-json-2.0/structure/sdmx-json/constructed-sample.json": "no such property",
    "sdmx-json-2.0/structure/sdmx-json/generated-sample.json": "no such property",
    **dict.fromkeys(
        [
            "sdmx-json-unversioned/structure/jsdmx/structure-maps-full.json",
            "sdmx-json-unversioned/structure/jsdmx/structure-maps-full~1.json",
            "sdmx-json-unversioned/structure/jsdmx/structure-maps-list-full.json",
            "sdmx-json-unversioned/structure/jsdmx/structure-maps-list-full~1.json",
        ],
        "yearStart",
    ),
    "sdmx-json-unversioned/structure/pysdmx/mult_reports.fusion.json": "metadatasets",
    "sdmx-json-unversioned/structure/pysdmx/report.fusion.json": "metadatasets",
    "sdmx-json-unversioned/structure/pysdmx/report_attrs.fusion.json": "metadatasets",
}
"""Messages marked valid that are refused, and why."""

GROUPS = [
    ("sdmx-ml", "2.1"),
    ("sdmx-ml", "3.0"),
    ("sdmx-ml", "3.1"),
    ("sdmx-json", "1.0"),
    ("sdmx-json", "2.0"),
    ("sdmx-json", "2.1"),
    ("sdmx-json", "?"),
]


def _specimens(family: str, version: str) -> list[Specimen]:
    found = select_specimens(format=family, version=version, kind="structure")
    return [one for one in found if one.expectation.startswith("valid")]


@pytest.mark.parametrize(("family", "version"), GROUPS)
def test_valid_messages_are_read_or_excused(shared: object, family: str, version: str) -> None:
    refused: dict[str, str] = {}
    specimens = _specimens(family, version)
    for specimen in specimens:
        with specimen.path.open("rb") as source:
            try:
                reader_of(family)(source)
            except SdmxError as error:
                refused[specimen.file] = str(error)
    print(f"{family} {version}: {len(specimens)} valid, {len(specimens) - len(refused)} read")
    assert [file for file, error in refused.items() if EXCUSED.get(file, "nothing") not in error] == [], refused


@pytest.mark.parametrize("target", FORMATS, ids=str)
@pytest.mark.parametrize(("family", "version"), GROUPS[:-1])
def test_what_is_read_is_written_valid_and_read_back_equal(shared, family, version, target) -> None:
    counts: Counter[str] = Counter()
    faults = []
    for specimen in _specimens(family, version):
        if specimen.file in EXCUSED:
            continue
        with specimen.path.open("rb") as source:
            message = reader_of(family)(source)
        try:
            written = target.write(message)
        except CannotWrite as error:
            counts["cannot be carried"] += 1
            own = (family, version) == (target.family, target.version)
            if own:
                faults.append(f"{specimen.file}: not even in its own version: {error}")
            continue
        if found := target.faults(written):
            faults.append(f"{specimen.file}: {found}")
        before, after = by_urn(message.structures), by_urn(target.read(written).structures)
        if (family, version) != (target.family, target.version):
            gone = {
                key for key, one in before.items() if target.sdmx == "3.1" and getattr(one, "role", None) == "Actual"
            }
            before = by_urn(plain(one) for key, one in before.items() if key not in gone)
            after = by_urn(plain(one) for one in after.values())
        if before != after:
            faults.append(
                f"{specimen.file}: read back differently: {[key for key in before if before[key] != after.get(key)]}"
            )
        counts["equal"] += 1
    print(f"{family} {version} -> {target}: {dict(counts)}, {len(faults)} faults")
    assert not faults, "\n".join(faults)
    assert counts["equal"] > 0 or (family, version) == ("sdmx-json", "1.0")  # one message, with links that only it has


def test_invalid_messages_give_located_errors(shared: object) -> None:
    counts: Counter[str] = Counter()
    for family in ("sdmx-ml", "sdmx-json"):
        for specimen in select_specimens(format=family, kind="structure"):
            if specimen.is_valid:
                continue
            with specimen.path.open("rb") as source:
                try:
                    reader_of(family)(source)
                    counts["read leniently"] += 1
                except SdmxError as error:
                    assert error.detail
                    counts["refused"] += 1
    print(f"not valid: {dict(counts)}")
    assert counts["refused"] > 10


def test_other_kinds_of_messages_are_refused_clearly(shared: object) -> None:
    refused = 0
    for family in ("sdmx-ml", "sdmx-json"):
        for specimen in select_specimens(format=family, kind=("data", "ssdata", "genericdata", "query", "error")):
            with specimen.path.open("rb") as source, pytest.raises(SdmxError):
                reader_of(family)(source)
            refused += 1
    print(f"messages of other kinds: {refused} refused")
    assert refused > 50


STRUCTURES = {  # file: artefacts by class, counted in the XML by name
    "ESTAT_DEMOGRAPHY_1.0.xml": {"Codelist": 8, "ConceptScheme": 3, "DataStructure": 1},
    "IAEG-SDGs_SDG_1.0.xml": {"AgencyScheme": 1, "Codelist": 20, "ConceptScheme": 1, "DataStructure": 1},
    "IAEG-SDGs_SDG_1.4.xml": {"AgencyScheme": 1, "Codelist": 20, "ConceptScheme": 1, "DataStructure": 1},
    "IAEG-SDGs_SDG_MSD_1.0.xml": {"MetadataStructure": 1},
    "OECD_DSD_MIG_1.0.xml": {
        "Dataflow": 1, "CategoryScheme": 1, "Categorisation": 1, "Codelist": 11, "ConceptScheme": 1, "DataStructure": 1,
        "DataConstraint": 2,
    },
    "SDMX_common_structure.xml": {"Codelist": 5, "ConceptScheme": 1},
    "UNICEF_DSD_AGGREGATE_1.0.xml": {
        "AgencyScheme": 2, "DataProviderScheme": 1, "Dataflow": 1, "Codelist": 21, "ConceptScheme": 1,
        "DataStructure": 1, "DataConstraint": 1, "ProvisionAgreement": 1,
    },
}  # fmt: skip


@pytest.mark.parametrize("name", STRUCTURES)
def test_real_data_structures_are_read_whole(shared, name: str) -> None:
    content = (shared / "data" / "structures" / name).read_bytes()
    message = reader_of("sdmx-ml")(io.BytesIO(content))
    assert Counter(type(one).__name__ for one in message.structures) == STRUCTURES[name]
    codes = sum(len(one.items) for one in message.structures if type(one).__name__ == "Codelist")
    closing = content.count(b"</structure:Code>") + content.count(b"</str:Code>") + content.count(b"</Code>")
    assert codes == closing
