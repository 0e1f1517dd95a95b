"""What can be said of a line of the checklist, and the register of checks."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.conformance.site import Site

Check = Callable[["Site"], None]
CHECKS: dict[str, Check] = {}
"""By id of the line."""


class Verdict(Exception):
    """Ends a check otherwise than met."""

    word = ""


class NotMetError(Verdict):
    """The service does not do what the line says."""

    word = "not met"


class NotBuiltError(Verdict):
    """It answers 501."""

    word = "not built"


class NotTestableError(Verdict):
    """The service has nothing to try it on, or the line cannot be seen from outside."""

    word = "not testable"


MET = "met"
SHOWN = "shown by tests"
"""Of a line that cannot be seen from outside: tests of the service's own say so (``--shown``)."""
WORDS = (MET, SHOWN, "not met", "not built", "not testable")


def check(*ids: str) -> Callable[[Check], Check]:
    """Registers a check of one or several lines."""

    def register(function: Check) -> Check:
        for id in ids:
            assert id not in CHECKS, id
            CHECKS[id] = function
        return function

    return register


def expect(condition: object, why: str) -> None:
    """Not met unless the condition holds."""
    if not condition:
        raise NotMetError(why)


def need(condition: object, why: str) -> None:
    """Not testable unless the condition holds."""
    if not condition:
        raise NotTestableError(why)


def unseen(why: str) -> Check:
    """A check of a line that cannot be seen through the interface."""

    def function(site: Site) -> None:
        raise NotTestableError(why)

    return function
