"""Answers read with csv, json and lxml alone: data as rows of texts, structures as plain records."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from lxml import etree

from tests.conformance.client import Reply

Row = dict[str, str]
LEADING = {"STRUCTURE", "STRUCTURE_ID", "STRUCTURE_NAME", "ACTION", "SERIES_KEY", "OBS_KEY", "DATAFLOW"}


@dataclass(slots=True)
class Dataset:
    """Rows of one structure and action; ``ref`` as ``AGENCY:ID(VERSION)``."""

    ref: str
    action: str
    rows: list[Row] = field(default_factory=list)
    valid_from: str | None = None
    valid_to: str | None = None


def datasets(reply: Reply) -> list[Dataset]:
    """The data sets of an answer; none for 204."""
    body = reply.plain()
    if reply.status == 204 or not body:
        return []
    if "csv" in reply.type:
        return _csv(body)
    if "json" in reply.type:
        return _json(json.loads(body, parse_float=str, parse_int=str))
    return _xml(etree.fromstring(body))


def rows(reply: Reply) -> list[Row]:
    """All rows of an answer."""
    return [row for dataset in datasets(reply) for row in dataset.rows]


def _csv(body: bytes) -> list[Dataset]:
    lines = csv.reader(io.StringIO(body.decode(), newline=""), strict=True)
    header = [name.partition("[")[0].partition(":")[0] for name in next(lines)]
    found: dict[tuple[str, str], Dataset] = {}
    for line in lines:
        cells = dict(zip(header, line, strict=True))
        ref = (cells.get("STRUCTURE_ID") or cells.get("DATAFLOW") or "").partition(": ")[0]
        place = (ref, cells.get("ACTION", ""))
        dataset = found.setdefault(place, Dataset(*place))
        dataset.rows.append({name: cell for name, cell in cells.items() if name not in LEADING and cell != ""})
    return list(found.values())


def _text(value: Any) -> str:
    if isinstance(value, list):
        return ";".join(map(_text, value))
    if isinstance(value, dict):
        return ";".join(f"{tag}:{text}" for tag, text in value.items())
    return str(value)


def _coded(component: dict[str, Any], place: str) -> str:
    value = component["values"][int(place)]
    return str(value.get("value") or value.get("id") or value.get("start") or "")


def _valued(components: list[dict[str, Any]], values: list[Any]) -> Row:
    told: Row = {}
    for component, value in zip(components, values, strict=False):
        if value is None:
            continue
        if component.get("values") and not isinstance(value, list | dict):
            told[component["id"]] = _coded(component, value)
        elif component.get("values") and isinstance(value, list):
            told[component["id"]] = ";".join(_coded(component, one) for one in value)
        else:
            told[component["id"]] = _text(value)
    return told


def _json(message: dict[str, Any]) -> list[Dataset]:
    data = message.get("data", {})
    structures = data.get("structures") or [data.get("structure", {})]
    return [_json_dataset(one, structures[int(one.get("structure", 0))]) for one in data.get("dataSets", [])]


def _json_dataset(dataset: dict[str, Any], structure: dict[str, Any]) -> Dataset:
    urns = [link.get("urn") or "" for link in structure.get("links", [])]
    ref = next((urn.partition("=")[2] for urn in urns if "=" in urn), "")
    found = Dataset(ref, str(dataset.get("action", "")), valid_from=dataset.get("validFrom"), valid_to=dataset.get("validTo"))  # fmt: skip
    dimensions, attributes = structure["dimensions"], structure.get("attributes", {})
    measures = structure.get("measures", {}).get("observation", [{"id": "OBS_VALUE"}])
    seen = [*measures, *attributes.get("observation", [])]
    constant = {one["id"]: _coded(one, "0") for one in dimensions.get("dataSet", []) if one.get("values")}
    shared = constant | _valued(attributes.get("dataSet", []), dataset.get("attributes", []))

    def key(where: str, text: str) -> Row:
        parts = zip(dimensions.get(where, []), text.split(":"), strict=False)
        return {one["id"]: _coded(one, part) for one, part in parts if part}

    for series_key, series in dataset.get("series", {}).items():
        own = {**shared, **key("series", series_key), **_valued(attributes.get("series", []), series.get("attributes", []))}  # fmt: skip
        observations = series.get("observations") or {}
        found.rows += [own] if not observations else []
        found.rows += [{**own, **key("observation", at), **_valued(seen, told)} for at, told in observations.items()]
    for at, told in (dataset.get("observations") or {}).items():
        found.rows.append({**shared, **key("observation", at), **_valued(seen, told)})
    return found


def _local(element: Any) -> str:
    return str(etree.QName(element).localname)


def _xml(root: Any) -> list[Dataset]:
    header = {one.get("structureID"): one for one in root.iter("{*}Structure") if one.get("structureID")}
    found = []
    for element in (one for one in root if _local(one) == "DataSet"):
        plain = {etree.QName(name).localname: text for name, text in element.attrib.items()}
        structure = header.get(plain.get("structureRef"))
        at = "" if structure is None else structure.get("dimensionAtObservation", "")
        made = _generic_rows(element, at) if _local(root).startswith("Generic") else _specific_rows(element)
        dataset = Dataset(_target(structure), plain.get("action", ""), list(made))
        dataset.valid_from, dataset.valid_to = plain.get("validFromDate"), plain.get("validToDate")
        found.append(dataset)
    return found


def _target(structure: Any) -> str:
    for element in () if structure is None else structure.iter():
        if (element.text or "").startswith("urn:"):
            return str(element.text).partition("=")[2]
        if _local(element) == "Ref":
            return f"{element.get('agencyID')}:{element.get('id')}({element.get('version')})"
    return ""


def _attributes(element: Any) -> Row:
    told = {name: text for name, text in element.attrib.items() if not name.startswith("{")}
    for comp in element.findall("{*}Comp"):
        told[comp.get("id")] = ";".join("".join(value.itertext()) for value in comp)
    return told


def _specific_rows(element: Any) -> Iterator[Row]:
    for series in element.findall("{*}Series"):
        own = _attributes(series)
        observations = series.findall("{*}Obs")
        if not observations:
            yield own
        for one in observations:
            yield {**own, **_attributes(one)}
    for one in element.findall("{*}Obs"):
        yield _attributes(one)


def _values(element: Any) -> Row:
    return {} if element is None else {one.get("id"): one.get("value") for one in element}


def _generic_rows(element: Any, at_observation: str) -> Iterator[Row]:
    for series in (*element.findall("{*}Series"), element):
        own = {**_values(series.find("{*}SeriesKey")), **_values(series.find("{*}Attributes"))}
        observations = series.findall("{*}Obs")
        if not observations and series is not element:
            yield own
        for one in observations:
            row = {**own, **_values(one.find("{*}ObsKey")), **_values(one.find("{*}Attributes"))}
            if (dimension := one.find("{*}ObsDimension")) is not None:
                row[dimension.get("id") or at_observation] = dimension.get("value")
            if (value := one.find("{*}ObsValue")) is not None:
                row["OBS_VALUE"] = value.get("value")
            yield row


# --- structures -----------------------------------------------------------------------------------------------------

URN = re.compile(r"urn:sdmx:org\.sdmx\.infomodel\.[a-z]+\.([A-Za-z]+)=([^:\s\"<]+):([^(\s\"<]+)\(([^)]*)\)")
_NAMED = {"Annotations", "Name", "Description", "Link"}
_PARTS = ("codes", "concepts", "categories", "agencies", "dataProviders", "dataConsumers", "metadataProviders",
          "organisationUnits", "reportingCategories", "valueItems", "transformations", "rulesets", "customTypes",
          "namePersonalisations", "userDefinedOperators", "vtlMappings")  # fmt: skip


@dataclass(slots=True)
class Artefact:
    """A maintained artefact: what identifies it, what it refers to, its items, and whether it is a stub or partial."""

    kind: str
    agency: str
    id: str
    version: str
    items: list[str]
    is_stub: bool
    is_partial: bool
    has_contents: bool
    has_description: bool
    raw: Any

    @property
    def name(self) -> str:
        """``AGENCY:ID(VERSION)``."""
        return f"{self.agency}:{self.id}({self.version})"


def artefacts(reply: Reply) -> list[Artefact]:
    """The artefacts of a structure message."""
    if "json" in reply.type:
        return list(_json_artefacts(json.loads(reply.plain())))
    return list(_xml_artefacts(etree.fromstring(reply.plain())))


def _json_artefacts(message: dict[str, Any]) -> Iterator[Artefact]:
    for container, several in message.get("data", {}).items():
        if container == "availabilityConstraints":
            continue
        for one in several:
            links = [link.get("urn", "") for link in one.get("links", []) if link.get("rel") == "self"]
            found = URN.match(links[0]) if links else None
            items = next((one[part] for part in _PARTS if part in one), [])
            known = {"id", "agencyID", "version", "name", "names", "description", "descriptions", "annotations", "links",
                     "isExternalReference", "isPartial", "validFrom", "validTo", "isPartialLanguage"}  # fmt: skip
            yield Artefact(
                found[1] if found else container, one.get("agencyID", ""), one["id"], one.get("version") or "1.0",
                list(_paths(items)), bool(one.get("isExternalReference")), bool(one.get("isPartial")),
                bool(set(one) - known), "description" in one, one,
            )  # fmt: skip


def _paths(items: list[dict[str, Any]], above: str = "") -> Iterator[str]:
    for one in items:
        yield above + str(one.get("id"))
        inner = one.get("categories") or one.get("reportingCategories") or []
        yield from _paths(inner, f"{above}{one.get('id')}.")


def _xml_artefacts(root: Any) -> Iterator[Artefact]:
    for one in root.iterfind("{*}Structures/*/*"):
        if one.get("id") is None or not isinstance(one.tag, str):
            continue
        children = [child for child in one if isinstance(child.tag, str)]
        items = [child.get("id") for child in children if child.get("id") and _local(child) not in _NAMED]
        yield Artefact(
            _local(one), one.get("agencyID", ""), one.get("id"), one.get("version") or "1.0", items,
            one.get("isExternalReference") == "true", one.get("isPartial") == "true",
            any(_local(child) not in _NAMED for child in children), any(_local(child) == "Description" for child in children), one,
        )  # fmt: skip


def references(artefact: Artefact) -> set[str]:
    """The names of the artefacts that one refers to."""
    own = artefact.name
    if isinstance(artefact.raw, dict):
        told = json.dumps({key: value for key, value in artefact.raw.items() if key != "links"})
    else:
        told = etree.tostring(artefact.raw, encoding="unicode")
        told = re.sub(r'\burn="[^"]*"', "", told)
    found = {f"{agency}:{id}({version})" for _, agency, id, version in URN.findall(told)}
    if not isinstance(artefact.raw, dict):
        for one in artefact.raw.iter("Ref"):
            if one.get("agencyID"):
                id, version = one.get("maintainableParentID"), one.get("maintainableParentVersion")
                found.add(f"{one.get('agencyID')}:{id or one.get('id')}({version or one.get('version') or '1.0'})")
    return found - {own}
