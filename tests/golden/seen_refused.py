"""What stands in the files that are refused, as read by other code: the reason given for each can be held against it.

Each reader returns a sentence of facts (header, names of columns, number of rows, what is a number). Nothing here uses
the program.
"""

from __future__ import annotations

import csv
import itertools
import json
import re
from collections.abc import Callable
from pathlib import Path

Facts = Callable[[Path], str]
NUMBER = re.compile(r"[-+]?[0-9][0-9.,]*(?:e[-+]?[0-9]+)?")


def rows_of(path: Path) -> tuple[list[str], list[list[str]]]:
    """Header and rows that are not empty."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        header, *rows = (row for row in csv.reader(file) if any(cell.strip() for cell in row))
    return header, rows


def numbers_by_column(header: list[str], rows: list[list[str]]) -> dict[str, int]:
    """How many cells of each column are numbers; columns without any are left out."""
    counts = {
        name: sum(NUMBER.fullmatch(row[place].strip()) is not None for row in rows if place < len(row))
        for place, name in enumerate(header)
    }
    return {name: count for name, count in counts.items() if count}


def listing(path: Path) -> str:
    """A list of codes: rows, columns, and where digits stand."""
    header, rows = rows_of(path)
    digits = numbers_by_column(header, rows)
    said = ", ".join(f"{count} in {name}" for name, count in digits.items()) or "none"
    return f"{len(rows)} rows under {', '.join(header)}; cells that are numbers: {said}"


def sdg_codes(path: Path) -> str:
    """A list of codes, and which dimension the values that look like numbers are codes of."""
    header, rows = rows_of(path)
    numbers = sorted({f"{row[1]} {row[2]}" for row in rows if NUMBER.fullmatch(row[2])})
    return f"{len(rows)} rows under {', '.join(header)}; values of digits are {', '.join(numbers)}"


def json_stat(path: Path) -> str:
    """Title, unit and dimensions of a JSON-stat data set."""
    sent = json.loads(path.read_bytes())
    (unit,) = sent["dimension"]["unit"]["category"]["label"].values()
    reasons = ", ".join(sent["dimension"]["reason"]["category"]["label"].values())
    return (
        f"titled '{sent['label']}'; dimensions {', '.join(sent['id'])}; unit {unit}; "
        f"reasons {reasons}; {len(sent['value']):,} values"
    )


def shares(path: Path) -> str:
    """Unit and range of a table of shares, and what women and men add up to."""
    header, rows = rows_of(path)
    records = [dict(zip(header, row, strict=True)) for row in rows]
    units = ", ".join(sorted({row["unit"] for row in records}))
    values = [float(row["OBS_VALUE"]) for row in records]
    sums: dict[tuple[str, ...], float] = {}
    for row in records:
        if row["sex"] in ("Females", "Males"):
            key = row["citizen"], row["geo"], row["TIME_PERIOD"]
            sums[key] = sums.get(key, 0.0) + float(row["OBS_VALUE"])
    least, most = min(sums.values()), max(sums.values())
    return (
        f"{len(rows):,} rows, unit {units}, values {min(values):g} to {max(values):g}; females and males of a group, "
        f"area and year add up to {least:g} to {most:.4g}"
    )


def modelled_flows(path: Path) -> str:
    """The years that flows begin in, and in how many rows the estimates side by side differ."""
    header, rows = rows_of(path)
    records = [dict(zip(header, row, strict=True)) for row in rows]
    years = sorted({int(float(row["year0"])) for row in records})
    (step,) = {later - earlier for earlier, later in itertools.pairwise(years)}
    stocks = sum(row["migrant_stock"] != "" for row in records)
    estimates = ("flow", "da_pb_closed.x", "da_pb_closed.y")
    unlike = sum(len({row[name] for name in estimates} - {""}) > 1 for row in records)
    return (
        f"{len(rows):,} rows; year0 is every {step} years, {years[0]} to {years[-1]}; {stocks:,} rows have a "
        f"migrant_stock; {', '.join(estimates)} differ in {unlike:,} rows"
    )


def by_year_and_column(path: Path) -> str:
    """A table of years by columns."""
    header, rows = rows_of(path)
    totals = sum("TOTAL" in name.upper() for name in header)
    return f"{len(rows)} years, {rows[0][0]} to {rows[-1][0]}; columns {', '.join(header[1:])}; {totals or 'no'} total"


def by_label_and_year(path: Path) -> str:
    """A table of labels by years."""
    header, rows = rows_of(path)
    labels = [row[0].strip() for row in rows]
    totals = sum("TOTAL" in label.upper() for label in labels)
    return (
        f"{len(rows)} rows under {header[0]} ({labels[0]} ... {labels[-1]}), {len(header) - 1} years, "
        f"{totals or 'no'} total"
    )
