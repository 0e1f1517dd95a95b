"""Data sets with validity, from the message to ``asOf`` and the history, on each kind of store.

Such data sets tell a history: each is a state, or what went, of a moment, and they are applied in the order of the
message, as one release. What the service itself tells of times afterwards are those of its releases.
"""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from typing import Any

import pytest
from lxml import etree

from sdmx_service.auth import OPERATOR
from sdmx_service.model.finding import Finding
from sdmx_service.workflow.publishing import publish
from tests.harness import JSON, XML, House

SPACE = "http://www.sdmx.org/resources/sdmxml/schemas/v3_1"
URN = "urn:sdmx:org.sdmx.infomodel.datastructure.Dataflow=SEA:DF_CATCH(1.0.0)"
FLOW = "v2/data/dataflow/SEA/DF_CATCH/1.0.0"
KEYS = ("FREQ", "PORT", "FISH", "TIME_PERIOD")
WHOLE = {"STATUS": "A", "UNIT": "kg"}
PAST, LATER, NEWEST = "2020-01-01T00:00:00Z", "2021-01-01T00:00:00Z", "2022-01-01T00:00:00Z"

State = tuple[str, dict[str, str], list[dict[str, str]]]
"""Action, validity, observations."""


def cod(month: int = 1, fish: str = "COD", **more: str) -> dict[str, str]:
    return {"FREQ": "M", "PORT": "SOU", "FISH": fish, "TIME_PERIOD": f"2019-{month:02}", **more}


def xml(*states: State) -> bytes:
    def dataset(action: str, validity: dict[str, str], rows: list[dict[str, str]]) -> str:
        said = " ".join(f'ss:{name}Date="{text}"' for name, text in validity.items())
        cells = [" ".join(f'{id}="{value}"' for id, value in row.items()) for row in rows]
        listed = "".join(f"<Obs {one}/>" for one in cells)
        return f'<m:DataSet ss:structureRef="S" ss:action="{action}" {said}>{listed}</m:DataSet>'

    return f"""<?xml version="1.0" encoding="UTF-8"?>
<m:StructureSpecificData xmlns:m="{SPACE}/message" xmlns:c="{SPACE}/common" xmlns:ss="{SPACE}/data/structurespecific">
<m:Header><m:ID>ID1</m:ID><m:Test>false</m:Test><m:Prepared>2024-01-02T03:04:05Z</m:Prepared><m:Sender id="ME"/>
<m:Structure structureID="S" namespace="{URN}" dimensionAtObservation="AllDimensions">
<c:StructureUsage>{URN}</c:StructureUsage></m:Structure></m:Header>
{"".join(dataset(*state) for state in states)}
</m:StructureSpecificData>""".encode()


def jsons(*states: State) -> bytes:
    rows = [row for _, _, listed in states for row in listed]
    values = {id: sorted({row[id] for row in rows}) for id in KEYS}
    carried = ("WEIGHT", "GRADE")
    attributes = ("STATUS", "UNIT")

    def dataset(action: str, validity: dict[str, str], listed: list[dict[str, str]]) -> dict[str, Any]:
        found = {}
        for row in listed:
            key = ":".join(str(values[id].index(row[id])) for id in KEYS)
            cells = [int(row["WEIGHT"]) if "WEIGHT" in row else None, row.get("GRADE")]
            cells += [row.get(id) for id in attributes]
            found[key] = cells
        return {"structure": 0, "action": action, **validity, "observations": found}

    structure = {
        "links": [{"rel": "dataflow", "urn": URN}],
        "dimensions": {"observation": [
            {"id": id, "keyPosition": place, "values": [{"id" if id != "TIME_PERIOD" else "value": one} for one in values[id]]}
            for place, id in enumerate(KEYS)]},
        "measures": {"observation": [{"id": id} for id in carried]},
        "attributes": {"observation": [{"id": id} for id in attributes]},
    }  # fmt: skip
    head = {"id": "ID1", "test": False, "prepared": "2024-01-02T03:04:05Z", "sender": {"id": "ME"}}
    data = {"structures": [structure], "dataSets": [dataset(*state) for state in states]}
    return json.dumps({"meta": head, "data": data}).encode()


WRITERS = {"xml": xml, "json": jsons}
HISTORY: tuple[State, ...] = (
    ("Replace", {"validFrom": PAST}, [cod(WEIGHT="1", GRADE="G1", **WHOLE), cod(2, WEIGHT="2", **WHOLE)]),
    ("Delete", {"validTo": LATER}, [cod(2)]),
    ("Replace", {"validFrom": LATER}, [cod(WEIGHT="3", **WHOLE), cod(3, WEIGHT="4", **WHOLE)]),
    ("Merge", {"validFrom": NEWEST}, [cod(3, GRADE="G1")]),
)
LAST = {"2019-01": ("3", ""), "2019-03": ("4", "G1")}


def sent(house: House, body: bytes, form: str, *, publish: bool = True) -> tuple[Any, list[Finding]]:
    return house.send(body, name=f"history.{form}", provider="SEA.HARBOUR", publish=publish)


def shown(house: House, query: str = "") -> dict[str, tuple[str, str]]:
    answer = house.get(FLOW + query)
    if answer.status == 204:
        return {}
    return {row["TIME_PERIOD"]: (row["WEIGHT"], row["GRADE"]) for row in house.rows(FLOW + query)}


def now() -> str:
    """A moment that no release shares: times in addresses are whole seconds or parts of one."""
    time.sleep(0.01)
    text = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    time.sleep(0.01)
    return text


def told(house: House, query: str) -> list[tuple[str, str | None, str | None, list[str]]]:
    """The data sets of an answer: action, validity, periods."""
    document = json.loads(house.body(FLOW + query, JSON))
    found = []
    for one in document["data"]["dataSets"]:
        listed = document["data"]["structures"][one["structure"]]["dimensions"]["observation"]
        place = [dimension["id"] for dimension in listed].index("TIME_PERIOD")
        periods = [value["value"] for value in listed[place]["values"]]
        keys = list(one["observations"])
        told = sorted(periods[int(key.split(":")[place])] for key in keys)
        found.append((one["action"], one.get("validFrom"), one.get("validTo"), told))
    return found


@pytest.mark.parametrize("form", ["xml", "json"])
class TestHistory:
    def test_the_last_state_is_published_as_one_release(self, house: House, form: str) -> None:
        receipt, findings = sent(house, WRITERS[form](*HISTORY), form)
        assert (receipt.status, findings) == ("published", [])
        assert [one.number for one in house.library.store.releases()] == [1]
        assert shown(house) == LAST

    def test_it_waits_with_all_its_states(self, house: House, form: str) -> None:
        receipt, _ = sent(house, WRITERS[form](*HISTORY), form, publish=False)
        assert receipt.status == "accepted"
        (counts,) = receipt.dataflows
        assert (counts.observations, counts.inserted, counts.deleted) == (5, 2, 0)
        assert publish([receipt.id], house.library, OPERATOR)[0].status == "published"
        assert shown(house) == LAST

    def test_as_of_a_moment_tells_what_was_published_then(self, house: House, form: str) -> None:
        """Validity that a sender tells is no time of publication: before it, there was nothing here."""
        before = now()
        sent(house, WRITERS[form](*HISTORY[:1]), form)
        between = now()
        sent(house, WRITERS[form](*HISTORY[1:]), form)
        assert house.get(f"{FLOW}?asOf={before}").status in (204, 404)
        assert house.get(f"{FLOW}?asOf={LATER}").status in (204, 404)
        assert shown(house, f"?asOf={between}") == {"2019-01": ("1", "G1"), "2019-02": ("2", "")}
        assert shown(house, f"?asOf={now()}") == LAST

    def test_the_history_told_is_that_of_the_releases(self, house: House, form: str) -> None:
        sent(house, WRITERS[form](*HISTORY[:1]), form)
        sent(house, WRITERS[form](*HISTORY[1:]), form)
        first, second = (one.published_at.strftime("%Y-%m-%dT%H:%M:%SZ") for one in house.library.store.releases())
        assert told(house, "?includeHistory=true&dimensionAtObservation=AllDimensions") == [
            ("Replace", first, None, ["2019-01", "2019-02"]),
            ("Delete", None, second, ["2019-02"]),
            ("Replace", second, None, ["2019-01", "2019-03"]),
        ]

    def test_what_is_told_can_be_sent_again(self, house: House, form: str) -> None:
        sent(house, WRITERS[form](*HISTORY[:1]), form)
        sent(house, WRITERS[form](*HISTORY[1:]), form)
        answer = house.body(f"{FLOW}?includeHistory=true", XML if form == "xml" else JSON)
        sent(
            house,
            b"STRUCTURE,STRUCTURE_ID,ACTION,FREQ,PORT,FISH,TIME_PERIOD,WEIGHT\ndataflow,SEA:DF_CATCH(1.0.0),D,,,,,\n",
            "csv",
        )
        assert shown(house) == {}
        receipt, findings = sent(house, answer, form)
        assert (receipt.status, findings) == ("published", [])
        assert shown(house) == LAST

    def test_an_answer_of_a_moment_says_until_when(self, house: House, form: str) -> None:
        sent(house, WRITERS[form](*HISTORY[:1]), form)
        between = now()
        sent(house, WRITERS[form](*HISTORY[1:]), form)
        answer = house.body(f"{FLOW}?asOf={between}", XML)
        (dataset,) = etree.fromstring(answer).iter("{*}DataSet")
        validity = {etree.QName(name).localname: text for name, text in dataset.attrib.items()}
        second = house.library.store.releases()[-1].published_at.strftime("%Y-%m-%dT%H:%M:%SZ")
        assert validity["validToDate"] == second
        assert "validFromDate" in validity

    def test_a_key_twice_in_one_state_is_a_mistake_in_two_it_is_not(self, house: House, form: str) -> None:
        row = cod(WEIGHT="1", **WHOLE)
        fine = WRITERS[form](("Replace", {"validFrom": PAST}, [row]), ("Replace", {"validFrom": LATER}, [row]))
        assert sent(house, fine, form)[0].status == "published"
        if form == "xml":  # an object of JSON has no key twice
            receipt, (finding, *_) = sent(house, xml(("Replace", {"validFrom": PAST}, [row, row])), form)
            assert (receipt.status, finding.code) == ("refused", "F501")

    def test_the_present_state_may_follow_without_validity(self, house: House, form: str) -> None:
        states: list[State] = [
            ("Replace", {"validFrom": PAST}, [cod(WEIGHT="1", **WHOLE)]),
            ("Replace", {}, [cod(WEIGHT="2", **WHOLE)]),
        ]
        receipt, findings = sent(house, WRITERS[form](*states), form)
        assert (receipt.status, findings) == ("published", [])
        assert shown(house) == {"2019-01": ("2", "")}

    def test_a_state_may_leave_out_what_an_earlier_one_said(self, house: House, form: str) -> None:
        states: list[State] = [
            ("Merge", {"validFrom": PAST}, [cod(WEIGHT="1", **WHOLE)]),
            ("Merge", {"validFrom": LATER}, [cod(WEIGHT="2")]),
        ]
        receipt, findings = sent(house, WRITERS[form](*states), form)
        assert (receipt.status, findings) == ("published", [])
        assert shown(house) == {"2019-01": ("2", "")}

    def test_what_no_state_said_is_missing(self, house: House, form: str) -> None:
        states: list[State] = [
            ("Merge", {"validFrom": PAST}, [cod(WEIGHT="1", **WHOLE)]),
            ("Merge", {"validFrom": LATER}, [cod(2, WEIGHT="2")]),
        ]
        receipt, findings = sent(house, WRITERS[form](*states), form)
        assert receipt.status == "refused"
        assert {one.code for one in findings} == {"F303"}
        assert any("attribute STATUS" in one.message and one.key["TIME_PERIOD"] == "2019-02" for one in findings)


class TestRules:
    """A rule asks for the last state, when it comes in as well as when it is looked at again."""

    BROKEN: State = ("Replace", {"validFrom": PAST}, [
        cod(fish="_T", WEIGHT="9", **WHOLE), cod(fish="COD", WEIGHT="1", **WHOLE), cod(fish="EEL", WEIGHT="1", **WHOLE),
        cod(fish="NA", WEIGHT="1", **WHOLE)])  # fmt: skip
    MENDED: State = ("Replace", {"validFrom": LATER}, [cod(fish="_T", WEIGHT="3", **WHOLE)])

    @pytest.mark.parametrize("form", ["xml", "json"])
    def test_a_state_that_was_mended_breaks_nothing(self, house: House, form: str) -> None:
        receipt, findings = sent(house, WRITERS[form](self.BROKEN, self.MENDED), form, publish=False)
        assert (receipt.status, findings) == ("accepted", [])
        sent(house, xml(("Merge", {}, [cod(7, fish="COD", WEIGHT="1", **WHOLE)])), "xml")  # now it is looked at again
        assert publish([receipt.id], house.library, OPERATOR)[0].status == "published"

    @pytest.mark.parametrize("form", ["xml", "json"])
    def test_one_that_was_broken_later_does(self, house: House, form: str) -> None:
        receipt, findings = sent(house, WRITERS[form](self.MENDED, self.BROKEN), form)
        assert receipt.status == "refused"
        assert "RULES_CATCH.S1" in {one.rule for one in findings}


class TestMoments:
    def test_one_that_is_none(self, house: House) -> None:
        body = jsons(("Replace", {"validFrom": "some day"}, [cod(WEIGHT="1", **WHOLE)]))
        receipt, (finding,) = sent(house, body, "json")
        assert (receipt.status, finding.code, finding.value) == ("refused", "F282", "some day")

    @pytest.mark.parametrize("form", ["xml", "json"])
    def test_one_that_ends_before_it_begins(self, house: House, form: str) -> None:
        body = WRITERS[form](("Replace", {"validFrom": LATER, "validTo": PAST}, [cod(WEIGHT="1", **WHOLE)]))
        receipt, (finding,) = sent(house, body, form)
        assert (receipt.status, finding.code, finding.value) == ("refused", "F282", PAST)

    @pytest.mark.parametrize(
        ("validity", "said"),
        [({"validFrom": "2999-01-01T00:00:00Z"}, "from 2999-01-01T00:00:00Z on"),
         ({"validFrom": PAST, "validTo": LATER}, f"until {LATER}")],
    )  # fmt: skip
    @pytest.mark.parametrize("form", ["xml", "json"])
    def test_a_last_state_that_does_not_hold_now_is_told(
        self, house: House, form: str, validity: dict[str, str], said: str
    ) -> None:
        receipt, (finding,) = sent(house, WRITERS[form](("Replace", validity, [cod(WEIGHT="1", **WHOLE)])), form)
        assert (receipt.status, finding.code, finding.severity.value) == ("published", "F283", "warning")
        assert said in finding.message

    @pytest.mark.parametrize("form", ["xml", "json"])
    def test_states_in_another_order_than_they_held(self, house: House, form: str) -> None:
        states = [("Replace", {"validFrom": one}, [cod(WEIGHT="1", **WHOLE)]) for one in (LATER, PAST)]
        receipt, (finding,) = sent(house, WRITERS[form](*states), form)
        assert (receipt.status, finding.code, finding.severity.value) == ("refused", "F284", "error")
        assert PAST in finding.message
        assert LATER in finding.message

    @pytest.mark.parametrize("form", ["xml", "json"])
    def test_a_state_that_ended_and_is_followed_is_right(self, house: House, form: str) -> None:
        body = WRITERS[form](
            ("Replace", {"validFrom": PAST, "validTo": LATER}, [cod(WEIGHT="1", **WHOLE)]),
            ("Replace", {"validFrom": LATER}, [cod(WEIGHT="2", **WHOLE)]),
        )
        assert sent(house, body, form)[1] == []
