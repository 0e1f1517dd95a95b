"""Arrays in structure maps: attributes that have several values at once (Technical Notes, *Representation maps*).

*Standard*: a representation map of several sources maps "an Attribute with an array representation", combinations of
its values to a single value. *Choices*: in a combination the order of the values does not matter, and an array with
fewer values than the map has sources has empty ones for the others. A map of one source maps each value of an array by
itself: a target with several values gets them all, one with a single value needs them to agree. A map of several
targets for one target component makes an array of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from sdmx_service.errors import InvalidStructure
from sdmx_service.submission.representation_mapping import RepresentationRules, Span, Targets

SEPARATOR: Final = "\x1f"
"""Between the values of an array while it is one text."""
MOST: Final = 5
"""Values of one combination at most."""


def joined(arrays: pa.ListArray) -> pa.StringArray:
    """Each array as one text; an empty one is missing."""
    texts = arrays.cast(pa.list_(pa.string()))
    filled = pc.if_else(pc.equal(pc.list_value_length(texts), 0), pa.scalar(None, texts.type), texts)
    return pc.binary_join(filled, SEPARATOR)


class ArrayRules:
    """Rules of a component map with an array at either side.

    Args:
        rules: the rows.
        sources: how many values a row of the map has; more than one: the one source component is an array.
        to_array: the one target takes several values.

    Raises:
        InvalidStructure: combinations of more than ``MOST`` values.
    """

    def __init__(self, rules: RepresentationRules, *, sources: int, to_array: bool) -> None:
        if sources > MOST:
            raise InvalidStructure(
                f"RepresentationMap {rules.name}: it combines {sources} values; {MOST} are the limit."
            )
        self.rules = rules
        self.name = rules.name
        self._sources, self._to = sources, to_array

    @property
    def has_validity(self) -> bool:
        """Whether some row holds for some periods only."""
        return self.rules.has_validity

    def is_dated(self, values: Sequence[str | None]) -> bool:
        """Whether what the values map to may depend on the time."""
        return self.has_validity

    @property
    def expressions(self) -> int:
        """None that ``rivals`` would test."""
        return 0

    def find(self, values: Sequence[str | None], span: Span | None = None) -> list[Targets] | None:
        """What the values map to; None if some have no mapping, or if one target would get several values."""
        if len(values) > 1:
            return self._made(self.rules.find(values, span))
        own = _split(values[0])
        if self._sources > 1:
            return self._made(self._combined(own, span))
        answers = [self.rules.find((value,), span) for value in own]
        if any(one is None for one in answers):
            return None
        each = [target for answer in answers for one in answer or () for target in one]
        if self._to:
            return [(_gathered(each),)]
        return [(each[0],)] if len(set(each)) == 1 else None

    def _made(self, found: list[Targets] | None) -> list[Targets] | None:
        return found if found is None or not self._to else [(_gathered(one),) for one in found]

    def _combined(self, values: tuple[str, ...], span: Span | None) -> list[Targets] | None:
        if len(values) > self._sources:
            return None
        padded = (*values, *("" for _ in range(self._sources - len(values))))
        found = (self.rules.find(one, span) for one in permutations(padded))
        return next((one for one in found if one is not None), None)

    def rivals(self, values: Sequence[str | None], span: Span | None = None) -> list[Targets]:
        """None: what stands first in the map is taken, and combinations are not told apart by it."""
        return []

    def lacking(self, values: Sequence[str | None]) -> str:
        """What has no mapping, as text: the values of the array that have none by themselves, or the whole of it."""
        own = _split(values[0]) if len(values) == 1 else ()
        if self._sources > 1 or len(own) < 2:
            return " | ".join(value or "" for value in (own or values))
        return next((one for one in own if self.rules.find((one,)) is None), own[0])


def of_arrays(rules: RepresentationRules | ArrayRules | None) -> ArrayRules | None:
    """The rules for a source that turned out to be an array."""
    if rules is None or isinstance(rules, ArrayRules):
        return rules
    return ArrayRules(rules, sources=1, to_array=False)


def _split(text: str | None) -> tuple[str, ...]:
    return tuple((text or "").split(SEPARATOR))


def _gathered(values: Sequence[str | tuple[str, ...] | None]) -> tuple[str, ...] | None:
    """The values that are there, each once; None if there are none."""
    return tuple(dict.fromkeys(one for one in values if isinstance(one, str))) or None
