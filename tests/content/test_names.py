"""Names of areas in many languages and old forms, and the British lists: each decided, or left undecided on purpose."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from sdmx_service.catalog.catalog import Catalog
from sdmx_service.catalog.loading import load_folder
from sdmx_service.model.mapping import RepresentationMap
from sdmx_service.model.period import parse_period
from sdmx_service.model.urn import Ref
from sdmx_service.submission.representation_mapping import RepresentationRules, fold

TOP = Path(__file__).parents[2]
UK_LISTS = {
    "citizenship": ("RM_UK_CITIZENSHIP", "CL_AREA_MIG", 306),
    "dwp-nationalities": ("RM_UK_DWP_NATIONALITY", "CL_AREA_MIG", 254),
    "ho-country-of-nationality": ("RM_UK_HO_NATIONALITY", "CL_AREA_MIG", 265),
    "ips-citizenship": ("RM_UK_IPS_CITIZENSHIP", "CL_AREA_MIG", 163),
    "ltim-citizenship": ("RM_UK_LTIM_CITIZENSHIP", "CL_AREA_MIG", 22),
    "residence": ("RM_UK_RESIDENCE", "CL_AREA_MIG", 239),
    "reason": ("RM_UK_REASON", "CL_MIG_REASON", 9),
    "migration-directions": ("RM_UK_DIRECTION", "CL_MIG_FLOW", 3),
    "migration-type": ("RM_UK_TYPE", "CL_MIG_DURATION", 2),
    "ips-markers": ("RM_UK_MARKER", "CL_OBS_STATUS", 4),
}
"""List -> representation map, target list, rows of the file."""


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load_folder(TOP).catalog()


def representation_map(catalog: Catalog, name: str) -> RepresentationMap:
    found = catalog.artefact(Ref(type="RepresentationMap", agency="UNSD_MIG", id=name, version="1.0.0"))
    assert isinstance(found, RepresentationMap)
    return found


@pytest.fixture(scope="module")
def names(catalog: Catalog) -> RepresentationRules:
    return RepresentationRules(representation_map(catalog, "RM_NAME_AREA"), sources=1, targets=1, keys=[0])


def area(names: RepresentationRules, name: str, time: str = "2015") -> str | None:
    period = parse_period(time)
    found = names.find([name], (period.start, period.end))
    if found is None:
        return None
    assert len(found) == 1, name
    return found[0][0]


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("COTE D' IVOIRE (IVORY COAST)", "384"), ("Côte d’Ivoire", "384"), ("cote-d'ivoire", "384"),
        ("CHINA (P.R.O.C.)", "156"), ("TAIWAN (ROC)", "158"), ("RUSSIAN FEDERATION / USSR", "643"),
        ("Viet-Nam", "704"), ("VIETNAM", "704"), ("Elfenbeinküste", "384"), ("Alemania", "276"),
        ("Российская Федерация", "643"), ("Россия", "643"), ("中国", "156"), ("ألمانيا", "276"), ("Itália", "380"),
        ("Stati Uniti", "840"), ("Timor-Leste", "626"), ("East Timor", "626"), ("Zaire", "180"), ("Upper Volta", "854"),
        ("Türkei", "792"), ("Turkey", "792"), ("Turquie", "792"), ("Swaziland", "748"), ("Kosova", "XK"),
        ("Guinea", "324"), ("Equatorial Guinea", "226"), ("GUINEA BISSAU", "624"), ("Papua New Guinea", "598"),
        ("Niger", "562"), ("Nigeria", "566"), ("Niger (the)", "562"), ("Dominica", "212"),
        ("Dominican Republic", "214"), ("Korea (South)", "410"), ("Korea, North / DPR", "408"),
        ("Democratic Republic of Congo", "180"), ("Congo - Brazzaville", "178"), ("WEST BANK", "275"),
    ],
)  # fmt: skip
def test_a_name_is_found_whatever_its_case_accents_and_punctuation(
    names: RepresentationRules, name: str, code: str
) -> None:
    assert area(names, name) == code


@pytest.mark.parametrize(
    "name",
    ["Congo", "CONGO", "Kongo", "Конго", "刚果", "Korea", "Corée", "Corea", "Micronesia", "Virgin Islands", "Yugoslavia",
     "Northern Cyprus", "Somaliland", "Nigerr", "Atlantis", "Guinna"],
)  # fmt: skip
def test_what_is_ambiguous_or_unknown_is_not_decided(names: RepresentationRules, name: str) -> None:
    assert area(names, name) is None


@pytest.mark.parametrize("name", ["Sudan", "Soudan", "Судан", "苏丹", "السودان", "SUDÁN"])
def test_sudan_is_dated_and_the_year_of_the_split_undecided(names: RepresentationRules, name: str) -> None:
    assert [area(names, name, year) for year in ("2010", "2011", "2012")] == ["736", None, "729"]
    assert [area(names, name, month) for month in ("2011-06", "2011-07", "2011-08")] == ["736", None, "729"]


def test_every_area_has_its_names_in_nine_languages(names: RepresentationRules) -> None:
    for language, name in {"en": "Germany", "fr": "Allemagne", "es": "Alemania", "ru": "Германия", "ar": "ألمانيا",
                           "zh": "德国", "de": "Deutschland", "pt": "Alemanha", "it": "Germania"}.items():  # fmt: skip
        assert area(names, name) == "276", language


def test_no_name_is_both_decided_and_undecided(catalog: Catalog) -> None:
    found = representation_map(catalog, "RM_NAME_AREA")
    decided = {fold(row.sources[0].value or "") for row in found.rows}
    undecided = {fold(one.title or "") for one in found.annotations if one.type == "UNDECIDED"}
    assert len(undecided) > 15
    assert not decided & undecided


@pytest.mark.golden("Names of countries in the reference lists")
def test_reference_lists_are_read_whole(names: RepresentationRules, shared: Path) -> None:
    folder = shared / "data" / "reference"
    special = {"Abyei Area", "Kosovo (SCR 2144)", "Tibet", "Unidentified Sub-Saharan Africa", "Unknown", "Sudan"}
    with (folder / "iom_countrynames_m49_iso.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["m49"]]
    wrong = {
        (row["name"], area(names, row["name"]), str(int(float(row["m49"]))))
        for row in rows
        if row["name"] not in special and area(names, row["name"]) != str(int(float(row["m49"])))
    }
    assert {name for name, found, _ in wrong if found is not None} == set(), wrong
    assert {name for name, _, _ in wrong} <= {"Congo"}, wrong
    with (folder / "iso_code_lookup.csv").open(encoding="utf-8", newline="") as file:
        lookup = {row["Country"]: str(int(row["Numeric"])) for row in csv.DictReader(file)}
    missed = {name: code for name, code in lookup.items() if area(names, name) != code}
    assert missed == {"Congo (the)": "178", "Kosovo": "412"}  # Kosovo is XK here


@pytest.fixture(scope="module")
def codes() -> dict[str, set[str]]:
    found = {}
    for path in (TOP / "codelists").glob("CL_*.json"):
        (codelist,) = json.loads(path.read_text(encoding="utf-8"))["data"]["codelists"]
        found[codelist["id"]] = {code["id"] for code in codelist["codes"]}
    return found


@pytest.mark.golden("British codelists")
@pytest.mark.parametrize("name", UK_LISTS)
def test_every_british_code_is_mapped_or_undecided_with_a_reason(
    name: str, catalog: Catalog, codes: dict[str, set[str]], shared: Path
) -> None:
    map_id, codelist, count = UK_LISTS[name]
    with (shared / "data" / "national" / f"uk_gss_{name}.csv").open(encoding="utf-8-sig", newline="") as file:
        rows: list[dict[str, Any]] = list(csv.DictReader(file))
    assert len(rows) == count
    found = representation_map(catalog, map_id)
    targets = {row.sources[0].value or "": row.targets for row in found.rows}
    undecided = {one.title: one.texts.text() for one in found.annotations if one.type == "UNDECIDED"}
    for row in rows:
        notation, label = row["Notation"], row["Label"].strip()
        assert (notation in targets) != (notation in undecided), notation
        if notation in targets:
            assert targets[notation][0] in codes[codelist], notation
        else:
            assert undecided[notation].startswith(f"{label}: ")
            assert len(undecided[notation]) > len(label) + 5
    assert set(targets) | set(undecided) == {row["Notation"] for row in rows}


@pytest.mark.parametrize(
    ("map_id", "notation", "targets"),
    [
        ("RM_UK_CITIZENSHIP", "british", ("NAT",)),
        ("RM_UK_CITIZENSHIP", "non-british", ("FOR_STLS",)),
        ("RM_UK_CITIZENSHIP", "congo", ("178",)),
        ("RM_UK_CITIZENSHIP", "ussr-ex", ("810",)),
        ("RM_UK_DWP_NATIONALITY", "east-asia", ("30",)),
        ("RM_UK_HO_NATIONALITY", "other-and-unknown", ("OTH_UNK",)),
        ("RM_UK_RESIDENCE", "eu27", ("EU27_2007",)),
        ("RM_UK_REASON", "formal-study", ("EDU",)),
        ("RM_UK_DIRECTION", "balance", ("NET",)),
        ("RM_UK_TYPE", "long-term-international-migration", ("M_GE12",)),
        ("RM_UK_MARKER", "not-applicable", ("M", None)),
        ("RM_UK_MARKER", "rounds-to-zero", ("N", "0")),
        ("RM_UK_MARKER", "no-contact", ("U", "0")),
        ("RM_UK_MARKER", "", ("A", None)),
    ],
)
def test_british_codes_and_markers(
    map_id: str, notation: str, targets: tuple[str | None, ...], catalog: Catalog
) -> None:
    rules = RepresentationRules(representation_map(catalog, map_id), sources=1, targets=len(targets))
    assert rules.find([notation]) == [targets]
