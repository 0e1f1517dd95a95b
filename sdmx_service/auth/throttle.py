"""How often somebody may fail: failures are counted per key for a while, in bounded memory.

Each process counts for itself. A key is whatever failures come from: an address, an account.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from threading import Lock

from sdmx_service.errors import TooManyAttempts


class Throttle:
    """Counts failures; the keys that failed last are remembered, up to ``most`` of them.

    Args:
        allowed: failures within the window before a key is refused.
        window: seconds after the first of them until the count begins anew.
        most: keys remembered.
        clock: seconds, never running back.
    """

    def __init__(
        self, allowed: int, window: float, *, most: int = 10_000, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.allowed = allowed
        self.window = window
        self._most = most
        self._clock = clock
        self._failures: OrderedDict[str, tuple[int, float]] = OrderedDict()
        self._lock = Lock()

    def wait(self, key: str) -> int:
        """Seconds that a key has to wait; 0: it may try."""
        with self._lock:
            count, since = self._failures.get(key, (0, 0.0))
            left = since + self.window - self._clock()
            return max(1, round(left)) if count >= self.allowed and left > 0 else 0

    def check(self, key: str) -> None:
        """Refuse a key that failed too often.

        Raises:
            TooManyAttempts: it has to wait.
        """
        if seconds := self.wait(key):
            raise TooManyAttempts(
                "There were too many failed attempts from here.",
                hint=f"Try again in {seconds} seconds.",
                seconds=seconds,
            )

    def failed(self, key: str) -> None:
        """Count a failure."""
        with self._lock:
            now = self._clock()
            count, since = self._failures.pop(key, (0, now))
            if since + self.window <= now:
                count, since = 0, now
            self._failures[key] = (count + 1, since)
            while len(self._failures) > self._most:
                self._failures.popitem(last=False)

    def succeeded(self, key: str) -> None:
        """Forget the failures of a key."""
        with self._lock:
            self._failures.pop(key, None)

    def __len__(self) -> int:
        return len(self._failures)


class Tally:
    """Failures that anybody can cause, told in the log without filling it: the 1st, 10th, 100th ... of a while.

    However many there are, so many entries tell of them as their number has digits; the first of the next while also
    tells how many there had been.

    Args:
        window: seconds after the first failure until the count begins anew.
        most: addresses that are told apart.
        clock: seconds, never running back.
    """

    def __init__(
        self, window: float = 3600.0, *, most: int = 1000, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._window, self._most, self._clock = window, most, clock
        self._since: float | None = None
        self._count, self._next, self._told = 0, 1, 0
        self._addresses: set[str] = set()
        self._lock = Lock()

    def add(self, address: str) -> dict[str, int] | None:
        """Count a failure; what the log should say now, None: nothing.

        ``count`` failures from so many ``addresses`` in this while, and ``before`` in the one before, where no entry
        told of all of those.
        """
        with self._lock:
            now, before = self._clock(), 0
            if self._since is None or self._since + self._window <= now:
                before = self._count if self._count > self._told else 0
                self._since, self._count, self._next, self._told = now, 0, 1, 0
                self._addresses.clear()
            self._count += 1
            if len(self._addresses) < self._most:
                self._addresses.add(address)
            if self._count < self._next:
                return None
            self._next, self._told = self._next * 10, self._count
            found = {"count": self._count, "addresses": len(self._addresses)}
            return found | ({"before": before} if before else {})


class Tallies:
    """A tally for each of a bounded number of names; what goes beyond it is counted together.

    Args:
        most: names that are counted apart within one window.
        window: seconds, of each tally.
        clock: seconds, never running back.
    """

    def __init__(
        self, most: int = 1000, *, window: float = 3600.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._most, self._window, self._clock = most, window, clock
        self._found: OrderedDict[str, tuple[Tally, float]] = OrderedDict()
        self._others = Tally(window, clock=clock)
        self._lock = Lock()

    def add(self, name: str, address: str) -> tuple[str | None, dict[str, int]] | None:
        """Count a failure: whose (None: of those counted together) and what the log should say now; None: nothing."""
        with self._lock:
            tally = self._tally(name)
        told = (tally or self._others).add(address)
        return None if told is None else (None if tally is None else name, told)

    def _tally(self, name: str) -> Tally | None:
        now = self._clock()
        if name in self._found:
            tally, _ = self._found.pop(name)
        else:
            while self._found and next(iter(self._found.values()))[1] + self._window <= now:
                self._found.popitem(last=False)
            if len(self._found) >= self._most:
                return None
            tally = Tally(self._window, clock=self._clock)
        self._found[name] = tally, now
        return tally

    def __len__(self) -> int:
        return len(self._found)
