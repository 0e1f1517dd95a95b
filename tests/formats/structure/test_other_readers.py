"""sdmx1 and pysdmx, unchanged, read what is written here, and find in it what was put there."""

from __future__ import annotations

import io
import warnings
from typing import Any

import pytest

from sdmx_service.model.message import Message, WriteOptions
from tests.formats.structure.messages import FORMATS, reader_of

FILES = {  # of data/structures
    "IAEG-SDGs_SDG_1.4.xml": "SDG",
    "OECD_DSD_MIG_1.0.xml": "DSD_MIG",
    "UNICEF_DSD_AGGREGATE_1.0.xml": "DSD_AGGREGATE",
}


def _message(shared: Any, name: str) -> Message:
    return reader_of("sdmx-ml")(io.BytesIO((shared / "data" / "structures" / name).read_bytes()))


def _ours(message: Message) -> tuple[dict[str, list[str]], list[str], list[str]]:
    codelists = {
        one.id: [code.id for code in one.items] for one in message.structures if type(one).__name__ == "Codelist"
    }
    (dsd,) = (one for one in message.structures if type(one).__name__ == "DataStructure")
    return codelists, list(dsd.key_ids), [one.id for one in dsd.attributes]


@pytest.mark.parametrize("name", FILES)
def test_sdmx1_reads_2_1(shared: Any, name: str) -> None:
    import sdmx

    message = _message(shared, name)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = sdmx.read_sdmx(io.BytesIO(FORMATS[0].write(message)))
    codelists, dimensions, attributes = _ours(message)
    found = {one.id: sorted(code.id for code in one) for one in theirs.codelist.values()}
    assert {name: found[name] for name in codelists} == {name: sorted(ids) for name, ids in codelists.items()}
    dsd = theirs.structure[FILES[name]]
    assert [one.id for one in dsd.dimensions.components] == dimensions
    assert [one.id for one in dsd.attributes.components] == attributes
    assert dsd.measures.components[0].id == "OBS_VALUE"
    named = {one.id: one.name.localizations for one in theirs.codelist.values()}
    for one in message.structures:
        if one.id in codelists:
            assert named[one.id] == dict(one.names)


@pytest.mark.parametrize("target", FORMATS[:4], ids=str)
@pytest.mark.parametrize("name", FILES)
def test_pysdmx_reads_our_messages(shared: Any, name: str, target) -> None:
    from pysdmx.io import read_sdmx

    message = _message(shared, name)
    codelists, dimensions, attributes = _ours(message)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = read_sdmx(
            target.write(message, WriteOptions(languages=("en",))).decode(), validate=target.family == "sdmx-ml"
        )
    assert {one.id: [code.id for code in one.items] for one in theirs.get_codelists()} == codelists
    (dsd,) = theirs.get_data_structure_definitions()
    assert [one.id for one in dsd.components if one.role.value == "D"] == dimensions
    assert sorted(one.id for one in dsd.components if one.role.value == "A") == sorted(attributes)
