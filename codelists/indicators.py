"""The indicators of CL_MIG_INDICATOR, each with its computing rule as data.

A rule is one or two parts of a key: the figures of a dataflow that meet ``DIMENSION=CODE`` for each dimension named.
``A+B`` is the sum over the codes, ``A,B`` one figure for each of them, ``*`` one for each code of the list; a dimension
that is not named is ``_T`` where its list has that code, and free for FREQ and REF_AREA. Ids, wording and rules are
rows of ``sources/indicators.csv``.
"""

from __future__ import annotations

from typing import Any

from codelists.messages import named, table, titles


def expression(row: dict[str, str]) -> str:
    """The rule as one line for people: ``100 * DF_A[...] / DF_B[...]``."""
    first = f"{row['dataflow']}[{row['numerator']}]"
    if row["operation"] == "value":
        return first
    second = f"{row['denominator_dataflow']}[{row['denominator']}]"
    return f"{first} - {second}" if row["operation"] == "difference" else f"{row['factor']} * {first} / {second}"


def indicators() -> list[dict[str, Any]]:
    """The codes of CL_MIG_INDICATOR: blocks, and indicators below them."""
    codes = []
    for row in table("indicators"):
        code = named(row["code"], {"en": row["en"], "fr": row["fr"]}, {"en": row["note"], "fr": row["note_fr"]})
        if row["parent"]:
            code["parent"] = row["parent"]
            notes = [
                ("BLOCK", row["parent"]),
                ("LEVEL", row["core"]),
                ("STATUS", "reconstructed"),
                ("COMPUTED_AS", expression(row)),
                ("OPERATION", row["operation"]),
                ("DATAFLOW", row["dataflow"]),
                ("NUMERATOR", row["numerator"]),
                ("DENOMINATOR_DATAFLOW", row["denominator_dataflow"]),
                ("DENOMINATOR", row["denominator"]),
                ("FACTOR", row["factor"]),
            ]
            code["annotations"] = titles(notes)
        else:
            code["annotations"] = titles([("STATUS", "reconstructed")])
        codes.append(code)
    return codes
