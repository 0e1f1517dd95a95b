"""The apiary as a content folder and as a whole service without HTTP, with a few figures."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from sdmx_service.formats.registry import named
from sdmx_service.model.message import Header, Message, Party, WriteOptions
from tests.every_type.artefacts import AGENCY, every_artefact
from tests.harness import House, open_house

FIGURES = (
    ("A", "NORTH", "LIME", "2020", "1.50", "kg", "A", "Ada"),
    ("A", "NORTH", "LIME", "2021", "2.25", "kg", "E", "Ada"),
    ("A", "SOUTH", "CLOVER", "2020", "10", "kg", "A", ""),
    ("M", "SOUTH", "007", "2020-05", "0.5", "t", "", ""),
)
COLUMNS = ("FREQ", "REGION", "FLOWER", "TIME_PERIOD", "OBS_VALUE", "UNIT", "STATUS", "KEEPER")


def write_content(folder: Path) -> Path:
    """A content folder with every artefact, as SDMX-JSON 2.1."""
    header = Header(id="EVERY", sender=Party(id=AGENCY), prepared=datetime(2026, 1, 1, tzinfo=UTC))
    message = Message(header=header, structures=every_artefact())
    write = named("structure-json-2.1").write
    assert write is not None
    for name in ("dsd", "codelists", "mappings"):
        (folder / name).mkdir(parents=True)
    (folder / "dsd" / "every.json").write_bytes(b"".join(write(message, WriteOptions())))
    return folder


def figures() -> bytes:
    """The figures as a submission in SDMX-CSV 2.1, for ``DF_HONEY`` by the provider ``BEES.HIVES``."""
    lines = [("STRUCTURE", "STRUCTURE_ID", "ACTION", *COLUMNS)]
    lines += [("dataflow", f"{AGENCY}:DF_HONEY(1.0.0)", "M", *row) for row in FIGURES]
    return "\n".join(",".join(line) for line in lines).encode() + b"\n"


@contextmanager
def open_apiary(folder: Path) -> Iterator[House]:
    """The house, filled."""
    with open_house(f"duckdb:///{folder / 'store.duckdb'}", write_content(folder / "content")) as house:
        receipt, findings = house.send(figures(), name="honey.csv", provider=f"{AGENCY}.HIVES")
        assert receipt.status == "published", findings
        yield house
