"""A small house for the tests of answers: the invented sea of ``tests/second_domain``, two providers, two dataflows.

The rows below are the source that answers are compared with; what an answer should hold is worked out from them in
plain Python.
"""

from __future__ import annotations

import csv
import io
import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sdmx_service.storage.port import Ranking
from tests.harness import House, open_house

Row = dict[str, Any]
CONTENT = Path(__file__).parent.parent / "second_domain" / "content"
KEY = ("FREQ", "PORT", "FISH", "TIME_PERIOD")
MEASURES = ("WEIGHT", "GRADE")
ATTRIBUTES = ("SOURCE", "PORT_NOTE", "UNIT", "STATUS", "GEAR", "REMARK")
LEVELS = {"dataset": ("SOURCE",), "series": ("PORT_NOTE", "UNIT"), "obs": ("STATUS", "GEAR", "REMARK")}
URN = "urn:sdmx:org.sdmx.infomodel."

# --- the figures --------------------------------------------------------------------------------------------------


def _row(key: str, weight: str | None, status: str = "A", **more: Any) -> Row:
    frequency, port, fish, time = key.split(".")
    row: Row = {"FREQ": frequency, "PORT": port, "FISH": fish, "TIME_PERIOD": time, "STATUS": status, **more}
    row["UNIT"] = "kg" if fish == "COD" else "t"
    return row if weight is None else {**row, "WEIGHT": weight}


def _harbour() -> Iterator[Row]:
    months = ("2023-12", "2024-01", "2024-02", "2024-03")
    for place, port in enumerate(("NOR", "SOU", "007")):
        for fish in ("COD", "EEL"):
            for month, time in enumerate(months):
                number = 100 * place + 10 * month + (5 if fish == "EEL" else 0)
                row = _row(f"M.{port}.{fish}.{time}", f"{number - 20}.{month}0", "E" if month == 2 else "A")
                if fish == "EEL":
                    row["GRADE"] = "G1" if month % 2 else "G2"
                if port == "SOU":
                    row["GEAR"] = ["NET", "ROD"] if month % 2 else ["POT"]
                if month == 0:
                    row["REMARK"] = {"en": f'fine & "dry", {port}', "fr": f"beau <temps>; {port}"}
                yield row
    yield _row("Q.NOR.COD.2023-Q4", "1000.5")
    yield _row("Q.NOR.COD.2024-Q1", "1001.50")
    yield _row("Q.SOU.COD.2023-Q4", None, "Q", GRADE="G2")
    yield _row("Q.SOU.COD.2024-Q1", "#N/A", "Q")
    yield _row("A.NOR.COD.2023", "12345678901234567890.125")
    yield _row("A.NOR.COD.2024", "-0.5", "E")


HARBOUR = [
    {**row, "SOURCE": 'Harbour "book"', **({"PORT_NOTE": f"Note, {row['PORT']}"} if row["PORT"] != "007" else {})}
    for row in _harbour()
]
COAST = [
    {**row, "SOURCE": "Coast log", **({"PORT_NOTE": f"Seen, {row['PORT']}"} if row["PORT"] == "NOR" else {})}
    for row in (
        _row("M.NOR.COD.2024-02", "7.7", "E", GRADE="G1"),  # the harbour has it too
        _row("M.NOR.COD.2024-04", "8.80"),
        _row("M.SOU.EEL.2024-03", "9.9", GEAR=["POT", "NET"]),  # the harbour has it too
        _row("Q.007.COD.2024-Q1", "10.10"),
        _row("M.NOR.EEL.2024-05", "11", REMARK={"en": "late"}),
    )
]
ESTIMATES = [
    {**row, "SOURCE": "Model"}
    for row in (
        _row("M.NOR.COD.2024-03", "500.5", "E"),  # the other dataflow has it too
        _row("M.NOR.COD.2024-06", "501.5", "E"),
        _row("A.SOU.COD.2024", "502", "E"),
    )
]
LICENCES: list[Row] = [
    {"PORT": "007", "FISH": "EEL", "LICENCES": "12"},
    {"PORT": "NOR", "FISH": "COD", "LICENCES": "0"},
    {"PORT": "NOR", "FISH": "EEL", "LICENCES": "3"},
]
JOBS: list[Row] = [
    {"AREA": "UK", "EMPLOYMENT": "EMP", "SEX": "M", "HEADS": "1"},
    {"AREA": "FR", "EMPLOYMENT": "EMP", "SEX": "M", "HEADS": "2"},
    {"AREA": "FR", "EMPLOYMENT": "UEMP", "SEX": "F", "HEADS": "3"},
]
"""The worked example of SDMX-REST 2.2, availability.md, *Response Mode*."""


def key_of(row: Row, ids: Sequence[str] = KEY) -> tuple[str, ...]:
    """The values of the key."""
    return tuple(row.get(id, "") for id in ids)


def _shown(*sources: Sequence[Row]) -> list[Row]:
    """One row per key, of the first source that has it; attributes of series, ports and the whole likewise."""
    found: dict[tuple[str, ...], Row] = {}
    for source in sources:
        for row in source:
            found.setdefault(key_of(row), row)
    shown = []
    for row in found.values():
        made = {id: value for id, value in row.items() if id not in ("SOURCE", "PORT_NOTE", "UNIT")}
        for id, level in (("SOURCE", ()), ("PORT_NOTE", ("PORT",)), ("UNIT", KEY[:3])):
            said = (
                one[id] for source in sources for one in source if id in one and all(one[d] == row[d] for d in level)
            )
            if (value := next(said, None)) is not None:
                made[id] = value
        shown.append(made)
    return sorted(shown, key=key_of)


CATCH = _shown(HARBOUR, COAST)
"""What ``DF_CATCH`` shows: the harbour ranks before the coast, though not by its name."""
ESTIMATED = _shown(ESTIMATES)
ALL_CATCH = _shown(HARBOUR, COAST, ESTIMATES)
"""What ``DSD_CATCH`` shows: ``DF_CATCH`` ranks before ``DF_CATCH_EST``."""


def rows_where(rows: Sequence[Row], test: Callable[[Row], bool]) -> list[Row]:
    """The rows that pass."""
    return [row for row in rows if test(row)]


# --- the structures -----------------------------------------------------------------------------------------------


def _named(id: str, **more: Any) -> dict[str, Any]:
    return {"id": id, "name": f"The {id}", "names": {"en": f"The {id}", "fr": f"Le {id}"}, **more}


def _artefact(id: str, version: str = "1.0.0", **more: Any) -> dict[str, Any]:
    return {**_named(id), "agencyID": "SEA", "version": version, **more}


def _codelist(id: str, version: str, *codes: str, parent: str | None = None, **more: Any) -> dict[str, Any]:
    made = [_named(code, **({"parent": parent} if parent and code != parent else {})) for code in codes]
    return _artefact(id, version, codes=made, **more)


def _dimension(id: str, place: int) -> dict[str, Any]:
    return {
        "id": id, "position": place, "conceptIdentity": f"{URN}conceptscheme.Concept=SEA:CS_JOBS(1.0+.0).{id}",
        "localRepresentation": {"enumeration": f"{URN}codelist.Codelist=SEA:CL_{id}(1.0+.0)"},
    }  # fmt: skip


def _jobs() -> dict[str, Any]:
    measure = {
        "id": "HEADS", "conceptIdentity": f"{URN}conceptscheme.Concept=SEA:CS_JOBS(1.0+.0).HEADS",
        "localRepresentation": {"format": {"dataType": "Integer"}},
    }  # fmt: skip
    dimensions = [_dimension(id, place) for place, id in enumerate(("AREA", "EMPLOYMENT", "SEX"))]
    components = {
        "dimensionList": {"id": "DimensionDescriptor", "dimensions": dimensions},
        "measureList": {"id": "MeasureDescriptor", "measures": [measure]},
    }
    return _artefact("DSD_JOBS", dataStructureComponents=components)


def _agreement(id: str, flow: str, provider: str) -> dict[str, Any]:
    provider = f"{URN}base.DataProvider=SEA:DATA_PROVIDERS(1.0).{provider}"
    return _artefact(id, dataflow=f"{URN}datastructure.Dataflow=SEA:{flow}(1.0.0)", dataProvider=provider)


def _category(id: str, *inner: dict[str, Any]) -> dict[str, Any]:
    return _named(id, **({"categories": list(inner)} if inner else {}))


def extra() -> dict[str, Any]:
    """What the invented sea has besides ``tests/second_domain``."""
    catch = f"{URN}datastructure.DataStructure=SEA:DSD_CATCH(1.0+.0)"
    flow = f"{URN}datastructure.Dataflow=SEA:DF_CATCH(1.0+.0)"
    category = f"{URN}categoryscheme.Category=SEA:TOPICS(1.0.0)"
    region = {"include": True, "keyValues": [{"id": "FISH", "values": [{"value": "COD"}, {"value": "EEL"}]}]}
    return {
        "codelists": [
            _codelist("CL_AREA", "1.0.0", "EU", "FR", "UK", "US", parent="EU"),
            _codelist("CL_EMPLOYMENT", "1.0.0", "EMP", "UEMP", "NA"),
            _codelist("CL_SEX", "1.0.0", "F", "M", "_T"),
            *(_codelist("CL_MANY", v, "A") for v in ("1.0", "1.0.0", "1.1.0", "1.1.1", "2.0.0", "2.1.0-draft")),
            _codelist(
                "CL_SHORE", "1.0.0", "PIER", codelistExtensions=[{"codelist": f"{URN}codelist.Codelist=SEA:CL_PORT(1.0.0)"}]
            ),
        ],
        "conceptSchemes": [_artefact("CS_JOBS", concepts=[_named(id) for id in ("AREA", "EMPLOYMENT", "SEX", "HEADS", "SPARE")])],
        "dataStructures": [_jobs()],
        "dataflows": [
            _artefact("DF_CATCH", "1.1.0", structure=catch, annotations=[{"id": "A1", "title": "kept in complete stubs"}],
                      descriptions={"en": "Every catch", "fr": "Chaque prise"}, description="Every catch"),
            _artefact("DF_CATCH", "2.0.0-draft", structure=catch),
            _artefact("DF_CATCH_EST", structure=catch),
            _artefact("DF_JOBS", structure=f"{URN}datastructure.DataStructure=SEA:DSD_JOBS(1.0+.0)"),
        ],
        "provisionAgreements": [
            _agreement("PA_CATCH_COAST", "DF_CATCH", "COAST"),
            _agreement("PA_JOBS", "DF_JOBS", "HARBOUR"),
        ],
        "dataConstraints": [
            _artefact("CON_CATCH", role="Allowed", constraintAttachment={"dataflows": [flow]}, cubeRegions=[region])
        ],
        "categorySchemes": [
            _artefact("TOPICS", categories=[_category("WATER", _category("CATCH", _category("DEEP")), _category("SHIPS")),
                                            _category("LAND")])
        ],
        "categorisations": [
            _artefact("C_CATCH", "1.0", source=f"{URN}datastructure.Dataflow=SEA:DF_CATCH(1.1.0)", target=f"{category}.WATER.CATCH"),
            _artefact("C_JOBS", "1.0", source=f"{URN}datastructure.Dataflow=SEA:DF_JOBS(1.0.0)", target=f"{category}.LAND"),
        ],
        "agencySchemes": [
            {**_artefact("AGENCIES", "1.0", agencies=[_named("SEA"), _named("SKY")]), "agencyID": "SDMX"}
        ],
    }  # fmt: skip


# --- the house ----------------------------------------------------------------------------------------------------


def as_csv(flow: str, rows: Sequence[Row], ids: Sequence[str]) -> bytes:
    """Rows as a submission in SDMX-CSV 2.1."""
    heads = {"GEAR": "GEAR[]", "REMARK": "REMARK[en;fr]"}
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["STRUCTURE[;]", "STRUCTURE_ID", "ACTION", *(heads.get(id, id) for id in ids)])
    for row in rows:
        writer.writerow(["dataflow", f"SEA:{flow}(1.0.0)", "M", *(_cell(row.get(id)) for id in ids)])
    return out.getvalue().encode()


def _cell(value: Any) -> str:
    if isinstance(value, list):
        return ";".join(value)
    if isinstance(value, dict):
        return ";".join(f'{tag}:"{text.replace(chr(34), 2 * chr(34))}"' for tag, text in value.items())
    return value or ""


def write_content(folder: Path) -> Path:
    """The content folder of the house."""
    shutil.copytree(CONTENT, folder)
    meta = {"id": "EXTRA", "test": False, "prepared": "2026-01-01T00:00:00Z", "sender": {"id": "SEA"}}
    (folder / "dsd" / "extra.json").write_text(json.dumps({"meta": meta, "data": extra()}))
    return folder


def send(house: House, flow: str, rows: Sequence[Row], ids: Sequence[str], provider: str) -> None:
    """Submit and publish rows."""
    receipt, findings = house.send(as_csv(flow, rows, ids), name=f"{flow}.csv", provider=f"SEA.{provider}")
    assert receipt.status == "published", findings


@contextmanager
def open_fishery(folder: Path, more: Callable[[Path], None] = lambda content: None) -> Iterator[House]:
    """The house, filled; ``more`` may lay further files into the content folder before."""
    content = write_content(folder / "content")
    more(content)
    with open_house(f"duckdb:///{folder / 'store.duckdb'}", content) as house:
        every = (*KEY, *MEASURES, *ATTRIBUTES)
        send(house, "DF_CATCH", COAST, every, "COAST")
        send(house, "DF_CATCH", HARBOUR, every, "HARBOUR")
        send(house, "DF_CATCH_EST", ESTIMATES, every, "HARBOUR")
        send(house, "DF_LICENCE", LICENCES, ("PORT", "FISH", "LICENCES"), "HARBOUR")
        send(house, "DF_JOBS", JOBS, ("AREA", "EMPLOYMENT", "SEX", "HEADS"), "HARBOUR")
        house.library.store.publish((), ranking=Ranking(providers={"SEA:DF_CATCH(1)": ("SEA.HARBOUR", "SEA.COAST")}))
        yield house
