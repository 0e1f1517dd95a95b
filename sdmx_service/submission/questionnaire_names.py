"""Codes from what stands in a row: a code, a name in any language, another id; and checks of labels against keys."""

from __future__ import annotations

import re
from collections import defaultdict

from sdmx_service.catalog.questionnaire_keys import AxisCodes, fold
from sdmx_service.submission.headers import collapse, without_marks
from sdmx_service.submission.suggestions import Suggester

_ZEROS = re.compile(r"^0+(?=\d)")


class Names:
    """Finds the code of a text for one axis."""

    def __init__(self, axis: AxisCodes, printed: frozenset[str]) -> None:
        self._axis = axis
        self._printed = printed
        self._names: dict[str, set[str]] | None = None
        self._suggester: Suggester | None = None

    @property
    def component(self) -> str:
        """The component that the codes are of."""
        return self._axis.axis.component

    def code(self, text: str) -> str | None:
        """The one code that a text means; None if there is none, or more than one."""
        bare = _ZEROS.sub("", text)
        for word in (text, bare):
            if word in self._axis.items:
                return word
        if self._names is None:
            self._names = self._index()
        found = self._names.get(fold(text)) or self._names.get(fold(_bare(text))) or set()
        if len(found) > 1:
            found = found & self._printed or found
        return next(iter(found)) if len(found) == 1 else None

    def _index(self) -> dict[str, set[str]]:
        names: dict[str, set[str]] = defaultdict(set)
        for code in self._axis.items:
            for name in self._axis.names(code):
                names[fold(name)].add(code)
        return names

    def is_named(self, code: str, text: str) -> bool:
        """Whether a label is one of a code's names, but for a footnote mark."""
        names = {fold(name) for name in self._axis.names(code)}
        return not names.isdisjoint({fold(text), fold(_bare(text)), _ZEROS.sub("", fold(text))})

    def label(self, code: str, language: str) -> str:
        """What is printed for a code."""
        return self._axis.label(code, language)

    def nearest(self, text: str) -> str | None:
        """The nearest code."""
        if self._suggester is None:
            self._suggester = Suggester.of_items(self._axis.items)
        return self._suggester.nearest(text)


def _bare(text: str) -> str:
    return without_marks(collapse(text))
