"""Write the structure maps and representation maps of this folder from the tables in ``sources/``.

Run it from the top of the project after a change of a table: ``python -m mappings.build``. The layouts
(``<ID>/layout.json``) are written by hand; ``shared/senders.json`` holds the structures that the maps start from.
Tables of several sources or targets separate them with ``|``; a row whose ``folder`` begins with ``*`` stands for every
structure map whose folder begins with the rest of it.
"""

from __future__ import annotations

import csv
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import combinations
from pathlib import Path
from typing import Any

from babel import Locale

from codelists.messages import AGENCY, VERSION, maintained, message, write
from codelists.messages import table as codelist_table
from mappings import partner_areas, senders

HERE = Path(__file__).parent
LATE = "1.0+.0"
INFOMODEL = "urn:sdmx:org.sdmx.infomodel"
MAPS = f"{INFOMODEL}.structuremapping.RepresentationMap"
LANGUAGES = ("en", "fr", "es", "ru", "ar", "zh", "de", "pt", "it")
"""Whose names of areas are known: the official languages of the United Nations, and three more."""
FLAG_ORDER = "czbdesfpun"
"""Eurostat's flags, the weightiest first: the first one becomes the status, the rest is told in a comment."""
FLAG_STATUS = dict(zip(FLAG_ORDER, "QMBDEIFPUN", strict=True))
LONGEST_COMBINATION = 3
Row = tuple[tuple[str, ...], tuple[str, ...], str] | tuple[tuple[str, ...], tuple[str, ...], str, str, str]
"""Sources, targets, note; where a row does not hold for ever, the first and the last day."""


def table(name: str) -> list[dict[str, str]]:
    """The rows of ``sources/<name>.csv``."""
    with (HERE / "sources" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def once(pairs: Iterable[tuple[str, str, str]]) -> Iterator[Row]:
    """Rows of one source and one target; the first row of a source wins."""
    seen: set[str] = set()
    for source, target, note in pairs:
        if source and source not in seen:
            seen.add(source)
            yield (source,), (target,), note


def iso3() -> Iterator[Row]:
    """ISO 3166-1 alpha-3, and the two codes that extracts of UN DESA add."""
    yield from once((area["iso3"], area["code"], "") for area in codelist_table("areas") if area["kind"] == "area")
    yield ("XCX",), ("830",), "Channel Islands (user-assigned code)"
    yield ("OOO",), ("OTH_UNK",), "Other and unknown (UN DESA location 2003)"


def estat_areas() -> Iterator[Row]:
    """Eurostat's special codes, then ISO 3166-1 alpha-2."""
    special = [(row["source"], row["target"], row["note"]) for row in table("estat_areas")]
    areas = codelist_table("areas")
    yield from once(special + [(area["iso2"], area["code"], "") for area in areas if area["kind"] == "area"])


def names(language: str) -> Iterator[Row]:
    """Names of areas in a language: those written out, M49's own, CLDR's."""
    territories = Locale(language).territories
    written = [(row["source"], row["target"], "") for row in table("names_en")] if language == "en" else []
    areas = [area for area in codelist_table("areas") if area["kind"] in ("area", "former")]
    own = {row["code"]: row.get(language, "") for row in codelist_table("area_names")}
    standard = [(area.get(language, "") or own.get(area["code"], ""), area["code"], "") for area in areas]
    everyday = [
        (territories.get(area["cldr"], "").replace("’", "'"), area["code"], "") for area in areas if area["cldr"]
    ]
    yield from once(written + standard + everyday)


def fold(text: str) -> str:
    """A name without case, accents, punctuation and spaces, as maps with the annotation MATCHING compare them."""
    bare = (sign for sign in unicodedata.normalize("NFKD", text).casefold() if sign.isalnum())
    return "".join(bare) or text


def all_names() -> Iterator[Row]:
    """Names in every language; those that several areas have are left out, those of succeeding areas are dated."""
    found = [row for language in LANGUAGES for row in names(language)]
    found += [((row["source"],), (row["target"],), "") for row in table("area_names_more")]
    undecided = {fold(row["source"]) for row in table("area_names_undecided")}
    dated = {row["code"]: row for row in table("area_names_dated")}
    targets: dict[str, set[str]] = {}
    for row in found:
        targets.setdefault(fold(row[0][0]), set()).add(row[1][0])
    if clashes := {name: codes for name, codes in targets.items() if len(codes) > 1 and name not in undecided}:
        raise ValueError(f"Names of several areas, which area_names_undecided.csv must list: {clashes}")
    for row in found:
        key, (code,), note = fold(row[0][0]), row[1], row[2]
        if key in undecided or targets.pop(key, None) is None:
            continue
        if code in dated:
            yield row[0], (dated[code]["former"],), note, "", dated[code]["until"]
            yield row[0], (code,), note, dated[code]["since"], ""
        else:
            yield row


def uk_codes(name: str) -> Iterator[Row]:
    """The decided codes of a British list."""
    pairs = [row for row in table("uk_codes") if row["list"] == name and row["target"]]
    seen: set[str] = set()
    for row in pairs:
        if row["source"] not in seen:
            seen.add(row["source"])
            yield (row["source"],), tuple(row["target"].split("|")), row["note"]


def estat_ages() -> Iterator[Row]:
    """Eurostat's ages: single years, five-year groups, open and broad groups."""
    pairs = [
        ("TOTAL", "_T"),
        ("UNK", "_U"),
        ("Y_LT1", "Y0"),
        ("Y_LT5", "Y0T4"),
        ("Y_LT15", "Y0T14"),
        ("Y_LT18", "Y0T17"),
    ]
    pairs += [(f"Y{low}-{low + 4}", f"Y{low}T{low + 4}") for low in range(0, 100, 5)]
    pairs += [
        (f"Y{low}-{high}", f"Y{low}T{high}")
        for low, high in ((0, 14), (15, 64), (20, 64), (25, 54), (15, 24), (55, 64), (15, 29))
    ]
    pairs += [(f"Y_GE{low}", f"Y_GE{low}") for low in (15, 18, 60, 65, 70, 75, 80, 85, 90, 95, 100)]
    pairs += [(f"Y{age}", f"Y{age}") for age in range(100)]
    yield from once((source, target, "") for source, target in pairs)


def estat_flags() -> Iterator[Row]:
    """Eurostat's flags and every combination of up to three, which Eurostat writes in alphabetical order."""
    yield ("",), ("A", "", ""), ""
    yield (":",), ("O", "", ""), "Not available"
    for size in range(1, LONGEST_COMBINATION + 1):
        for flags in combinations(sorted(FLAG_ORDER), size):
            first = min(flags, key=FLAG_ORDER.index)
            text = "".join(flags)
            comment = f"Source flags: {text}" if size > 1 else ""
            yield (text,), (FLAG_STATUS[first], "C" if "c" in flags else "", comment), ""


def written_rows(map_id: str, sources: int, targets: int) -> Iterator[Row]:
    """The rows of ``sources/representation_rows.csv``."""
    for row in table("representation_rows"):
        if row["map"] == map_id:
            source = tuple(row["source"].split("|")) if sources > 1 else (row["source"],)
            target = tuple(row["target"].split("|")) if targets > 1 else (row["target"],)
            yield source, target, row["note"]


def listed(name: str) -> Iterator[Row]:
    """The rows of a table with the columns source, target, note; a source may stand there again for other days."""
    seen: set[tuple[str, str]] = set()
    for row in table(name):
        start, end = row.get("valid_from", ""), row.get("valid_to", "")
        if (row["source"], start) not in seen:
            seen.add((row["source"], start))
            yield (row["source"],), (row["target"],), row["note"], start, end


MADE: dict[str, Callable[[], Iterator[Row]]] = {
    "RM_ISO3_AREA": iso3,
    "RM_ESTAT_AREA": estat_areas,
    "RM_NAME_EN_AREA": lambda: names("en"),
    "RM_NAME_FR_AREA": lambda: names("fr"),
    "RM_NAME_DE_AREA": lambda: names("de"),
    "RM_ESTAT_AGE": estat_ages,
    "RM_ESTAT_FLAG": estat_flags,
    "RM_DESTATIS_AREA": lambda: listed("destatis_areas"),
    "RM_NAME_AREA": all_names,
    "RM_PHL_CFO_AREA": lambda: listed("phl_cfo_areas"),
}
PARTNER_FILES = ("partners", ("RM_ISO2_M49", "RM_ISO3_M49", "RM_OECD", "RM_UNHCR", "RM_DESA_M49", "RM_ONS"))
"""The file of ``shared/`` that holds the maps of partner agencies' codes, and how their ids begin."""

UK_LISTS = {
    "RM_UK_CITIZENSHIP": "citizenship",
    "RM_UK_DWP_NATIONALITY": "dwp-nationalities",
    "RM_UK_HO_NATIONALITY": "ho-country-of-nationality",
    "RM_UK_IPS_CITIZENSHIP": "ips-citizenship",
    "RM_UK_LTIM_CITIZENSHIP": "ltim-citizenship",
    "RM_UK_RESIDENCE": "residence",
    "RM_UK_REASON": "reason",
    "RM_UK_DIRECTION": "migration-directions",
    "RM_UK_TYPE": "migration-type",
    "RM_UK_MARKER": "ips-markers",
}
MADE |= {id_: partial(uk_codes, name) for id_, name in UK_LISTS.items()}


def annotations(id_: str) -> list[dict[str, Any]]:
    """How a map compares, and what it leaves undecided, with the reason."""
    if id_ == "RM_NAME_AREA":
        found: list[dict[str, Any]] = [{"type": "MATCHING", "title": "FOLDED"}]
        undecided = [(row["source"], row["reason"]) for row in table("area_names_undecided")]
    else:
        found = []
        rows = [row for row in table("uk_codes") if row["list"] == UK_LISTS.get(id_) and not row["target"]]
        undecided = list({row["source"]: f"{row['label']}: {row['note']}" for row in rows}.items())
    return found + [{"type": "UNDECIDED", "title": source, "text": reason} for source, reason in undecided]


def value(text: str) -> dict[str, Any]:
    """A source value; what begins with ``^`` or is ``.*`` is a regular expression."""
    return {"value": text} | ({"isRegEx": True} if text.startswith("^") or text == ".*" else {})


def mapping_row(row: Row | partner_areas.DatedRow) -> dict[str, Any]:
    """One row of a representation map."""
    sources, targets, note, start, end = (*row, "", "")[:5]
    found: dict[str, Any] = {"sourceValues": [value(text) for text in sources], "targetValues": list(targets)}
    found |= {name: day for name, day in (("validFrom", start), ("validTo", end)) if day}
    return found | ({"annotations": [{"type": "NOTE", "title": note}]} if note else {})


def kind(text: str) -> dict[str, str]:
    """What values a side of a map takes: a codelist of ours or ``AGENCY:ID(VERSION)``, or a data type."""
    if ":" in text:
        return {"codelist": f"{INFOMODEL}.codelist.Codelist={text}"}
    if text.startswith("CL_"):
        return {"codelist": f"{INFOMODEL}.codelist.Codelist={AGENCY}:{text}({LATE})"}
    return {"dataType": text}


def representation_map(row: dict[str, str]) -> dict[str, Any]:
    """A representation map with its rows."""
    sources, targets = row["sources"].split(), row["targets"].split()
    rows: Iterable[Row | partner_areas.DatedRow]
    if row["map"] in partner_areas.ROWS:
        rows = partner_areas.ROWS[row["map"]]()
    else:
        rows = MADE[row["map"]]() if row["map"] in MADE else written_rows(row["map"], len(sources), len(targets))
    notes = partner_areas.UNDECIDED[row["map"]]() if row["map"] in partner_areas.UNDECIDED else annotations(row["map"])
    return (
        maintained(row["map"], {"en": row["en"]})
        | ({"annotations": notes} if notes else {})
        | {
            "source": [kind(text) for text in sources],
            "target": [kind(text) for text in targets],
            "representationMappings": [mapping_row(found) for found in rows],
        }
    )


def structure_map(folder: str, map_id: str, rows: list[dict[str, str]]) -> dict[str, Any]:
    """A structure map: fixed values, copies, and maps by representation map."""
    head = next(row for row in rows if row["dataflow"])
    sources = {row["map"]: row["source"] for row in table("structure_map_sources")}
    found = maintained(map_id, {"en": head["en"]}) | {
        "source": f"{INFOMODEL}.datastructure.DataStructure={sources.get(map_id, f'{AGENCY}:SRC_{folder}(1.0.0)')}",
        "target": f"{INFOMODEL}.datastructure.Dataflow={AGENCY}:{head['dataflow']}({LATE})",
    }
    components, fixed = [], []
    for row in rows:
        if row["sources"]:
            one: dict[str, Any] = {"source": row["sources"].split(), "target": row["targets"].split()}
            if row["representation"]:
                one["representationMap"] = f"{MAPS}={AGENCY}:{row['representation']}({VERSION})"
            components.append(one)
        else:
            fixed += [{"target": target, "values": [row["fixed"]]} for target in row["targets"].split()]
    return found | {"componentMaps": components} | ({"fixedValueMaps": fixed} if fixed else {})


def structure_maps(folder: str) -> list[dict[str, Any]]:
    """Every structure map of a folder; rows for all maps of a source fill what a map does not say itself."""
    rows = table("structure_maps")
    own = [row for row in rows if row["folder"] == folder]
    general = [row for row in rows if row["folder"].startswith("*") and folder.startswith(row["folder"][1:])]
    found = []
    for map_id in dict.fromkeys(row["map"] for row in own):
        mine = [row for row in own if row["map"] == map_id]
        found.append(structure_map(folder, map_id, mine + general))
    return found


def messages() -> dict[Path, dict[str, Any]]:
    """Every message of this folder by its path."""
    maps = table("representation_maps")
    found = {}
    shared = [row for row in maps if row["folder"] == "shared"]
    partner, prefixes = PARTNER_FILES
    homes = {row["map"]: partner if row["map"].startswith(prefixes) else "areas" for row in shared}
    homes |= {name: "eurostat" for name in homes if "ESTAT" in name}
    for subject in dict.fromkeys(homes.values()):
        content = [representation_map(row) for row in shared if homes[row["map"]] == subject]
        found[HERE / "shared" / f"{subject}.json"] = message(f"MAPS_{subject}", {"representationMaps": content})
    for folder in dict.fromkeys(row["folder"] for row in maps if row["folder"].startswith("shared/")):
        content = [representation_map(row) for row in maps if row["folder"] == folder]
        subject = folder.partition("/")[2]
        found[HERE / f"{folder}.json"] = message(f"MAPS_{subject}", {"representationMaps": content})
    for folder in dict.fromkeys(row["folder"] for row in table("structure_maps") if not row["folder"].startswith("*")):
        data: dict[str, Any] = {"structureMaps": structure_maps(folder)}
        own = [representation_map(row) for row in maps if row["folder"] == folder]
        data |= {"representationMaps": own} if own else {}
        found[HERE / folder / "maps.json"] = message(f"MAPS_{folder}", data)
    return found | senders.messages_of(found)


if __name__ == "__main__":
    for path, content in messages().items():
        write(path, content)
