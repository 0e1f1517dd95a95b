"""The later life of a submission from a browser: its steps, what was said and done, and the calendar."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from aiohttp import web

from sdmx_service.auth.acts import ActId
from sdmx_service.auth.principal import Principal
from sdmx_service.errors import SemanticFault
from sdmx_service.submission.exports import REPORT_POLICY
from sdmx_service.submission.receipt import Receipt
from sdmx_service.web.asking import Shown
from sdmx_service.web.desk import Case, at_desk
from sdmx_service.workflow import steps
from sdmx_service.workflow.difference import counts, earlier_version, of_submissions, table
from sdmx_service.workflow.expected import Status, expected
from sdmx_service.workflow.history import history
from sdmx_service.workflow.publishing import clock, publish, seen
from sdmx_service.workflow.states import STEPS

_LISTED = 500
"""Lines of the calendar that the page shows."""
_ORDER: tuple[Status, ...] = ("late", "partial", "expected", "not asked", "covered", "complete")
"""How the calendar lists what is expected."""
_MOST_COMPARED = 20_000
"""Cells of a difference that a page shows at most."""
_NEEDS: Mapping[str, ActId] = {
    "approve": "review",
    "refuse": "review",
    "schedule": "publish",
    "hold": "publish",
    "publish": "publish",
}
"""Step -> the act of the table of rights."""
_DOES: Mapping[str, Callable[[Case, str], object]] = {
    "approve": lambda case, id: steps.approve(
        id, case.desk.library, case.signed_in, clock(), comment=case.fields.get("words", "")
    ),
    "refuse": lambda case, id: steps.refuse(
        id, case.desk.library, case.signed_in, reason=case.fields.get("words", "")
    ),
    "schedule": lambda case, id: steps.schedule(
        id, case.desk.library, case.signed_in, clock(),
        at=case.fields.get("at") or None, zone=case.fields.get("zone") or None, comment=case.fields.get("words", ""),
    ),
    "hold": lambda case, id: steps.hold(id, case.desk.library, case.signed_in, reason=case.fields.get("words", "")),
    "publish": lambda case, id: publish(
        [id], case.desk.library, case.signed_in, comment=case.fields.get("words", ""), memory=case.desk.memory
    ),
    "comment": lambda case, id: steps.comment(
        id, case.desk.library, case.signed_in, clock(), text=case.fields.get("words", "")
    ),
}  # fmt: skip


def routes() -> list[web.RouteDef]:
    """The routes of the later life."""
    return [
        web.post(f"/sending/{{id}}/{{step:{'|'.join(_DOES)}}}", at_desk(_step)),
        web.get("/sending/{id}/difference", at_desk(_difference)),
        web.get("/calendar", at_desk(_calendar)),
    ]


def life_of(receipt: Receipt, case: Case) -> dict[str, Any]:
    """What the page of a submission shows of its later life."""
    store, principal = case.desk.store, case.signed_in
    return {
        "possible": possible(receipt, principal),
        "held": steps.held_back(receipt, store, clock()) if receipt.status in ("accepted", "approved") else (),
        "has_difference": receipt.corrects is not None and receipt.status not in ("refused", "withdrawn"),
        "said": steps.comments(receipt.id, store),
        "done": list(history(store, principal, object=receipt.id)),
    }


def possible(receipt: Receipt, principal: Principal) -> tuple[str, ...]:
    """The steps that this principal may do now."""
    return tuple(
        name
        for name, act in _NEEDS.items()
        if receipt.status in STEPS[name].sources  # type: ignore[index]
        and principal.may(act)
        and principal.covers(one.dataflow for one in receipt.dataflows)
    )


def _step(case: Case) -> Shown:
    id, step = case.asked.parts["id"], case.asked.parts["step"]
    seen(id, case.desk.store, case.signed_in)
    _DOES[step](case, id)
    return case.go(f"/sending/{id}")


def _difference(case: Case) -> Shown:
    """What a correction changes of the version before it, cell by cell."""
    store, principal = case.desk.store, case.signed_in
    later = seen(case.asked.parts["id"], store, principal)
    earlier = seen(earlier_version(later, store).id, store, principal)
    with case.desk.scratch() as scratch:
        pair = of_submissions(earlier, later, case.view.catalog, store, scratch)
        cells = sum(sum(one["cells"].values()) for one in counts(pair))
        if cells > _MOST_COMPARED:
            raise SemanticFault(
                f"{cells} cells differ, and a page shows {_MOST_COMPARED}.",
                hint=f"Take the difference as a file: sdmx-service difference {later.id} -o difference.csv.",
            )
        body = b"".join(table(pair, "html", f"From {earlier.id} to {later.id}"))
    headers = {"Content-Type": "text/html; charset=utf-8", "Content-Security-Policy": REPORT_POLICY}
    return Shown(file=body, headers=headers)


def _calendar(case: Case) -> Shown:
    """What is expected, the late ones first."""
    now = clock()
    found = expected(case.view.catalog, case.desk.store, case.signed_in, now)
    every = [one.to_json(now.date()) for one in found]
    counts = {status: sum(one["status"] == status for one in every) for status in _ORDER}
    wish = case.asked.text("status")
    told = [one for one in every if wish not in _ORDER or one["status"] == wish]
    told.sort(key=lambda one: (_ORDER.index(one["status"]), one["due"], one["provider"]))
    return case.page("calendar.html", told=told[:_LISTED], total=len(told), counts=counts, chosen=wish in _ORDER)
