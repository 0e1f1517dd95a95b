"""The same thing twice: keys that a submission says again (F501), and attributes that contradict themselves (F306)."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from sdmx_service.model.columns import Column, columns
from sdmx_service.model.finding import FindingGroup
from sdmx_service.model.message import Action
from sdmx_service.model.structure import DataStructure
from sdmx_service.storage.quoting import both, literal
from sdmx_service.submission.report import Report
from sdmx_service.submission.workspace import PLACE, SentRows, Workspace, column_names, first_origin, key_columns

_NAMED_ROWS = 5


def report_duplicates(workspace: Workspace, report: Report) -> None:
    """Report keys that occur more than once (F501) and attributes that contradict themselves (F306).

    A key counts once per dataflow, provider and action, over the whole submission; data sets with validity, which
    tell a history, count each for itself.
    """
    for sent in workspace.sent:
        places = _repeated_keys(workspace, sent)
        if places.num_rows:
            sent.repeated = True
            report.add(FindingGroup.of("F501", places=places))
        _report_contradictions(workspace, sent, report)


def _repeated_keys(workspace: Workspace, sent: SentRows) -> pa.Table:
    names = column_names(sent.structure)
    fixed = {} if Action.DELETE in sent.actions else sent.fixed()
    varying = [names[id] for id in sent.structure.key_ids if id not in fixed]
    key = ["_provider", "_action", "_state", *varying]
    rows = f"{sent.table} WHERE _whole AND _dataflow = {literal(sent.dataflow)}"
    twice = f"SELECT hash({', '.join(key)}) AS h FROM {rows} GROUP BY h HAVING count(*) > 1"
    named = _named_rows()
    more = f"CASE WHEN count(*) > {_NAMED_ROWS} THEN ' ...' ELSE '' END"
    measure = next((column for column in columns(sent.structure) if column.role == "measure"), None)
    value = "NULL" if measure is None else _shown(measure, f"r.{names[measure.id]}")
    query = f"""
        WITH twice AS ({twice}),
        r AS (SELECT * FROM {rows} AND hash({", ".join(key)}) IN (SELECT h FROM twice)),
        g AS (SELECT {", ".join(key)}, {named} || {more} AS named, min(_row) AS lowest
              FROM r GROUP BY {", ".join(key)} HAVING count(*) > 1)
        SELECT {PLACE}, {value} AS value,
               {key_columns(sent.structure, {id: f"r.{names[id]}" for id in sent.structure.key_ids})},
               g.named AS rows
        FROM r JOIN g USING ({", ".join(key)}) ORDER BY g.lowest, r._row"""
    return workspace.places(query, sent.structure)


def _named_rows() -> str:
    """The first rows of a key, each with what tells it apart where the number alone does not: file, sheet or column."""

    def listed(text: str) -> str:
        every = f"list({text} ORDER BY _file, _sheet, _row, _column)"
        return f"array_to_string(list_slice({every}, 1, {_NAMED_ROWS}), ', ')"

    row = "CAST(_row AS VARCHAR)"
    in_file, in_sheet, in_column = (
        listed(text) for text in (f"_file || ' ' || {row}", f"_sheet || ' ' || {row}", f"{row} || ' ' || _column")
    )
    return (
        f"CASE WHEN min(_file) <> max(_file) THEN {in_file} WHEN min(_sheet) <> max(_sheet) THEN {in_sheet}"
        f" WHEN min(_row) = max(_row) THEN {in_column} ELSE {listed(row)} END"
    )


def _report_contradictions(workspace: Workspace, sent: SentRows, report: Report) -> None:
    levels: dict[tuple[str, ...], list[Column]] = {}
    for column in _varying(workspace, sent):
        levels.setdefault(column.level or (), []).append(column)
    for level, attached in levels.items():
        for column in _contradicting(workspace, sent, level, attached):
            places = _contradictions(workspace, sent, level, column)
            if (letter := sent.letters.get(column.id)) is not None:
                places = _at_column(places, letter)
            level_name = _level_name(sent.structure, level)
            report.add(FindingGroup.of("F306", places=places, component=column.id, level=level_name))


def _varying(workspace: Workspace, sent: SentRows) -> list[Column]:
    """The attributes of higher levels that have more than one value in all."""
    names = column_names(sent.structure)
    attached = [column for column in columns(sent.structure) if column.level is not None]
    if not attached:
        return []
    own = [names[column.id] for column in attached]
    differ = ", ".join(f"min({name}) <> max({name}) AS {name}" for name in own)
    answer = workspace.read(f"SELECT {differ} FROM {_given(sent)}")
    return [column for column, name in zip(attached, own, strict=True) if answer[name][0].as_py()]


def _contradicting(
    workspace: Workspace, sent: SentRows, level: tuple[str, ...], attached: list[Column]
) -> list[Column]:
    """Those attributes of a level that have several values somewhere in it."""
    names = column_names(sent.structure)
    own = [names[column.id] for column in attached]
    found = ", ".join(f"min({name}) <> max({name}) AS {name}" for name in own)
    whole = both([f"{names[id]} IS NOT NULL" for id in level])
    group = ", ".join(["_provider", "_action", "_state", *(names[id] for id in level)])
    inner = f"SELECT {found} FROM {_given(sent)} AND {whole} GROUP BY {group}"
    answer = workspace.read(f"SELECT {', '.join(f'bool_or({name}) AS {name}' for name in own)} FROM ({inner})")
    return [column for column, name in zip(attached, own, strict=True) if answer[name][0].as_py()]


def _contradictions(workspace: Workspace, sent: SentRows, level: tuple[str, ...], column: Column) -> pa.Table:
    """One row per value: the first row of the file that gives it."""
    names = column_names(sent.structure)
    own = names[column.id]
    keys = ["_provider", "_action", "_state", *(names[id] for id in level)]
    whole = both([f"{names[id]} IS NOT NULL" for id in level])
    given = f"{_given(sent)} AND {own} IS NOT NULL AND {whole}"
    key = key_columns(sent.structure, {id: names[id] for id in level})
    query = f"""
        WITH v AS (SELECT {", ".join(keys)}, {_shown(column, own)} AS value, min(_row) AS _row,
                          {first_origin("_row")}
                   FROM {given} GROUP BY {", ".join(keys)}, {own}),
        g AS (SELECT {", ".join(keys)}, min(_row) AS lowest,
                     array_to_string(list_slice(list_sort(list(value)), 1, {_NAMED_ROWS}), ', ') AS "values"
              FROM v GROUP BY {", ".join(keys)} HAVING count(*) > 1)
        SELECT {PLACE}, value, {key + "," if key else ""} "values"
        FROM v JOIN g USING ({", ".join(keys)}) ORDER BY lowest, _row"""
    return workspace.places(query, sent.structure)


def _at_column(places: pa.Table, name: str) -> pa.Table:
    """Places in the column of that name; a pointer (SDMX-JSON) says more and stays."""
    said = places["column"].cast(pa.string())
    is_pointer = pc.fill_null(pc.starts_with(said, "/"), False)
    return places.set_column(places.column_names.index("column"), "column", pc.if_else(is_pointer, said, name))


def _shown(column: Column, expression: str) -> str:
    return f"plain({expression})" if column.kind == "number" else f"CAST({expression} AS VARCHAR)"


def _given(sent: SentRows) -> str:
    return f"{sent.table} WHERE _dataflow = {literal(sent.dataflow)} AND _action <> 'Delete'"


def _level_name(structure: DataStructure, level: tuple[str, ...]) -> str:
    if not level:
        return "data set"
    return "series" if level == structure.dimension_ids else "group"
