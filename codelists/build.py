"""Write the codelists and the concept scheme of this folder from the tables in ``sources/``.

The JSON messages are what the service loads; this script only saves typing and keeps them alike. Run it after a
change of a table, from the top of the project: ``python -m codelists.build``. It needs babel, whose CLDR territory
names give areas and regions their names in the six official languages of the United Nations.
"""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

from babel import Locale

HERE = Path(__file__).parent
AGENCY = "UNSD_MIG"
VERSION = "1.0.0"
PREPARED = "2026-01-01T00:00:00Z"
SCHEMA = (
    "https://raw.githubusercontent.com/sdmx-twg/sdmx-json/master/structure-message/tools/schemas/2.0.0/"
    "sdmx-json-structure-schema.json"
)
LANGUAGES = ("en", "fr", "es", "ru", "zh", "ar")
FIVE_YEAR_GROUPS = range(0, 100, 5)
OVERLAPPING_GROUPS = (
    *((1, 4), (0, 17), (5, 11), (12, 17), (15, 24), (15, 29), (15, 49), (18, 59), (18, 64)),
    *((20, 64), (25, 34), (25, 54), (25, 64), (35, 44), (45, 54), (55, 64), (0, 19), (65, 74), (65, 79)),
)
OVERLAPPING_OPEN_GROUPS = (15, 18, 20, 25, 60, 70, 75, 80, 90, 95)


def table(name: str) -> list[dict[str, str]]:
    """The rows of ``sources/<name>.csv``."""
    with (HERE / "sources" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def message(id_: str, data: dict[str, Any], languages: tuple[str, ...] = ("en", "fr")) -> dict[str, Any]:
    """An SDMX-JSON 2.0 structure message around ``data``."""
    meta = {
        "schema": SCHEMA,
        "id": id_,
        "test": False,
        "prepared": PREPARED,
        "contentLanguages": list(languages),
        "sender": {"id": AGENCY},
    }
    return {"meta": meta, "data": data}


def write(path: Path, content: dict[str, Any]) -> None:
    """Write ``content`` as readable JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def named(id_: str, names: dict[str, str], descriptions: dict[str, str] | None = None) -> dict[str, Any]:
    """The properties of a nameable artefact."""
    names = {tag: text for tag, text in names.items() if text}
    found: dict[str, Any] = {"id": id_, "name": names["en"], "names": names}
    descriptions = {tag: text for tag, text in (descriptions or {}).items() if text}
    if descriptions:
        found |= {"description": descriptions["en"], "descriptions": descriptions}
    return found


def maintained(id_: str, names: dict[str, str], descriptions: dict[str, str] | None = None) -> dict[str, Any]:
    """The properties of a maintainable artefact of this agency."""
    return named(id_, names, descriptions) | {"agencyID": AGENCY, "version": VERSION, "isExternalReference": False}


def areas() -> list[dict[str, Any]]:
    """The codes of CL_AREA_MIG."""
    written = {row["code"]: row for row in table("area_names")}
    territories = {tag: Locale(tag).territories for tag in LANGUAGES}
    codes = []
    for row in table("areas"):
        names = {tag: territories[tag].get(row["cldr"], "") if row["cldr"] else "" for tag in LANGUAGES}
        names |= {tag: row[tag] for tag in ("en", "fr") if row[tag]}
        names |= {tag: text for tag in LANGUAGES if (text := written.get(row["code"], {}).get(tag))}
        code = named(row["code"], names, {"en": row["note"]})
        notes = [
            ("AREA_TYPE", row["kind"]),
            ("ISO2", row["iso2"]),
            ("ISO3", row["iso3"]),
            ("VALID_TO", row["valid_to"]),
        ]
        code["annotations"] = [{"type": type_, "title": value} for type_, value in notes if value]
        codes.append(code | ({"parent": row["parent"]} if row["parent"] else {}))
    return codes


def ages() -> list[dict[str, Any]]:
    """The codes of CL_AGE: a tree of total, broad and five-year groups and single years, then overlapping groups."""
    codes = [named("_T", {"en": "Total", "fr": "Total"})]

    def add(code: str, en: str, fr: str, parent: str | None) -> None:
        codes.append(named(code, {"en": en, "fr": fr}) | ({"parent": parent} if parent else {}))

    def group(low: int, high: int, parent: str | None) -> None:
        add(f"Y{low}T{high}", f"{low} to {high} years", f"De {low} à {high} ans", parent)

    def open_group(low: int, parent: str | None) -> None:
        add(f"Y_GE{low}", f"{low} years or over", f"{low} ans ou plus", parent)

    group(0, 14, "_T")
    group(15, 64, "_T")
    open_group(65, "_T")
    open_group(85, "Y_GE65")
    for low in FIVE_YEAR_GROUPS:
        parent = "Y0T14" if low < 15 else "Y15T64" if low < 65 else "Y_GE65" if low < 85 else "Y_GE85"
        group(low, low + 4, parent)
    open_group(100, "Y_GE85")
    for age in range(100):
        parent = f"Y{age - age % 5}T{age - age % 5 + 4}"
        add(f"Y{age}", f"{age} year{'' if age == 1 else 's'}", f"{age} an{'' if age < 2 else 's'}", parent)
    for low, high in OVERLAPPING_GROUPS:
        group(low, high, None)
    for low in OVERLAPPING_OPEN_GROUPS:
        open_group(low, None)
    add("_U", "Unknown", "Inconnu", "_T")
    add("_Z", "Not applicable", "Non applicable", None)
    return codes


def plain(list_id: str) -> list[dict[str, Any]]:
    """The codes of a list that is written out in ``sources/codes.csv``."""
    rows = [row for row in table("codes") if row["list"] == list_id]
    return [
        named(row["code"], {"en": row["en"], "fr": row["fr"]}, {"en": row["description"]})
        | ({"parent": row["parent"]} if row["parent"] else {})
        for row in rows
    ]


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


def messages() -> dict[Path, dict[str, Any]]:
    """Every message of this folder by its path."""
    made = {"CL_AREA_MIG": areas, "CL_AGE": ages, "CL_DECIMALS": decimals}
    found = {}
    for row in table("lists"):
        list_id = row["list"]
        codes = made[list_id]() if list_id in made else plain(list_id)
        header = maintained(list_id, {"en": row["en"], "fr": row["fr"]}, {"en": row["description"]})
        languages = LANGUAGES if list_id == "CL_AREA_MIG" else ("en", "fr")
        content = {"codelists": [header | {"isPartial": False, "codes": codes}]}
        found[HERE / f"{list_id}.json"] = message(list_id, content, languages)
    texts = {"en": "Concepts of migration statistics", "fr": "Concepts des statistiques de migration"}
    scheme = maintained("CS_MIG", texts) | {"isPartial": False, "concepts": concepts()}
    return found | {HERE / "CS_MIG.json": message("CS_MIG", {"conceptSchemes": [scheme]})}


if __name__ == "__main__":
    for path, content in messages().items():
        write(path, content)
