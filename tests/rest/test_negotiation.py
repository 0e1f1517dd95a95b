"""Content negotiation: SDMX-REST 2.2 and 1.5 defaults, wildcards, plain types, the format parameter."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdmx_service.errors import NotAcceptable
from sdmx_service.formats.registry import formats_for
from sdmx_service.model.query import Representation
from sdmx_service.rest.negotiation import choose, choose_encoding, parse_accept, parse_languages

NONE = Representation()
PIECES = st.sampled_from(
    ["*/*", "application/*", "a", "/", "application/json", "application/vnd.sdmx.data+json", ";version=2.1.0", ";version=*", ";version=2.+",
     ";version=~", ";q=0", ";q=1.5", ";q=abc", ";q=nan", ";q=inf", ";q=-1", ",", '"', "\\", ";labels=both", ";", "=", " ", ";profile=x", "é"]
)  # fmt: skip
"""What headers are made of, and what they break at."""
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
    assert choose(f"{DATA}+csv;version=2.1.0;key=series", NONE, formats_for("data", "v2")).parameters == {
        "keys": "series"
    }


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
    [("gzip", "gzip"), ("gzip, zstd", "gzip"), ("zstd", "zstd"), ("identity", None), (None, None), ("*", "gzip"), ("gzip;q=0", None), ("br, gzip;q=0.5", "br"),
     ("deflate", "deflate"), ("x-gzip", "gzip"), ("gzip, deflate, br, zstd", "gzip"), ("gzip;q=0.5, identity", None),
     ("*;q=0.5, gzip;q=0", "zstd"), ("identity;q=0, br", "br"), ("compress", None), ("", None), ("*;q=0, identity;q=0.1", None)],
)  # fmt: skip
def test_encodings(header: str | None, expected: str | None) -> None:
    assert choose_encoding(header, NONE) == expected


def test_unknown_compression_parameter_is_406() -> None:
    for name in ("rar", "compress"):
        with pytest.raises(NotAcceptable):
            choose_encoding("gzip", Representation(compression=name))
    assert choose_encoding("gzip", Representation(compression="Identity")) is None


@pytest.mark.parametrize("header", ["identity;q=0", "*;q=0", "identity;q=0, compress", "gzip;q=0, *;q=0"])
def test_what_forbids_everything_is_406(header: str) -> None:
    with pytest.raises(NotAcceptable, match="forbids"):
        choose_encoding(header, NONE)


STAT = 'application/json;profile="https://json-stat.org/full"'


@pytest.mark.parametrize(
    ("api", "accept", "name"),
    [
        ("v2", "application/vnd.apache.parquet", "parquet"),
        ("v1", "application/vnd.apache.arrow.stream", "arrow"),
        ("v2", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet;labels=both", "xlsx"),
        ("v2", STAT, "jsonstat"),
        ("v2", "application/json;profile=http://json-stat.org/full/", "jsonstat"),
        ("v2", "application/json", "sdmx-json-2.1"),
        ("v2", f"application/json;q=0.5,{STAT}", "jsonstat"),
        ("v2", f"{DATA}+json;q=0.9,{STAT};q=0.8", "sdmx-json-2.1"),
        ("v1", "application/json", "sdmx-json-1.0"),
        ("v1", f"{DATA}+json", "sdmx-json-1.0"),
        ("v2", f"{DATA}+json;version=1.0.0", "sdmx-json-1.0"),
        ("v2", f"{DATA}+csv;labels=nonsense,application/vnd.apache.parquet;q=0.1", "parquet"),
        ("v1", f"{DATA}+csv;labels=name", "sdmx-csv-2.1"),
    ],
)  # fmt: skip
def test_formats_beyond_the_standard_and_parameters(api: str, accept: str, name: str) -> None:
    assert choose(accept, NONE, formats_for("data", api)).format.name == name


@pytest.mark.parametrize("accept", ['application/json;profile="https://json-ld.org"', f"{DATA}+csv;keys=all"])
def test_a_value_that_no_format_knows_is_406(accept: str) -> None:
    with pytest.raises(NotAcceptable):
        choose(accept, NONE, formats_for("data", "v2"))


@pytest.mark.parametrize(
    ("api", "word", "name", "parameters"),
    [
        ("v2", "parquet", "parquet", {}), ("v2", "arrow", "arrow", {}), ("v2", "jsonstat", "jsonstat", {}),
        ("v2", "XLSX", "xlsx", {}), ("v1", "xlsx;labels=id", "xlsx", {"labels": "id"}),
        ("v2", "csvdata; labels=both", "sdmx-csv-2.1", {"labels": "both"}), ("v1", "jsondata", "sdmx-json-1.0", {}),
        ("v1", "csvdata;keys=obs", "sdmx-csv-2.1", {"keys": "obs"}), ("v2", "genericdata", "sdmx-ml-2.1-generic", {}),
        ("v2", "structurespecificdata", "sdmx-ml-3.1", {}), ("v1", "structurespecificdata", "sdmx-ml-2.1-structurespecific", {}),
    ],
)  # fmt: skip
def test_words_of_the_address(api: str, word: str, name: str, parameters: dict[str, str]) -> None:
    choice = choose("image/png", Representation(format=word), formats_for("data", api))
    assert (choice.format.name, choice.parameters) == (name, parameters)


@given(st.lists(PIECES, max_size=10).map("".join))
def test_whatever_a_client_sends_is_answered_or_refused(header: str) -> None:
    for api in ("v1", "v2"):
        for accept, wish in (
            (header, NONE),
            (None, Representation(format=header or "x", format_version=header or "x")),
        ):
            with contextlib.suppress(NotAcceptable):
                assert choose(accept, wish, formats_for("data", api)).media_type
    with contextlib.suppress(NotAcceptable):
        assert choose_encoding(header, NONE) in (None, "gzip", "zstd", "br", "deflate")
    assert all(isinstance(tag, str) for tag in parse_languages(header, NONE))
