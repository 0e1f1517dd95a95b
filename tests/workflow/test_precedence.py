"""Whose figure a publication shows: as the agreements say, until somebody decides; in DuckDB and in PostgreSQL."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from sdmx_service.auth import OPERATOR
from sdmx_service.catalog.loading import Content, serialise
from sdmx_service.catalog.sources import PRECEDENCE
from sdmx_service.maintenance.precedence import set_precedence
from sdmx_service.model.artefact import Annotation
from sdmx_service.model.items import DataProviderScheme
from sdmx_service.model.structure import ProvisionAgreement
from sdmx_service.storage.port import Ranking
from sdmx_service.workflow.publishing import publish_due
from sdmx_service.workflow.steps import schedule
from tests.harness import House
from tests.workflow.office import figures

NAME = "SEA:DF_CATCH(1)"
AGREED = ["SEA.HARBOUR", "SEA.COAST", "SEA.ABOARD"]


def places(house: House, said: Mapping[str, int], on_agreements: Mapping[str, int] | None = None) -> None:
    """Three providers with an agreement each, and the places that structures give them."""
    catalog = house.library.view().catalog
    (scheme,) = catalog.of_type("DataProviderScheme")
    assert isinstance(scheme, DataProviderScheme)
    (harbour, coast, *_), agreement = scheme.items, catalog.named("PA_CATCH_HARBOUR", "ProvisionAgreement")
    assert isinstance(agreement, ProvisionAgreement)
    items = [
        replace(one, annotations=(Annotation(type=PRECEDENCE, title=str(said[one.id])),) if one.id in said else ())
        for one in (harbour, coast, replace(coast, id="ABOARD"))
    ]
    agreements = [
        replace(
            agreement,
            id=f"PA_CATCH_{one.id}",
            provider=replace(agreement.provider, item=one.id),
            annotations=(Annotation(type=PRECEDENCE, title=str(on_agreements[one.id])),)
            if one.id in (on_agreements or {})
            else (),
        )
        for one in items
    ]
    content = Content(artefacts=[replace(scheme, items=tuple(items)), *agreements])
    house.library.store.save_artefacts(serialise(content))


def send(house: House, provider: str, **weights: str) -> None:
    receipt, findings = house.send(figures(**weights), provider=provider)
    assert receipt.status == "published", findings


def shown(house: House) -> list[str]:
    rows = house.rows("v2/data/dataflow/SEA/DF_CATCH/1.0.0")
    return [f"{row['TIME_PERIOD']}={row['WEIGHT']}" for row in rows if row["FISH"] == "COD"]


def order(house: House, release: int | None = None) -> list[str]:
    at = house.library.view().release if release is None else release
    return list(house.library.store.ranking(at).providers.get(NAME, ()))


def ranked_in_the_log(house: House) -> list[tuple[str, str]]:
    return [(one.principal, one.object) for one in house.library.store.log() if one.act == "rank"]


@pytest.fixture
def filled(house: House) -> House:
    """The office has the first place; the coast guard and the ship, which come first by name, send before it."""
    places(house, {"HARBOUR": 1, "COAST": 2})
    send(house, "ABOARD", COD_2024_01="1", COD_2024_02="1", COD_2024_03="1")
    send(house, "COAST", COD_2024_01="2", COD_2024_02="2")
    send(house, "HARBOUR", COD_2024_01="3")
    return house


def test_publishing_ranks_as_agreed_and_the_release_keeps_it(filled: House) -> None:
    store = filled.library.store
    assert shown(filled) == ["2024-01=3", "2024-02=2", "2024-03=1"]
    assert [order(filled, number) for number in range(4)] == [[], AGREED, AGREED, AGREED]
    assert store.ranking(3).heads == {}
    assert ranked_in_the_log(filled) == [("service", "SEA:DF_CATCH(1.0.0)")]  # once, with the first release


def test_changed_agreements_count_with_the_next_publication(filled: House) -> None:
    places(filled, {"HARBOUR": 1, "COAST": 2}, {"ABOARD": 1})  # of the same place: by name
    assert shown(filled) == ["2024-01=3", "2024-02=2", "2024-03=1"]
    receipt, _ = filled.send(figures(EEL_2024_01="9"), provider="COAST")
    assert [(one.inserted, one.changed, one.deleted) for one in receipt.dataflows] == [(1, 0, 0)]
    assert order(filled) == ["SEA.ABOARD", "SEA.HARBOUR", "SEA.COAST"]
    assert shown(filled) == ["2024-01=1", "2024-02=1", "2024-03=1"]
    assert len(ranked_in_the_log(filled)) == 2
    filled.library.store.restore(3)
    assert (shown(filled), order(filled)) == (["2024-01=3", "2024-02=2", "2024-03=1"], AGREED)


def test_a_decision_stays_ahead_of_what_is_agreed(filled: House) -> None:
    _, whole = set_precedence(filled.library, OPERATOR, dataflow="DF_CATCH", providers=["COAST"])
    assert whole == ["SEA.COAST", "SEA.HARBOUR", "SEA.ABOARD"]  # the others as agreed, not by name
    assert shown(filled) == ["2024-01=2", "2024-02=2", "2024-03=1"]
    places(filled, {"ABOARD": 1})  # others changed places: the decision stands, behind it the new order
    send(filled, "HARBOUR", COD_2024_03="3")
    assert order(filled) == ["SEA.COAST", "SEA.ABOARD", "SEA.HARBOUR"]
    assert filled.library.store.ranking(filled.library.view().release).heads == {NAME: ["SEA.COAST"]}
    assert shown(filled) == ["2024-01=2", "2024-02=2", "2024-03=1"]


def test_nobody_decides_any_more(filled: House) -> None:
    set_precedence(filled.library, OPERATOR, dataflow="DF_CATCH", providers=["COAST", "ABOARD"])
    release, whole = set_precedence(filled.library, OPERATOR, dataflow="DF_CATCH", providers=None)
    assert whole == AGREED
    assert filled.library.store.ranking(release.number).heads == {}
    assert shown(filled) == ["2024-01=3", "2024-02=2", "2024-03=1"]
    places(filled, {"COAST": 1})
    send(filled, "COAST", COD_2024_04="2")
    assert order(filled) == ["SEA.COAST", "SEA.ABOARD", "SEA.HARBOUR"]


def test_what_was_decided_before_decisions_were_told_apart_stands(filled: House) -> None:
    filled.library.store.publish((), ranking=Ranking(providers={NAME: ["SEA.ABOARD"]}))
    send(filled, "HARBOUR", COD_2024_02="3")
    assert order(filled) == ["SEA.ABOARD", "SEA.HARBOUR", "SEA.COAST"]
    assert shown(filled) == ["2024-01=1", "2024-02=1", "2024-03=1"]


def test_a_store_that_never_ranked_is_ranked_by_its_next_publication(filled: House) -> None:
    filled.library.store.publish((), ranking=Ranking(decided={}))  # as by name
    assert shown(filled) == ["2024-01=1", "2024-02=1", "2024-03=1"]
    send(filled, "COAST", EEL_2024_01="5")
    assert shown(filled) == ["2024-01=3", "2024-02=2", "2024-03=1"]


def test_what_is_published_at_its_hour_is_ranked_too(house: House) -> None:
    places(house, {"HARBOUR": 1, "COAST": 2})
    send(house, "COAST", COD_2024_01="2")
    now = datetime(2030, 1, 1, 9, 0, tzinfo=UTC)
    waiting, _ = house.send(figures(COD_2024_01="3"), provider="HARBOUR", publish=False)
    schedule(waiting.id, house.library, OPERATOR, now, at="2030-01-01T10:00:00Z")
    assert [one.id for one in publish_due(house.library, now + timedelta(hours=2)).published] == [waiting.id]
    assert (shown(house), order(house)) == (["2024-01=3"], AGREED)
