"""Who may do what: one table of acts and roles. The code asks it, the documents print it, a test runs every cell.

A cell says whose things a role may act on: ``all``, ``own`` (those of its provider, or sent by itself) or ``none``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from sdmx_service.roles import ROLES as ROLES
from sdmx_service.roles import Role as Role

Reach = Literal["all", "own", "none"]
ActId = Literal[
    "read",
    "submit",
    "fill",
    "see",
    "withdraw",
    "see_decisions",
    "comment",
    "review",
    "see_log",
    "read_embargoed",
    "see_embargoes",
    "embargo",
    "publish",
    "restore",
    "decide",
    "rank",
    "see_mappings",
    "maintain",
    "register",
    "policies",
    "audit",
    "purge",
    "rights",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One thing that can be done, and who may do it to whose.

    Attributes:
        what: in words, as the documents say it.
        where: the address that does it; empty while no address does.
        reaches: role -> whose.
        done: HTTP status of the act where it is allowed.
        refused: its status where it is not; 404 where even the existence of the thing stays hidden.
        is_open: whether it needs no token.
        by_dataflow: whether it is about dataflows, so that a token limited to some may do it to those.
    """

    what: str
    where: str
    reaches: Mapping[Role, Reach]
    done: int = 200
    refused: int = 403
    is_open: bool = False
    by_dataflow: bool = False


def _of(*reaches: Reach) -> Mapping[Role, Reach]:
    """The reaches in the order of ``ROLES``."""
    return dict(zip(ROLES, reaches, strict=True))


ACTS: Mapping[ActId, Act] = {
    "read": Act(
        what="read published figures and structures", where="GET /sdmx/...", is_open=True,
        reaches=_of("all", "all", "all", "all", "all"), by_dataflow=True,
    ),
    "submit": Act(
        what="send figures", where="POST /api/submissions, POST /sdmx/v2/data", done=201,
        reaches=_of("own", "none", "none", "all", "all"), by_dataflow=True,
    ),
    "fill": Act(
        what="take a questionnaire filled with what is held", where="GET /api/templates/...",
        reaches=_of("own", "none", "none", "all", "all"),
    ),
    "see": Act(
        what="see a submission and its findings", where="GET /api/submissions/...", refused=404,
        reaches=_of("own", "own", "all", "all", "all"), by_dataflow=True,
    ),
    "withdraw": Act(
        what="take back a submission that is not published", where="POST /api/submissions/ID/withdraw",
        reaches=_of("own", "own", "own", "all", "all"), by_dataflow=True,
    ),
    "see_decisions": Act(
        what="see what was decided about values of files", where="GET /api/decisions",
        reaches=_of("all", "none", "all", "all", "all"),
    ),
    "comment": Act(
        what="say something about a submission", where="POST /api/submissions/ID/comment", done=201, refused=404,
        reaches=_of("own", "own", "all", "all", "all"), by_dataflow=True,
    ),
    "review": Act(
        what="approve or refuse a submission", where="POST /api/submissions/ID/approve, /refuse",
        reaches=_of("none", "none", "all", "all", "all"), by_dataflow=True,
    ),
    "see_log": Act(
        what="read the log and the policies", where="GET /api/log, GET /api/policies/...",
        reaches=_of("none", "none", "all", "all", "all"),
    ),
    "read_embargoed": Act(
        what="read figures that wait for their hour", where="",
        reaches=_of("own", "all", "all", "all", "all"), by_dataflow=True,
    ),
    "see_embargoes": Act(
        what="see which embargoes there are", where="GET /api/embargoes",
        reaches=_of("none", "all", "all", "all", "all"),
    ),
    "embargo": Act(
        what="set and lift embargoes", where="POST /api/embargoes", done=201,
        reaches=_of("none", "none", "none", "all", "all"),
    ),
    "publish": Act(
        what="publish or schedule a submission", where="POST /api/submissions/ID/publish, ...",
        reaches=_of("none", "none", "none", "all", "all"), by_dataflow=True,
    ),
    "restore": Act(
        what="restore an earlier release", where="POST /api/releases/N/restore", done=201,
        reaches=_of("none", "none", "none", "all", "all"),
    ),
    "decide": Act(
        what="decide what a value means", where="POST /api/decisions", done=201,
        reaches=_of("none", "none", "none", "all", "all"),
    ),
    "rank": Act(
        what="say whose figure is shown", where="PUT /api/sources", done=201,
        reaches=_of("none", "none", "none", "all", "all"),
    ),
    "see_mappings": Act(
        what="take mappings along as files", where="GET /api/mappings/...",
        reaches=_of("all", "all", "all", "all", "all"),
    ),
    "maintain": Act(
        what="change structures and mappings", where="/sdmx/v2/structure/..., PUT /api/mappings/...", done=201,
        reaches=_of("none", "none", "none", "all", "all"),
    ),
    "register": Act(
        what="register where data are", where="POST /sdmx/v2/registration", done=201,
        reaches=_of("own", "none", "none", "all", "all"),
    ),
    "policies": Act(
        what="say who signs off and what is expected", where="POST /api/policies/...", done=201,
        reaches=_of("none", "none", "none", "none", "all"),
    ),
    "audit": Act(
        what="see what hides figures, and which could be found out", where="GET /api/confidentiality/...",
        reaches=_of("none", "none", "none", "all", "all"),
    ),
    "purge": Act(
        what="remove stored values for good, say what hides figures", where="/api/purges, PUT /api/confidentiality/...",
        reaches=_of("none", "none", "none", "none", "all"),
    ),
    "rights": Act(
        what="give and take rights: tokens, accounts", where="/api/tokens, /api/accounts",
        reaches=_of("none", "none", "none", "none", "all"),
    ),
}  # fmt: skip
"""The table. What a role may do is said here and nowhere else."""


def table() -> str:
    """The table as the documents print it (Markdown)."""
    heads = ("act", "at", "without token", *ROLES)
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    for act in ACTS.values():
        opened = "all" if act.is_open else "-"
        reaches = (act.reaches[role].replace("none", "-") for role in ROLES)
        where = f"`{act.where}`" if act.where else "see the pages on submissions"
        lines.append(f"| {act.what} | {where} | {opened} | " + " | ".join(reaches) + " |")
    return "\n".join(lines) + "\n"
