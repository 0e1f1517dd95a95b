"""The codelists: dated areas, languages, ages that add up, indicators that name real keys, what rules leave out."""

from __future__ import annotations

import csv
import datetime as dt
import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pycountry
import pytest
from lxml import etree

from codelists.ages import bounds
from sdmx_service.catalog.loading import load_folder

TOP = Path(__file__).parents[2]
NS = {
    "s": "http://www.sdmx.org/resources/sdmxml/schemas/v2_1/structure",
    "c": "http://www.sdmx.org/resources/sdmxml/schemas/v2_1/common",
}
LISTS = sorted(path.stem for path in (TOP / "codelists").glob("CL_*.json"))
AREA_DIMENSIONS = {"REF_AREA", "COUNTRY_BIRTH", "CITIZENSHIP", "COUNTERPART_AREA", "ORIGIN_AREA"}


def codelist(id_: str) -> dict[str, Any]:
    """A codelist as it lies in the folder."""
    message = json.loads((TOP / "codelists" / f"{id_}.json").read_text(encoding="utf-8"))
    (found,) = message["data"]["codelists"]
    return dict(found)


def codes(id_: str) -> dict[str, dict[str, Any]]:
    """The codes of a list by id."""
    return {code["id"]: code for code in codelist(id_)["codes"]}


def notes(code: dict[str, Any]) -> dict[str, str]:
    """The annotations of a code by type."""
    return {note["type"]: note["title"] for note in code.get("annotations", ())}


def rows(name: str) -> list[dict[str, str]]:
    """A table that the lists are made of."""
    with (TOP / "codelists" / "sources" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


# --- languages -----------------------------------------------------------------------------------


@pytest.mark.parametrize("id_", LISTS)
def test_a_list_has_every_language_that_it_declares(id_: str) -> None:
    message = json.loads((TOP / "codelists" / f"{id_}.json").read_text(encoding="utf-8"))
    declared = set(message["meta"]["contentLanguages"])
    whole = codelist(id_)
    assert declared >= {"en", "fr"}
    assert set(whole["names"]) == declared
    assert {"en", "fr"} <= set(whole["descriptions"])
    without = {
        code["id"]: sorted(declared - set(code["names"]))
        for code in whole["codes"]
        if not declared <= set(code["names"])
    }
    assert without == {}
    assert all({"en", "fr"} <= set(code["descriptions"]) for code in whole["codes"] if "descriptions" in code)


@pytest.mark.parametrize("id_", LISTS)
def test_a_list_says_what_it_is_and_who_translated_it(id_: str) -> None:
    annotations = {note["type"]: note for note in codelist(id_)["annotations"]}
    assert annotations["STATUS"]["title"] in {"standard", "proposed", "reconstructed", "standard and proposed"}
    assert {"en", "fr"} <= set(annotations["TRANSLATIONS"]["texts"])


def test_lists_of_questionnaires_are_in_spanish_and_russian() -> None:
    needed = {"CL_SEX", "CL_AGE", "CL_OBS_STATUS", "CL_MIG_DURATION", "CL_MIG_REASON", "CL_OCCUPATION", "CL_AREA_MIG"}
    missing = {
        row["list"]
        for row in rows("lists")
        if row["list"] in needed and not {"es", "ru"} <= set(row["languages"].split())
    }
    assert missing == set()


def test_russian_and_chinese_and_arabic_are_in_their_scripts() -> None:
    scripts = {"ru": "[А-Яа-я]", "zh": "[\u4e00-\u9fff]", "ar": "[\u0600-\u06ff]"}
    for id_ in LISTS:
        for code in codes(id_).values():
            for tag, script in scripts.items():
                assert tag not in code["names"] or re.search(script, code["names"][tag]), (id_, code["id"], tag)


def test_names_in_one_language_differ_within_a_list() -> None:
    same = {}
    for id_ in LISTS:
        for tag in ("en", "fr", "es", "ru", "zh", "ar"):
            count = Counter(code["names"][tag] for code in codes(id_).values() if tag in code["names"])
            twins = [name for name, number in count.items() if number > 1]
            if twins:
                same[id_, tag] = twins
    assert same == {}


@pytest.mark.parametrize("id_", LISTS)
def test_parents_come_before_their_children(id_: str) -> None:
    """What sdmx1 2.28 needs: it takes a parent that is not read yet for a codelist of that name."""
    seen: set[str] = set()
    for code in codelist(id_)["codes"]:
        assert code.get("parent") is None or code["parent"] in seen, code["id"]
        seen.add(code["id"])


# --- areas ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "last", "first"),
    [
        ("736", "728 729", "2011-07-08", "2011-07-09"),
        ("530", "531 534 535", "2010-10-09", "2010-10-10"),
        ("532", "530 533", "1985-12-31", "1986-01-01"),
        ("891", "499 688", "2006-06-02", "2006-06-03"),
        ("200", "203 703", "1992-12-31", "1993-01-01"),
        ("230", "231 232", "1993-05-23", "1993-05-24"),
        ("278", "276", "1990-10-02", "1990-10-03"),
        ("280", "276", "1990-10-02", "1990-10-03"),
        ("720", "887", "1990-05-21", "1990-05-22"),
        ("886", "887", "1990-05-21", "1990-05-22"),
        ("592", "591", "1979-09-30", "1979-10-01"),
        ("866", "704", "1976-07-01", "1976-07-02"),
    ],
)
def test_what_came_and_went_is_dated(old: str, new: str, last: str, first: str) -> None:
    areas = codes("CL_AREA_MIG")
    assert notes(areas[old])["VALID_TO"] == last
    assert sorted(notes(areas[old])["SUCCESSOR"].split()) == new.split()
    for code in new.split():
        assert notes(areas[code])["VALID_FROM"] == first
        assert old in notes(areas[code])["PREDECESSOR"].split()


def test_dates_of_areas_are_days_in_order_and_succession_goes_forward() -> None:
    areas = codes("CL_AREA_MIG")
    for id_, code in areas.items():
        said = notes(code)
        days = [dt.date.fromisoformat(said[name]) for name in ("VALID_FROM", "VALID_TO") if name in said]
        assert days == sorted(days), id_
        assert (said["AREA_TYPE"] == "former") is ("VALID_TO" in said), id_
        for successor in said.get("SUCCESSOR", "").split():
            assert id_ in notes(areas[successor])["PREDECESSOR"].split()
            assert notes(areas[successor]).get("VALID_TO", "9") > said["VALID_TO"]


def test_former_codes_are_those_of_iso_where_iso_has_them() -> None:
    """ISO 3166-3 as pycountry ships it: numeric code and alpha-3 of countries that were withdrawn."""
    withdrawn = {one.alpha_3: one for one in pycountry.historic_countries}
    areas = codes("CL_AREA_MIG")
    former = {id_: notes(code) for id_, code in areas.items() if notes(code)["AREA_TYPE"] == "former"}
    checked = 0
    for id_, said in former.items():
        one = withdrawn.get(said.get("ISO3", ""))
        if one is not None and hasattr(one, "numeric") and said["ISO3"] not in ("YUG", "VDR"):
            assert one.numeric == id_
            checked += 1
        if one is not None and said["ISO3"] != "YUG":  # ISO kept these letters for what is 891 here
            assert int(one.withdrawal_date[:4]) - int(said["VALID_TO"][:4]) in (0, 1), id_
    assert checked >= 7


def test_areas_agree_with_iso_numeric_codes() -> None:
    alive = {one.alpha_3: str(int(one.numeric)) for one in pycountry.countries}
    areas = codes("CL_AREA_MIG")
    ours = {
        notes(code)["ISO3"]: id_
        for id_, code in areas.items()
        if notes(code)["AREA_TYPE"] == "area" and "ISO3" in notes(code)
    }
    assert {iso: id_ for iso, id_ in ours.items() if iso in alive} == alive
    assert set(ours) - set(alive) == {"XKX"}


def test_groupings_are_left_out_of_the_sums_over_countries() -> None:
    groupings = {id_ for id_, code in codes("CL_AREA_MIG").items() if notes(code)["AREA_TYPE"] == "grouping"}
    found = 0
    for path in (TOP / "dsd" / "rules").glob("*.json"):
        for rule in json.loads(path.read_text(encoding="utf-8"))["rules"]:
            if rule.get("parts") == "leaves" and rule["dimension"] in AREA_DIMENSIONS:
                assert groupings - set(rule["except"]) == set(), (path.name, rule["id"], rule["dimension"])
                found += 1
    assert found


# --- lists against the real ones -----------------------------------------------------------------


def real(shared: Path, file: str, id_: str, tag: str = "en") -> dict[str, str]:
    """Codes and names, in one language, of a list of a real structure message."""
    tree = etree.parse(str(shared / "data" / "structures" / file))
    (found,) = tree.xpath(f'//s:Codelist[@id="{id_}"]', namespaces=NS)
    common, xml = NS["c"], "http://www.w3.org/XML/1998/namespace"
    names = f'{{{common}}}Name[@{{{xml}}}lang="{tag}"]'
    return {code.get("id"): code.findtext(names) for code in found.findall("s:Code", NS)}


@pytest.mark.parametrize("id_", ["CL_FREQ", "CL_OBS_STATUS", "CL_SEX", "CL_UNIT_MULT", "CL_DECIMALS"])
def test_cross_domain_lists_are_whole(shared: Path, id_: str) -> None:
    theirs = real(shared, "OECD_DSD_MIG_1.0.xml", id_)
    ours = {code: one["name"] for code, one in codes(id_).items()}
    assert set(ours) == set(theirs)
    if id_ in ("CL_FREQ", "CL_OBS_STATUS", "CL_SEX"):
        assert ours == theirs
        french = real(shared, "OECD_DSD_MIG_1.0.xml", id_, "fr")
        assert {code: one["names"]["fr"] for code, one in codes(id_).items()} == french


def test_confidentiality_has_the_codes_of_1_2() -> None:
    assert list(codes("CL_CONF_STATUS")) == list("FNCDSAOTGME")


def test_ages_of_the_sdg_list_can_be_said(shared: Path) -> None:
    theirs = {code for code in real(shared, "IAEG-SDGs_SDG_1.4.xml", "CL_AGE") if code.startswith("Y")}
    assert theirs - set(codes("CL_AGE")) == set()


@pytest.mark.parametrize("id_", ["CL_NATURE", "CL_URBANISATION"])
def test_sdg_lists_are_whole(shared: Path, id_: str) -> None:
    assert set(real(shared, "IAEG-SDGs_SDG_1.4.xml", id_)) <= set(codes(id_))


def test_sdg_activities_and_occupations_are_there(shared: Path) -> None:
    activities = {
        code for code in real(shared, "IAEG-SDGs_SDG_1.4.xml", "CL_ACTIVITY") if re.fullmatch("ISIC4_[A-U]", code)
    }
    assert len(activities) == 21 and activities <= set(codes("CL_ACTIVITY"))
    theirs = real(shared, "IAEG-SDGs_SDG_1.4.xml", "CL_OCCUPATION")
    assert {code for code in theirs if re.fullmatch(r"ISCO08_[0-9X]|ISCO68_.+", code)} <= set(codes("CL_OCCUPATION"))
    submajor = [code for code in codes("CL_OCCUPATION") if re.fullmatch(r"ISCO08_\d\d", code)]
    assert len(submajor) == 43
    assert all(codes("CL_OCCUPATION")[code]["parent"] == code[:-1] for code in submajor)


def test_migration_types_of_the_oecd_can_be_said(shared: Path) -> None:
    theirs = set(real(shared, "OECD_DSD_MIG_1.0.xml", "CL_MIGRATION_TYPE"))
    described = " ".join(
        code["description"] for code in codes("CL_MIG_REASON").values() if "OECD" in code.get("description", "")
    )
    assert theirs - set(re.findall(r"\b[A-Z]{2,5}\b", described)) == set()
    assert {"PERM", "TEMP"} <= set(codes("CL_MIG_DURATION"))


# --- ages ----------------------------------------------------------------------------------------


def test_ages_that_sources_use_are_there() -> None:
    needed = {f"Y{age}" for age in range(101)} | {f"Y{low}T{low + 4}" for low in range(0, 100, 5)}
    needed |= {"Y_LT1", "Y_LT5", "Y_LT15", "Y15T64", "Y_GE65", "Y_GE80", "Y_GE85", "Y_GE100", "Y_GE70"}
    needed |= {"Y0T4", "Y5T11", "Y12T17", "Y18T59", "Y_GE60", "_T", "_U", "_Z"}
    assert needed - set(codes("CL_AGE")) == set()


def test_parents_of_ages_hold_their_children() -> None:
    ages = codes("CL_AGE")
    for id_, code in ages.items():
        parent = code.get("parent", "_T")
        if id_.startswith("Y") and parent != "_T":
            low, high = bounds(id_)
            assert bounds(parent)[0] <= low and high <= bounds(parent)[1], id_


def test_names_of_ages_say_their_bounds() -> None:
    for id_, code in codes("CL_AGE").items():
        if id_.startswith("Y"):
            for tag, name in code["names"].items():
                if tag == "ar":
                    continue
                numbers = [int(text) for text in re.findall(r"\d+", name)]
                assert numbers == [int(text) for text in re.findall(r"\d+", id_)], (id_, tag, name)


def test_russian_years_are_declined() -> None:
    ages = codes("CL_AGE")
    names = {id_: ages[id_]["names"]["ru"] for id_ in ("Y1", "Y2", "Y5", "Y11", "Y21", "Y0T4", "Y5T9", "Y_GE85")}
    assert names == {
        "Y1": "1 год",
        "Y2": "2 года",
        "Y5": "5 лет",
        "Y11": "11 лет",
        "Y21": "21 год",
        "Y0T4": "0–4 года",
        "Y5T9": "5–9 лет",
        "Y_GE85": "85 лет и старше",
    }


# --- indicators ----------------------------------------------------------------------------------

KEY = re.compile(r"([A-Z_]+)=([^;]+)")


def test_indicators_name_real_keys() -> None:
    """Every dataflow, dimension and code of a computing rule exists where the rule looks for it."""
    catalog = load_folder(TOP).catalog()
    for code in codes("CL_MIG_INDICATOR").values():
        said = notes(code)
        assert said["STATUS"] == "reconstructed"
        if "parent" not in code:
            continue
        assert said["LEVEL"] in ("core", "additional")
        assert said["OPERATION"] in ("value", "difference", "ratio")
        assert ("DENOMINATOR" in said) is ("DENOMINATOR_DATAFLOW" in said) is (said["OPERATION"] != "value"), code["id"]
        assert ("FACTOR" in said) is (said["OPERATION"] == "ratio")
        for flow, key in (("DATAFLOW", "NUMERATOR"), ("DENOMINATOR_DATAFLOW", "DENOMINATOR")):
            if key not in said:
                continue
            dataflow = catalog.named(f"UNSD_MIG:{said[flow]}", "Dataflow")
            structure = catalog.lookup(dataflow.structure)
            enumerations = {
                one.id: one.representation.enumeration for one in structure.dimensions if one.representation
            }
            parts = KEY.findall(said[key])
            assert ";".join("=".join(part) for part in parts) == said[key]
            for dimension, values in parts:
                known = {item.id for item in catalog.lookup(enumerations[dimension]).items}
                assert set(re.split("[+,]", values)) - {"*"} <= known, (code["id"], dimension, values)
        assert said["NUMERATOR"] in said["COMPUTED_AS"]


def test_indicators_cover_the_blocks() -> None:
    blocks = Counter(notes(code).get("BLOCK") for code in codes("CL_MIG_INDICATOR").values())
    assert set(blocks) == {None, "STOCK", "FLOW", "CHANGE", "TEMP", "FORCED", "OUTCOME"}
    assert min(blocks.values()) >= 3


# --- the report ----------------------------------------------------------------------------------


def test_the_report_counts_every_list() -> None:
    """``docs/content.md`` names each list with the number of its codes."""
    report = (TOP / "docs" / "content.md").read_text(encoding="utf-8")
    counted: dict[str, int] = {}
    for line in report.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        names = re.findall(r"CL_[A-Z_]+", cells[0])
        if line.startswith("| CL_") and re.fullmatch(r"[\d, ]+", cells[1]):
            counted |= dict(zip(names, map(int, cells[1].split(", ")), strict=True))
    assert counted == {id_: len(codes(id_)) for id_ in LISTS}


def test_the_report_names_every_hierarchy() -> None:
    report = (TOP / "docs" / "content.md").read_text(encoding="utf-8")
    assert all(f"| {path.stem} |" in report for path in (TOP / "codelists").glob("H_*.json"))
