"""What comes in by each door: the same figures whatever the format, and findings where something was not as it seems."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.harness import House, open_house

CONTENT = Path(__file__).parent.parent / "second_domain" / "content"
FLOW = "v2/data/dataflow/SEA/DF_CATCH/1.0.0"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with open_house(f"duckdb:///{tmp_path / 'store.duckdb'}", CONTENT) as opened:
        yield opened


def figures(house: House) -> dict[tuple[str, str, str], str]:
    return {(row["PORT"], row["FISH"], row["TIME_PERIOD"]): row["WEIGHT"] for row in house.rows(FLOW)}


COMPACT = """<?xml version="1.0" encoding="UTF-8"?>
<CompactData xmlns="http://www.SDMX.org/resources/SDMXML/schemas/v2_0/message" xmlns:c="{space}">
<Header><ID>T</ID><Test>false</Test><Prepared>2014-06-05</Prepared><Sender id="SEA"/>{header}</Header>
<c:DataSet action="Append" {said}><c:Series FREQ="M" PORT="SOU" FISH="COD" UNIT="kg">
<c:Obs TIME_PERIOD="2024-01" WEIGHT="16.10" STATUS="A"/><c:Obs TIME_PERIOD="2024-02" WEIGHT="17" STATUS="A"/></c:Series>
</c:DataSet></CompactData>"""
FAMILY = "urn:sdmx:org.sdmx.infomodel.keyfamily.KeyFamily=SEA:DSD_CATCH:compact"


@pytest.mark.parametrize(
    ("space", "header", "said", "dataflow"),
    [
        (FAMILY, "", "", None),
        ("urn:x", "<KeyFamilyRef>DSD_CATCH</KeyFamilyRef><KeyFamilyAgency>SEA</KeyFamilyAgency>", "", None),
        ("urn:x", "", 'dataflowAgencyID="SEA" dataflowID="DF_CATCH"', None),
        ("urn:x", "", "", "SEA:DF_CATCH"),
    ],
)
def test_sdmx_ml_2_0(house: House, space: str, header: str, said: str, dataflow: str | None) -> None:
    wish = {} if dataflow is None else {"dataflow": dataflow}
    message = COMPACT.format(space=space, header=header, said=said).encode()
    receipt, findings = house.send(message, name="old.xml", provider="SEA.HARBOUR", **wish)
    assert (receipt.status, findings) == ("published", [])
    assert figures(house) == {("SOU", "COD", "2024-01"): "16.10", ("SOU", "COD", "2024-02"): "17"}


def test_sdmx_ml_2_0_whose_codes_are_wrong_names_the_line(house: House) -> None:
    message = COMPACT.format(space=FAMILY, header="", said="").replace("2024-02", "2024-13").encode()
    _, findings = house.send(message, name="old.xml", provider="SEA.HARBOUR")
    assert [(one.code, one.row, one.column, one.value) for one in findings] == [("F403", 5, "TIME_PERIOD", "2024-13")]
