"""The audit with the rules of this content: the demographic balance over two structures, both sides of a flow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from sdmx_service.submission.audit import Audit, audit
from tests.harness import House, open_house

BALANCE = ("FREQ", "REF_AREA", "COMPONENT", "CITIZENSHIP", "COUNTRY_BIRTH", "SEX", "AGE")
FLOW = (
    "FREQ", "REF_AREA", "MEASURE", "COUNTERPART_AREA", "CITIZENSHIP", "COUNTRY_BIRTH", "SEX", "AGE", "REASON", "DURATION",
    "EDUCATION_LEV", "OCCUPATION",
)  # fmt: skip


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with open_house(f"duckdb:///{tmp_path / 'store.duckdb'}") as found:
        yield found


def figures(
    house: House, flow: str, ids: tuple[str, ...], provider: str, told: Mapping[tuple[str, str], tuple[object, str]]
) -> dict[tuple[str, str], str | None]:
    """Publish figures: (dotted codes by place, year) -> figure and status; other dimensions are totals.

    Returns:
        What rule V24 says of them: year and component, or measure -> the figure that is given away.
    """
    lines = [",".join(["STRUCTURE", "STRUCTURE_ID", "ACTION", *ids, "TIME_PERIOD", "OBS_VALUE", "CONF_STATUS", "OBS_STATUS",
                       "UNIT_MEASURE", "UNIT_MULT"])]  # fmt: skip
    for (key, year), (value, status) in told.items():
        codes = dict(one.split("=") for one in key.split(";"))
        known = {"FREQ": "A"} | codes
        lines.append(",".join(["dataflow", f"UNSD_MIG:{flow}(1.0.0)", "M", *(known.get(id, "_T") for id in ids), year,
                               str(value), status, "A", "PS", "0"]))  # fmt: skip
    receipt, findings = house.send("\n".join(lines).encode(), name=f"{flow}.csv", provider=f"UNSD_MIG.{provider}")
    assert receipt.status == "published", [one for one in findings if one.severity.value == "error"]
    given = [one for one in findings if one.code == "V24"]
    return {(one.key["TIME_PERIOD"], one.key.get("COMPONENT") or one.key["MEASURE"]): one.value for one in given}


def told(found: Audit, by: str) -> dict[str, tuple[str | None, str | None, bool]]:
    return {one.key["TIME_PERIOD"]: (one.lower, one.upper, one.exact) for one in found.disclosed if one.by == by}


def test_the_demographic_balance_tells_a_hidden_population(house: House) -> None:
    """Population, natural change and migration make the next population, in two structures: V07.

    The sender is told before it is published (V24), with the flows that are stored; the audit says the same.
    """
    area = "REF_AREA=470"
    figures(house, "DF_FLOW_CTZ", FLOW, "NSO_MLT", {
        (f"{area};MEASURE={measure}", year): (value, "F")
        for year, arrived, left in (("2019", 28341, 8000), ("2020", 13885, 11000), ("2021", 22000, 12000))
        for measure, value in (("IMM", arrived), ("EMI", left))
    })  # fmt: skip
    balance = {
        (f"{area};COMPONENT=NATGROW", year): (value, "F")
        for year, value in (("2019", 660), ("2020", 330), ("2021", 200))
    }
    people = [("2019", 493559, "F"), ("2020", 514560, "C"), ("2021", 517775, "F"), ("2022", 527975, "C")]
    balance |= {(f"{area};COMPONENT=JAN", year): (value, status) for year, value, status in people}
    before = figures(house, "DF_BALANCE", BALANCE, "NSO_MLT", balance)
    assert before == {("2020", "JAN"): "514560", ("2022", "JAN"): "527975"}
    found = audit("UNSD_MIG:DF_BALANCE(1.0.0)", house.library)
    assert told(found, "sums") == {"2020": ("514560", "514560", True), "2022": ("527975", "527975", True)}
    assert all("(V07)" in one.how[0] for one in found.disclosed)
    assert found.unprotected == 0
    assert len(found.proposals) > 0
    later = {(f"{area};MEASURE=EMI", "2020"): (11000, "C"), (f"{area};MEASURE=EMI", "2021"): (12000, "C")}
    assert figures(house, "DF_FLOW_CTZ", FLOW, "NSO_MLT", later) == {("2020", "EMI"): "11000"}, "by way of 2019"
    later = {(f"{area};MEASURE=IMM", "2019"): (28341, "C"), (f"{area};MEASURE=EMI", "2021"): (12000, "F")}
    assert figures(house, "DF_FLOW_CTZ", FLOW, "NSO_MLT", later) == {}, "the population of 2020 can be anything now"
    later = {(f"{area};COMPONENT=JAN", "2020"): (514560, "F")}
    assert figures(house, "DF_BALANCE", BALANCE, "NSO_MLT", later) == {}, "what others withheld is for the audit"
    later = {(f"{area};MEASURE=EMI", "2020"): (11000, "C")}
    assert figures(house, "DF_FLOW_CTZ", FLOW, "NSO_MLT", later) == {("2020", "EMI"): "11000"}


def test_both_sides_of_a_flow_tell_about(house: House) -> None:
    """What Germany counts as coming from Malta, and Malta as leaving for Germany: V14, an interval and not the figure."""
    arrivals = {
        ("REF_AREA=276;COUNTERPART_AREA=470;MEASURE=IMM", str(year)): (100 + year - 2015, "F")
        for year in range(2015, 2019)
    }
    arrivals["REF_AREA=276;COUNTERPART_AREA=470;MEASURE=IMM", "2019"] = (210, "C")
    departures = {
        ("REF_AREA=470;COUNTERPART_AREA=276;MEASURE=EMI", str(year)): (100, "F") for year in range(2015, 2019)
    }
    departures["REF_AREA=470;COUNTERPART_AREA=276;MEASURE=EMI", "2019"] = (200, "F")
    figures(house, "DF_FLOW_PRV", FLOW, "NSO_DEU", arrivals)
    figures(house, "DF_FLOW_PRV", FLOW, "NSO_MLT", departures)
    found = audit("UNSD_MIG:DF_FLOW_PRV(1.0.0)", house.library)
    assert told(found, "mirror") == {"2019": ("200", "206", False)}
    assert found.disclosed[0].how[0] == "the figure of 470, 200"
    assert found.hints == ()
