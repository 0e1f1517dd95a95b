"""What the scripts of this folder share: tables in, SDMX-JSON 2.0 structure messages out."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
AGENCY = "UNSD_MIG"
VERSION = "1.0.0"
PREPARED = "2026-01-01T00:00:00Z"
SCHEMA = (
    "https://raw.githubusercontent.com/sdmx-twg/sdmx-json/master/structure-message/tools/schemas/2.0.0/"
    "sdmx-json-structure-schema.json"
)
LANGUAGES = ("en", "fr", "es", "ru", "zh", "ar")
INFOMODEL = "urn:sdmx:org.sdmx.infomodel"


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


def titles(notes: list[tuple[str, str]]) -> list[dict[str, Any]]:
    """Annotations that say one thing each, as type and title; empty ones are left out."""
    return [{"type": type_, "title": value} for type_, value in notes if value]


def words(type_: str, en: str, fr: str) -> dict[str, Any]:
    """An annotation for people, in both languages."""
    return {"type": type_, "text": en, "texts": {"en": en, "fr": fr}}
