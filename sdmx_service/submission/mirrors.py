"""What the other side of the same thing says about hidden figures, as rules of kind *mirror* declare it.

Two sides rarely agree, so that a mirror figure tells nothing exactly: what it tells is between the least and the
greatest ratio that the two sides have where both are told (the same two areas, the same direction), or, where these are
too few, the ratio that the rule calls near.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from sdmx_service.catalog.rule_kinds import Mirror
from sdmx_service.catalog.rules import Rule
from sdmx_service.storage.quoting import both, either
from sdmx_service.submission.bounds import is_exposed
from sdmx_service.submission.disclosed import Disclosed
from sdmx_service.submission.published import Published
from sdmx_service.submission.rule_recovery import plain_number
from sdmx_service.submission.workspace import conditions

_FEWEST = 3
"""Pairs of told figures whose ratios say how the two sides differ."""


def mirrored(view: Published) -> Iterator[tuple[Disclosed, bool]]:
    """The hidden figures whose other side is told, with limits, and whether these are near enough to tell them."""
    seen = set()
    for rule in view.rules:
        detail = rule.detail
        if not isinstance(detail, Mirror) or rule.component != view.measure.id:
            continue
        if any(id not in view.names for id in (*detail.dimensions, *detail.left, *detail.right)):
            continue
        for one, is_near in _mirrored(view, rule, detail):
            if (key := tuple(one.key.values())) not in seen:
                seen.add(key)
                yield one, is_near


def _mirrored(view: Published, rule: Rule, detail: Mirror) -> Iterator[tuple[Disclosed, bool]]:
    one, other = detail.dimensions
    names = view.names
    sides = [conditions(view.structure, {**rule.when, **where}) for where in (detail.left, detail.right)]
    side = f"CASE WHEN {sides[0]} THEN 0 ELSE 1 END"
    swapped = [f"h.{names[one]} = o.{names[other]}", f"h.{names[other]} = o.{names[one]}"]
    fixed = {one, other, *detail.left, *detail.right}
    same = both([*swapped, *(f"h.{names[id]} = o.{names[id]}" for id in view.structure.key_ids if id not in fixed)])
    near = next((one.up_to for one in detail.classes if one.up_to is not None), None)
    keys = ", ".join(f"h.{names[id]}" for id in view.structure.key_ids)
    pair = f"PARTITION BY h._side, h.{names[one]}, h.{names[other]}"
    told = "FILTER (h._value > 0)"
    found = view.hall.workspace.read(f"""
        WITH f AS (SELECT *, {side} AS _side FROM {view.table} WHERE {either(sides)}),
        p AS (SELECT {keys}, h._id, h._withheld, o._value AS _other, o.{names[one]} AS _whose,
                     min(h._value / o._value) {told} OVER w AS _least, max(h._value / o._value) {told} OVER w AS _most,
                     count(*) {told} OVER w AS _pairs
              FROM f AS h JOIN f AS o ON h._side <> o._side AND {same} WHERE o._value > 0
              WINDOW w AS ({pair}))
        SELECT * EXCLUDE (_id, _withheld) FROM p WHERE _withheld ORDER BY _id""")
    rows = found.select(["_other", "_whose", "_least", "_most", "_pairs"]).to_pylist()
    for key, row in zip(view.as_keys(found), rows, strict=True):
        said = f"the figure of {row['_whose']}, {plain_number(row['_other'])}"
        if row["_pairs"] >= _FEWEST:
            limits = (row["_least"] * row["_other"], row["_most"] * row["_other"])
            how = (
                said,
                f"{row['_pairs']} other figures of both are {row['_least']:.3g} to {row['_most']:.3g} times it",
            )
        elif near is not None:
            limits = (row["_other"] / near, row["_other"] * near)
            how = (said, f"if both agree to within a factor of {near:g} ({rule.id})")
        else:
            continue
        hint = Disclosed(key=key, lower=plain_number(limits[0]), upper=plain_number(limits[1]), exact=False,
                         by="mirror", how=how)  # fmt: skip
        low, high = (np.array([limit], np.float64) for limit in limits)
        yield hint, row["_pairs"] >= _FEWEST and bool(is_exposed(low, high, view.share)[0])
