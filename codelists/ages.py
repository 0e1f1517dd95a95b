"""Ages: the codes of CL_AGE, their names in six languages, and which groups add up to which.

The codes follow the SDMX guideline for ages: ``Y15`` is a single year, ``Y15T19`` a group with both limits in it,
``Y_GE85`` an open one, ``Y_LT15`` everything below. The parents in the list are one tree without overlaps; what else
adds up is the hierarchy H_AGE.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from babel.units import format_unit

from codelists.messages import named, titles

FIVE_YEAR_GROUPS = range(0, 100, 5)
LAST_AGE = 100
"""Where the list ends: Y_GE100 is the last group, Y100 the last single year."""
OVERLAPPING_GROUPS = (
    *((1, 4), (0, 17), (5, 11), (12, 17), (15, 24), (15, 29), (15, 49), (18, 59), (18, 64)),
    *((20, 64), (25, 34), (25, 54), (25, 64), (35, 44), (45, 54), (55, 64), (0, 19), (65, 74), (65, 79)),
)
SDG_GROUPS = (
    *((0, 5), (0, 7), (0, 9), (0, 15), (0, 45), (1, 14), (1, 17), (2, 14), (5, 14), (5, 17), (6, 14), (6, 17)),
    *((6, 65), (7, 14), (7, 17), (10, 17), (10, 19), (10, 24), (10, 74), (12, 14), (12, 24), (12, 30), (14, 24)),
    *((14, 28), (14, 29), (15, 17), (15, 28), (15, 44), (15, 60), (15, 65), (15, 70), (15, 72), (15, 74), (15, 80)),
    *((15, 84), (16, 24), (16, 65), (16, 74), (18, 19), (18, 24), (18, 27), (18, 29), (18, 35), (18, 44), (18, 49)),
    *((18, 50), (18, 74), (19, 65), (20, 29), (20, 30), (20, 49), (20, 74), (25, 44), (30, 35), (30, 39), (30, 69)),
    *((30, 70), (35, 49), (40, 49), (45, 59), (45, 64), (50, 59), (60, 69), (70, 79), (75, 84), (80, 89), (90, 99)),
)
"""Groups of the global SDG list of ages (IAEG-SDGs:CL_AGE(1.1)) beside those above."""
OVERLAPPING_OPEN_GROUPS = (15, 18, 20, 25, 60, 70, 75, 80, 90, 95)
SDG_OPEN_GROUPS = (5, 6, 7, 10, 12, 14, 16, 46, 50)
BELOW = {1: "Y0", 5: "Y0T4", 15: "Y0T14", 18: "Y0T17", 20: "Y0T19"}
"""Groups that sources write as 'less than', and the code of this list that means the same."""

OTHERS = {
    "_T": ("Total", "Total", "Total", "Итого", "总计", "المجموع"),
    "_U": ("Unknown", "Inconnu", "Desconocido", "Неизвестно", "不详", "غير معروف"),
    "_Z": ("Not applicable", "Non applicable", "No aplicable", "Не применимо", "不适用", "لا ينطبق"),
}


def _years(text: str, number: int, tag: str) -> str:
    """``text`` in place of ``number`` in CLDR's words for that many years; Arabic has words of its own for 1 and 2."""
    return format_unit(number, "duration-year", locale=tag).replace("\u00a0", " ").replace(str(number), text)


def _single(age: int) -> dict[str, str]:
    return {
        "en": f"{age} year{'' if age == 1 else 's'}",
        "fr": f"{age} an{'' if age < 2 else 's'}",
        **{tag: _years(str(age), age, tag) for tag in ("es", "ru", "ar")},
        "zh": f"{age}岁",
    }


def _group(low: int, high: int) -> dict[str, str]:
    return {
        "en": f"{low} to {high} years",
        "fr": f"De {low} à {high} ans",
        **{tag: _years(f"{low}–{high}", high, tag) for tag in ("es", "ru", "ar")},
        "zh": f"{low}–{high}岁",
    }


def _open(low: int) -> dict[str, str]:
    years = {tag: _years(str(low), low, tag) for tag in ("es", "ru", "ar")}
    return {
        "en": f"{low} years or over",
        "fr": f"{low} ans ou plus",
        "es": f"{years['es']} o más",
        "ru": f"{years['ru']} и старше",
        "ar": f"{years['ar']} فأكثر",
        "zh": f"{low}岁及以上",
    }


def _below(high: int) -> dict[str, str]:
    return {
        "en": f"Less than {high} year{'' if high == 1 else 's'}",
        "fr": f"Moins de {high} an{'' if high < 2 else 's'}",
        "es": f"Menos de {_years(str(high), high, 'es')}",
        "ru": f"Моложе {high} {'года' if high == 1 else 'лет'}",
        "ar": f"أقل من {_years(str(high), high, 'ar')}",
        "zh": f"{high}岁以下",
    }


def names_of(code: str) -> dict[str, str]:
    """The names of a code by language."""
    if code in OTHERS:
        return dict(zip(("en", "fr", "es", "ru", "zh", "ar"), OTHERS[code], strict=True))
    low, high = bounds(code)
    if code.startswith("Y_LT"):
        return _below(high + 1)
    if code.startswith("Y_GE"):
        return _open(low)
    return _group(low, high) if "T" in code else _single(low)


def bounds(code: str) -> tuple[int, int]:
    """The first and last year of an age group; an open one ends with ``LAST_AGE``, which stands for that and more."""
    if code.startswith("Y_LT"):
        return 0, int(code[4:]) - 1
    if code.startswith("Y_GE"):
        return int(code[4:]), LAST_AGE
    low, _, high = code[1:].partition("T")
    return int(low), int(high or low)


def _tree() -> Iterator[tuple[str, str | None]]:
    """The codes of the tree without overlaps, each with its parent."""
    yield from (("_T", None), ("Y0T14", "_T"), ("Y15T64", "_T"), ("Y_GE65", "_T"), ("Y_GE85", "Y_GE65"))
    for low in FIVE_YEAR_GROUPS:
        broad = "Y0T14" if low < 15 else "Y15T64" if low < 65 else "Y_GE65" if low < 85 else "Y_GE85"
        yield f"Y{low}T{low + 4}", broad
    yield "Y_GE100", "Y_GE85"
    for age in range(LAST_AGE):
        yield f"Y{age}", f"Y{age - age % 5}T{age - age % 5 + 4}"


def ages() -> list[dict[str, Any]]:
    """The codes of CL_AGE: the tree of total, broad and five-year groups and single years, then what overlaps it."""
    codes = [named(code, names_of(code)) | ({"parent": parent} if parent else {}) for code, parent in _tree()]
    codes += [named(f"Y{low}T{high}", _group(low, high)) for low, high in OVERLAPPING_GROUPS]
    codes += [named(f"Y_GE{low}", _open(low)) for low in OVERLAPPING_OPEN_GROUPS]
    codes.append(named("_U", names_of("_U")) | {"parent": "_T"})
    codes.append(named("_Z", names_of("_Z")))
    codes += [named(f"Y{low}T{high}", _group(low, high)) for low, high in SDG_GROUPS]
    codes += [named(f"Y_GE{low}", _open(low)) for low in SDG_OPEN_GROUPS]
    codes.append(named(f"Y{LAST_AGE}", _single(LAST_AGE)) | {"parent": f"Y_GE{LAST_AGE}"})
    for high, same in BELOW.items():
        codes.append(named(f"Y_LT{high}", _below(high)) | {"annotations": titles([("SAME_AS", same)])})
    return codes


def parts(low: int, high: int) -> list[str]:
    """The fewest five-year groups and single years that make the years from ``low`` to ``high``."""
    found: list[str] = []
    while low <= high:
        if low == LAST_AGE:
            found.append(f"Y_GE{LAST_AGE}")
            break
        step = 5 if low % 5 == 0 and low + 4 <= high else 1
        found.append(f"Y{low}T{low + 4}" if step == 5 else f"Y{low}")
        low += step
    return found


def sums() -> Iterator[tuple[str, list[str]]]:
    """Every group with codes that add up to it: broad groups of the list first, else five-year groups and years."""
    groups = [code["id"] for code in ages() if re.fullmatch(r"Y\d+T\d+|Y_GE\d+|Y_LT\d+", code["id"])]
    yield "_T", ["Y0T14", "Y15T64", "Y_GE65", "_U"]
    for group in groups:
        if group == f"Y_GE{LAST_AGE}":
            continue
        if group.startswith("Y_LT"):
            yield group, [BELOW[bounds(group)[1] + 1]]
            continue
        low, high = bounds(group)
        if high - low == 4 and low % 5 == 0:
            yield group, [f"Y{age}" for age in range(low, high + 1)]
        else:
            yield group, parts(low, high)
