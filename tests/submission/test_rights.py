"""Rights from provision agreements: drafts, their time, the areas they are for, and what changes before publication."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from sdmx_service.auth import OPERATOR
from sdmx_service.catalog.loading import Content, serialise
from sdmx_service.errors import Conflict
from sdmx_service.model.artefact import Maintainable
from sdmx_service.model.constraint import (
    CubeRegion,
    DataConstraint,
    KeyValue,
    MemberValue,
    TimeBound,
    TimeRange,
)
from sdmx_service.model.finding import Finding
from sdmx_service.model.items import Codelist
from sdmx_service.model.structure import ProvisionAgreement
from sdmx_service.model.urn import Ref
from sdmx_service.submission.reading import Wish
from sdmx_service.submission.receipt import Receipt, load_findings, load_receipt
from sdmx_service.submission.submit import SentFile, submit
from sdmx_service.workflow.publishing import publish
from tests.harness import House, open_house
from tests.submission.test_submit import CONTENT, OTHER, OWN, PUBLISHER, merge, message

FLOW = Ref(type="Dataflow", agency="SEA", id="DF_CATCH", version="1.0.0")


def provider(item: str) -> Ref:
    return Ref(type="DataProvider", agency="SEA", id="DATA_PROVIDERS", version="1.0", item=item)


def agreement(item: str, version: str = "1.0.0", id: str = "", flow: Ref = FLOW, **more: str) -> ProvisionAgreement:
    return ProvisionAgreement(
        id=id or f"PA_CATCH_{item}", agency="SEA", version=version, dataflow=flow, provider=provider(item), **more
    )


def ports(to: ProvisionAgreement | Ref, *codes: str, id: str = "CON_PORTS", version: str = "1.0.0") -> DataConstraint:
    member = KeyValue(component="PORT", values=tuple(MemberValue(value=code) for code in codes))
    ref = to if isinstance(to, Ref) else to.ref
    return DataConstraint(
        id=id,
        agency="SEA",
        version=version,
        role="Allowed",
        attachments=(ref,),
        regions=(CubeRegion(members=(member,)),),
    )


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with open_house(f"duckdb:///{tmp_path / 'store.duckdb'}", CONTENT) as opened:
        yield opened


def keep(house: House, *artefacts: Maintainable) -> None:
    house.library.store.save_artefacts(serialise(Content(artefacts=list(artefacts))))


def send(house: House, *rows: str, item: str = "HARBOUR") -> tuple[Receipt, list[Finding]]:
    file = SentFile(file=io.BytesIO(message(*rows)), name="sent.csv")
    principal = OWN if item == "HARBOUR" else OTHER
    receipt = submit(file, Wish(provider=f"SEA.{item}"), house.library, principal)
    return receipt, [one for group in load_findings(house.library.store, receipt.id) for one in group.findings()]


class TestAgreements:
    def test_a_draft_gives_no_right(self, house: House) -> None:
        keep(house, agreement("COAST", "1.0.0-draft"))
        receipt, (finding,) = send(house, merge("COD", "2024-01", "5"), item="COAST")
        assert (receipt.status, finding.code) == ("refused", "F503")
        assert "SEA:PA_CATCH_COAST(1.0.0-draft), a draft" in finding.message
        keep(house, agreement("COAST", "1.0.0"))
        assert send(house, merge("COD", "2024-01", "5"), item="COAST")[0].status == "accepted"

    def test_a_later_draft_takes_no_right_away(self, house: House) -> None:
        keep(house, agreement("COAST", "1.1.0-draft", id="PA_CATCH_HARBOUR"))
        assert send(house, merge("COD", "2024-01", "5"))[0].status == "accepted"

    def test_a_later_version_counts_in_the_place_of_the_earlier(self, house: House) -> None:
        keep(house, agreement("COAST", "1.1.0", id="PA_CATCH_HARBOUR"))
        assert send(house, merge("COD", "2024-01", "5"))[1][0].code == "F503"
        assert send(house, merge("COD", "2024-01", "5"), item="COAST")[0].status == "accepted"

    def test_a_draft_changes_nothing_for_anybody(self, house: House) -> None:
        licences = replace(FLOW, id="DF_LICENCE")
        keep(house, agreement("HARBOUR", "1.0.0-draft", id="PA_LICENCE", flow=licences))
        catalog = house.library.view().catalog
        assert catalog.may_provide(provider("COAST"), licences)
        keep(house, agreement("HARBOUR", "1.0.0", id="PA_LICENCE", flow=licences))
        catalog = house.library.view().catalog
        assert not catalog.may_provide(provider("COAST"), licences)
        assert catalog.may_provide(provider("HARBOUR"), licences)

    def test_a_dataflow_whose_agreements_have_ended_is_not_open(self, house: House) -> None:
        keep(house, agreement("HARBOUR", valid_to="2001-12-31"))
        catalog = house.library.view().catalog
        assert not catalog.may_provide(provider("HARBOUR"), FLOW)
        assert not catalog.may_provide(provider("COAST"), FLOW)

    @pytest.mark.parametrize(
        ("bounds", "holds"),
        [
            ({}, True),
            ({"valid_from": "2024-06-01", "valid_to": "2024-06-30"}, True),
            ({"valid_to": "2024-06-15"}, True),  # the whole last day
            ({"valid_to": "2024-06-14"}, False),
            ({"valid_to": "2024-06-15T11:59:59Z"}, False),
            ({"valid_to": "2024"}, True),
            ({"valid_from": "2024-06-15"}, True),
            ({"valid_from": "2024-06-16"}, False),
            ({"valid_from": "2024-06-15T12:00:00Z"}, True),
            ({"valid_from": "2024-06-15T14:00:01+02:00"}, False),
            ({"valid_from": "some day"}, False),
        ],
    )
    def test_they_count_while_they_are_valid(self, house: House, bounds: dict[str, str], holds: bool) -> None:
        keep(house, agreement("COAST", **bounds))
        noon = datetime(2024, 6, 15, 12, tzinfo=UTC)
        assert house.library.view().catalog.may_provide(provider("COAST"), FLOW, noon) is holds

    def test_one_that_has_ended_is_named(self, house: House) -> None:
        keep(house, agreement("COAST", valid_to="2001-12-31"))
        receipt, (finding,) = send(house, merge("COD", "2024-01", "5"), item="COAST")
        assert (receipt.status, finding.code) == ("refused", "F503")
        assert "SEA:PA_CATCH_COAST(1.0.0), valid from ever to 2001-12-31" in finding.message


class TestAreas:
    def test_figures_of_another_area_are_refused_where_they_stand(self, house: House) -> None:
        keep(house, ports(agreement("HARBOUR"), "SOU"))
        rows = [
            merge("COD", "2024-01", "5"),
            merge("COD", "2024-02", "6", port="NOR"),
            merge("EEL", "2024-02", "6", port="NOR"),
        ]
        receipt, findings = send(house, *rows)
        assert receipt.status == "refused"
        assert [(one.code, one.row, one.column, one.value) for one in findings] == [
            ("F502", 3, "PORT", "NOR"),
            ("F502", 4, "PORT", "NOR"),
        ]
        assert send(house, rows[0])[0].status == "accepted"

    def test_a_table_is_held_to_it_too(self, house: House) -> None:
        keep(house, ports(agreement("HARBOUR"), "SOU"))
        book = b"Port;Month;cod;eel;nameless;all\nNorthport;2024-02;6;0;0;6\n"
        receipt = submit(SentFile(file=io.BytesIO(book), name="book.csv"), Wish(), house.library, OWN)
        groups = load_findings(house.library.store, receipt.id)
        assert {(one.code, one.row) for group in groups for one in group.findings()} == {("F502", 2)}

    def test_nobody_is_exempt(self, house: House) -> None:
        """What a provider may send is not a matter of who carries it in."""
        keep(house, ports(agreement("HARBOUR"), "SOU"))
        file = SentFile(file=io.BytesIO(message(merge("COD", "2024-02", "6", port="NOR"))), name="sent.csv")
        assert submit(file, Wish(provider="SEA.HARBOUR"), house.library, OPERATOR).status == "refused"

    def test_what_a_provider_may_send_under_whatever_agreement(self, house: House) -> None:
        keep(house, ports(provider("HARBOUR"), "SOU"), agreement("COAST"))
        _, findings = send(house, merge("COD", "2024-01", "5"), merge("COD", "2024-02", "6", port="NOR"))
        assert [(one.code, one.row, one.column, one.value) for one in findings] == [("F502", 3, "PORT", "NOR")]
        assert "SEA:CON_PORTS(1.0.0) does not cover it" in findings[0].message
        assert send(house, merge("COD", "2024-01", "5", port="NOR"), item="COAST")[0].status == "accepted"

    def test_a_provider_s_constraint_holds_without_agreements_too(self, house: House) -> None:
        open_flow = replace(house.library.view().catalog.dataflow(FLOW), id="DF_OPEN")
        keep(house, open_flow, ports(provider("HARBOUR"), "SOU"))

        def codes(port: str) -> list[str]:
            body = message(merge("COD", "2024-01", "5", port=port)).replace(b"DF_CATCH", b"DF_OPEN")
            file = SentFile(file=io.BytesIO(body), name="sent.csv")
            receipt = submit(file, Wish(provider="SEA.HARBOUR"), house.library, OWN)
            return [group.code for group in load_findings(house.library.store, receipt.id)]

        assert (codes("SOU"), codes("NOR")) == ([], ["F502"])

    def test_it_holds_for_every_version_of_the_dataflow(self, house: House) -> None:
        """The agreement means the latest version; sending to an earlier one is no way around it."""
        catalog = house.library.view().catalog
        later = replace(catalog.dataflow(FLOW), version="1.1.0")
        bound = agreement("HARBOUR", "1.1.0", flow=replace(FLOW, version="1.0+.0"))
        keep(house, later, bound, ports(bound, "SOU"))
        assert send(house, merge("COD", "2024-02", "6", port="NOR"))[1][0].code == "F502"
        assert send(house, merge("COD", "2024-02", "6"))[0].status == "accepted"

    def test_several_agreements_allow_what_any_allows(self, house: House) -> None:
        second = agreement("HARBOUR", id="PA_SECOND")
        keep(house, second, ports(agreement("HARBOUR"), "SOU"), ports(second, "NOR", id="CON_SECOND"))
        rows = [merge("COD", "2024-01", "5", port=port) for port in ("SOU", "NOR", "007")]
        _, findings = send(house, *rows)
        assert [(one.code, one.value) for one in findings] == [("F502", "007")]

    def test_a_draft_or_ended_agreement_limits_nothing_that_another_allows(self, house: House) -> None:
        draft, ended = (
            agreement("HARBOUR", "1.0.0-draft", id="PA_DRAFT"),
            agreement("HARBOUR", id="PA_OLD", valid_to="2001"),
        )
        keep(house, draft, ended, ports(draft, "SOU"), ports(ended, "SOU", id="CON_OLD"))
        assert send(house, merge("COD", "2024-01", "5", port="NOR"))[0].status == "accepted"

    def test_a_draft_of_a_constraint_limits_nothing(self, house: House) -> None:
        keep(house, ports(agreement("HARBOUR"), "SOU", version="1.0.0-draft"))
        assert send(house, merge("COD", "2024-01", "5", port="NOR"))[0].status == "accepted"

    def test_who_asks_for_structures_sees_what_the_provider_may_send(self, house: House) -> None:
        keep(house, ports(provider("HARBOUR"), "SOU"))

        def asked(path: str) -> dict[str, list[dict[str, Any]]]:
            found: dict[str, list[dict[str, Any]]] = json.loads(house.body(path, "application/json"))["data"]
            return found

        def codes(path: str) -> set[str]:
            (codelist,) = [one for one in asked(path)["codelists"] if one["id"] == "CL_PORT"]
            return {code["id"] for code in codelist["codes"]}

        partial = "references=descendants&detail=referencepartial"
        assert codes(f"v2/structure/provisionagreement/SEA/PA_CATCH_HARBOUR/1.0.0?{partial}") == {"_T", "SOU"}
        assert codes(f"v2/structure/dataflow/SEA/DF_CATCH/1.0.0?{partial}") == {"_T", "SOU", "NOR", "007"}
        parents = asked("v2/structure/dataproviderscheme/SEA/DATA_PROVIDERS/1.0?references=parents")
        assert [one["id"] for one in parents["dataConstraints"]] == ["CON_PORTS"]


class TestBeforePublication:
    """What was accepted is looked at again if structures or agreements changed since."""

    @pytest.fixture
    def waiting(self, house: House) -> str:
        receipt, findings = send(house, merge("COD", "2024-01", "5", port="NOR"))
        assert receipt.status == "accepted", findings
        return receipt.id

    def test_the_receipt_knows_its_structures(self, house: House, waiting: str) -> None:
        generation = house.library.view().generation
        assert load_receipt(house.library.store, waiting).generation == generation

    def test_the_agreement_is_gone(self, house: House, waiting: str) -> None:
        keep(house, agreement("HARBOUR", valid_to="2001-12-31"))
        with pytest.raises(Conflict, match=r"Structures or agreements changed.*no provision agreement"):
            publish([waiting], house.library, PUBLISHER)
        assert load_receipt(house.library.store, waiting).status == "accepted"
        keep(house, agreement("HARBOUR"))
        assert publish([waiting], house.library, PUBLISHER)[0].status == "published"

    def test_the_area_is_another_now(self, house: House, waiting: str) -> None:
        keep(house, ports(agreement("HARBOUR"), "SOU"))
        with pytest.raises(Conflict, match="PORT: 'NOR' is not for this provider to send"):
            publish([waiting], house.library, PUBLISHER)

    def test_the_provider_may_send_less_now(self, house: House, waiting: str) -> None:
        keep(house, ports(provider("HARBOUR"), "SOU"))
        with pytest.raises(Conflict, match="PORT: 'NOR' is not for this provider to send"):
            publish([waiting], house.library, PUBLISHER)

    def test_the_dataflow_takes_less_now(self, house: House, waiting: str) -> None:
        keep(house, ports(FLOW, "SOU"))
        with pytest.raises(Conflict, match="PORT: 'NOR' is not allowed by SEA:CON_PORTS"):
            publish([waiting], house.library, PUBLISHER)

    def test_its_period_is_not_covered_any_more(self, house: House, waiting: str) -> None:
        late = KeyValue(component="TIME_PERIOD", time_range=TimeRange(after=TimeBound(period="2024-02")))
        agreed = house.library.view().catalog.named("PA_CATCH_HARBOUR", "ProvisionAgreement")
        one = ports(agreed.ref, "SOU", "NOR")
        keep(house, replace(one, regions=(CubeRegion(members=(*one.regions[0].members, late)),)))
        with pytest.raises(
            Conflict, match=r"'2024-01' lies outside what .*CON_PORTS.* lets this provider send: from 2024-02"
        ):
            publish([waiting], house.library, PUBLISHER)

    def test_the_code_is_gone(self, house: House, waiting: str) -> None:
        lists = [one for one in house.library.view().catalog.of_type("Codelist") if one.id == "CL_PORT"]
        for one in lists:
            assert isinstance(one, Codelist)
            keep(house, replace(one, items=tuple(item for item in one.items if item.id != "NOR")))
        with pytest.raises(Conflict, match="PORT: 'NOR' is not a code"):
            publish([waiting], house.library, PUBLISHER)

    def test_changes_that_do_not_touch_it(self, house: House, waiting: str) -> None:
        keep(house, agreement("COAST"), ports(agreement("HARBOUR"), "NOR", "SOU"))
        assert publish([waiting], house.library, PUBLISHER)[0].status == "published"

    def test_one_that_was_accepted_before_this_was_kept_is_looked_at(self, house: House, waiting: str) -> None:
        store = house.library.store
        store.save_document("receipt", waiting, {**dict(store.document("receipt", waiting) or {}), "generation": None})
        keep(house, ports(agreement("HARBOUR"), "SOU"))
        with pytest.raises(Conflict):
            publish([waiting], house.library, PUBLISHER)
