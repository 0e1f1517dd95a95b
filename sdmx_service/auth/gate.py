"""The door for whoever comes over a network with a token: failures per address are counted, use is noted by the day."""

from __future__ import annotations

import logging
from collections import OrderedDict
from datetime import UTC, datetime

from sdmx_service.auth.principal import Principal
from sdmx_service.auth.throttle import Throttle
from sdmx_service.auth.tokens import authenticate, bearer, is_public_part, note_use
from sdmx_service.errors import NotAuthenticated
from sdmx_service.storage.port import Store

log = logging.getLogger(__name__)
FAILURES, WINDOW = 20, 300.0
"""Failed tokens from one address, and the seconds in which they count."""
_REMEMBERED = 10_000


class Gate:
    """Recognises tokens. A right token passes even where many wrong ones came from (*choice*).

    A token is too long to be guessed; the limit keeps who tries from costing much, and an office behind the same
    address is not shut out by a neighbour.
    """

    def __init__(self, store: Store, throttle: Throttle | None = None) -> None:
        self._store = store
        self._throttle = Throttle(FAILURES, WINDOW) if throttle is None else throttle
        self._seen: OrderedDict[str, str] = OrderedDict()

    def admit(self, authorization: str | None, address: str) -> Principal:
        """The principal of a header ``Authorization``.

        Raises:
            NotAuthenticated: there is no token, or it is not valid.
            TooManyAttempts: it is not valid, and there were too many such from that address.
        """
        shown = bearer(authorization)
        try:
            principal = authenticate(self._store, authorization)
        except NotAuthenticated:
            self.refused(address, shown)
            raise
        self._note_use(principal.id)
        return principal

    def refused(self, address: str, shown: str) -> None:
        """Count a token that was not valid against the address it came from.

        Raises:
            TooManyAttempts: there were too many.
        """
        self._throttle.check(address)
        self._throttle.failed(address)
        public = shown.partition(".")[0]
        log.info("token %s refused, from %s", public if is_public_part(public) else "of no known form", address)

    def _note_use(self, id: str) -> None:
        day = datetime.now(UTC).date().isoformat()
        if self._seen.get(id) == day:
            return
        self._seen[id] = day
        while len(self._seen) > _REMEMBERED:
            self._seen.popitem(last=False)
        note_use(self._store, id, day)
