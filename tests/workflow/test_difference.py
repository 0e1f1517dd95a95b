"""Differences: applied to one release they give the other, whatever the two; and the table tells the same, cell by cell."""

from __future__ import annotations

import csv
import io
import itertools
import json
import os
import random
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from sdmx_service.app.stores import scratch_store
from sdmx_service.errors import Conflict, NoResults, NotFound
from sdmx_service.formats.registry import FORMATS, Format
from sdmx_service.model.message import Action, Party, WriteOptions
from sdmx_service.workflow.difference import (
    Pair,
    counts,
    difference_message,
    earlier_version,
    figures,
    of_releases,
    of_submissions,
    table,
    written,
)
from sdmx_service.workflow.steps import refuse
from tests.harness import CSV, JSON, XML, House, open_house
from tests.rest.reef import write_reef
from tests.rest.test_synchronising import DATAFLOW, Sea, said
from tests.storage.cubes import untyped
from tests.workflow.office import COMPILER
from tests.workflow.office import figures as message_of
from tests.workflow.test_steps import sent

SENDER = Party(id="TEST")
STEPS = int(os.environ.get("DIFFERENCE_STEPS") or 8)


def format_of(media_type: str) -> Format:
    return next(one for one in FORMATS if media_type in one.media_types)


def as_message(pair: Pair, media_type: str) -> bytes | None:
    try:
        message = difference_message(pair, SENDER)
    except NoResults:
        return None
    return b"".join(written(message, format_of(media_type), WriteOptions()))


def state(house: House) -> list[bytes]:
    """What a house says of the reef: everything, and its attributes by themselves."""
    return [*said(house, DATAFLOW, 0), *said(house, DATAFLOW, 1)]


def cells(house: House, release: int) -> dict[tuple[str, ...], str]:
    """Every cell of the reef at a release, by an independent reading of the store."""
    catalog = house.library.view().catalog
    flow = catalog.named("DF_REEF", "Dataflow")
    from sdmx_service.model.selection import Cube, Selection
    from sdmx_service.model.structure import Attribute

    structure = catalog.structure_of(flow)  # type: ignore[arg-type]
    selection = Selection(
        structure=structure, cube=Cube.of(structure), context="dataflow", release=release, dataflows=("SEA:DF_REEF(1)",)
    )
    store, found = house.library.store, {}
    levels = {one.id: structure.level(one) if isinstance(one, Attribute) else None for one in structure.components}
    for batch in store.scan(selection, store.domains(selection)):
        for row in untyped(structure, batch):
            for id in set(row) - set(structure.key_ids):
                level = structure.key_ids if levels[id] is None else levels[id]
                key = tuple(row[one] if one in (level or ()) else "" for one in structure.key_ids)
                found[*key, id] = _plain(row[id])
    for id, rows in store.attribute_changes(selection).come.items():
        for row in untyped(structure, rows):
            found[*(row.get(one, "") for one in structure.key_ids), id] = _plain(row[id])
    for id, rows in store.attachments(selection).items():
        for row in untyped(structure, rows):
            found[*(row.get(one, "") for one in structure.key_ids), id] = _plain(row[id])
    return found


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def told(pair: Pair) -> dict[tuple[str, ...], tuple[str, str]]:
    """The table as JSON: cell -> before and after."""
    document = json.loads(b"".join(table(pair, "json", "difference")))
    return {
        (*(one["key"][id] or "" for id in one["key"]), one["component"]): (one["before"] or "", one["after"] or "")
        for flow in document["dataflows"]
        if flow["dataflow"] == "SEA:DF_REEF(1.0.0)"
        for one in flow["changes"]
    }


def walk(folder: Path, seed: int, stores: Iterator[str]) -> None:
    """Random releases of one house; another goes from one of them to the next by differences alone."""
    chance = random.Random(seed)
    content = write_reef(folder / "content")
    formats = itertools.cycle((CSV, JSON, XML))
    with open_house(next(stores), content) as first, open_house(next(stores), content) as second:
        sea = Sea(first, chance)
        states: list[Any] = [None]  # an empty dataflow cannot be asked for its lines before its first release
        all_cells = [cells(first, 0)]
        did = ["nothing"]
        for _ in range(STEPS):
            did.append(sea.release())
            states.append(state(first))
            all_cells.append(cells(first, len(states) - 1))
        here = 0
        catalog, store = first.library.view().catalog, first.library.store
        for _ in range(STEPS):
            there = chance.choice([number for number in range(len(states)) if number != here])
            pair = of_releases(here, there, catalog, store, "DF_REEF")
            where = f"seed {seed}, from {here} to {there}: {did}"
            before, after = all_cells[here], all_cells[there]
            expected = {
                key: (before.get(key, ""), after.get(key, ""))
                for key in {*before, *after}
                if before.get(key) != after.get(key)
            }
            assert told(pair) == expected, where
            kind = next(formats)
            body = as_message(pair, kind)
            assert (body is None) == (not expected), where
            if body is not None:
                ending = "csv" if "csv" in kind else "json" if "json" in kind else "xml"
                receipt, findings = second.send(body, name=f"sent.{ending}", provider="SEA.HARBOUR")
                assert receipt.status == "published", (where, findings, body.decode())
            if states[there] is not None:
                assert state(second) == states[there], where
            here = there


def seed() -> int:
    """A new one on each run; ``DIFFERENCE_SEED`` repeats one."""
    return int(os.environ.get("DIFFERENCE_SEED") or random.SystemRandom().randrange(1_000_000))


@pytest.mark.timeout(300)
def test_from_any_release_to_any_other(tmp_path: Path) -> None:
    walk(tmp_path, seed(), (f"duckdb:///{tmp_path / f'{number}.duckdb'}" for number in itertools.count()))


@pytest.mark.postgres
@pytest.mark.timeout(300)
def test_from_any_release_to_any_other_in_postgres(tmp_path: Path, postgres_database: str) -> None:
    files = (f"duckdb:///{tmp_path / f'{number}.duckdb'}" for number in itertools.count())
    walk(tmp_path, seed(), itertools.chain([postgres_database], files))


def test_what_there_is_to_tell(sea: House) -> None:
    sent(sea, COMPILER, message_of(COD_2024_01="5", EEL_2024_01="-6.50"), publish_now=True)
    sent(sea, COMPILER, message_of(COD_2024_01="7", NA_2024_01="0"), publish_now=True)
    sent(sea, COMPILER, message_of("D", EEL_2024_01=""), publish_now=True)
    catalog, store = sea.library.view().catalog, sea.library.store
    pair = of_releases(1, 3, catalog, store)
    assert counts(pair) == [
        {
            "dataflow": "SEA:DF_CATCH(1.0.0)",
            "observations": {"added": 1, "changed": 1, "removed": 1},
            "cells": {"added": 3, "changed": 1, "removed": 2},
        }
    ]
    rows = list(csv.DictReader(io.StringIO(b"".join(table(pair, "csv", "x")).decode())))
    assert [(one["key"], one["component"], one["change"], one["before"], one["after"]) for one in rows] == [
        ("M.SOU.COD.2024-01", "WEIGHT", "changed", "5", "7"),
        ("M.SOU.EEL.2024-01", "WEIGHT", "removed", "-6.50", ""),
        ("M.SOU.EEL.2024-01", "STATUS", "removed", "A", ""),
        ("M.SOU.NA.*", "UNIT", "added", "", "kg"),
        ("M.SOU.NA.2024-01", "WEIGHT", "added", "", "0"),
        ("M.SOU.NA.2024-01", "STATUS", "added", "", "A"),
    ]
    actions = [one.action for one in difference_message(pair, SENDER).datasets]
    assert actions == [Action.DELETE, Action.MERGE]
    assert counts(of_releases(2, 2, catalog, store)) == []
    assert b'"dataflows":[]' in b"".join(table(of_releases(0, 0, catalog, store), "json", "x"))
    with pytest.raises(NoResults):
        difference_message(of_releases(2, 2, catalog, store), SENDER)
    with pytest.raises(NotFound, match="release 9"):
        of_releases(1, 9, catalog, store)
    with pytest.raises(NotFound):
        of_releases(1, 2, catalog, store, "DF_NONE")


class Page(HTMLParser):
    """The cells of a page, and whether a script came in."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.tags: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.add(tag)
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_data(self, data: str) -> None:
        if self.rows and self.rows[-1]:
            self.rows[-1][-1] += data.strip()


def test_nothing_in_a_table_computes_or_runs(sea: House) -> None:
    bad = '=HYPERLINK("x")<script>alert(1)</script>'
    head = "STRUCTURE,STRUCTURE_ID,ACTION,FREQ,PORT,FISH,TIME_PERIOD,WEIGHT,STATUS,UNIT,SOURCE"
    text = io.StringIO()
    csv.writer(text).writerow(
        ["dataflow", "SEA:DF_CATCH(1.0.0)", "M", "M", "SOU", "COD", "2024-01", "-5", "A", "kg", bad]
    )
    sent(sea, COMPILER, f"{head}\n{text.getvalue()}".encode(), publish_now=True)
    pair = of_releases(0, 1, sea.library.view().catalog, sea.library.store)
    rows = list(csv.DictReader(io.StringIO(b"".join(table(pair, "csv", "x")).decode())))
    assert {one["component"]: one["after"] for one in rows} == {
        "SOURCE": f"'{bad}",
        "UNIT": "kg",
        "WEIGHT": "-5",
        "STATUS": "A",
    }
    page = Page(b"".join(table(pair, "html", "x")).decode())
    assert "script" not in page.tags
    assert ["", "", "", "", "SOURCE", "added", "", bad] in page.rows


def test_between_a_submission_and_its_correction(sea: House) -> None:
    first = sent(sea, message=message_of(COD_2024_01="5", EEL_2024_01="6"))
    second = sent(sea, message=message_of(COD_2024_01="5.0", NA_2024_01="1"), corrects=first.id)
    catalog, store = sea.library.view().catalog, sea.library.store
    with scratch_store() as scratch:
        pair = of_submissions(first, second, catalog, store, scratch)
        (flow,) = counts(pair)
        assert (flow["observations"], flow["cells"]) == (
            {"added": 1, "changed": 1, "removed": 1},
            {"added": 3, "changed": 1, "removed": 3},
        )
    with scratch_store() as scratch:
        message = figures(second, catalog, store, scratch, SENDER)
        body = b"".join(written(message, format_of(CSV), WriteOptions())).decode()
        assert [row["WEIGHT"] for row in csv.DictReader(io.StringIO(body))] == ["5.0", "1"]
    assert store.pointer().release == 0
    refused = sent(sea, message=message_of(CODD_2024_01="5"))
    with scratch_store() as scratch, pytest.raises(Conflict, match="is refused, and its figures are not kept"):
        of_submissions(refused, second, catalog, store, scratch)


def test_a_correction_is_set_beside_the_last_version_that_is_kept(sea: House) -> None:
    """Over those with errors, which have no figures; what a reviewer sent back has its own."""
    store = sea.library.store
    first = sent(sea, message=message_of(COD_2024_01="5"))
    wrong = sent(sea, message=message_of(CODD_2024_01="5"), corrects=first.id)
    again = sent(sea, message=message_of(COD_2024_01="6"), corrects=wrong.id)
    assert earlier_version(again, store).id == first.id
    refuse(again.id, sea.library, COMPILER, reason="Why six?")
    last = sent(sea, message=message_of(COD_2024_01="7"), corrects=again.id)
    assert earlier_version(last, store).id == again.id
    with pytest.raises(Conflict, match="corrects none"):
        earlier_version(first, store)
    alone = sent(sea, message=message_of(COD_2024_02="7"), corrects=sent(sea, message=message_of(CODD_2024_01="5")).id)
    with pytest.raises(Conflict, match="No version before") as found:
        earlier_version(alone, store)
    assert "receipt" in found.value.hint
