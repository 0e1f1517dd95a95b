"""Every real structure message as pysdmx and sdmx1 read it, where they do: the same artefacts, items and components.

What one of them leaves out or cannot read is no oracle: only artefacts that both have are compared, and a message that
the other refuses is skipped with its reason. Rules for what they read otherwise stand beside the comparison.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterable, Iterator
from typing import Any

import pytest

from sdmx_service.errors import SdmxError
from sdmx_service.model import items, structure
from tests.formats.structure.messages import reader_of
from tests.reference import Specimen

Summary = tuple[Any, ...]
Key = tuple[str, str, str, str]
SCHEMES = {
    "Codelist": items.Codelist, "ConceptScheme": items.ConceptScheme, "AgencyScheme": items.AgencyScheme,
    "DataProviderScheme": items.DataProviderScheme, "DataConsumerScheme": items.DataConsumerScheme,
    "ValueList": items.ValueList, "CategoryScheme": items.CategoryScheme,
}  # fmt: skip


def _ours(specimen: Specimen) -> dict[Key, Any]:
    try:
        message = reader_of(specimen.format)(io.BytesIO(specimen.path.read_bytes()))
    except SdmxError as error:
        pytest.skip(f"not read here: {error.detail[:80]}")
    return {(type(one).__name__, one.agency, one.id, one.version): one for one in message.structures}


def _ids(of: Iterable[Any]) -> Iterator[str]:
    for one in of:
        yield one.id
        if isinstance(one, items.Category):
            yield from _ids(one.items)


def _components(one: structure.DataStructure) -> Summary:
    return sorted(one.key_ids), sorted(each.id for each in one.attributes), sorted(each.id for each in one.measures)


def _compare(ours: dict[Key, Any], theirs: dict[Key, Summary]) -> int:
    both = [key for key in theirs if key in ours and not ours[key].is_external_reference]
    for key in both:
        one = ours[key]
        if isinstance(one, structure.DataStructure):
            found: Summary = _components(one)
        elif isinstance(one, structure.Dataflow):
            found = (one.structure and (one.structure.agency, one.structure.id),)
        else:
            found = (sorted(_ids(one.items)),)
        assert found == theirs[key], key
    return len(both)


# --- pysdmx -----------------------------------------------------------------------------------------------------------


def _name_of(agency: Any) -> str:
    return agency if isinstance(agency, str) else agency.id


def _pysdmx_category_ids(categories: Iterable[Any]) -> Iterator[str]:
    for one in categories:
        yield one.id
        yield from _pysdmx_category_ids(one.categories)


def _by_pysdmx(specimen: Specimen) -> dict[Key, Summary]:
    from pysdmx.io import read_sdmx

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = read_sdmx(io.BytesIO(specimen.path.read_bytes()), validate=False).structures or ()
    except Exception as fault:  # noqa: BLE001 - whatever it cannot do is no oracle
        pytest.skip(f"pysdmx: {type(fault).__name__}")
    summaries: dict[Key, Summary] = {}
    for one in found:
        if not hasattr(one, "agency"):  # an availability constraint, which nobody maintains
            continue
        kind = {"DataStructureDefinition": "DataStructure"}.get(type(one).__name__, type(one).__name__)
        key = (kind, _name_of(one.agency), one.id, one.version)
        if kind == "CategoryScheme":
            summaries[key] = (sorted(_pysdmx_category_ids(one.items)),)
        elif kind in SCHEMES:
            outside = f"{key[1]}." if kind == "AgencyScheme" else ""  # it calls agencies as others do: AGENCY.SUB
            summaries[key] = (sorted(each.id.removeprefix(outside) for each in one.items),)
        elif kind == "DataStructure" and one.components:
            roles = {"D": [], "A": [], "M": []}  # type: dict[str, list[str]]
            for each in one.components:
                roles[each.role.value].append(each.id)
            summaries[key] = (sorted(roles["D"]), sorted(roles["A"]), sorted(roles["M"]))
    return summaries


@pytest.mark.specimens(format=("sdmx-ml", "sdmx-json"), kind="structure", version=("2.0", "2.1", "3.0", "3.1"))
def test_pysdmx_finds_the_same(specimen: Specimen) -> None:
    if (specimen.format, specimen.version) == ("sdmx-ml", "2.0"):
        return
    ours = _ours(specimen)
    _compare(ours, _by_pysdmx(specimen))


# --- sdmx1 ------------------------------------------------------------------------------------------------------------


def _by_sdmx1(specimen: Specimen) -> dict[Key, Summary]:
    import sdmx

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = sdmx.read_sdmx(io.BytesIO(specimen.path.read_bytes()))
    except Exception as fault:  # noqa: BLE001 - whatever it cannot do is no oracle
        pytest.skip(f"sdmx1: {type(fault).__name__}")
    summaries: dict[Key, Summary] = {}
    for collection, kind in (
        ("codelist", "Codelist"),
        ("concept_scheme", "ConceptScheme"),
        ("organisation_scheme", ""),
    ):
        for one in getattr(found, collection, {}).values():
            key = (kind or type(one).__name__, _maintainer(one), one.id, str(one.version or "1.0"))
            summaries[key] = (sorted(each.id for each in one),)
    for one in getattr(found, "structure", {}).values():
        key = ("DataStructure", _maintainer(one), one.id, str(one.version or "1.0"))
        lists = (one.dimensions, one.attributes, one.measures)
        summaries[key] = tuple(sorted(each.id for each in part.components) for part in lists)
    for one in getattr(found, "dataflow", {}).values():
        if one.structure is not None and one.structure.id:
            key = ("Dataflow", _maintainer(one), one.id, str(one.version or "1.0"))
            summaries[key] = ((_maintainer(one.structure), one.structure.id),)
    return summaries


def _maintainer(one: Any) -> str:
    return "" if one.maintainer is None else one.maintainer.id


@pytest.mark.specimens(format="sdmx-ml", kind="structure", version="2.1")
def test_sdmx1_finds_the_same(specimen: Specimen) -> None:
    ours, theirs = _ours(specimen), _by_sdmx1(specimen)
    text = specimen.path.read_text("utf-8-sig")
    for key, found in theirs.items():
        if key in ours and key[0] in SCHEMES:  # it adds items that are not there, and that something refers to
            own = set(_ids(ours[key].items))
            added = {id for id in found[0] if id not in own and (f'"{id}"' in text or f".{id}<" in text)}
            theirs[key] = (sorted(set(found[0]) - added),)
    _compare(ours, theirs)
