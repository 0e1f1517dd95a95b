"""What a folder holds comes back from a store unchanged, and an init adds without overwriting."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from sdmx_service.catalog.loading import Content, dangling, deserialise, load_folder, missing, serialise
from sdmx_service.errors import InvalidStructure
from sdmx_service.model.artefact import Texts
from sdmx_service.model.constraint import CubeRegion, DataConstraint, KeyValue, MemberValue
from sdmx_service.model.items import DataProviderScheme
from sdmx_service.model.urn import Ref
from tests.harness import ROOT


@pytest.fixture(scope="module")
def content() -> Content:
    return load_folder(ROOT)


def test_everything_comes_back_from_the_store_as_it_was(content: Content) -> None:
    stored = deserialise(serialise(content))
    assert {one.ref: one for one in stored.artefacts} == {one.ref: one for one in content.artefacts}
    assert (stored.layouts, stored.rule_sets) == (content.layouts, content.rule_sets)


@pytest.mark.parametrize("role", ["Allowed", "Actual", None])
def test_a_constraint_keeps_its_role(role: str | None) -> None:
    flow = Ref(type="Dataflow", agency="A", id="F", version="1.0.0")
    region = CubeRegion(members=(KeyValue(component="X", values=(MemberValue(value="1"),)),))
    names = Texts({"en": "C"})
    constraint = DataConstraint(
        id="C", names=names, agency="A", version="1.0.0", role=role, attachments=(flow,), regions=(region,)
    )  # type: ignore[arg-type]
    (found,) = deserialise(serialise(Content(artefacts=[constraint]))).artefacts
    assert found == constraint


def test_every_reference_is_answered(content: Content) -> None:
    assert list(dangling(content.catalog())) == []


def test_missing_is_only_what_a_store_has_not(content: Content) -> None:
    stored = serialise(content)
    assert serialise(missing(content, stored)) == {}
    first = next(one for one in content.artefacts if one.type == "Codelist")
    newer = replace(first, version="1.1.0")
    grown = Content(artefacts=[*content.artefacts, newer], layouts=content.layouts, rule_sets=content.rule_sets)
    assert list(serialise(missing(grown, stored))) == [newer.urn]


def test_a_scheme_without_versions_grows_in_the_store(content: Content) -> None:
    scheme = next(one for one in content.artefacts if isinstance(one, DataProviderScheme))
    first, second, *_ = scheme.items
    renamed = replace(first, names=Texts({"en": "As the store has it"}))
    stored = serialise(Content(artefacts=[replace(scheme, items=(renamed,))]))
    (grown,) = missing(Content(artefacts=[replace(scheme, items=(first, second))]), stored).artefacts
    assert isinstance(grown, DataProviderScheme)
    assert grown.items == (renamed, second)
    assert missing(Content(artefacts=[replace(scheme, items=(first,))]), stored).artefacts == []


def test_folders_called_sources_are_left_out_within_the_content_only(content: Content, tmp_path: Path) -> None:
    scheme = next(one for one in content.artefacts if isinstance(one, DataProviderScheme))
    (body,) = serialise(Content(artefacts=[scheme])).values()
    for folder in ("dsd", "dsd/sources"):
        (tmp_path / "sources" / folder).mkdir(parents=True, exist_ok=True)
    (tmp_path / "sources" / "dsd" / "PROVIDERS.json").write_bytes(body)
    (tmp_path / "sources" / "dsd" / "sources" / "DRAFT.json").write_text("no message")
    assert [one.ref for one in load_folder(tmp_path / "sources").artefacts] == [scheme.ref]


def test_a_broken_file_is_named(tmp_path) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "mappings" / "M").mkdir(parents=True)
    (tmp_path / "mappings" / "M" / "layout.json").write_text('{"id": "M", "version": "1", "tabels": []}')
    with pytest.raises(InvalidStructure, match=r"mappings/M/layout\.json"):
        load_folder(tmp_path)
