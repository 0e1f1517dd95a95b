"""Content negotiation: SDMX-REST 2.2 and 1.5 defaults, wildcards, plain types, the format parameter."""

from __future__ import annotations

import pytest

from sdmx_service.errors import NotAcceptable
from sdmx_service.formats.registry import formats_for
from sdmx_service.model.query import Representation
from sdmx_service.rest.negotiation import choose, choose_encoding, parse_accept, parse_languages

NONE = Representation()
DATA = "application/vnd.sdmx.data"


@pytest.mark.parametrize(
    ("api", "accept", "expected"),
    [
        ("v2", None, f"{DATA}+json;version=2.1.0"),
        ("v2", "*/*", f"{DATA}+json;version=2.1.0"),
        ("v2", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", f"{DATA}+xml;version=3.1.0"),
        ("v2", "text/html,*/*;q=0.8", f"{DATA}+json;version=2.1.0"),
        ("v2", f"{DATA}+xml", f"{DATA}+xml;version=3.1.0"),
        ("v2", f"{DATA}+xml;version=3.0.0", f"{DATA}+xml;version=3.0.0"),
        ("v2", f"{DATA}+XML;Version=3.0.0", f"{DATA}+xml;version=3.0.0"),
        ("v2", f"{DATA}+json;version=2.0+.0", f"{DATA}+json;version=2.1.0"),
        ("v2", f"{DATA}+csv;version=1.0.0", f"{DATA}+csv;version=1.0.0"),
        ("v2", f"{DATA}+csv;version=2.0.0;labels=both;q=0.5,{DATA}+xml;version=9.0.0", f"{DATA}+csv;version=2.0.0"),
        ("v2", "text/csv", f"{DATA}+csv;version=2.1.0"),
        ("v2", "application/json", f"{DATA}+json;version=2.1.0"),
        ("v2", "application/json;q=0.1,*/*;q=0.5", f"{DATA}+xml;version=3.1.0"),
        ("v2", f"*/*,{DATA}+json;q=0", f"{DATA}+xml;version=3.1.0"),
        ("v2", f"{DATA}+xml;q=0.9,{DATA}+xml;version=3.1.0;q=0.2", f"{DATA}+xml;version=3.0.0"),
        ("v2", "text/csv,application/json", f"{DATA}+csv;version=2.1.0"),
        ("v1", None, "application/vnd.sdmx.genericdata+xml;version=2.1"),
        ("v1", "application/xml", "application/vnd.sdmx.genericdata+xml;version=2.1"),
        ("v1", "application/vnd.sdmx.structurespecificdata+xml;version=2.1", "application/vnd.sdmx.structurespecificdata+xml;version=2.1"),
        ("v1", f"{DATA}+csv;version=1.0.0;labels=both", f"{DATA}+csv;version=1.0.0"),
    ],
)  # fmt: skip
def test_chooses(api: str, accept: str | None, expected: str) -> None:
    assert choose(accept, NONE, formats_for("data", api)).media_type == expected


@pytest.mark.parametrize("accept", ["image/png", f"{DATA}+xml;version=9.9.9", f"{DATA}+json;q=0"])
def test_refuses_with_the_list_of_what_is_offered(accept: str) -> None:
    with pytest.raises(NotAcceptable) as caught:
        choose(accept, NONE, formats_for("data", "v2"))
    assert f"{DATA}+json;version=2.1.0" in caught.value.hint


def test_parameter_wins_over_header() -> None:
    wish = Representation(format="csvdata", format_version="2.0")
    assert choose("application/json", wish, formats_for("data", "v2")).media_type == f"{DATA}+csv;version=2.0.0"


def test_csv_parameters_travel() -> None:
    choice = choose(f"{DATA}+csv;version=2.1.0;labels=both;keys=obs", NONE, formats_for("data", "v2"))
    assert choice.parameters["labels"] == "both" and choice.parameters["keys"] == "obs"


def test_quality_orders() -> None:
    assert [one.type for one in parse_accept("a/b;q=0.1, c/d, e/f;q=0.5")] == ["c/d", "e/f", "a/b"]


@pytest.mark.parametrize(
    ("header", "expected"),
    [("ru, en-gb;q=0.8, en;q=0.7", ("ru", "en-gb", "en")), ("*", ("*",)), (None, ()), ("fr;q=0", ())],
)
def test_languages(header: str | None, expected: tuple[str, ...]) -> None:
    assert parse_languages(header, NONE) == expected


@pytest.mark.parametrize(
    ("header", "expected"),
    [("gzip", "gzip"), ("gzip, zstd", "gzip"), ("zstd", "zstd"), ("identity", None), (None, None), ("*", "gzip"), ("gzip;q=0", None), ("br, gzip;q=0.5", "gzip")],
)  # fmt: skip
def test_encodings(header: str | None, expected: str | None) -> None:
    assert choose_encoding(header, NONE) == expected


def test_unknown_compression_parameter_is_406() -> None:
    with pytest.raises(NotAcceptable):
        choose_encoding("gzip", Representation(compression="rar"))
