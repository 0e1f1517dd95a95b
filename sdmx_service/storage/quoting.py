"""Text into SQL: the only place where values and names become parts of statements.

Literals are written out because PostgreSQL streams Arrow only without bind parameters. Both backends read a quoted
literal in the same way: no escapes but the doubled quote (``standard_conforming_strings`` is set on each connection).
"""

from __future__ import annotations

from collections.abc import Iterable

from sdmx_service.errors import SemanticFault


def identifier(name: str) -> str:
    """A quoted name of a table or column."""
    if "\x00" in name:
        raise SemanticFault("A name must not contain the character NUL.")
    return '"' + name.replace('"', '""') + '"'


def literal(value: str | int | float | None) -> str:
    """A quoted value."""
    if value is None:
        return "NULL"
    if isinstance(value, int):
        return str(int(value))
    if isinstance(value, float):
        return f"CAST('{value!r}' AS FLOAT8)"
    if "\x00" in value:
        raise SemanticFault("A value must not contain the character NUL.")
    return "'" + value.replace("'", "''") + "'"


def literals(values: Iterable[str | int | None]) -> str:
    """Quoted values between commas."""
    return ", ".join(map(literal, values))


def member(expression: str, values: Iterable[str | int]) -> str:
    """The condition that an expression is one of the values, which may be none."""
    listed = sorted(values)
    if not listed:
        return "1 = 0"
    if len(listed) == 1:
        return f"{expression} = {literal(listed[0])}"
    return f"{expression} IN ({literals(listed)})"


def both(conditions: Iterable[str]) -> str:
    """All conditions; true if there are none."""
    return " AND ".join(conditions) or "1 = 1"


def either(conditions: Iterable[str]) -> str:
    """Any condition, in parentheses; false if there are none."""
    return "(" + (" OR ".join(conditions) or "1 = 0") + ")"
