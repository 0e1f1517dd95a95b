"""Messages with an artefact of every type, damaged at one place of their tree: read, or an error of ours."""

from __future__ import annotations

import io
import json
from functools import cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from sdmx_service.errors import CannotWrite, SdmxError
from sdmx_service.model.message import Message
from tests.every_type.artefacts import every_artefact
from tests.formats.structure.messages import FORMATS, StructureFormat, reader_of


@cache
def message(target: StructureFormat) -> bytes:
    """Every artefact that the format can carry."""
    known = {one.ref: one for one in every_artefact()}
    kept = []
    for one in known.values():
        try:
            target.write(Message(structures=(one,), lookup=known.get))
            kept.append(one)
        except CannotWrite:
            continue
    return target.write(Message(structures=tuple(kept), lookup=known.get))


def _places(node: Any) -> list[tuple[Any, Any]]:
    """Every (container, key) of a JSON tree."""
    pairs = list(node.items()) if isinstance(node, dict) else list(enumerate(node)) if isinstance(node, list) else []
    return [(node, key) for key, _ in pairs] + [place for _, value in pairs for place in _places(value)]


WRONG = st.sampled_from([None, True, 7, -1.5, "", "x", "urn:x", "urn:sdmx:org.sdmx.infomodel.codelist.Codelist=A:B(1.0)", [], ["x"], [[]],
                         {}, {"id": 1}, {"value": []}])  # fmt: skip


@pytest.mark.parametrize("target", [one for one in FORMATS if one.family == "sdmx-json"], ids=str)
@given(data=st.data())
def test_a_wrong_value_in_json(target: StructureFormat, data: st.DataObject) -> None:
    root = json.loads(message(target))
    places = _places(root["data"])
    container, key = places[data.draw(st.integers(0, len(places) - 1))]
    container[key] = data.draw(WRONG)
    try:
        reader_of("sdmx-json")(io.BytesIO(json.dumps(root).encode()))
    except SdmxError as error:
        assert error.detail


@pytest.mark.parametrize("target", [one for one in FORMATS if one.family == "sdmx-ml"], ids=str)
@given(data=st.data())
def test_a_wrong_element_or_attribute_in_xml(target: StructureFormat, data: st.DataObject) -> None:
    root = etree.fromstring(message(target))
    elements = [one for one in root.iter() if isinstance(one.tag, str)][1:]
    element = elements[data.draw(st.integers(0, len(elements) - 1))]
    parent: Any = element.getparent()
    deed = data.draw(st.sampled_from(["drop", "twice", "empty", "text", "attribute", "move"]))
    if deed == "drop":
        parent.remove(element)
    elif deed == "twice":
        parent.append(etree.fromstring(etree.tostring(element)))
    elif deed == "empty":
        for child in list(element):
            element.remove(child)
    elif deed == "text":
        element.text = data.draw(st.sampled_from(["", "x", "urn:x", "-1", "2020-99"]))
    elif deed == "attribute" and element.attrib:
        name = data.draw(st.sampled_from(sorted(map(str, element.attrib))))
        element.set(name, data.draw(st.sampled_from(["", "x y", "*", "-1", "true"])))
    elif deed == "move":
        other = elements[data.draw(st.integers(0, len(elements) - 1))]
        if element not in other.iterancestors() and element is not other:
            other.append(element)
    try:
        reader_of("sdmx-ml")(io.BytesIO(etree.tostring(root)))
    except SdmxError as error:
        assert error.detail
