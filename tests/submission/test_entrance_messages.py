"""SDMX messages of every version and layout bring the same figures, and do what their actions say, wholly or not at all."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.harness import JSON, House, open_house

CONTENT = Path(__file__).parent.parent / "second_domain" / "content"
FLOW = "v2/data/dataflow/SEA/DF_CATCH/1.0.0"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with open_house(f"duckdb:///{tmp_path / 'store.duckdb'}", CONTENT) as opened:
        yield opened


def figures(house: House) -> dict[tuple[str, ...], str]:
    if house.library.store.pointer().release == 0 or house.get(FLOW).status == 204:
        return {}
    return {(row["PORT"], row["FISH"], row["TIME_PERIOD"]): row["WEIGHT"] for row in house.rows(FLOW)}


def sent(house: House, message: str | bytes, name: str = "sent.csv") -> list[Any]:
    data = message.encode() if isinstance(message, str) else message
    receipt, findings = house.send(data, name=name, provider="SEA.HARBOUR")
    assert receipt.status == "published", findings
    return findings


# --- SDMX-CSV ---------------------------------------------------------------------------------------------------------
EXPECTED = {
    "FREQ": "M", "PORT": "007", "FISH": "NA", "TIME_PERIOD": "2024-01", "WEIGHT": "16.10", "GRADE": "G2", "STATUS": "A",
    "UNIT": "kg", "SOURCE": "Book; kept by hand", "GEAR[]": "NET;ROD", "REMARK[en;fr]": "en:Seen;fr:Vu",
}  # fmt: skip
PLAIN = (
    "STRUCTURE[;],STRUCTURE_ID,ACTION,FREQ,PORT,FISH,TIME_PERIOD,WEIGHT,GRADE,STATUS,UNIT,SOURCE,GEAR[],REMARK[en;fr]\n"
    'dataflow,SEA:DF_CATCH(1.0.0),{action},M,007,NA,2024-01,16.10,G2,A,kg,"Book; kept by hand",NET;ROD,Seen;Vu\n'
)
TURNED = (
    "STRUCTURE[|];STRUCTURE_ID;REMARK[en|fr];GEAR[];SOURCE;UNIT;STATUS;GRADE;WEIGHT;TIME_PERIOD;FISH;PORT;FREQ;MY OWN\n"
    'dataflow;SEA:DF_CATCH(1.0.0);Seen|Vu;NET|ROD;"Book; kept by hand";kg;A;G2;16,10;2024-01;NA;007;M;x\n'
)
LABELLED = (
    "STRUCTURE[;],STRUCTURE_ID,ACTION,FREQ: Frequency,PORT: Port,FISH: Fish,TIME_PERIOD: Month,WEIGHT: Weight,GRADE: Grade,"
    "STATUS: Status,UNIT: Unit,SOURCE: Source,GEAR[]: Gear,REMARK[en;fr]: Remark\n"
    "dataflow,SEA:DF_CATCH(1.0.0): Catch,M,M: Monthly,007: Seventh pier,NA: Nameless fish,2024-01,16.10,G2: Second grade,"
    'A: Normal,kg,"Book; kept by hand",NET: Net;ROD: Rod,Seen;Vu\n'
)
NAMED = (
    "STRUCTURE[;],STRUCTURE_ID,STRUCTURE_NAME,ACTION,FREQ,Frequency,PORT,Port,FISH,Fish,TIME_PERIOD,Month,WEIGHT,Weight,"
    "GRADE,Grade,STATUS,Status,UNIT,Unit,SOURCE,Source,GEAR[],Gear,REMARK[en;fr],Remark\n"
    "dataflow,SEA:DF_CATCH(1.0.0),Catch,M,M,Monthly,007,Seventh pier,NA,Nameless fish,2024-01,,16.10,,G2,Second grade,A,"
    'Normal,kg,,"Book; kept by hand",,NET;ROD,Net;Rod,Seen;Vu,\n'
)


@pytest.mark.parametrize(
    "message",
    [
        PLAIN.format(action="M"), PLAIN.format(action="I"), PLAIN.format(action="A"), PLAIN.format(action="R"),
        "\ufeff" + PLAIN.format(action="M"), PLAIN.format(action="M").replace("\n", "\r\n"),
        PLAIN.format(action="M").replace("(1.0.0)", ""), PLAIN.format(action="M").replace("DF_CATCH(1.0.0)", "DF_CATCH(1.0+.0)"),
        TURNED, LABELLED, NAMED,
    ],
    ids=["merge", "information", "append", "replace", "mark", "crlf", "unversioned", "late", "turned", "both", "name"],
)  # fmt: skip
def test_sdmx_csv_however_it_is_laid_out(house: House, message: str) -> None:
    sent(house, message)
    (row,) = house.rows(FLOW)
    assert {name: row[name] for name in EXPECTED if name in row} == {
        name: value for name, value in EXPECTED.items() if name in row
    }
    assert set(EXPECTED) - set(row) <= {"GEAR[]", "REMARK[en;fr]"}
    assert {value for name, value in row.items() if name.startswith(("GEAR", "REMARK"))} & {"NET;ROD", "en:Seen;fr:Vu"}


def test_sdmx_csv_1_0(house: House) -> None:
    sent(
        house,
        "DATAFLOW,FISH,PORT,FREQ,TIME_PERIOD,OBS_VALUE,STATUS,UNIT\nSEA:DF_CATCH(1.0.0),NA,007,M,2024-01,16.10,A,kg\n",
    )
    assert figures(house) == {("007", "NA", "2024-01"): "16.10"}


def test_several_structures_and_actions_in_one_message(house: House) -> None:
    head = "STRUCTURE,STRUCTURE_ID,ACTION,FREQ,PORT,FISH,TIME_PERIOD,WEIGHT,STATUS,UNIT\n"
    catch, licence = "dataflow,SEA:DF_CATCH(1.0.0)", "datastructure,SEA:DSD_CATCH(1.0.0)"
    message = (
        head + f"{catch},M,M,SOU,COD,2024-01,1,A,kg\n{licence},M,M,SOU,EEL,2024-01,2,A,kg\n"
        f"{catch},D,M,SOU,COD,2024-01,,,\n{catch},R,M,SOU,COD,2024-02,3,A,kg\n"
    )
    sent(house, message)
    assert figures(house) == {("SOU", "EEL", "2024-01"): "2", ("SOU", "COD", "2024-02"): "3"}


# --- actions in every family ------------------------------------------------------------------------------------------
START = (
    "STRUCTURE,STRUCTURE_ID,ACTION,FREQ,PORT,FISH,TIME_PERIOD,WEIGHT,GRADE,STATUS,UNIT\n"
    + "".join(
        f"dataflow,SEA:DF_CATCH(1.0.0),M,M,{port},{fish},{period},5,G1,A,kg\n"
        for port in ("NOR", "SOU") for fish in ("COD", "EEL") for period in ("2024-01", "2024-02")
    )
)  # fmt: skip
SPACE = "http://www.sdmx.org/resources/sdmxml/schemas/v{}"


def xml(action: str, content: str, version: str = "3_0") -> str:
    """A structure-specific message about DF_CATCH."""
    space = SPACE.format(version)
    urn = "urn:sdmx:org.sdmx.infomodel.datastructure.Dataflow=SEA:DF_CATCH(1.0.0)"
    ref = f"<c:StructureUsage>{urn if version != '2_1' else f'<URN>{urn}</URN>'}</c:StructureUsage>"
    return f"""<m:StructureSpecificData xmlns:m="{space}/message" xmlns:c="{space}/common" xmlns:s="{space}/data/structurespecific">
<m:Header><m:ID>I</m:ID><m:Test>false</m:Test><m:Prepared>2024-01-01T00:00:00Z</m:Prepared><m:Sender id="SEA"/>
<m:Structure structureID="S" namespace="urn:x" dimensionAtObservation="TIME_PERIOD">{ref}</m:Structure></m:Header>
<m:DataSet s:structureRef="S" action="{action}">{content}</m:DataSet></m:StructureSpecificData>"""


ALL = {(port, fish, period) for port in ("NOR", "SOU") for fish in ("COD", "EEL") for period in ("2024-01", "2024-02")}
DELETIONS = {
    "an observation": ('<Series FREQ="M" PORT="NOR" FISH="COD"><Obs TIME_PERIOD="2024-01"/></Series>', {("NOR", "COD", "2024-01")}),
    "a series": ('<Series FREQ="M" PORT="NOR" FISH="COD"/>', {one for one in ALL if one[:2] == ("NOR", "COD")}),
    "a part of the key": ('<Series FISH="COD"/>', {one for one in ALL if one[1] == "COD"}),
    "a period of all": ('<Series><Obs TIME_PERIOD="2024-02"/></Series>', {one for one in ALL if one[2] == "2024-02"}),
    "everything": ("<Series/>", ALL),
    "nothing": ("", set()),
}  # fmt: skip


@pytest.mark.parametrize("what", DELETIONS)
@pytest.mark.parametrize("version", ["2_1", "3_0", "3_1"])
def test_bulk_deletion_in_sdmx_ml(house: House, what: str, version: str) -> None:
    sent(house, START)
    content, gone = DELETIONS[what]
    receipt, findings = house.send(xml("Delete", content, version).encode(), name="gone.xml", provider="SEA.HARBOUR")
    if not gone:
        assert (receipt.status, [one.code for one in findings]) == ("refused", ["F109"])
    assert set(figures(house)) == ALL - gone


def test_actions_of_sdmx_ml(house: House) -> None:
    sent(house, START)
    content = (
        '<Series FREQ="M" PORT="NOR" FISH="COD" UNIT="kg"><Obs TIME_PERIOD="2024-01" WEIGHT="7" STATUS="E"/></Series>'
    )
    sent(house, xml("Merge", content, "3_1"), "a.xml")
    row = next(
        row for row in house.rows(FLOW) if (row["PORT"], row["FISH"], row["TIME_PERIOD"]) == ("NOR", "COD", "2024-01")
    )
    assert (row["WEIGHT"], row["GRADE"], row["STATUS"]) == ("7", "G1", "E")
    sent(house, xml("Replace", content.replace('"7"', '"8"')), "a.xml")
    row = next(
        row for row in house.rows(FLOW) if (row["PORT"], row["FISH"], row["TIME_PERIOD"]) == ("NOR", "COD", "2024-01")
    )
    assert (row["WEIGHT"], row["GRADE"]) == ("8", "")
    assert set(figures(house)) == ALL


@pytest.mark.parametrize("version", ["2.1", "2.0", "1.0"])
def test_actions_of_sdmx_json(house: House, version: str) -> None:
    sent(house, START)
    kind = f"application/vnd.sdmx.data+json;version={version}.0"
    document = json.loads(house.body(f"{FLOW}?c[PORT]=NOR&c[FISH]=COD", kind))
    (dataset,) = document["data"]["dataSets"]
    dataset["action"] = "Delete"
    for name in ("attributes", "dimensionGroupAttributes"):
        dataset.pop(name, None)
    for level in [dataset, *dataset.get("series", {}).values()]:
        level.pop("attributes", None)
        level["observations"] = {place: [] for place in level.get("observations", {})}
    if "series" in dataset:
        del dataset["observations"]
    sent(house, json.dumps(document), "gone.json")
    assert set(figures(house)) == {one for one in ALL if one[:2] != ("NOR", "COD")}


def test_a_message_is_one_transaction(house: House) -> None:
    sent(house, START)
    before = house.library.store.pointer(), figures(house)
    wrong = xml("Delete", "<Series/>").replace(
        "</m:StructureSpecificData>",
        '<m:DataSet s:structureRef="S" action="Merge"><Series FREQ="M" PORT="NOR" FISH="COD" UNIT="kg">'
        '<Obs TIME_PERIOD="2024-13" WEIGHT="1" STATUS="A"/></Series></m:DataSet></m:StructureSpecificData>',
    )
    receipt, findings = house.send(wrong.encode(), name="a.xml", provider="SEA.HARBOUR")
    assert (receipt.status, [one.code for one in findings]) == ("refused", ["F403", "F255"])
    assert (house.library.store.pointer(), figures(house)) == before


@pytest.fixture
def history(house: House) -> dict[str, Any]:
    """A history of two states an hour apart, 5 and 6, while 7 is the present now."""
    for weight in "56":
        sent(house, START.replace(",5,", f",{weight},"))
    document = json.loads(house.body(f"{FLOW}?includeHistory=true", JSON))
    first, second = document["data"]["dataSets"]
    assert {first["validFrom"], second["validFrom"]} != {None}
    first["validFrom"], second["validFrom"] = "2024-01-01T00:00:00Z", "2024-01-01T01:00:00Z"
    for state, weight in ((first, "5"), (second, "6")):
        cells = [cell for one in state["series"].values() for cell in one["observations"].values()]
        assert {cell[0] for cell in cells} == {weight}
    sent(house, START.replace(",5,", ",7,"))
    assert set(figures(house).values()) == {"7"}
    return dict(document)


def test_a_history_is_not_taken_for_the_present(house: House, history: dict[str, Any]) -> None:
    """What holds in the end is the last state, whole; of the first one nothing is left."""
    sent(house, json.dumps(history), "history.json")
    assert figures(house) == dict.fromkeys(ALL, "6")


def test_a_history_that_runs_backwards_is_refused(house: House, history: dict[str, Any]) -> None:
    """Applied in the order of the message, an older state would take the place of a newer one."""
    before = figures(house)
    history["data"]["dataSets"].reverse()
    receipt, findings = house.send(json.dumps(history).encode(), name="history.json", provider="SEA.HARBOUR")
    assert (receipt.status, [one.code for one in findings]) == ("refused", ["F284"])
    assert figures(house) == before


def test_a_history_that_ends_with_a_deletion_leaves_nothing_there(house: House) -> None:
    sent(house, START)
    sent(house, xml("Delete", DELETIONS["an observation"][0]), "gone.xml")
    document = house.body(f"{FLOW}?includeHistory=true", JSON)
    assert [one["action"] for one in json.loads(document)["data"]["dataSets"]] == ["Replace", "Delete"]
    sent(house, START)
    assert set(figures(house)) == ALL
    sent(house, document, "history.json")
    assert set(figures(house)) == ALL - DELETIONS["an observation"][1]


def test_a_history_without_times_is_a_key_twice(house: House) -> None:
    """SDMX-CSV says no times of validity: nobody can tell which of two rows holds."""
    for weight in "567":
        sent(house, START.replace(",5,", f",{weight},"))
    table = house.body(f"{FLOW}?includeHistory=true", "application/vnd.sdmx.data+csv;version=2.0.0")
    receipt, findings = house.send(table if isinstance(table, bytes) else table.encode(), name="history.csv",
                                   provider="SEA.HARBOUR")  # fmt: skip
    assert (receipt.status, {one.code for one in findings}) == ("refused", {"F501"})
    assert set(figures(house).values()) == {"7"}
