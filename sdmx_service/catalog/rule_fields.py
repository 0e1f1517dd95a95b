"""Fields that rules of several kinds have."""

from __future__ import annotations

from collections.abc import Mapping

from sdmx_service.catalog.documents import Node

Conditions = Mapping[str, tuple[str, ...]]
"""Component -> the codes that it may have."""


def conditions(node: Node) -> dict[str, tuple[str, ...]]:
    """An object of component -> code or codes."""
    return {name: member.texts() for name, member in node.fields()}


def needed(node: Node, name: str) -> str:
    """A text that must be there."""
    if not node.has(name):
        raise node.fault(f"{name} is needed here.")
    return node.at(name).text()


def several(node: Node, name: str) -> tuple[str, ...]:
    """One text at least."""
    found = node.at(name).texts()
    if not found:
        raise node.fault(f"{name} is needed here.")
    return found


def above(node: Node, name: str, default: float, floor: float) -> float:
    """A number that is not below a floor."""
    found = node.at(name).decimal(default)
    if found < floor:
        raise node.at(name).fault(f"{floor:g} or more is needed here, not {found:g}.")
    return found
