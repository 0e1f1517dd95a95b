"""Nothing that leaves depends on a confidential figure: two services that differ in these alone answer alike.

Both got the same messages; only what is confidential in them differs, in its digits, its length, whether it is there at
all, and in the free texts that may tell it. Every address of the service is asked, with every method that reads: a
difference, be it of a count, an order, a size or a header, is a leak. An address that nobody listed here fails the test.
"""

from __future__ import annotations

import asyncio
import io
import json
import logging
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import openpyxl
import pytest

from sdmx_service.app.application import build
from sdmx_service.auth import create_token
from sdmx_service.dissemination.bulk import KINDS
from sdmx_service.formats.registry import formats_for
from sdmx_service.settings import Settings
from sdmx_service.storage.sql_store import SqlStore
from sdmx_service.submission.reading import Wish, named_provider
from sdmx_service.submission.submit import SentFile, check
from tests.harness import House
from tests.rest.fishery import Row, as_csv, open_fishery, send
from tests.rest.test_confidential import DOCUMENT, EVERY, figure, text_of
from tests.rest.test_http import Client, running

pytestmark = [pytest.mark.timeout(300)]

ONE = {
    "first": "73100001.5", "second": "73100002.5", "sent": "73100003.5", "rival": "73100005.5", "below": "31.75",
    "later": "73100007.5", "huge": "73109999999999999999.125",
}  # fmt: skip
OTHER = {"first": "8.25", "second": "-4", "sent": None, "rival": "0", "below": "2", "later": "-4", "huge": "1"}
TOLD = "5151.5"
"""A figure that the coast sends and everybody may see; once it is what the harbour hides."""
DIGITS = "7310"


VIEW = {"SEA:DF_CATCH_EST(1.0.0)": {"threshold": 50, "rounding": 5}}


def lay_document(content: Path) -> None:
    (content / "dsd" / "confidentiality").mkdir()
    (content / "dsd" / "confidentiality" / "CATCH.json").write_text(json.dumps(DOCUMENT | {"dataflows": VIEW}))


def secret(key: str, value: str | None, is_one: bool, status: str = "Q") -> Row:
    """A confidential figure with everything that is hidden with it, and only in one of the two services."""
    more: dict[str, Any] = {"GRADE": "G1", "REMARK": {"en": f"it was {DIGITS}"}, "GEAR": ["POT"]} if is_one else {}
    return figure(key, value, status, **more)


def fill(house: House, told: Mapping[str, str | None], *, is_one: bool) -> None:
    """Every way in which a figure is confidential, release after release."""
    first = [
        figure("A.NOR.COD.2010", told["first"]),
        figure("A.NOR.COD.2011", told["second"]),
        secret("A.SOU.EEL.2010", told["sent"], is_one),
        figure("A.SOU.EEL.2011", told["later"]),
        secret("A.007.EEL.2010", told["huge"], is_one),
        secret("M.NOR.COD.2023-11", told["huge"], is_one),
        secret("Q.NOR.EEL.2023-Q4", TOLD if is_one else "1", is_one),
        *(figure(f"A.NOR.EEL.{year}", str(year)) for year in range(2001, 2012)),
    ]
    send(house, "DF_CATCH", first, EVERY, "HARBOUR")
    coast = [figure("A.SOU.EEL.2011", told["rival"]), figure("Q.NOR.EEL.2023-Q4", TOLD)]
    send(house, "DF_CATCH", coast, EVERY, "COAST")
    near = ("101", "102.25") if is_one else ("102.25", "99.9")  # all are shown as 100
    rounded = [figure(f"A.007.EEL.{year}", value) for year, value in zip(("2010", "2011"), near, strict=True)]
    send(house, "DF_CATCH_EST", [figure("A.007.COD.2010", told["below"]), *rounded], EVERY, "HARBOUR")
    later = [
        figure("A.NOR.COD.2010", None, "Q"),
        secret("A.NOR.COD.2011", told["later"], is_one),
        figure("A.SOU.EEL.2011", None, "Q"),
    ]
    send(house, "DF_CATCH", later, EVERY, "HARBOUR")
    gone = "STRUCTURE,STRUCTURE_ID,ACTION,FREQ,PORT,FISH,TIME_PERIOD\ndataflow,SEA:DF_CATCH(1.0.0),D,A,NOR,COD,2011\n"
    assert house.send(gone.encode(), name="gone.csv", provider="SEA.HARBOUR")[0].status == "published"
    send(house, "DF_CATCH", [figure("A.NOR.EEL.2012", "2012")], EVERY, "HARBOUR")


@pytest.fixture(scope="module")
def houses(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[House, House]]:
    folder = tmp_path_factory.mktemp("alike")
    with (
        open_fishery(folder / "one", lay_document) as one,
        open_fishery(folder / "other", lay_document) as other,
    ):
        for house, told in ((one, ONE), (other, OTHER)):
            store = house.library.store
            assert isinstance(store, SqlStore)
            store.use_models(folder / ("models of one" if house is one else "models of other"))
            fill(house, told, is_one=house is one)
        yield one, other


# --- what is asked ---------------------------------------------------------------------------------------------------

FLOW, EST = "data/dataflow/SEA/DF_CATCH/1.0.0", "data/dataflow/SEA/DF_CATCH_EST/1.0.0"
QUERIES = [
    "", "includeHistory=true", "updatedAfter=2000-01-01T00:00:00Z", "sort=WEIGHT", "sort=WEIGHT:desc&limit=4",
    "sort=GRADE", "offset=3&limit=4", "firstNObservations=1", "lastNObservations=1", "measures=GRADE&attributes=none",
    "c[WEIGHT]=gt:0", "c[WEIGHT]=ne:5", "c[WEIGHT]=lt:0&includeHistory=true", "c[GRADE]=G1", "c[STATUS]=Q",
    "c[REMARK]=co:it", "c[GEAR]=POT", "dimensionAtObservation=PORT", "c[WEIGHT]=eq:73100003.5",
]  # fmt: skip
FEW = [
    "",
    "updatedAfter=2000-01-01T00:00:00Z",
    "sort=WEIGHT",
    "c[WEIGHT]=gt:0",
    "c[WEIGHT]=gt:101.5",
    "c[WEIGHT]=lt:50",
]
"""Those that are asked of the other dataflows."""


def data_paths(api: str, releases: Sequence[str]) -> list[str]:
    flows = [FLOW, EST, "data/datastructure/SEA/DSD_CATCH/1.0.0", "data/provisionagreement/SEA/*/*"]
    if api == "v1":
        plain = ["data/SEA,DF_CATCH,1.0.0", "data/SEA,DF_CATCH,1.0.0/all/SEA,COAST", "data/SEA,DF_CATCH_EST,1.0.0"]
        return [f"{one}{more}" for one in plain for more in ("", "?includeHistory=true", "?detail=nodata")]
    asked = [f"{flow}?{query}" for flow in flows for query in (QUERIES if flow == FLOW else FEW)]
    return [*asked, *(f"{FLOW}?asOf={quote(moment)}" for moment in releases)]


def paths(house: House) -> dict[str, list[str]]:
    """Route -> the addresses that are asked of it."""
    store = house.library.store
    every = store.releases()
    moments = [one.published_at.isoformat().replace("+00:00", "Z") for one in every[-5:]]
    submissions = [one for release in every for one in release.submissions]
    numbers = [0, *(one.number for one in every[-5:])]
    v1, v2 = data_paths("v1", moments), data_paths("v2", moments)
    availability = [
        f"availability/dataflow/SEA/{flow}/1.0.0{more}"
        for flow in ("DF_CATCH", "DF_CATCH_EST")
        for more in ("", "/*/WEIGHT", "/*/GRADE", "/*/REMARK", "/*/STATUS", "?mode=available", "/A.NOR.COD")
    ]
    found = {
        "/sdmx/v2": ["/sdmx/v2"],
        "/sdmx/v2/{tail}": [f"/sdmx/v2/{one}" for one in (*v2, *availability, "schema/dataflow/SEA/DF_CATCH/1.0.0",
                                                          "structure/*/SEA/*/*?detail=allstubs", "data/dataflow/SEA/DF_NONE/1.0.0")],
        "/sdmx/v1": ["/sdmx/v1"],
        "/sdmx/v1/{tail}": [f"/sdmx/v1/{one}" for one in (*v1, "availableconstraint/SEA,DF_CATCH,1.0.0")],
        "/sdmx{tail}": ["/sdmx", "/sdmx/v3"],
        "/api/bulk": ["/api/bulk"],
        "/bulk/{agency}/{id}/{version}/{release}.{kind}": [
            f"/bulk/SEA/{flow}/1.0.0/{release}.{kind}"
            for flow in ("DF_CATCH", "DF_CATCH_EST") for release in (*numbers[-2:], "latest") for kind in KINDS
        ],
        "/api/counts/{api}/{path}": [f"/api/counts/v2/{one}" for one in v2[: len(QUERIES)] if "includeHistory" not in one],
        "/api/sources/{api}/{path}": [f"/api/sources/v2/{one}" for one in v2[: len(QUERIES)] if "includeHistory" not in one],
        "/api/releases/{a}/diff/{b}": [f"/api/releases/{a}/diff/{b}" for a in numbers for b in numbers[-2:]],
        "/api/confidentiality/audit/{name}{suffix}": [f"/api/confidentiality/audit/SEA:DF_CATCH(1.0.0){one}" for one in ("", ".csv")],
        "/api/submissions/{id}/findings{suffix}": [
            f"/api/submissions/{one}/findings{suffix}" for one in submissions[-4:] for suffix in ("", ".csv", ".html", ".xlsx")
        ],
        "/api/calendar{suffix}": [f"/api/calendar{one}" for one in ("", ".csv", ".ics")],
        "/api/policies/{policy}": ["/api/policies/sign-off"],
        "/api/dataflows/{name}": ["/api/dataflows/DF_CATCH"],
        "/api/templates/{tables}": ["/api/templates/catch?area=NOR", "/api/templates/none?area=NOR"],
        "/api/mappings/{id}.{form}": ["/api/mappings/HARBOUR_BOOK.json"],
        "/sending/{id}": [f"/sending/{one}" for one in submissions[-4:]],
        "/sending/{id}/difference": [f"/sending/{one}/difference" for one in submissions[-4:]],
        "/sending/{id}/findings{suffix}": [f"/sending/{one}/findings{suffix}" for one in submissions[-4:] for suffix in ("", ".csv", ".xlsx")],
        "/dataflows/{agency}/{id}": ["/dataflows/SEA/DF_CATCH"],
        "/dataflows/{agency}/{id}/{version}": [
            f"/dataflows/SEA/{flow}/1.0.0{more}"
            for flow in ("DF_CATCH", "DF_CATCH_EST") for more in ("", "?c.FREQ=A", "?c.PORT=SOU&limit=3", "?start=2010&end=2011")
        ],
        "/dataflows/{agency}/{id}/{version}/sources": [
            f"/dataflows/SEA/DF_CATCH/1.0.0/sources{more}" for more in ("", "?key=A.SOU.EEL&period=2011")
        ],
        "/codelists/{agency}/{id}/{version}": ["/codelists/SEA/CL_FISH/1.0.0"],
        "/account/invitation/{invitation}": ["/account/invitation/nobody"],
        "/static": ["/static/style.css"],
        "/{tail}": ["/nowhere"],
    }  # fmt: skip
    plain = [
        "/", "/account", "/account/signed-out", "/account/sign-in", "/account/openid", "/account/openid/callback", "/api/accounts",
        "/api/confidentiality", "/api/coverage", "/api/coverage.csv", "/api/decisions", "/api/decisions.csv", "/api/embargoes",
        "/api/limits", "/api/log", "/api/log/verify", "/api/mappings", "/api/purges", "/api/releases", "/api/sources",
        "/api/submissions", "/api/tokens", "/api/undecided", "/calendar", "/dataflows", "/health/live", "/health/ready",
        "/metrics", "/openapi.json", "/sending", "/structures",
    ]  # fmt: skip
    found |= {one: [one] for one in plain}
    for route in ("", "/comments", "/history", "/data", "/difference"):
        found[f"/api/submissions/{{id}}{route}"] = [f"/api/submissions/{one}{route}" for one in submissions[-4:]]
    return found


HIS_OWN = re.compile(r"^/(api/submissions|sending)/|^/api/(log|confidentiality/audit|purges|undecided)|^/sending$")
"""What publishers see of submissions: the sender's file is theirs to look at."""
_HEAVY = ("/sdmx/", "/bulk/", "/api/counts", "/api/sources/", "/api/releases/")
"""Routes that answer everybody alike: asked by nobody in particular."""


def is_asked(route: str, role: str, method: str) -> bool:
    if method == "HEAD":
        return route.startswith(("/sdmx/v2", "/bulk", "/api/coverage", "/dataflows"))
    return not (role and route.startswith(_HEAVY)) and not (role == "publisher" and HIS_OWN.match(route))


def test_every_address_that_reads_is_asked(houses: tuple[House, House], tmp_path: Path) -> None:
    app = build(Settings(bulk=tmp_path), houses[0].library)
    known = {one.resource.canonical for one in app.router.routes() if one.method in ("GET", "*") and one.resource}
    assert known - paths(houses[0]).keys() == set(), "list it here"
    assert paths(houses[0]).keys() - known == set()


# --- comparing -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Heard:
    """An answer without what differs between any two services: names, moments, hashes."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: str
    raw: bytes


_VOLATILE = {"Date", "Server-Timing", "Last-Modified", "Repr-Digest", "Content-Security-Policy", "Set-Cookie"}
_PLAIN = [
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)?"), "MOMENT"),
    (re.compile(r"\b[0-9a-f]{64}\b"), "HASH"),
    (re.compile(r'(<[\w:]*ID>|"id": ?")(IDREF|ID|_)?[0-9a-fA-F-]{8,}'), r"\1MESSAGE"),
    (re.compile(r"127\.0\.0\.1:\d+"), "HOST"),
    (re.compile(r'(application/gzip",\s*"bytes": )\d+'), r"\1SIZE"),
    (re.compile(r"\d+(\.\d+)? (ms|s|seconds)\b|\"seconds\": ?[\d.]+"), "TIME"),
    (re.compile(r'"detail":"[0-9a-f]{8} may'), "SOMEBODY may"),
    (re.compile(r'"bytes": \d+,\s*"format"'), "SIZE"),  # of the file that was sent, for who may see the file
    (re.compile(r'csrf[^>]*value="[^"]*"|state=[\w-]+'), "TOKEN"),
]


def cells_of(body: bytes) -> str:
    """The cells of a workbook: in the file equal texts stand once, so that two moments in one second are one text less."""
    book = openpyxl.load_workbook(io.BytesIO(body))
    return "\n".join(f"{sheet.title} {[[cell.value for cell in row] for row in sheet.iter_rows()]}" for sheet in book)


def heard(house: House, answer: tuple[int, Mapping[str, str], bytes], path: str = "") -> Heard:
    status, headers, body = answer
    kept = {name.title(): value for name, value in headers.items() if name.title() not in _VOLATILE}
    if not path.startswith("/sdmx/") or "asOf" in path:
        kept.pop("Etag", None)  # of a file, or of an address with a moment in it
    if not path.endswith(".csv.gz") and headers.get("Content-Type", "").startswith(
        ("application/zip", "application/vnd.openxml", "application/gzip")
    ):
        kept.pop("Content-Length", None)  # packed, with moments in it
    text = cells_of(body) if body[:2] == b"PK" else text_of(body)
    names = [one for release in house.library.store.releases() for one in release.submissions]
    for number, name in enumerate(names):
        text = text.replace(name, f"SUBMISSION {number}")
    for pattern, word in _PLAIN:
        text = pattern.sub(word, text)
    sizes = [] if text_of(body) == text else ["Content-Length"]  # moments are not all as long
    return Heard(status, tuple(sorted((n, v) for n, v in kept.items() if n not in sizes)), text, body)


def difference(one: Heard, other: Heard) -> str | None:
    if one.status != other.status:
        return f"status {one.status} and {other.status}"
    differing = set(one.headers) ^ set(other.headers)
    if ("Transfer-Encoding", "chunked") in differing:  # an answer that is slow to come is sent as far as it is
        differing = {pair for pair in differing if pair[0] not in ("Transfer-Encoding", "Content-Length")}
    if differing:
        return f"headers {differing}"
    if one.body != other.body:
        place = next((n for n, (a, b) in enumerate(zip(one.body, other.body, strict=False)) if a != b), -1)
        return f"{one.body[max(place - 80, 0) : place + 80]!r} and {other.body[max(place - 80, 0) : place + 80]!r}"
    return None


def logged(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What the service's log says of a confidential figure; the lines of access repeat what was asked."""
    lines = (
        f"{one.name}: {one.getMessage()} {one.exc_text or ''}" for one in caplog.records if one.name != "aiohttp.access"
    )
    return [line for line in lines if DIGITS in line]


def token_of(house: House, role: str) -> dict[str, str]:
    if not role:
        return {}
    store, catalog = house.library.store, house.library.view().catalog
    if role == "coast":
        made = create_token(store, role="provider", provider=named_provider("SEA.COAST", catalog))
    else:
        made = create_token(store, role=role)  # type: ignore[arg-type]
    return {"Authorization": f"Bearer {made[0]}"}


async def _listen(
    house: House, folder: Path, role: str, accept: str | None, method: str
) -> dict[tuple[str, int], Heard]:
    found = {}
    headers = token_of(house, role) | ({"Accept": accept} if accept else {})
    async with running(house.library, bulk=folder) as client:
        for route, listed in paths(house).items():
            if not is_asked(route, role, method):
                continue
            for number, path in enumerate(listed):
                found[route, number] = heard(house, await _ask(client, path, method, headers), path)
    return found


async def _ask(
    client: Client, path: str, method: str, headers: Mapping[str, str]
) -> tuple[int, Mapping[str, str], bytes]:
    return await client.ask(path.replace(" ", "%20"), method, **headers)


@pytest.mark.parametrize(
    ("role", "accept", "method", "least"),
    [("", None, "GET", 140), ("", None, "HEAD", 60), ("coast", None, "GET", 20), ("publisher", "text/html", "GET", 20)],
)
def test_two_services_answer_alike(
    houses: tuple[House, House],
    tmp_path: Path,
    role: str,
    accept: str | None,
    method: str,
    least: int,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    one, other = (
        asyncio.run(_listen(house, tmp_path / str(number), role, accept, method)) for number, house in enumerate(houses)
    )
    assert one.keys() == other.keys()
    told = {
        f"{route} #{number}": found
        for route, number in one
        if (found := difference(one[route, number], other[route, number]))
    }
    assert told == {}
    assert sum(answer.status == 200 for answer in one.values()) >= least
    assert logged(caplog) == []


@pytest.mark.parametrize("name", [one.name for one in formats_for("data", "v2")])
def test_every_format_is_alike(houses: tuple[House, House], name: str) -> None:
    accept = next(one.media_types[0] for one in formats_for("data", "v2") if one.name == name)
    for query in (
        FLOW,
        f"{FLOW}?includeHistory=true",
        f"{FLOW}?sort=WEIGHT",
        EST,
        f"{EST}?includeHistory=true&sort=WEIGHT",
    ):
        answers = []
        for house in houses:
            answer = house.get(f"v2/{query}", accept)
            body = b"".join(answer.chunks)
            answers.append(heard(house, (answer.status, {}, body)))
        assert difference(*answers) is None


def test_what_is_not_hidden_makes_a_difference(tmp_path: Path) -> None:
    """The same comparison of the same two services without the document finds what differs."""
    with open_fishery(tmp_path / "one") as one, open_fishery(tmp_path / "other") as other:
        fill(one, ONE, is_one=True)
        fill(other, OTHER, is_one=False)
        for path in (
            FLOW,
            EST,
            f"{FLOW}?c[WEIGHT]=gt:0",
            f"{FLOW}?sort=WEIGHT:desc&limit=4&measures=none",
            f"{FLOW}?includeHistory=true",
        ):
            answers = []
            for house in (one, other):
                answer = house.get(f"v2/{path}")
                answers.append(heard(house, (answer.status, {}, b"".join(answer.chunks))))
            assert difference(*answers) is not None, path


# --- what a rival learns by sending ----------------------------------------------------------------------------------


PROBES = [
    [figure("A.SOU.EEL.2010", "73100003.5"), figure("A.SOU.EEL.2011", "5")],
    [figure("A.NOR.COD.2010", "1"), figure("A.NOR._T.2010", "10"), figure("A.NOR.EEL.2010", "3"), figure("A.NOR.NA.2010", "6")],
    [figure("A.007._T.2010", "100"), figure("A.007.COD.2010", "40")],
    [figure("M.NOR.COD.2023-12", "73109999999999999999.125"), figure("M.NOR.COD.2023-10", "1")],
    [figure("Q.NOR.EEL.2023-Q4", TOLD)],
]  # fmt: skip


@pytest.mark.parametrize("number", range(len(PROBES)))
@pytest.mark.parametrize("provider", ["SEA.COAST", "SEA.HARBOUR"])
def test_a_sender_learns_nothing_by_trying(houses: tuple[House, House], number: int, provider: str) -> None:
    """Findings about figures beside hidden ones are the same, whatever these are; even the sender's own are not told."""
    said = []
    for house in houses:
        view = house.library.view()
        body = io.BytesIO(as_csv("DF_CATCH", PROBES[number], EVERY))
        outcome = check(
            SentFile(file=body, name="probe.csv"), Wish(provider=provider), view.catalog,
            store=house.library.store, release=view.release,
        )  # fmt: skip
        said.append(
            ([finding.to_json() for group in outcome.groups for finding in group.findings()], outcome.receipt.findings)
        )
    assert said[0] == said[1]


FAULTY = [
    b"dataflow,SEA:DF_CATCH(1.0.0),M,A,SOU,EEL,2019,73100009.5,Q,kg\n",
    b"dataflow,SEA:DF_CATCH(1.0.0),M,A,SOU,EEL,2019,7310x,Q,kg\n",
    b"dataflow,SEA:DF_CATCH(1.0.0),M,A,SOU,7310,2019,73100009.5,7310,kg\n",
    b'dataflow,SEA:DF_CATCH(1.0.0),M,A,SOU,EEL,2019,73100009.5,"Q,kg\n',
    b"dataflow,SEA:DF_CATCH(1.0.0),M,A,SOU,EEL,2019,73100009.5,Q,kg\n" * 2,
    b"\x00\xff7310\n",
]


async def test_the_log_of_the_service_tells_nothing_of_what_is_sent(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Sound and broken files with confidential figures: their sender is told what is wrong, the operator's log is not."""
    caplog.set_level(logging.DEBUG)
    head = b"STRUCTURE,STRUCTURE_ID,ACTION,FREQ,PORT,FISH,TIME_PERIOD,WEIGHT,STATUS,UNIT\n"
    with open_fishery(tmp_path / "house", lay_document) as house:
        store, catalog = house.library.store, house.library.view().catalog
        made = create_token(store, role="provider", provider=named_provider("SEA.HARBOUR", catalog))
        own = {"Authorization": f"Bearer {made[0]}"}
        rival, publisher = token_of(house, "coast"), token_of(house, "publisher")
        statuses = []
        async with running(house.library, bulk=tmp_path / "bulk") as client:
            for number, body in enumerate(FAULTY):
                address = f"http://127.0.0.1:{client.port}/api/submissions?name=f{number}.csv"
                async with client._session.post(address, data=head + body, headers=own) as answer:
                    said = await answer.json(content_type=None)
                    statuses.append(answer.status)
                if "id" in said:
                    for who in ({}, rival):
                        for path in (
                            "",
                            "/findings.xlsx",
                            "/findings.csv",
                            "/data",
                            "/difference",
                            "/history",
                            "/comments",
                        ):
                            _, _, heard_ = await client.ask(f"/api/submissions/{said['id']}{path}", **who)
                            assert DIGITS not in text_of(heard_).replace(said["id"], ""), path
                    for path in ("/api/log", "/api/submissions", "/api/undecided"):
                        _, _, heard_ = await client.ask(path, **publisher)
                        assert DIGITS not in re.sub(r"\b[0-9a-f]{32,64}\b|S\d{14}[0-9a-f]+", "", text_of(heard_)), path
        assert len(set(statuses)) > 1, "some are refused, some are not"
        assert logged(caplog) == []
