"""``/openapi.json`` is valid, says what the code does, and random requests made of it get documented answers."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
import yaml
from hypothesis import HealthCheck, Phase, settings
from openapi_spec_validator import validate
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import status_code_conformance

from sdmx_service.app.application import build
from sdmx_service.formats.registry import formats_for
from sdmx_service.rest.openapi import description
from sdmx_service.rest.openapi_tables import QUERY_V1, QUERY_V2
from sdmx_service.settings import Settings
from sdmx_service.urls import v1, v2
from tests.clients.serving import served
from tests.harness import House
from tests.rest.every_type import open_every_type

FEW = settings(
    max_examples=3, deadline=None, derandomize=True, database=None, phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)  # fmt: skip
"""Bounds the time: about four requests for each operation."""


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return description()


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with open_every_type(tmp_path_factory.mktemp("openapi") / "house") as opened:
        yield opened


@pytest.fixture(scope="module")
def base(house: House) -> Iterator[str]:
    with served(house.library) as address:
        yield address


def test_it_is_valid(document: dict[str, Any]) -> None:
    validate(document)
    ids = [one["operationId"] for path in document["paths"].values() for one in path.values()]
    assert len(ids) == len(set(ids))


def test_every_route_is_described(house: House, document: dict[str, Any]) -> None:
    application = build(Settings(), house.library)
    described = {(path, method.upper()) for path, operations in document["paths"].items() for method in operations}
    for route in application.router.routes():
        assert route.resource is not None
        path = route.resource.canonical
        if path.startswith(("/api", "/bulk", "/health", "/openapi")) and route.method != "HEAD":
            assert (path, route.method) in described
    own = {path for path, _ in described if not path.startswith("/sdmx")}
    assert own <= {route.resource.canonical for route in application.router.routes() if route.resource}


def test_parameters_are_those_that_are_read() -> None:
    assert set(QUERY_V2["data"]) == set(v2._DATA_PARAMETERS)
    assert set(QUERY_V2["availability"]) == set(v2._AVAILABILITY_PARAMETERS)
    assert set(QUERY_V2["schema"]) == set(v2._SCHEMA_PARAMETERS)
    assert set(QUERY_V1["data"]) == set(v1._DATA_PARAMETERS)
    assert set(QUERY_V1["availability"]) == set(v1._AVAILABILITY_PARAMETERS)
    for table, module in ((QUERY_V2, v2), (QUERY_V1, v1)):
        for parameter in table["structure"]:
            value = {"detail": "full", "references": "none", "asOf": "2024-01-01T00:00:00Z"}[parameter]
            module.parse("structure" if module is v2 else "codelist", f"{parameter}={value}")


def test_the_length_of_a_path_is_that_which_is_read(document: dict[str, Any]) -> None:
    """The shortest path of each resource of version 2 can be read, and the longest, with words in its places."""
    fill = {"artefactType": "codelist", "context": "dataflow", "key": "A", "version": "1.0.0", "registrationID": "R"}
    for path in document["paths"]:
        if path.startswith("/sdmx/v2/") and "get" in document["paths"][path]:
            text = re.sub(r"\{(\w+)\}", lambda name: fill.get(name[1], "X"), path.removeprefix("/sdmx/v2/"))
            v2.parse(text, "")


def test_media_types_are_those_offered(document: dict[str, Any]) -> None:
    told = document["paths"]["/sdmx/v1/data/{flowRef}"]["get"]["responses"]["200"]["content"]
    assert list(told) == [one for format in formats_for("data", "v1") for one in format.media_types]


def test_it_is_served(house: House, base: str, document: dict[str, Any]) -> None:
    response = schemathesis.openapi.from_url(f"{base}/openapi.json").raw_schema
    assert response["paths"].keys() == document["paths"].keys()


def cases(schema: Any) -> list[Any]:
    return [found.ok() for found in schema.get_all_operations() if isinstance(found, Ok)]


def try_all(schema: Any, checks: list[Any], bounds: settings) -> int:
    """Sends a few random requests for each operation; the number of requests."""
    sent = 0
    for operation in cases(schema):

        def send(case: Any) -> None:
            nonlocal sent
            sent += 1
            case.call_and_validate(checks=checks, timeout=30)

        schemathesis_test = operation.as_strategy()
        bounds(_given(schemathesis_test)(send))()
    return sent


def _given(strategy: Any) -> Any:
    from hypothesis import given

    return given(case=strategy)


def test_random_requests_get_documented_answers(base: str) -> None:
    schema = schemathesis.openapi.from_url(f"{base}/openapi.json")
    assert try_all(schema, [not_a_server_error_but_501, status_code_conformance], FEW) > 100


def test_an_undocumented_status_is_found_out(base: str, document: dict[str, Any]) -> None:
    path = "/sdmx/v2/schema/{context}/{agencyID}/{resourceID}"
    operation = document["paths"][path]["get"]
    kept = {status: one for status, one in operation["responses"].items() if status in ("200", "204")}
    poorer = document | {"paths": {path: {"get": operation | {"responses": kept}}}, "servers": [{"url": base}]}
    schema = schemathesis.openapi.from_dict(json.loads(json.dumps(poorer)))
    schema.config.update(base_url=base)
    with pytest.raises(FailureGroup) as found:
        try_all(schema, [status_code_conformance], FEW)
    assert any("Undocumented" in str(one) for one in found.value.exceptions)


def not_a_server_error_but_501(context: Any, response: Any, case: Any) -> Any:
    """500 is a fault of ours; 501 and 503 are answers that are meant."""
    return None if response.status_code in (501, 503) else not_a_server_error(context, response, case)


def test_random_requests_of_the_official_description(shared: Path, base: str) -> None:
    """The patched official file as fuzzing, not as truth: no 500."""
    raw = yaml.safe_load((shared / "openapi" / "sdmx-rest-2.2.2.patched.yaml").read_text(encoding="utf-8"))
    raw["servers"] = [{"url": f"{base}/sdmx/v2"}]
    schema = schemathesis.openapi.from_dict(json.loads(json.dumps(raw, default=str)))
    schema.config.update(base_url=f"{base}/sdmx/v2")
    bounds = settings(FEW, max_examples=6)
    assert try_all(schema, [not_a_server_error_but_501], bounds) > 50
