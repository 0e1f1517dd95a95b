"""JSON documents of our own (layouts, rules) read with a place for every fault."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from sdmx_service.errors import InvalidStructure

T = TypeVar("T")


class Node:
    """A value inside a document that knows where it stands; every reader consumes fields, ``done`` refuses the rest."""

    def __init__(self, value: Any, place: str) -> None:
        self.value = value
        self.place = place
        self._read: set[str] = set()

    def fault(self, problem: str) -> InvalidStructure:
        """An error at this place."""
        return InvalidStructure(f"{self.place}: {problem}", code="E401", title="Invalid mapping or rule")

    def has(self, name: str) -> bool:
        """Whether the object has that field with a value."""
        return isinstance(self.value, Mapping) and self.value.get(name) is not None

    def at(self, name: str) -> Node:
        """The field as a node; its value is None if it is not there."""
        if not isinstance(self.value, Mapping):
            raise self.fault("an object is needed here.")
        self._read.add(name)
        return Node(self.value.get(name), f"{self.place}.{name}")

    def done(self) -> None:
        """Refuse fields that nobody read: a misspelt word must not be ignored."""
        if isinstance(self.value, Mapping) and (unknown := set(self.value) - self._read):
            raise self.fault(f"unknown {', '.join(sorted(unknown))}; known here: {', '.join(sorted(self._read))}.")

    def items(self) -> Iterator[Node]:
        """The members of a list; none if it is not there."""
        if self.value is None:
            return
        if not isinstance(self.value, list):
            raise self.fault("a list is needed here.")
        for number, member in enumerate(self.value):
            yield Node(member, f"{self.place}[{number}]")

    def fields(self) -> Iterator[tuple[str, Node]]:
        """The fields of an object; none if it is not there."""
        if self.value is None:
            return
        if not isinstance(self.value, Mapping):
            raise self.fault("an object is needed here.")
        for name, member in self.value.items():
            yield name, Node(member, f"{self.place}.{name}")

    def _typed(self, kind: type[T], word: str) -> T:
        if not isinstance(self.value, kind) or (kind is int and isinstance(self.value, bool)):
            raise self.fault(f"{word} is needed here, not {self.value!r}.")
        return self.value

    def text(self) -> str:
        """The value as text."""
        return self._typed(str, "a text")

    def text_or_none(self) -> str | None:
        """The text, or None if it is not there."""
        return None if self.value is None else self.text()

    def number(self) -> int:
        """The value as a whole number."""
        return self._typed(int, "a whole number")

    def place_or_none(self) -> int | None:
        """A row or how many there are, from 1; None if it is not there."""
        found = self.number_or_none()
        if found is not None and found < 1:
            raise self.fault(f"rows are counted from 1, not {found}.")
        return found

    def number_or_none(self) -> int | None:
        """The whole number, or None if it is not there."""
        return None if self.value is None else self.number()

    def decimal(self, default: float) -> float:
        """The value as a number, ``default`` if it is not there."""
        if self.value is None:
            return default
        if isinstance(self.value, bool) or not isinstance(self.value, int | float):
            raise self.fault(f"a number is needed here, not {self.value!r}.")
        return float(self.value)

    def flag(self, default: bool = False) -> bool:
        """The value as true or false."""
        return default if self.value is None else self._typed(bool, "true or false")

    def texts(self) -> tuple[str, ...]:
        """A list of texts; a single text is a list of one."""
        if isinstance(self.value, str):
            return (self.value,)
        return tuple(member.text() for member in self.items())

    def words(self) -> dict[str, str]:
        """An object of texts."""
        return {name: member.text() for name, member in self.fields()}

    def pattern(self) -> re.Pattern[str]:
        """A regular expression."""
        try:
            return re.compile(self.text())
        except re.error as error:
            raise self.fault(f"{self.value!r} is no regular expression: {error}.") from None

    def pattern_or_none(self) -> re.Pattern[str] | None:
        """A regular expression, or None if it is not there."""
        return None if self.value is None else self.pattern()

    def choice(self, *words: str) -> str:
        """One of some words; the first if it is not there."""
        if self.value is None:
            return words[0]
        if self.value not in words:
            raise self.fault(f"one of {', '.join(words)} is needed here, not {self.value!r}.")
        return self.text()

    def each(self, read: Callable[[Node], T]) -> tuple[T, ...]:
        """Every member of a list, read."""
        return tuple(read(member) for member in self.items())
