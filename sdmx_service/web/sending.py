"""Sending a file from a browser: the form, what one has sent, a receipt with its findings. The walk is ``send``'s."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from aiohttp import web

from sdmx_service.auth.principal import Principal
from sdmx_service.catalog.catalog import Catalog
from sdmx_service.errors import NotFound, SdmxError, SyntaxFault
from sdmx_service.model.finding import CATALOGUE, Finding, FindingGroup
from sdmx_service.model.items import DataProviderScheme
from sdmx_service.model.structure import Dataflow
from sdmx_service.submission.exports import REPORT_POLICY, findings_csv, findings_html, findings_workbook, title_of
from sdmx_service.submission.reading import Wish, named_provider
from sdmx_service.submission.receipt import Receipt, load_findings, load_receipt, receipts
from sdmx_service.submission.submit import Outcome, check, kept_file
from sdmx_service.web.asking import Shown, status_of
from sdmx_service.web.desk import Case, at_desk
from sdmx_service.web.home import current_dataflows
from sdmx_service.web.life import life_of
from sdmx_service.workflow.sending import send
from sdmx_service.workflow.states import WAITING
from sdmx_service.workflow.steps import withdraw

_LISTED = 100
"""Submissions on the page, the newest ones."""
_PLACES = 20
"""Places of one cause that the page shows; the downloads have all."""
_CAUSES = 100
_TYPES = {
    ".csv": "text/csv; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


def routes() -> list[web.RouteDef]:
    """The routes of sending."""
    return [
        web.get("/sending", at_desk(_overview)),
        web.post("/sending", at_desk(_send, file_for="submit")),
        web.get("/sending/{id}", at_desk(_receipt)),
        web.get(r"/sending/{id}/findings{suffix:\.csv|\.html|\.xlsx}", at_desk(_findings)),
        web.post("/sending/{id}/withdraw", at_desk(_withdraw)),
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """Findings of one cause, as the page shows them.

    Attributes:
        title, message, remedy: what it is, what it says at its first place, what to do.
        places: the first of them.
    """

    code: str
    severity: str
    count: int
    title: str
    message: str
    expected: str
    remedy: str
    places: tuple[Finding, ...]

    @property
    def has_place(self) -> bool:
        """Whether any of them stands somewhere, or is about a value."""
        return any(one.row is not None or one.column or one.sheet or one.key or one.value for one in self.places)


def causes_of(groups: Iterable[FindingGroup]) -> tuple[Cause, ...]:
    """The causes, errors first, as the groups come."""
    found = []
    for group in list(groups)[:_CAUSES]:
        places = tuple(group.findings(_PLACES))
        kind = CATALOGUE.get(group.code)
        found.append(
            Cause(
                code=group.code,
                severity=group.severity.value,
                count=group.count,
                title=title_of(group),
                message=places[0].message if places else "",
                expected=_expected(places),
                remedy=kind.remedy if kind else "",
                places=places,
            )
        )
    return tuple(found)


def _expected(places: Sequence[Finding]) -> str:
    """What is expected at all the places alike, where the message does not say it; empty if nothing is."""
    said = {one.expected or "" for one in places}
    expected = said.pop() if len(said) == 1 else ""
    return "" if places and expected in places[0].message else expected


# --- the overview and the form --------------------------------------------------------------------------------------
def _overview(case: Case) -> Shown:
    return _overview_page(case)


def _overview_page(case: Case, fault: SdmxError | None = None) -> Shown:
    principal, catalog = case.signed_in, case.view.catalog
    sent = [one for one in receipts(case.desk.store) if one.is_seen_by(principal)]
    return case.page(
        "sending.html",
        200 if fault is None else status_of(fault),
        fault=fault,
        provider=_called(principal.provider, catalog),
        flows=_flows(principal, catalog),
        sent=list(reversed(sent))[:_LISTED],
        total=len(sent),
        wishes={name: case.fields.get(name, "") for name in ("dataflow", "provider", "mapping")},
        corrects=case.fields.get("corrects", "") or case.asked.text("corrects"),
    )


def _called(provider: str | None, catalog: Catalog) -> object:
    """The provider as the catalog names it, or its own text."""
    for scheme in catalog.of_type("DataProviderScheme"):
        if isinstance(scheme, DataProviderScheme):
            for item in scheme.items:
                if f"{scheme.agency}.{item.id}" == provider:
                    return item
    return None


def _flows(principal: Principal, catalog: Catalog) -> list[Dataflow]:
    """The dataflows that it may send to."""
    found = [flow for flow in current_dataflows(catalog) if principal.covers((flow.ref,))]
    if principal.provider is None:
        return found
    try:
        provider = named_provider(principal.provider, catalog)
    except NotFound:
        return []
    return [flow for flow in found if catalog.may_provide(provider, flow.ref)]


def _send(case: Case) -> Shown:
    """The file checked only, or sent; a receipt stands at an address of its own."""
    principal, fields = case.signed_in, case.fields
    try:
        principal.must("submit")
        if case.file is None:
            raise SyntaxFault("No file was chosen.", hint="Choose a file and send again.")
        said = {name: fields.get(name, "").strip() or None for name in ("dataflow", "provider", "mapping")}
        wish = Wish(dataflow=said["dataflow"], provider=said["provider"], mapping=said["mapping"])
        if fields.get("act") == "check":
            outcome = check(
                case.file, wish, case.view.catalog, store=case.desk.store, release=case.view.release,
                memory=case.desk.memory, principal=principal,
            )  # fmt: skip
            return _checked(case, outcome)
        corrects = fields.get("corrects", "").strip() or None
        receipt = send(case.file, wish, case.desk.library, principal, corrects=corrects, memory=case.desk.memory)
    except SdmxError as fault:
        return _overview_page(case, fault)
    return case.go(f"/sending/{receipt.id}")


def _checked(case: Case, outcome: Outcome) -> Shown:
    status = 422 if outcome.receipt.status == "refused" else 200
    return case.page(
        "submission.html", status, receipt=outcome.receipt, causes=causes_of(outcome.groups), is_kept=False,
        more=max(0, len(outcome.groups) - _CAUSES), may_withdraw=False,
    )  # fmt: skip


# --- one submission -------------------------------------------------------------------------------------------------
def _own(case: Case) -> Receipt:
    """The receipt that the address names.

    Raises:
        NotFound: there is none, or it is not for who asks.
    """
    id = case.asked.parts["id"]
    receipt = load_receipt(case.desk.store, id)
    if not receipt.is_seen_by(case.signed_in):
        raise NotFound(f"There is no submission {id!r}.")
    return receipt


def _receipt(case: Case) -> Shown:
    receipt = _own(case)
    groups = load_findings(case.desk.store, receipt.id)
    may = case.signed_in.may("withdraw", provider=receipt.provider or "", sender=receipt.principal)
    return case.page(
        "submission.html", receipt=receipt, causes=causes_of(groups), is_kept=True,
        more=max(0, len(groups) - _CAUSES), may_withdraw=may and receipt.status in WAITING, **life_of(receipt, case),
    )  # fmt: skip


def _findings(case: Case) -> Shown:
    """Every finding: as a table, as a page of its own, or as the sender's table with its cells marked."""
    receipt, suffix = _own(case), case.asked.parts["suffix"]
    groups = load_findings(case.desk.store, receipt.id)
    headers = {"Content-Type": _TYPES[suffix]}
    if suffix == ".html":
        return Shown(file=findings_html(receipt, groups), headers=headers | {"Content-Security-Policy": REPORT_POLICY})
    headers["Content-Disposition"] = f'attachment; filename="findings_{receipt.id}{suffix}"'
    if suffix == ".csv":
        return Shown(file=findings_csv(groups), headers=headers)
    with kept_file(case.desk.store, receipt.id) as file:
        return Shown(file=b"".join(findings_workbook(groups, receipt.file, file)), headers=headers)


def _withdraw(case: Case) -> Shown:
    receipt = _own(case)
    withdraw(receipt.id, case.desk.library, case.signed_in)
    return case.go(f"/sending/{receipt.id}")
