"""Other instances follow a first one by its answers alone, through random releases, and say the same after each.

One follows by ``updatedAfter`` and another by ``includeHistory``, both in the context of dataflows (where a changed
ranking changes the figures), a third by ``updatedAfter`` in that of provision agreements. Messages come from
``rest.answers`` and go in through ``submission``, in every released format by turns. History has validity, which
SDMX-CSV cannot carry: it comes as SDMX-JSON and SDMX-ML. Fifty releases with the settings of ``.ci/run``, fewer without.
"""

from __future__ import annotations

import itertools
import os
import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from sdmx_service.model.message import Action
from sdmx_service.model.structure import DataStructure
from sdmx_service.model.urn import Ref
from sdmx_service.storage.port import Ranking, StagedPart
from tests.harness import CSV, JSON, XML, House, open_house
from tests.rest.reef import FLOWS, LEVELS, PROVIDERS, write_reef
from tests.storage.cubes import typed

Row = dict[str, Any]
DIMENSIONS = {"FREQ": ("M", "A"), "PORT": ("NOR", "SOU", "007"), "FISH": ("COD", "EEL")}
PERIODS = {"M": ("2023-12", "2024-01", "2024-02"), "A": ("2023", "2024")}
VALUES: dict[str, Callable[[random.Random], Any]] = {
    "WEIGHT": lambda r: r.choice(["1", "1.0", "-2.50", "NaN", "12345678901234567890.125", "0"]),
    "GRADE": lambda r: r.choice(["G1", "G2"]),
    "SOURCE": lambda r: r.choice(["Book", 'The "log", p. 1', "<a> & 'b'; c"]),
    "MOTTO": lambda r: {tag: r.choice(["wet", 'dry; "very"']) for tag in r.sample(["en", "fr"], r.randint(1, 2))},
    "PORT_NOTE": lambda r: r.choice(["open", "zu, äh", "é"]),
    "BOATS": lambda r: r.choice(["1", "20"]),
    "CARE": lambda r: r.choice(["A", "E"]),
    "TOOLS": lambda r: r.sample(["NET", "ROD", "POT"], r.randint(1, 2)),
    "UNIT": lambda r: r.choice(["G1", "G2"]),
    "FACTOR": lambda r: r.choice(["0.5", "10", "1.50"]),
    "HINT": lambda r: {"en": r.choice(["one", "two"])},
    "STATUS": lambda r: r.choice(["A", "E", "Q"]),
    "REMARK": lambda r: {tag: r.choice(["fine", "bad: <x>"]) for tag in r.sample(["en", "fr"], r.randint(1, 2))},
    "GEAR": lambda r: r.sample(["NET", "ROD", "POT"], r.randint(1, 2)),
}  # fmt: skip
FOLLOWED = "SEA:DF_REEF(1.0.0)"


class Sea:
    """The first instance, and random releases of it."""

    def __init__(self, house: House, chance: random.Random) -> None:
        self.house, self.chance = house, chance
        ref = Ref(type="DataStructure", agency="SEA", id="DSD_REEF", version="1.0.0")
        self.structure: DataStructure = house.library.view().catalog.structure(ref)
        self.names = map("S{}".format, itertools.count())

    def release(self) -> str:
        """Something happens; what, for the message of a failure."""
        store, chance = self.house.library.store, self.chance
        kind = chance.choices(["parts", "rank", "restore", "empty"], [12, 2, 2, 1])[0]
        if kind == "restore":
            number = chance.randint(0, store.pointer().release)
            store.restore(number)
            return f"restore {number}"
        if kind == "rank":
            ranks = {f"SEA:{flow}(1)": [f"SEA.{one}" for one in chance.sample(PROVIDERS, 2)] for flow in FLOWS}
            store.publish((), ranking=Ranking(providers=ranks))
            return f"rank {ranks}"
        flow, provider = chance.choice(FLOWS[:1] * 3 + FLOWS[1:]), chance.choice(PROVIDERS)
        parts = [("D", [{}])] if kind == "empty" else [self._part() for _ in range(chance.randint(1, 3))]
        name = next(self.names)
        load = store.stage(name)
        for action, rows in parts:
            part = StagedPart(structure=self.structure, dataflow=f"SEA:{flow}(1)", provider=f"SEA.{provider}",
                              action=Action.from_text(action))  # fmt: skip
            load.append(part, typed(self.structure, rows))
        load.keep()
        store.publish([name])
        return f"{flow} {provider} {parts}"

    def _part(self) -> tuple[str, list[Row]]:
        action = self.chance.choices("MRD", [5, 3, 3])[0]
        makers = [self._deletion] if action == "D" else [self._observation, self._observation, self._attributes]
        return action, [self.chance.choice(makers)() for _ in range(self.chance.randint(1, 2 if action == "D" else 6))]

    def _key(self) -> Row:
        key = {id: self.chance.choice(codes) for id, codes in DIMENSIONS.items()}
        return {**key, "TIME_PERIOD": self.chance.choice(PERIODS[key["FREQ"]])}

    def _some(self, ids: Sequence[str], least: int = 0, most: int = 4) -> Row:
        wanted = self.chance.sample(list(ids), min(len(ids), self.chance.randint(least, most)))
        return {id: VALUES[id](self.chance) for id in wanted}

    def _observation(self) -> Row:
        return {**self._key(), "WEIGHT": VALUES["WEIGHT"](self.chance), **self._some(["GRADE", *LEVELS])}

    def _attributes(self) -> Row:
        level = self.chance.choice([level for level in LEVELS.values() if level is not None])
        key = {id: code for id, code in self._key().items() if id in level}
        return {**key, **self._some([id for id, one in LEVELS.items() if one == level], 1)}

    def _deletion(self) -> Row:
        key = self._key()
        kept = self.chance.choice(
            [list(key), list(key), list(DIMENSIONS), ["PORT"], ["FISH", "TIME_PERIOD"], ["FREQ", "FISH"]]
        )
        named = self._some(["WEIGHT", *LEVELS], 1, 2) if self.chance.random() < 0.5 else {}
        return {**{id: key[id] for id in kept}, **named}


class Follower:
    """Another instance, filled by answers of the first."""

    def __init__(self, house: House, path: str, wish: str, formats: Sequence[str]) -> None:
        self.house, self.path, self.wish = house, path, wish
        self.formats = itertools.cycle(formats)
        self.since = "1970-01-01T00:00:00+00:00"

    def follow(self, sea: House) -> None:
        last = sea.library.store.releases()[-1].published_at.isoformat()
        words = [self.wish, self.since and f"updatedAfter={quote(self.since)}"]
        format = next(self.formats)
        answer = sea.get(f"{self.path}?{'&'.join(filter(None, words))}", format)
        body = b"".join(answer.chunks)
        assert answer.status in (200, 204), body
        self.since = last
        if answer.status == 200:
            ending = "csv" if "csv" in format else "json" if "json" in format else "xml"
            own = {} if "provisionagreement" in self.path else {"provider": "SEA.HARBOUR"}
            receipt, findings = self.house.send(body, name=f"sent.{ending}", **own)
            assert receipt.status == "published", (findings, body.decode())


SHAPES = (
    "?measures=none&attributes=all",
    "?attributes=dataset,series&measures=GRADE&dimensionAtObservation=AllDimensions",
)


def said(house: House, path: str, number: int) -> list[bytes]:
    """What an instance says of itself: everything, and by turns the attributes alone or something else."""
    found = []
    for shape in ("", SHAPES[number % 2]):
        answer = house.get(path + shape, CSV)
        lines = b"".join(answer.chunks).splitlines()
        assert answer.status in (200, 204)
        found += [*lines[:1], *(lines[1:] if not shape.startswith("?measures") else sorted(lines[1:]))]
    return found


DATAFLOW = "v2/data/dataflow/SEA/DF_REEF/1.0.0"
AGREEMENTS = "v2/data/provisionagreement/SEA/PA_DF_REEF_COAST,PA_DF_REEF_HARBOUR,PA_DF_REEF_EST_COAST/1.0.0"


def synchronise(folder: Path, releases: int, seed: int, stores: Iterator[str]) -> None:
    content = write_reef(folder / "content")
    with ExitStack() as stack:
        first, second, third, fourth = (stack.enter_context(open_house(next(stores), content)) for _ in range(4))
        sea = Sea(first, random.Random(seed))
        followers = [
            Follower(second, DATAFLOW, "", (CSV, JSON, XML)),
            Follower(third, DATAFLOW, "includeHistory=true", (JSON, XML)),
            Follower(fourth, AGREEMENTS, "", (XML, CSV, JSON)),
        ]
        did = []
        for number in range(releases):
            did.append(sea.release())
            told = {path: said(first, path, number) for path in (DATAFLOW, AGREEMENTS)}
            for follower in followers:
                if follower.wish and number % 3 == 1:
                    continue  # two releases at once
                follower.follow(first)
                assert said(follower.house, follower.path, number) == told[follower.path], (
                    f"seed {seed}, release {number + 1}, {follower.path}: {did[-3:]}"
                )
        late = stack.enter_context(open_house(next(stores), content))
        Follower(late, DATAFLOW, "includeHistory=true", (XML,)).follow(first)
        for number in range(2):
            assert said(late, DATAFLOW, number) == said(first, DATAFLOW, number)


def seed() -> int:
    """A new one on each run; ``SYNCHRONISING_SEED`` repeats one."""
    return int(os.environ.get("SYNCHRONISING_SEED") or random.SystemRandom().randrange(1_000_000))


def files(folder: Path) -> Iterator[str]:
    return (f"duckdb:///{folder / f'{number}.duckdb'}" for number in itertools.count())


RELEASES = int(os.environ.get("SYNCHRONISING_RELEASES") or (50 if os.environ.get("HYPOTHESIS_PROFILE") == "ci" else 12))


@pytest.mark.timeout(900)
def test_other_instances_say_the_same_after_each_release(tmp_path: Path) -> None:
    synchronise(tmp_path, RELEASES, seed(), files(tmp_path))


@pytest.mark.postgres
@pytest.mark.timeout(900)
def test_the_first_instance_in_postgres(tmp_path: Path, postgres_database: str) -> None:
    synchronise(tmp_path, max(6, RELEASES // 4), seed(), itertools.chain([postgres_database], files(tmp_path)))
