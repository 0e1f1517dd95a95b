"""Addresses that the npm package ``sdmx-rest`` writes parse to what was asked of it."""

from __future__ import annotations

import json
import subprocess
from datetime import UTC, datetime
from typing import Any

import pytest

from sdmx_service.errors import SyntaxFault
from sdmx_service.model.query import (
    AvailabilityQuery,
    Comparison,
    ComponentFilter,
    DataQuery,
    ProviderRef,
    Query,
    SchemaQuery,
    StructureQuery,
)
from sdmx_service.urls import v1, v2
from tests.clients.tools import install_npm_package, node

SCRIPT = """
const s = require('sdmx-rest');
const make = {
  data: s.getDataQuery, data2: s.getDataQuery2, structure: s.getMetadataQuery, schema: s.getSchemaQuery,
  availability: s.getAvailabilityQuery, availability2: s.getAvailabilityQuery2
};
const asked = JSON.parse(process.argv[1]);
const urls = asked.map(([kind, api, query]) => s.getUrl(make[kind](query), s.getService({url: 'http://s', api: api})));
console.log(JSON.stringify(urls));
"""
MOMENT = "2024-05-15T14:15:00Z"
SENT = datetime(2024, 5, 15, 14, 15, tzinfo=UTC)
V1_APIS = ("v1.0.0", "v1.1.0", "v1.2.0", "v1.3.0", "v1.4.0", "v1.5.0")
ECB: dict[str, Any] = {"context": "dataflow", "agencies": ("ECB",), "ids": ("EXR",)}
V1 = {"api": "v1"}


def where(component: str, *alternatives: tuple[tuple[str, str], ...]) -> ComponentFilter:
    made = tuple(tuple(Comparison(operator=op, value=value) for op, value in ands) for ands in alternatives)  # type: ignore[arg-type]
    return ComponentFilter(component=component, alternatives=made)


CASES: list[tuple[str, str, dict[str, Any], Query]] = [
    *(("data", api, {"flow": "ECB,EXR,1.0", "key": "D.USD+JPY..A", "provider": "ECB,UK2", "start": "2010", "end": "2020-Q4",
                     "updatedAfter": MOMENT, "firstNObs": 1, "lastNObs": 2, "obsDimension": "CURRENCY", "detail": "nodata"},
       DataQuery(**V1, **ECB, versions=("1.0",), keys=((("D",), ("USD", "JPY"), None, ("A",)),), providers=(ProviderRef(agency="ECB", id="UK2"),),
                 start_period="2010", end_period="2020-Q4", updated_after=SENT, first_n=1, last_n=2, dimension_at_observation="CURRENCY",
                 detail="nodata", measures=("none",))) for api in V1_APIS),
    ("data", "v1.3.0", {"flow": "EXR", "provider": "ECB,UK2+IMF,X", "history": True},
     DataQuery(**V1, context="dataflow", ids=("EXR",), versions=("~",), include_history=True,
               providers=(ProviderRef(agency="ECB", id="UK2"), ProviderRef(agency="IMF", id="X")))),
    ("data", "v2.0.0", {"flow": "ECB,EXR,1.0", "key": "D.USD..A"},
     DataQuery(**ECB, versions=("1.0",), keys=((("D",), ("USD",), None, ("A",)),))),
    ("data", "v2.0.0", {"flow": "EXR", "detail": "serieskeysonly"},
     DataQuery(context="dataflow", ids=("EXR",), attributes=("none",), measures=("none",))),
    ("data2", "v2.0.0", {"context": "dataflow=ECB:EXR(1.0.0)", "key": "D.USD.*,A.CHF", "updatedAfter": MOMENT, "firstNObs": 1, "lastNObs": 2,
                         "obsDimension": "CURRENCY", "history": True, "attributes": "dataset,series", "measures": "none",
                         "filters": ["FREQ=A", "TIME_PERIOD=ge:2010+le:2020"]},
     DataQuery(**ECB, versions=("1.0.0",), keys=((("D",), ("USD",), None), (("A",), ("CHF",))), updated_after=SENT, first_n=1, last_n=2,
               dimension_at_observation="CURRENCY", include_history=True, attributes=("dataset", "series"), measures=("none",),
               filters=(where("FREQ", (("eq", "A"),)), where("TIME_PERIOD", (("ge", "2010"), ("le", "2020")))))),
    ("data2", "v2.0.0", {"context": "provisionagreement=ECB:A(1.2+.0)"},
     DataQuery(context="provisionagreement", agencies=("ECB",), ids=("A",), versions=("1.2+.0",))),
    ("data2", "v2.0.0", {}, DataQuery()),
    ("availability", "v1.5.0", {"flow": "ECB,EXR,1.0", "key": "D..", "provider": "X", "component": "FREQ", "start": "2010", "end": "2011",
                                "updatedAfter": MOMENT, "mode": "available", "references": "codelist"},
     AvailabilityQuery(**V1, **ECB, versions=("1.0",), keys=((("D",), None, None),), providers=(ProviderRef(id="X"),), component_ids=("FREQ",),
                       start_period="2010", end_period="2011", updated_after=SENT, mode="available", references=("codelist",))),
    ("availability", "v2.0.0", {"flow": "ECB,EXR,1.0", "key": "D..", "component": "FREQ"},
     AvailabilityQuery(**ECB, versions=("1.0",), keys=((("D",), None, None),), component_ids=("FREQ",))),
    ("availability2", "v2.0.0", {"context": "dataflow=ECB:EXR(1.0.0)", "key": "D.*", "component": "FREQ", "filters": ["FREQ=ne:A"],
                                 "updatedAfter": MOMENT, "mode": "available", "references": "codelist"},
     AvailabilityQuery(**ECB, versions=("1.0.0",), keys=((("D",), None),), component_ids=("FREQ",), filters=(where("FREQ", (("ne", "A"),)),),
                       updated_after=SENT, mode="available", references=("codelist",))),
    ("structure", "v1.5.0", {"resource": "codelist", "agency": "BIS+ECB", "id": "CL_FREQ", "version": "1.0", "item": "A+M",
                             "detail": "referencestubs", "references": "parentsandsiblings"},
     StructureQuery(**V1, types=("codelist",), agencies=("BIS", "ECB"), ids=("CL_FREQ",), versions=("1.0",), items=("A", "M"),
                    detail="referencestubs", references=("parentsandsiblings",))),
    ("structure", "v2.0.0", {"resource": "codelist", "agency": "BIS+ECB", "id": "CL_FREQ", "version": "1.2+.0", "item": "A+M",
                             "detail": "raw", "references": "ancestors"},
     StructureQuery(types=("codelist",), agencies=("BIS", "ECB"), ids=("CL_FREQ",), versions=("1.2+.0",), items=("A", "M"),
                    detail="raw", references=("ancestors",))),
    ("structure", "v2.0.0", {"resource": "structure"}, StructureQuery()),
    ("structure", "v1.5.0", {"resource": "structure"}, StructureQuery(**V1)),
    ("structure", "v2.0.0", {"resource": "codelist", "agency": "BIS", "version": "latest"}, StructureQuery(types=("codelist",), agencies=("BIS",))),
    ("schema", "v1.5.0", {"context": "dataflow", "agency": "ECB", "id": "EXR", "version": "1.0", "obsDimension": "FREQ", "explicit": True},
     SchemaQuery(**V1, context="dataflow", agency="ECB", id="EXR", version="1.0", dimension_at_observation="FREQ", explicit_measure=True)),
    ("schema", "v2.0.0", {"context": "dataflow", "agency": "ECB", "id": "EXR", "version": "1.0", "obsDimension": "FREQ"},
     SchemaQuery(context="dataflow", agency="ECB", id="EXR", version="1.0", dimension_at_observation="FREQ")),
    ("schema", "v2.0.0", {"context": "metadataprovisionagreement", "agency": "ECB", "id": "EXR"},
     SchemaQuery(context="metadataprovisionagreement", agency="ECB", id="EXR")),
    *(("structure", "v1.5.0", {"resource": kind, "agency": "ECB", "id": "X"}, StructureQuery(**V1, types=(kind,), agencies=("ECB",), ids=("X",)))
      for kind in v1.STRUCTURE_RESOURCES if kind not in ("vtlmappingscheme", "structure")),
    *(("structure", "v2.0.0", {"resource": kind, "agency": "ECB", "id": "X"}, StructureQuery(types=(kind,), agencies=("ECB",), ids=("X",)))
      for kind in v2.STRUCTURE_TYPES),
]  # fmt: skip
"""What the package is asked, and what its address means; it has no metadata and no registrations."""

REFUSED: list[tuple[str, str, dict[str, Any], str]] = [
    ("structure", "v2.0.0", {"resource": "categoryscheme", "agency": "BIS", "version": "all"}, "all"),
    ("data2", "v2.0.0", {"context": "dataflow=ECB+BIS:A(1.2.0)"}, "ECB+BIS"),
]
"""What the package leaves in the words of version 1, which mean nothing in version 2."""


@pytest.fixture(scope="session")
def addresses(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    program = node()
    folder = tmp_path_factory.mktemp("npm")
    install_npm_package(folder)
    asked = [list(case[:3]) for case in (*CASES, *REFUSED)]
    command = [program, "-e", SCRIPT, json.dumps(asked)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=folder)
    assert done.returncode == 0, done.stderr
    return [address.removeprefix("http://s/") for address in json.loads(done.stdout)]


def read(api: str, address: str) -> Query:
    path, _, query_string = address.partition("?")
    return (v1 if api.startswith("v1") else v2).parse(path, query_string)


def test_every_address_is_read_as_meant(addresses: list[str]) -> None:
    for (kind, api, asked, expected), address in zip(CASES, addresses, strict=False):
        assert read(api, address) == expected, (kind, api, asked, address)


def test_words_of_the_other_version_are_refused(addresses: list[str]) -> None:
    for (_, api, _, word), address in zip(REFUSED, addresses[len(CASES) :], strict=True):
        with pytest.raises(SyntaxFault) as fault:
            read(api, address)
        assert word in str(fault.value)
