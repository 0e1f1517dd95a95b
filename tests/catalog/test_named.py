"""Which version a person means who says none: the latest that is settled, a draft only if there is nothing else."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sdmx_service.catalog.loading import Content
from sdmx_service.errors import Conflict, NotFound
from sdmx_service.model.artefact import Texts
from sdmx_service.model.structure import Dataflow
from sdmx_service.submission.rechecking import dataflow_called

FLOW = Dataflow(id="DF", agency="AG", version="1.0.0", names=Texts({"en": "Flow"}))


def named(text: str, *versions: str | tuple[str, bool]) -> str:
    pairs = [(one, None) if isinstance(one, str) else one for one in versions]
    artefacts = [replace(FLOW, version=version, is_final=is_final) for version, is_final in pairs]
    return Content(artefacts=list(artefacts)).catalog(1).named(text, "Dataflow").version


@pytest.mark.parametrize(
    ("versions", "meant"),
    [
        (["1.0.0", "1.2.0", "1.10.0"], "1.10.0"),
        (["1.0.0", "2.0.0-draft"], "1.0.0"),
        (["1.0.0", "1.1.0-draft", "1.1.0-rc"], "1.0.0"),
        (["1.0.0-draft", "1.0.0"], "1.0.0"),
        (["1.0.0-draft", "2.0.0-draft"], "2.0.0-draft"),
        (["0.9.0", "1.0.0-draft"], "0.9.0"),
        (["0.1.0", "0.2.0"], "0.2.0"),
        (["0.2.0", "1.0.0"], "1.0.0"),
        (["1.0", "1.4"], "1.4"),
        ([("1.0", True), ("1.1", False)], "1.0"),
        ([("1.0", True), "1.1"], "1.0"),
        ([("1.0", False), ("1.1", False)], "1.1"),
        (["1.4", "2.0.0-draft"], "1.4"),
        (["1.4", "1.0.0"], "1.0.0"),
        ([("1.4", True), "1.0.0"], "1.4"),
    ],
)
@pytest.mark.parametrize("text", ["DF", "AG:DF"])
def test_the_latest_that_is_settled(text: str, versions: list[str], meant: str) -> None:
    assert named(text, *versions) == meant
    assert named(text, *reversed(versions)) == meant


def test_who_says_a_version_gets_it() -> None:
    assert named("AG:DF(2.0.0-draft)", "1.0.0", "2.0.0-draft") == "2.0.0-draft"
    with pytest.raises(NotFound):
        named("AG:DF(3.0.0)", "1.0.0")


def test_the_dataflow_of_stored_figures_is_the_settled_one_of_its_major_version() -> None:
    versions = ("1.0.0", "1.1.0", "1.2.0-draft", "2.0.0")
    catalog = Content(artefacts=[replace(FLOW, version=one) for one in versions]).catalog(1)
    assert dataflow_called("AG:DF(1)", catalog).version == "1.1.0"
    assert dataflow_called("AG:DF(2)", catalog).version == "2.0.0"
    with pytest.raises(Conflict):
        dataflow_called("AG:DF(3)", catalog)
