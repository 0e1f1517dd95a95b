"""The rows of the maps from partner agencies' area codes, from the tables in ``sources/``.

A code without target is undecided: it makes no row, and the map names it, with the reason, in an annotation. Rows with
a validity begin and end with calendar years, so that each annual period belongs to one of them.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from codelists.build import table as codelist_table

HERE = Path(__file__).parent


class DatedRow(NamedTuple):
    """A row of a representation map that may hold for some periods only."""

    sources: tuple[str, ...]
    targets: tuple[str, ...]
    note: str
    valid_from: str = ""
    valid_to: str = ""


def table(name: str) -> list[dict[str, str]]:
    """The rows of ``sources/<name>.csv``."""
    with (HERE / "sources" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def row(source: str, target: str, note: str = "", valid_from: str = "", valid_to: str = "") -> DatedRow:
    """A row of one source and one target."""
    return DatedRow((source,), (target,), note, valid_from, valid_to)


def iso_to_m49(system: str) -> Iterator[DatedRow]:
    """ISO 3166-1 codes to M49, those whose country changed with validity; first the dated ones."""
    dated = [one for one in table("dated_codes") if one["system"] == system]
    for one in dated:
        yield row(one["source"], one["target"], one["note"], one["valid_from"], one["valid_to"])
    done = {one["source"] for one in dated}
    for area in codelist_table("areas"):
        code = area[system.lower()]
        if area["kind"] == "area" and code and code not in done:
            yield row(code, area["code"])


def oecd(*, is_reporting: bool = False, world: str = "_T") -> Iterator[DatedRow]:
    """The OECD's areas.

    Args:
        is_reporting: former states report until they end; as a place of birth or a citizenship they stay.
        world: what the world means: the total, or in a table of foreigners all of these.
    """
    for one in table("oecd_areas"):
        if one["target"]:
            target = world if one["source"] == "W" else one["target"]
            yield row(one["source"], target, one["note"], "", one["valid_to"] if is_reporting else "")


def unhcr() -> Iterator[DatedRow]:
    """UNHCR's own codes."""
    yield from (row(one["unhcr"], one["target"], one["note"]) for one in table("unhcr_areas") if one["target"])


def unhcr_iso() -> Iterator[DatedRow]:
    """The columns of ISO codes in UNHCR's files: today's countries for all years, and UNHCR's special codes."""
    special = {"UNK": "UNK", "XXX": "UNK", "XXA": "STLS", "STA": "STLS", "TIB": "OTH"}
    yield from (row(source, target) for source, target in special.items())
    for area in codelist_table("areas"):
        if area["kind"] == "area" and area["iso3"]:
            yield row(area["iso3"], area["code"])


def desa() -> Iterator[DatedRow]:
    """UN DESA's location codes: regions and groups above 899, and M49 countries as they are."""
    yield from (row(one["source"], one["target"], one["note"]) for one in table("desa_areas") if one["target"])
    for area in codelist_table("areas"):
        if area["kind"] == "area" and area["code"].isdigit():
            yield row(area["code"], area["code"])


def undecided(name: str, source: str = "source") -> list[dict[str, str]]:
    """The codes of a table that nothing is mapped to, as annotations."""
    return [
        {"type": "UNDECIDED", "title": one[source], "text": one["note"]} for one in table(name) if not one["target"]
    ]


ROWS: dict[str, Callable[[], Iterator[DatedRow]]] = {
    "RM_ISO2_M49": lambda: iso_to_m49("ISO2"),
    "RM_ISO3_M49": lambda: iso_to_m49("ISO3"),
    "RM_OECD_M49": oecd,
    "RM_OECD_REPORTING_M49": lambda: oecd(is_reporting=True),
    "RM_OECD_FOREIGNERS": lambda: oecd(world="FOR_STLS"),
    "RM_UNHCR_M49": unhcr,
    "RM_UNHCR_ISO_M49": unhcr_iso,
    "RM_DESA_M49": desa,
}
UNDECIDED: dict[str, Callable[[], list[dict[str, str]]]] = {
    "RM_OECD_M49": lambda: undecided("oecd_areas"),
    "RM_UNHCR_M49": lambda: undecided("unhcr_areas", "unhcr"),
    "RM_DESA_M49": lambda: undecided("desa_areas"),
}
