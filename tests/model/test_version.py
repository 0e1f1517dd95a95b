"""Versions and wildcards: the standard's own tables, its own patterns as oracle, and properties."""

from __future__ import annotations

import itertools
import random
import re
from pathlib import Path

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from sdmx_service.errors import SyntaxFault
from sdmx_service.model.version import (
    Version,
    VersionPattern,
    parse_versions,
    select_versions,
)

# SDMX-REST 2.2.2, doc/querying_versions.md: every documented form (X=2, Y=3, Z=1), and every one it declares wrong.
VALID_TEXT = """
    2 2.3 2.3.1 2.3.1-draft + +.0.0 1+.0.0 2.+.0 2.0+.0 2.3.+ 2.3.0+ 2+.3.1 2.3+.1 2.3.1+
    ~ ~.0 0~.0 ~.0.0 0~.0.0 2.~ 2.0~ 2.~.0 2.0~.0 2.3.~ 2.3.0~ 2~.3 2~.3.1 2.3~ 2.3~.1 2.3.1~
    * *.0 0*.0 *.0.0 0*.0.0 2.* 2.0* 2.*.0 2.0*.0 2.3.* 2.3.0* 2*.3 2*.3.1 2.3* 2.3*.1 2.3.1* 0.1.~ 0.*.0
"""
INVALID_TEXT = """
    +.2.3 1.+.3 ~.2 ~.2.3 1.~.3 *.2 *.2.3 1.*.3 +.0 2.3+ ~.0.* 3.2*.1+ 3.2+.1+ 2.+ 2+.3 2+ 2~ 2* 0.1.+ 0+.0.1 0.1+.0
    ~.~ ++ 1. .1 1..2 1.2.3.4 01.0 1.02.3 1.2.3- 1.2.3-01 1.2-draft 1.2.3+build 1.2.3-draft~ 1.2.3~-draft latest all a
"""
VALID = VALID_TEXT.split()
INVALID = [*INVALID_TEXT.split(), "", " ", "1 ", " 1", "1\n", "~\n", "١", "1.٢"]

VERSIONS = [
    "1",
    "1.0",
    "1.3",
    "1.10",
    "2.0",
    "2.2",
    "0.9.0",
    "1.0.0-draft",
    "1.0.0",
    "1.2.0",
    "1.2.7",
    "1.10.0",
    "2.0.0",
    "2.1.0",
    "2.1.3-draft",
    "3.0.0-alpha.1",
]

# What each expression picks of VERSIONS, by the words of querying_versions.md.
PICKED = {
    "1": ["1"],
    "1.0": ["1.0"],
    "1.0.0": ["1.0.0"],
    "1.0.0-draft": ["1.0.0-draft"],
    "9.9.9": [],
    "+": ["2.1.0"],
    "+.0.0": ["2.1.0"],
    "1+.0.0": ["2.1.0"],
    "1.+.0": ["1.10.0"],
    "1.0+.0": ["1.10.0"],
    "1.2.+": ["1.2.7"],
    "1.2.0+": ["1.2.7"],
    "1+.2.8": ["2.1.0"],
    "2.1+.1": [],
    "2.1+.0": ["2.1.0"],
    "1.2.7+": ["1.2.7"],
    "1.2.8+": [],
    "3+.0.0": [],
    "~": ["3.0.0-alpha.1"],
    "~.0": ["2.2"],
    "0~.0": ["2.2"],
    "~.0.0": ["3.0.0-alpha.1"],
    "0~.0.0": ["3.0.0-alpha.1"],
    "1.~": ["1.10"],
    "1.0~": ["1.10"],
    "1.~.0": ["1.10.0"],
    "2.~.0": ["2.1.3-draft"],
    "2.1.~": ["2.1.3-draft"],
    "2.1.0~": ["2.1.3-draft"],
    "1~.4": ["2.2"],
    "3~.0": [],
    "1~.2.8": ["3.0.0-alpha.1"],
    "1.4~": ["1.10"],
    "1.11~": [],
    "1.2~.8": ["1.10.0"],
    "1.2.8~": [],
    "*": VERSIONS,
    "*.0": ["1.0", "1.3", "1.10", "2.0", "2.2"],
    "0*.0": ["1.0", "1.3", "1.10", "2.0", "2.2"],
    "1.*": ["1.0", "1.3", "1.10"],
    "1.1*": ["1.3", "1.10"],
    "1*.3": ["1.3", "1.10", "2.0", "2.2"],
    "1.*.0": ["1.0.0-draft", "1.0.0", "1.2.0", "1.2.7", "1.10.0"],
    "1.2.*": ["1.2.0", "1.2.7"],
    "1.2.1*": ["1.2.7"],
    "1.2*.1": ["1.2.7", "1.10.0"],
    "2*.0.1": ["2.1.0", "2.1.3-draft", "3.0.0-alpha.1"],
    "3.0.0*": ["3.0.0-alpha.1"],
    "0.*.0": ["0.9.0"],
}


@pytest.mark.parametrize("expression", VALID)
def test_documented_expression_is_read(expression: str) -> None:
    assert expression == VersionPattern.parse(expression).text


@pytest.mark.parametrize("expression", INVALID)
def test_other_expression_is_refused_and_named(expression: str) -> None:
    with pytest.raises(SyntaxFault) as caught:
        VersionPattern.parse(expression)
    assert repr(expression) in caught.value.detail


@pytest.mark.parametrize(("expression", "picked"), PICKED.items())
def test_expression_picks(expression: str, picked: list[str]) -> None:
    shuffled = VERSIONS.copy()
    random.Random(expression).shuffle(shuffled)
    chosen = VersionPattern.parse(expression).select(shuffled)
    assert sorted(picked, key=Version.parse) == chosen


def test_alternatives_are_united() -> None:
    """``querying_versions.md``, *OR operator*."""
    patterns = parse_versions("1~.2.0,1.2.0+,1.0")
    assert [str(pattern) for pattern in patterns] == ["1~.2.0", "1.2.0+", "1.0"]
    assert select_versions(patterns, iter(VERSIONS)) == ["1.0", "1.2.7", "3.0.0-alpha.1"]
    for broken in ("1.0,", ",", "1.0,,2.0", "1.0, 2.0", ""):
        with pytest.raises(SyntaxFault):
            parse_versions(broken)


@pytest.fixture(scope="module")
def oracle(shared: Path) -> re.Pattern[str]:
    """The pattern of one item of the parameter ``versions`` in the OpenAPI document of SDMX-REST 2.2.2."""
    document = yaml.safe_load((shared / "openapi" / "sdmx-rest-2.2.2.patched.yaml").read_text(encoding="utf-8"))
    pattern = document["components"]["parameters"]["versions"]["schema"]["items"]["pattern"]
    return re.compile(pattern.removeprefix("^").removesuffix("$"), re.ASCII)


def is_read(text: str) -> bool:
    try:
        parse_versions(text)
    except SyntaxFault:
        return False
    return True


def test_the_patterns_of_the_standard_agree_on_all_short_expressions(oracle: re.Pattern[str]) -> None:
    """Every text of up to three parts out of these, some 23,000: read by us exactly if the oracle matches."""
    numbers = ("", "0", "1", "2", "10", "01")
    parts = [number + operator for number in numbers for operator in ("", "+", "~", "*")] + ["0-a", "0-1", "0-01", "~1"]
    texts = {".".join(chosen) for count in (1, 2, 3) for chosen in itertools.product(parts, repeat=count)}
    assert len(texts) > 20_000
    assert not {text for text in texts if is_read(text) != bool(oracle.fullmatch(text))}


@given(data=st.data())
def test_the_patterns_of_the_standard_agree(oracle: re.Pattern[str], data: st.DataObject) -> None:
    text = data.draw(st.text(alphabet="0123+~*.,-ax", max_size=14) | st.sampled_from(VALID + INVALID))
    assert bool(oracle.fullmatch(text)) == is_read(text)


# ------------------------------------------------------------------------------------------------- order of versions

numbers = st.integers(0, 12)
identifiers = st.sampled_from(["0", "2", "10", "alpha", "beta", "draft", "a-b", "-", "1a", "A"])
semantic = st.builds(
    lambda parts, extension: ".".join(map(str, parts)) + (f"-{'.'.join(extension)}" if extension else ""),
    st.tuples(numbers, numbers, numbers),
    st.lists(identifiers, max_size=3),
)
legacy = st.builds(lambda parts: ".".join(map(str, parts)), st.lists(numbers, min_size=1, max_size=2))
versions = semantic | legacy


def test_order_of_semantic_versions() -> None:
    """The example of semver.org, precedence 11, which SDMX adopts; and numbers as numbers."""
    ordered = [
        "0.9.0",
        "1.0.0-alpha",
        "1.0.0-alpha.1",
        "1.0.0-alpha.beta",
        "1.0.0-beta",
        "1.0.0-beta.2",
        "1.0.0-beta.11",
        "1.0.0-rc.1",
        "1.0.0",
        "1.2.0",
        "1.10.0",
        "2.0.0",
    ]
    shuffled = ordered.copy()
    random.Random(1).shuffle(shuffled)
    assert ordered == [version.text for version in sorted(map(Version.parse, shuffled))]
    assert sorted(["1.1", "1.0.0", "1.0", "1", "1.0.0-draft"], key=Version.parse) == [
        "1",
        "1.0",
        "1.0.0-draft",
        "1.0.0",
        "1.1",
    ]


@given(versions, versions, versions)
def test_order_is_total(first: str, second: str, third: str) -> None:
    a, b, c = (Version.parse(text) for text in (first, second, third))
    assert (a < b) + (b < a) + (a == b) == 1
    assert (a <= b and b <= c) <= (a <= c)
    assert (a == b) == (first == second)


@given(versions)
def test_stable_is_three_parts_without_extension_above_zero(text: str) -> None:
    expected = bool(re.fullmatch(r"[1-9]\d*\.\d+\.\d+", text))
    assert expected == Version.parse(text).is_stable
    assert text == str(Version.parse(text))


@pytest.mark.parametrize("text", ["", "a", "1.", "1.2.3-", "1.2-draft", "1.2.3-01", "1.0+.0", "~", "1,0", "1.0 "])
def test_no_version(text: str) -> None:
    with pytest.raises(SyntaxFault, match=re.escape(repr(text))):
        Version.parse(text)


def test_versions_of_sdmx_2_1_are_read_and_can_be_asked_for() -> None:
    assert Version.parse("1.2.3.4").numbers == (1, 2, 3, 4)
    assert VersionPattern.exact("1.2.3.4").select(["1.2.3", "1.2.3.4"]) == ["1.2.3.4"]
    assert VersionPattern.exact("01.0").select(["1.0", "01.0"]) == ["01.0"]


def described(expression: str, text: str) -> bool:
    """Whether the words of ``querying_versions.md`` let the expression speak of the version: a second, slow reading."""
    version = Version.parse(text)
    if not set("+~*") & set(expression):
        return expression == text
    operator = next(mark for mark in "+~*" if mark in expression)
    if operator == "+" and not version.is_stable:
        return False
    if expression in ("~", "*", "+"):
        return True
    parts = expression.split(".")
    if len(parts) != len(version.numbers):
        return False
    place = next(number for number, part in enumerate(parts) if operator in part)
    wanted = [int(part.rstrip("+~*") or 0) for part in parts]
    if list(version.numbers[:place]) != wanted[:place]:
        return False
    return list(version.numbers[place:]) >= wanted[place:]


patterns = st.sampled_from(VALID) | st.builds(
    lambda parts, place, operator: ".".join(
        f"{part}{operator if number == place % len(parts) else ''}" for number, part in enumerate(parts)
    ),
    st.lists(st.integers(1, 3), min_size=2, max_size=3),
    st.integers(0, 2),
    st.sampled_from("~*"),
)


@given(patterns, st.lists(versions, max_size=12))
@example("+", ["0.1.0", "1.0.0-a"])
def test_select_is_what_the_document_says(expression: str, available: list[str]) -> None:
    pattern = VersionPattern.parse(expression)
    matching = sorted({text for text in available if described(expression, text)}, key=Version.parse)
    assert {text for text in available if pattern.matches(text)} == set(matching)
    assert (matching if pattern.is_exact or pattern.wildcard == "all" else matching[-1:]) == pattern.select(available)
