"""Write the codelists, hierarchies and the concept scheme of this folder from the tables in ``sources/``.

The JSON messages are what the service loads; this script only saves typing and keeps them alike. Run it after a
change of a table, from the top of the project: ``python -m codelists.build``. It needs babel, whose CLDR territory
names give areas and regions their names in the six official languages of the United Nations.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from babel import Locale

from codelists.ages import ages
from codelists.hierarchies import hierarchies
from codelists.indicators import indicators
from codelists.messages import AGENCY, HERE, LANGUAGES, VERSION, maintained, message, named, table, titles, words, write

__all__ = ["AGENCY", "HERE", "LANGUAGES", "VERSION", "maintained", "message", "messages", "named", "table", "write"]


def areas() -> list[dict[str, Any]]:
    """The codes of CL_AREA_MIG, with the dates of those that came or went and what followed what."""
    written = {row["code"]: row for row in table("area_names")}
    territories = {tag: Locale(tag).territories for tag in LANGUAGES}
    rows = table("areas")
    predecessors: dict[str, list[str]] = {}
    for row in rows:
        for successor in row["successors"].split():
            predecessors.setdefault(successor, []).append(row["code"])
    codes = []
    for row in rows:
        names = {tag: territories[tag].get(row["cldr"], "") if row["cldr"] else "" for tag in LANGUAGES}
        names |= {tag: row[tag] for tag in ("en", "fr") if row[tag]}
        names |= {tag: text for tag in LANGUAGES if (text := written.get(row["code"], {}).get(tag))}
        code = named(row["code"], names, {"en": row["note"], "fr": row["note_fr"]})
        notes = [
            ("AREA_TYPE", row["kind"]),
            ("ISO2", row["iso2"]),
            ("ISO3", row["iso3"]),
            ("VALID_FROM", row["valid_from"]),
            ("VALID_TO", row["valid_to"]),
            ("PREDECESSOR", " ".join(predecessors.get(row["code"], []))),
            ("SUCCESSOR", row["successors"]),
        ]
        code["annotations"] = titles(notes)
        codes.append(code | ({"parent": row["parent"]} if row["parent"] else {}))
    return codes


@cache
def translations() -> dict[tuple[str, str], dict[str, str]]:
    """Names beside English and French by list and code; the list ``*`` is for codes that are in many lists."""
    return {(row["list"], row["code"]): row for row in table("translations")}


def plain(list_id: str, languages: list[str]) -> list[dict[str, Any]]:
    """The codes of a list that is written out in ``sources/codes.csv``, in the languages of the list."""
    codes = []
    for row in table("codes"):
        if row["list"] != list_id:
            continue
        known = translations().get((list_id, row["code"])) or translations().get(("*", row["code"]), {})
        names = {tag: row[tag] if tag in ("en", "fr") else known[tag] for tag in languages}
        code = named(row["code"], names, {"en": row["description"], "fr": row["description_fr"]})
        codes.append(code | ({"parent": row["parent"]} if row["parent"] else {}))
    return codes


def concepts() -> list[dict[str, Any]]:
    """The concepts of CS_MIG."""
    return [
        named(
            row["concept"],
            {"en": row["en"], "fr": row["fr"]},
            {"en": row["definition_en"], "fr": row["definition_fr"]},
        )
        for row in table("concepts")
    ]


def decimals() -> list[dict[str, Any]]:
    """The codes of CL_DECIMALS."""
    texts = {0: ("Zero", "Zéro"), 1: ("One", "Un"), 2: ("Two", "Deux"), 3: ("Three", "Trois"), 4: ("Four", "Quatre")}
    return [
        named(str(n), dict(zip(("en", "fr"), texts.get(n, (f"{n} decimals", f"{n} décimales")), strict=True)))
        for n in range(16)
    ]


def codelist(row: dict[str, str]) -> dict[str, Any]:
    """A codelist; its annotations tell its status and where the names of each language come from."""
    made = {"CL_AREA_MIG": areas, "CL_AGE": ages, "CL_DECIMALS": decimals, "CL_MIG_INDICATOR": indicators}
    list_id, languages = row["list"], row["languages"].split()
    names = {tag: row[tag] for tag in languages}
    header = maintained(list_id, names, {"en": row["description"], "fr": row["description_fr"]})
    header["annotations"] = [
        *titles([("STATUS", row["status"])]),
        words("TRANSLATIONS", row["names_from"], row["names_from_fr"]),
    ]
    codes = made[list_id]() if list_id in made else plain(list_id, languages)
    return header | {"isPartial": False, "codes": codes}


def messages() -> dict[Path, dict[str, Any]]:
    """Every message of this folder by its path."""
    found = {}
    for row in table("lists"):
        content = {"codelists": [codelist(row)]}
        found[HERE / f"{row['list']}.json"] = message(row["list"], content, tuple(row["languages"].split()))
    for id_, content in hierarchies().items():
        found[HERE / f"{id_}.json"] = message(id_, content, LANGUAGES)
    texts = {"en": "Concepts of migration statistics", "fr": "Concepts des statistiques de migration"}
    scheme = maintained("CS_MIG", texts) | {"isPartial": False, "concepts": concepts()}
    return found | {HERE / "CS_MIG.json": message("CS_MIG", {"conceptSchemes": [scheme]})}


if __name__ == "__main__":
    for path, content in messages().items():
        write(path, content)
