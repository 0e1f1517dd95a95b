"""Every invalid specimen of data and structures: a finding that names its place, or a reading that is justified here."""

from __future__ import annotations

import io
import re
from collections import Counter

import pytest

from sdmx_service.errors import NotBuilt, SdmxError, UnknownFormat, UnresolvedReference
from tests.formats.data.invented import resolving
from tests.formats.data.known_structures import resolving_specimens
from tests.formats.data.specimen_data import made_structure, read
from tests.formats.structure.messages import reader_of
from tests.reference import Specimen, specimens

ELSEWHERE = ("metadata", "genericmetadata", "query")
"""Metadata have a test of their own; queries are not read."""
PLACE = re.compile(r"\b[Ll]ine \d+|\bRow \d+|(^|\s)/(data|meta)/")
"""A line of XML, a row of a table, a JSON pointer."""

OF_2_0 = tuple(f"sdmx-ml-2.0/{kind}/" for kind in ("compactdata", "genericdata", "crosssectionaldata", "messagegroup"))
"""Data of 2.0, which the official schema could not judge ("internal error"): ``data/test_ml_reader_2_0`` reads them."""

HEADER = "what a header must say, and in which order, matters to no value"
PATTERN = "the text is no URN by the schema's pattern, and still says what it points to"
EMPTY = "an empty list says that there is nothing"
FORMAT = "a format beside no list of codes says what the texts are like"
DATES = "a date where the schema wants a date and time"
LENIENT = {
    "sdmx-json-2.0/structure/pysdmx/agencies_flows.json": PATTERN,
    "sdmx-json-2.0/structure/pysdmx/flows_all_stubs.json": PATTERN,
    "sdmx-json-2.0/structure/pysdmx/hierarchy_schema.json": PATTERN,
    "sdmx-ml-3.0/structure/pysdmx/dataflow_global_registry.xml": PATTERN,
    "sdmx-json-2.0/structure/pysdmx/code_maps_stubs.json": EMPTY,
    "sdmx-json-2.0/structure/pysdmx/empty_group_dimensions.json": EMPTY,
    "sdmx-json-2.0/structure/pysdmx/metadataprovidersflows.json": EMPTY,
    "sdmx-ml-2.1/structure/pandaSDMX/codelist_partial.xml": EMPTY,
    "sdmx-ml-2.1/structure/sdmx-test-data/codelist_partial.xml": EMPTY,
    "sdmx-json-2.0/structure/pysdmx/cs_no_urn.json": "facets that do not go together are kept as they were sent",
    "sdmx-json-2.0/structure/pysdmx/dsd_no_measure.json": FORMAT,
    "sdmx-json-2.0/structure/pysdmx/multi_meas.json": FORMAT,
    "sdmx-ml-3.0/structure/jsdmx/dsd_with_enumFormat.xml": FORMAT,
    "sdmx-ml-2.1/structure/sdmx-tck/DataAvailabilityAll.xml": DATES,
    "sdmx-ml-2.1/structure/sdmx-tck/DataAvailabilityComplexKeyExact.xml": DATES,
    "sdmx-ml-2.1/structure/sdmx-tck/DataAvailabilitySimpleKeyExact.xml": DATES,
    "sdmx-ml-2.1/structure/sdmx-tck/ESTAT_STS_1.4.xml": "an attribute of the sender's own in the namespace of XML",
    "sdmx-ml-2.1/structure/sdmxthon/metadata_errors.xml": "the concept of the primary measure has another name",
    "sdmx-ml-3.0/structure/pysdmx/dataflow_no_structure_specific.xml": HEADER,
    "sdmx-ml-3.1/structure/pysdmx/dataflow_no_structure_specific.xml": HEADER,
    "sdmx-json-2.x/data/jsdmx/expected-flat-json-streamer-response.json": HEADER,
    "sdmx-ml-2.1/genericdata/sdmx-test-data/footer.xml": HEADER,
    "sdmx-ml-2.1/ssdata/rsdmx/SDMXStructureSpecificDataExample_2.1.xml": HEADER,
    "sdmx-ml-2.1/ssdata/sdmx-tck/dataExtendedIdentificationTest.xml": HEADER,
    "sdmx-ml-2.1/ssdata/sdmx-tck/dataIdentification.xml": HEADER,
    "sdmx-ml-3.1/ssdata/pysdmx/data_structure_no_structure.xml": HEADER,
}
"""Messages that the official schema refuses and that are read, with the reason why nothing is lost or guessed."""


def _read(specimen: Specimen) -> None:
    content = specimen.path.read_bytes()
    if specimen.kind == "structure":
        list(reader_of(specimen.format)(io.BytesIO(content)).structures)
        return
    try:
        read(content, resolving_specimens())
    except UnresolvedReference:
        read(content, resolving(made_structure(specimen, content)), is_made=True)


def test_invalid_messages_are_refused_with_their_place_or_read_for_a_reason(shared: object) -> None:
    counts: Counter[str] = Counter()
    lenient = set()
    for specimen in specimens():
        if not specimen.is_invalid or specimen.kind in ELSEWHERE or specimen.file.startswith(OF_2_0):
            continue
        try:
            _read(specimen)
        except (NotBuilt, UnknownFormat) as error:  # of another version, of no format: the whole message
            assert error.detail
            counts[type(error).__name__] += 1
        except SdmxError as error:
            assert PLACE.search(error.detail), f"{specimen.file}: {error.detail}"
            counts["refused at a place"] += 1
        else:
            lenient.add(specimen.file)
            counts["read"] += 1
    print(dict(counts))
    assert lenient == set(LENIENT)
    assert counts["refused at a place"] >= 20


@pytest.mark.parametrize("name", ["wrongtype", "string"])
def test_a_data_type_that_does_not_exist_is_refused(name: str) -> None:
    body = (
        '{"meta":{"schema":"x/2.0/sdmx-json-structure-schema.json"},"data":{"conceptSchemes":[{"id":"CS","agencyID":"A",'
        '"version":"1.0.0","name":"x","concepts":[{"id":"C","name":"c","coreRepresentation":{"format":{"dataType":"%s"}}}]}]}}'
    )
    with pytest.raises(SdmxError, match=f"dataType.*'?{name}'? is not one of .*XHTML"):
        reader_of("sdmx-json")(io.BytesIO((body % name).encode()))
    (found,) = reader_of("sdmx-json")(io.BytesIO((body % "XHTML").encode())).structures
    assert found.items[0].core_representation.text_format.type == "XHTML"
