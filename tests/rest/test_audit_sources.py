"""The audit's further sources: balances over dataflows and periods, the other side, earlier releases, rounding."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sdmx_service.submission.audit import Audit, as_submission, audit, lines
from tests.harness import House
from tests.rest.fishery import URN, Row, open_fishery, send
from tests.rest.test_audit import IDS, line
from tests.rest.test_confidential import DOCUMENT

FLOW = "SEA:DF_CATCH(1.0.0)"
WITHHELD = 2
"""The hidden figures that the house has anyway."""
WORDS = {"names": {"en": "x"}, "message": {"en": "{value}"}}


def term(flow: str, fish: str, **more: Any) -> dict[str, Any]:
    return {
        "name": f"{fish} of {flow}",
        "dataflow": f"SEA:{flow}",
        "component": "WEIGHT",
        "where": {"FISH": fish},
        **more,
    }


RULES = {
    "id": "MORE",
    "applies_to": ["SEA:DF_CATCH", "SEA:DF_CATCH_EST"],
    "rules": [
        {"id": "S2", "kind": "value", "severity": "warning", "scope": "file", "component": "WEIGHT", "minimum": 0,
         "when": {"PORT": ["NOR", "SOU"]}, **WORDS},
        {"id": "S5", "kind": "balance", "severity": "info", "scope": "result", "component": "WEIGHT",
         "by": ["FREQ", "PORT"], "when": {"FREQ": ["A"]}, **WORDS,
         "terms": [term("DF_CATCH", "COD"), term("DF_CATCH_EST", "EEL"), term("DF_CATCH_EST", "NA", sign=-1)],
         "equals": term("DF_CATCH", "COD", shift=1)},
        {"id": "S6", "kind": "balance", "severity": "info", "scope": "result", "component": "WEIGHT",
         "by": ["FREQ", "PORT"], "when": {"FREQ": ["Q"]}, "tolerance_share": 0.02, **WORDS,
         "terms": [term("DF_CATCH", "COD")], "equals": term("DF_CATCH", "COD", shift=1)},
    ],
}  # fmt: skip
SIDES = {
    "id": "SIDES",
    "applies_to": ["SEA:DF_FERRY"],
    "rules": [
        {"id": "S7", "kind": "mirror", "severity": "info", "scope": "result", "component": "WEIGHT", **WORDS,
         "dimensions": ["PORT", "OTHER"], "left": {"FISH": "COD"}, "right": {"FISH": "EEL"},
         "classes": [{"name": "near", "up_to": 1.2}, {"name": "far"}]},
    ],
}  # fmt: skip


def lay(content: Path, views: Any = None) -> None:
    """Rules over dataflows and periods, and a structure whose figures have another side."""
    listed = json.loads((content / "dsd" / "structures.json").read_text())
    extra = json.loads((content / "dsd" / "extra.json").read_text())
    catch = next(one for one in listed["data"]["dataStructures"] if one["id"] == "DSD_CATCH")
    ferry = copy.deepcopy(catch) | {"id": "DSD_FERRY"}
    parts = ferry["dataStructureComponents"]
    frequency = parts["dimensionList"]["dimensions"][0]
    frequency |= {"id": "OTHER", "conceptIdentity": f"{URN}conceptscheme.Concept=SEA:CS_JOBS(1.0+.0).SPARE"}
    frequency["localRepresentation"] = parts["dimensionList"]["dimensions"][1]["localRepresentation"]
    parts["attributeList"]["attributes"] = [
        one for one in parts["attributeList"]["attributes"] if one["id"] == "STATUS"
    ]
    del parts["groups"]
    flows = extra["data"]["dataflows"]
    flows.append(
        {**flows[-1], "id": "DF_FERRY", "structure": f"{URN}datastructure.DataStructure=SEA:DSD_FERRY(1.0+.0)"}
    )
    extra["data"]["dataStructures"].append(ferry)
    agreements = extra["data"]["provisionAgreements"]
    agreements.append(
        {**agreements[-1], "id": "PA_FERRY", "dataflow": f"{URN}datastructure.Dataflow=SEA:DF_FERRY(1.0.0)"}
    )
    (content / "dsd" / "extra.json").write_text(json.dumps(extra))
    (content / "dsd" / "confidentiality").mkdir()
    document = DOCUMENT | {"secondary": "Q", "structures": ["SEA:DSD_CATCH(1.0.0)", "SEA:DSD_FERRY(1.0.0)"]}
    document |= {"dataflows": views or {}, "hides": []}
    (content / "dsd" / "confidentiality" / "CATCH.json").write_text(json.dumps(document))
    (content / "dsd" / "rules" / "MORE.json").write_text(json.dumps(RULES))
    (content / "dsd" / "rules" / "SIDES.json").write_text(json.dumps(SIDES))


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with open_fishery(tmp_path / "house", lay) as opened:
        yield opened


def figure(key: str, weight: str | None, status: str = "A") -> Row:
    freq, port, fish, time = key.split(".")
    row = {"FREQ": freq, "PORT": port, "FISH": fish, "TIME_PERIOD": time, "UNIT": "kg", "STATUS": status}
    return row if weight is None else {**row, "WEIGHT": weight}


def told(found: Audit, by: str) -> dict[str, tuple[str | None, str | None, bool]]:
    return {".".join(one.key.values()): (one.lower, one.upper, one.exact) for one in found.disclosed if one.by == by}


# --- balances --------------------------------------------------------------------------------------------------------


def flows(port: str, years: range, came: int, went: int) -> list[Row]:
    return [
        figure(f"A.{port}.{fish}.{year}", str(number))
        for year in years
        for fish, number in (("EEL", came), ("NA", went))
    ]


def test_a_balance_over_periods_and_dataflows_tells_exactly(house: House) -> None:
    """The stock between two years follows from the one before and the flows; the last one does too."""
    stock = [("2010", "100", "A"), ("2011", "107", "Q"), ("2012", "114", "A"), ("2013", "121", "Q")]
    send(
        house,
        "DF_CATCH",
        [figure(f"A.NOR.COD.{year}", number, status) for year, number, status in stock],
        IDS,
        "HARBOUR",
    )
    assert told(audit(FLOW, house.library), "sums") == {}, "no flows yet"
    send(house, "DF_CATCH_EST", flows("NOR", range(2010, 2013), 10, 3), IDS, "HARBOUR")
    found = audit(FLOW, house.library)
    assert told(found, "sums") == {
        "A.NOR.COD.2011": ("107", "107", True),
        "A.NOR.COD.2013": ("121", "121", True),
    }
    assert "COD of DF_CATCH = COD of DF_CATCH + EEL of DF_CATCH_EST - NA of DF_CATCH_EST (S5)" in found.disclosed[0].how
    assert found.unprotected == 0 or found.proposals


def test_a_balance_that_misses_elsewhere_tells_as_much_less(house: House) -> None:
    """Where all figures are told the balance is 5 off: of 107 one knows that it is 102 to 112."""
    stock = [("2008", "90", "A"), ("2009", "102", "A"), ("2010", "109", "A"), ("2011", "116", "Q")]
    send(
        house,
        "DF_CATCH",
        [figure(f"A.SOU.COD.{year}", number, status) for year, number, status in stock],
        IDS,
        "HARBOUR",
    )
    send(house, "DF_CATCH_EST", flows("SOU", range(2008, 2011), 10, 3), IDS, "HARBOUR")
    assert told(audit(FLOW, house.library), "sums") == {"A.SOU.COD.2011": ("111", "121", False)}


def test_a_balance_that_misses_far_or_has_not_all_its_figures_tells_nothing(house: House) -> None:
    far = [("2008", "90", "A"), ("2009", "202", "A"), ("2010", "209", "A"), ("2011", "216", "Q")]
    rows = [figure(f"A.SOU.COD.{year}", number, status) for year, number, status in far]
    rows += [figure("A.NOR.COD.2010", "5"), figure("A.NOR.COD.2011", "7", "Q")]
    send(house, "DF_CATCH", rows, IDS, "HARBOUR")
    send(house, "DF_CATCH_EST", flows("SOU", range(2008, 2011), 10, 3), IDS, "HARBOUR")
    send(house, "DF_CATCH_EST", [figure("A.NOR.EEL.2010", "2")], IDS, "HARBOUR")
    found = audit(FLOW, house.library)
    assert found.disclosed == ()
    assert (found.hidden, found.in_sums) == (2 + WITHHELD, 1)


def test_a_balance_holds_to_within_its_share(house: House) -> None:
    """Two per cent of the greater side: at least 98, and at most what 100 is 98 % of."""
    rows = [figure("Q.SOU.COD.2010-Q1", "100"), figure("Q.SOU.COD.2010-Q2", "101", "Q")]
    send(house, "DF_CATCH", rows, IDS, "HARBOUR")
    assert told(audit(FLOW, house.library), "sums") == {"Q.SOU.COD.2010-Q2": ("97.9592", "102.041", False)}


def test_hiding_a_neighbour_protects_what_a_balance_tells(house: House) -> None:
    """Only figures of the dataflow itself are proposed; the flows belong to another one."""
    stock = [("2010", "100", "A"), ("2011", "107", "Q")]
    send(
        house,
        "DF_CATCH",
        [figure(f"A.NOR.COD.{year}", number, status) for year, number, status in stock],
        IDS,
        "HARBOUR",
    )
    send(house, "DF_CATCH_EST", flows("NOR", range(2010, 2011), 10, 3), IDS, "HARBOUR")
    found = audit(FLOW, house.library)
    assert [".".join(key.values()) for key in found.proposals] == ["A.NOR.COD.2010"]
    assert found.unprotected == 0
    receipt, findings = house.send(
        b"".join(as_submission(found, house.library.view().catalog)), name="s.csv", provider="SEA.HARBOUR"
    )
    assert receipt.status == "published", findings
    assert told(audit(FLOW, house.library), "sums") == {}


# --- the other side --------------------------------------------------------------------------------------------------


def ferry(port: str, other: str, fish: str, time: str, weight: str, status: str = "A") -> Row:
    return {"OTHER": other, "PORT": port, "FISH": fish, "TIME_PERIOD": time, "WEIGHT": weight, "STATUS": status}


def test_the_other_side_tells_about_and_never_exactly(house: House) -> None:
    rows = []
    for year, ratio in (("2010", 1.0), ("2011", 1.02), ("2012", 1.04)):  # both sides of NOR and SOU nearly agree
        rows += [ferry("NOR", "SOU", "COD", year, str(100 * ratio)), ferry("SOU", "NOR", "EEL", year, "100")]
    rows += [ferry("NOR", "SOU", "COD", "2013", "206", "Q"), ferry("SOU", "NOR", "EEL", "2013", "200")]
    for year, ratio in (("2010", 1), ("2011", 2), ("2012", 3)):  # those of NOR and 007 do not
        rows += [ferry("NOR", "007", "COD", year, str(100 * ratio)), ferry("007", "NOR", "EEL", year, "100")]
    rows += [ferry("NOR", "007", "COD", "2013", "150", "Q"), ferry("007", "NOR", "EEL", "2013", "100")]
    rows += [ferry("SOU", "007", "EEL", "2013", "50", "Q"), ferry("007", "SOU", "COD", "2013", "60")]  # one pair
    rows += [ferry("SOU", "NOR", "COD", "2013", "50", "Q")]  # nobody tells the other side
    send(house, "DF_FERRY", rows, ("OTHER", "PORT", "FISH", "TIME_PERIOD", "WEIGHT", "STATUS"), "HARBOUR")
    found = audit("SEA:DF_FERRY(1.0.0)", house.library)
    assert told(found, "mirror") == {"SOU.NOR.COD.2013": ("200", "208", False)}
    hints = {".".join(one.key.values()): (one.lower, one.upper, one.exact) for one in found.hints}
    assert hints == {"007.NOR.COD.2013": ("100", "300", False), "007.SOU.EEL.2013": ("50", "72", False)}
    assert {one.by for one in found.hints} == {"mirror"}
    assert "Of 2 the other side of the same thing says something, though not nearly enough." in lines(found)


# --- earlier releases ------------------------------------------------------------------------------------------------


def gone(house: House, *keys: str) -> None:
    body = "STRUCTURE,STRUCTURE_ID,ACTION,FREQ,PORT,FISH,TIME_PERIOD\n"
    body += "".join(f"dataflow,{FLOW},D,{key.replace('.', ',')}\n" for key in keys)
    receipt, findings = house.send(body.encode(), name="gone.csv", provider="SEA.HARBOUR")
    assert receipt.status == "published", findings


def test_an_earlier_release_shows_the_rest_of_a_sum(house: House) -> None:
    """A part was withdrawn, so that today no sum is whole; the release before still shows it, by ``asOf``."""
    send(house, "DF_CATCH", line("NOR", "2020-01", "10", "4", "5", "1", hidden="AAQA"), IDS, "HARBOUR")
    release = house.library.store.pointer().release
    gone(house, "M.NOR.NA.2020-01")
    found = audit(FLOW, house.library)
    assert told(found, "sums") == {}
    assert told(found, "release") == {"M.NOR.EEL.2020-01": ("5", "5", True)}
    assert found.disclosed[0].how[0] == f"release {release}"
    assert [".".join(key.values()) for key in found.proposals] == ["M.NOR.COD.2020-01"], "what is open today"
    body = b"".join(as_submission(found, house.library.view().catalog))
    receipt, findings = house.send(body, name="secondary.csv", provider="SEA.HARBOUR")
    assert receipt.status == "published", findings
    assert told(audit(FLOW, house.library), "release") == {"M.NOR.COD.2020-01": (None, None, True)}, (
        "who took it has it"
    )


def test_figures_withdrawn_since_complete_what_came_later(house: House) -> None:
    """No release shows all of the sum, but together they do."""
    rows = line("NOR", "2020-01", "10", "4", "5", "1", hidden="AAQA")
    send(house, "DF_CATCH", rows[1:], IDS, "HARBOUR")
    gone(house, "M.NOR.NA.2020-01")
    send(house, "DF_CATCH", rows[:1], IDS, "HARBOUR")
    found = audit(FLOW, house.library)
    assert told(found, "release") == {"M.NOR.EEL.2020-01": ("5", "5", True)}
    assert found.disclosed[0].how[0] == "with figures withdrawn since"


def test_a_figure_that_was_open_and_withdrawn_once_it_was_hidden(house: House) -> None:
    """It has no row today, but who took the first release has it."""
    send(house, "DF_CATCH", [figure("M.SOU.EEL.2020-01", "9")], IDS, "HARBOUR")
    release = house.library.store.pointer().release
    send(house, "DF_CATCH", [figure("M.SOU.EEL.2020-01", None, "Q")], IDS, "HARBOUR")
    gone(house, "M.SOU.EEL.2020-01")
    found = audit(FLOW, house.library)
    assert found.hidden == WITHHELD
    assert [(one.key["FISH"], one.by, one.how) for one in found.disclosed] == [
        ("EEL", "release", (f"releases {release} to {release}",))
    ]


def test_earlier_releases_that_show_no_more_are_no_source(house: House) -> None:
    """Two parts were hidden from the first release on; a later change of something else gives nothing away."""
    send(house, "DF_CATCH", line("NOR", "2020-01", "10", "4", "5", "1", hidden="AAQQ"), IDS, "HARBOUR")
    send(house, "DF_CATCH", line("SOU", "2020-01", "10", "4", "5", "1"), IDS, "HARBOUR")
    found = audit(FLOW, house.library)
    assert found.disclosed == ()
    assert (found.releases, found.earlier > 0) == (found.earlier, True)


def test_another_dataflow_shows_the_rest_of_a_sum(house: House) -> None:
    rows = line("NOR", "2020-01", "10", "4", "5", "1", hidden="AAQA")
    send(house, "DF_CATCH", rows[:3], IDS, "HARBOUR")
    assert audit(FLOW, house.library).disclosed == ()
    send(house, "DF_CATCH_EST", rows[3:], IDS, "HARBOUR")
    found = audit(FLOW, house.library)
    assert told(found, "dataflow") == {"M.NOR.EEL.2020-01": ("5", "5", True)}
    assert found.disclosed[0].how[0] == "with figures of SEA:DF_CATCH_EST(1)"


# --- threshold and rounding ------------------------------------------------------------------------------------------

WHOLE = {"id": "WHOLE", "applies_to": ["SEA:DF_CATCH"], "rules": [
    {"id": "S8", "kind": "value", "severity": "info", "scope": "file", "component": "WEIGHT", "minimum": 0,
     "integer": True, **WORDS}]}  # fmt: skip


def open_rounded(folder: Path, **view: float) -> Any:
    def more(content: Path) -> None:
        lay(content, {FLOW: view})
        (content / "dsd" / "rules" / "WHOLE.json").write_text(json.dumps(WHOLE))

    return open_fishery(folder, more)


def test_what_a_threshold_hides_is_at_least_one(tmp_path: Path) -> None:
    """Two hidden figures that make 2 can only be 1 and 1, since a zero would be shown; of 3 one does not know which."""
    with open_rounded(tmp_path / "house", threshold=3) as house:
        rows = [*line("NOR", "2020-01", "12", "10", "1", "1"), *line("NOR", "2020-02", "13", "10", "2", "1")]
        rows += line("NOR", "2020-03", "34", "10", "4", "20", hidden="AAQQ")  # hidden by its sender, and greater
        send(house, "DF_CATCH", rows, IDS, "HARBOUR")
        found = audit(FLOW, house.library)
        mine = {key: limits for key, limits in told(found, "sums").items() if ".NOR." in key}
        assert mine == {"M.NOR.EEL.2020-01": ("1", "1", True), "M.NOR.NA.2020-01": ("1", "1", True)}
        assert found.additivity is None


def test_rounding_and_threshold_in_an_audit(tmp_path: Path) -> None:
    """11 = 7 + 3 + 1 is shown as 10, 5, a 5 that was 3 to 7, and a hidden one: no sum tells it any more."""
    with open_rounded(tmp_path / "house", threshold=3, rounding=5) as house:
        send(house, "DF_CATCH", line("NOR", "2020-01", "11", "7", "3", "1"), IDS, "HARBOUR")
        found = audit(FLOW, house.library)
        assert [key for key in told(found, "sums") if ".NOR." in key] == []
        assert found.view == ()
        assert "up to 2 for itself and 2 for each part" in (found.additivity or "")
        body = house.body("v2/data/dataflow/SEA/DF_CATCH/1.0.0/M.NOR?c[TIME_PERIOD]=2020-01").decode()
        assert [one for one in ("11", "7", "3") if f",{one}," in body] == []


def test_a_threshold_next_to_a_multiple_is_told_of(tmp_path: Path) -> None:
    with open_rounded(tmp_path / "house", threshold=7, rounding=5) as house:
        found = audit(FLOW, house.library)
        assert found.view == (
            "A figure that is shown as 5 can only be 7: the threshold of 7 hides what else is rounded to it.",
        )
        assert found.view[0] in lines(found)
        assert json.loads(json.dumps(found.to_json()))["view"] == list(found.view)
