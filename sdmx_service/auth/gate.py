"""The door for whoever comes over a network with a token: failures per address are counted, use is noted by the day."""

from __future__ import annotations

import logging
import time
from collections import OrderedDict
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

from sdmx_service.auth.client_address import counted_as
from sdmx_service.auth.principal import Principal
from sdmx_service.auth.throttle import Tallies, Tally, Throttle
from sdmx_service.auth.tokens import RefusedToken, authenticate, bearer, is_public_part, note_use
from sdmx_service.auth.trail import Aside, at_once, keep_refusal
from sdmx_service.errors import NotAuthenticated
from sdmx_service.storage.port import Store

log = logging.getLogger(__name__)
FAILURES, WINDOW = 20, 300.0
"""Failed tokens from one address, and the seconds in which they count."""
_REMEMBERED = 10_000


class Gate:
    """Recognises tokens. A right token passes even where many wrong ones came from (*choice*).

    A token is too long to be guessed; the limit keeps who tries from costing much, and an office behind the same
    address is not shut out by a neighbour. The log tells of wrong ones in sum: of each token that there is or was, and
    of all others together.

    Args:
        store: where the tokens are.
        throttle: of addresses.
        aside: does what an answer does not wait for.
        clock: of the tallies, in seconds, never running back.
    """

    def __init__(
        self,
        store: Store,
        throttle: Throttle | None = None,
        *,
        aside: Aside = at_once,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store, self._aside = store, aside
        self._throttle = Throttle(FAILURES, WINDOW) if throttle is None else throttle
        self._seen: OrderedDict[str, str] = OrderedDict()
        self._known, self._unknown, self._signed = Tallies(clock=clock), Tally(clock=clock), Tally(clock=clock)

    def admit(self, authorization: str | None, address: str) -> Principal:
        """The principal of a header ``Authorization``.

        Raises:
            NotAuthenticated: there is no token, or it is not valid.
            TooManyAttempts: it is not valid, and there were too many such from that address.
        """
        shown = bearer(authorization)
        try:
            principal = authenticate(self._store, authorization)
        except NotAuthenticated as fault:
            self.refused(address, shown, fault)
            raise
        self._note_use(principal.id)
        return principal

    def refused(self, address: str, shown: str, fault: NotAuthenticated) -> None:
        """Count a token that was not valid against the address it came from.

        Args:
            address: of who showed it.
            shown: the token.
            fault: why it is not valid; any but ``RefusedToken`` is about a token that a sign-in provider signed.

        Raises:
            TooManyAttempts: there were too many.
        """
        origin = counted_as(address)
        self._tell(origin, fault)
        self._throttle.check(origin)
        self._throttle.failed(origin)
        public = shown.partition(".")[0]
        log.info("token %s refused, from %s", public if is_public_part(public) else "of no known form", address)

    def _tell(self, origin: str, fault: NotAuthenticated) -> None:
        """Let the log tell of it, if it is time to."""
        if isinstance(fault, RefusedToken) and fault.token is not None:
            if (found := self._known.add(fault.token, origin)) is not None:
                token, told = found
                subject = "other tokens" if token is None else f"token {token}"
                self._write(subject, told, None if token is None else fault.why)
            return
        is_signed = not isinstance(fault, RefusedToken)
        if (told_of := (self._signed if is_signed else self._unknown).add(origin)) is not None:
            self._write("signed tokens" if is_signed else "unknown tokens", told_of)

    def _write(self, subject: str, told: dict[str, int], why: str | None = None) -> None:
        self._aside(partial(keep_refusal, self._store, "refuse token", subject, why=why, **told))

    def _note_use(self, id: str) -> None:
        day = datetime.now(UTC).date().isoformat()
        if self._seen.get(id) == day:
            return
        self._seen[id] = day
        while len(self._seen) > _REMEMBERED:
            self._seen.popitem(last=False)
        note_use(self._store, id, day)
