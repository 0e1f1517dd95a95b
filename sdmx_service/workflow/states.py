"""The life of a submission as one small table: which act leads from which statuses to which.

``received`` is the status of a file that was only checked. A submission begins as accepted or refused, which its check
decides. Superseded and withdrawn are ends; so is refused, but for a correction.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from sdmx_service.errors import Conflict
from sdmx_service.submission.receipt import Receipt, Status

Act = Literal["approve", "refuse", "schedule", "hold", "publish", "withdraw", "supersede", "correct"]
WAITING: tuple[Status, ...] = ("accepted", "approved", "scheduled")
"""Accepted, and neither published nor taken back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """An act: from which statuses it leads to which, and who may do it."""

    sources: tuple[Status, ...]
    target: Status | None
    who: str


STEPS: Mapping[Act, Step] = MappingProxyType(
    {
        "approve": Step(sources=("accepted",), target="approved", who="a role that the sign-off names"),
        "refuse": Step(sources=WAITING, target="refused", who="a reviewer"),
        "schedule": Step(sources=WAITING, target="scheduled", who="a publisher"),
        "hold": Step(sources=("scheduled",), target=None, who="a publisher"),
        "publish": Step(sources=WAITING, target="published", who="a publisher"),
        "withdraw": Step(sources=WAITING, target="withdrawn", who="its sender or a publisher"),
        "supersede": Step(sources=(*WAITING, "published"), target="superseded", who="its correction"),
        "correct": Step(sources=("refused", *WAITING, "published"), target=None, who="its sender or a publisher"),
    }
)
"""``hold`` leads back to where it was scheduled from; ``correct`` begins another submission."""


def require(act: Act, receipt: Receipt) -> None:
    """Nothing, if the act is possible now.

    Raises:
        Conflict: it is not; the statuses from which it is are named.
    """
    step = STEPS[act]
    if receipt.status not in step.sources:
        possible = [name for name, one in STEPS.items() if receipt.status in one.sources and name != "supersede"]
        raise Conflict(
            f"The submission {receipt.id} is {receipt.status}, not {' or '.join(step.sources)}.",
            hint=f"Possible now: {', '.join(possible)}." if possible else "Nothing more can be done with it.",
        )
