"""What an audit says of one hidden figure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sdmx_service.submission.disclosure import Told
from sdmx_service.submission.published import Published
from sdmx_service.submission.rule_recovery import plain_number

_MOST_SUMS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Disclosed:
    """A hidden figure that can be found out.

    Attributes:
        key: dimension (time too) -> code.
        lower, upper: the limits of the figure, as text; None where it is told elsewhere, which is not repeated here.
        exact: it can be told exactly.
        by: ``sums``, ``dataflow`` (another one shows the key, or the rest of a sum), ``sender`` (another one's figure
            for the key), ``release`` (it was open before, or an earlier release shows the rest of a sum) or ``mirror``
            (the other side's figure of the same thing).
        how: the sums, the dataflow, the sender, the releases or the other side, in words.
    """

    key: Mapping[str, str]
    lower: str | None = None
    upper: str | None = None
    exact: bool = True
    by: str = "sums"
    how: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """As JSON knows it."""
        return {"key": dict(self.key), "by": self.by, "exact": self.exact, "lower": self.lower, "upper": self.upper,
                "how": list(self.how)}  # fmt: skip

    @property
    def line(self) -> str:
        """The same for people."""
        limits = "told" if self.lower is None else self.lower if self.exact else f"{self.lower} to {self.upper}"
        return f"{'.'.join(self.key.values())}: {limits} by {self.by} ({'; '.join(self.how)})"


def in_words(view: Published, told: Told | None, by: str = "sums", how: tuple[str, ...] = ()) -> Iterator[Disclosed]:
    """What sums give away, by key; ``how`` comes before the sums."""
    if told is None:
        return
    for place, key in enumerate(view.keys_of(told.cells)):
        yield Disclosed(
            key=key,
            lower=plain_number(float(told.lower[place])),
            upper=plain_number(float(told.upper[place])),
            exact=bool(told.is_exact[place]),
            by=by,
            how=(*how, *told.sums[place][:_MOST_SUMS]),
        )
