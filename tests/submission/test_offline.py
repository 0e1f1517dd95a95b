"""The check without a server says what a submission says: real files, sound and damaged, in every form of findings."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest

from sdmx_service.auth import create_token
from sdmx_service.catalog.catalog import Catalog
from sdmx_service.catalog.loading import load_folder
from sdmx_service.cli import main
from sdmx_service.submission.exports import findings_csv, findings_html, findings_workbook
from sdmx_service.submission.reading import Wish
from sdmx_service.submission.submit import SentFile, check
from tests.clients.serving import served
from tests.harness import ROOT, open_house

pytestmark = [pytest.mark.timeout(300)]
FILES = (
    "eurostat/malta_demo_gind.csv", "eurostat/malta_migr_flows.csv", "eurostat/malta_census2021.csv",
    "eurostat/eurostat_migr_pop3ctb.json", "national/ph_cfo_Emigrant-1981-2020-AllCountries.csv",
    "national/ph_cfo_Emigrant-1988-2020-CivilStatus.csv", "national/un_flows2015_canada.xlsx", "oecd/KOR_B15.json",
    "sdg/kg_16.2.2.xml", "flow/mirror_flows_eurostat_2010_2019.csv", "dyb/dyb1957_table27_departures_excerpt.csv",
)  # fmt: skip
DAMAGED = {
    "figures.csv": ("eurostat/malta_migr_flows.csv", [(b",5614,", b",56l4,"), (b",7237,", b",72370,"), (b",NAT,", b",NATT,")]),
    "twice.csv": ("eurostat/malta_migr_pop1ctz.csv", [(b",2022,", b",2021,"), (b",38599,", b",-38599,")]),
    "labels.csv": ("national/ph_cfo_Emigrant-1981-2020-Age.csv", [(b"15 - 19", b"15 - 91"), (b",9588,", b",958800,")]),
}  # fmt: skip


class Service:
    """A service over a fresh store, and a token for it."""

    def __init__(self, address: str, token: str) -> None:
        self._address, self._headers = address, {"Authorization": f"Bearer {token}"}

    def _open(self, path: str, body: bytes | None = None) -> bytes:
        request = Request(self._address + path, data=body, headers=self._headers)
        try:
            with urlopen(request) as answer:
                return bytes(answer.read())
        except OSError as refused:
            found: Any = refused
            assert found.code == 422, found.read()
            return bytes(found.read())

    def findings(self, body: bytes, name: str) -> dict[str, bytes]:
        """The findings of a submission in every form; the submission itself is taken back."""
        receipt = json.loads(self._open(f"/api/submissions?name={name}", body))
        forms = {form: self._open(f"/api/submissions/{receipt['id']}/findings{form}") for form in FORMS}
        if receipt["status"] == "accepted":
            self._open(f"/api/submissions/{receipt['id']}/withdraw", b"")
        return forms


FORMS = ("", ".csv", ".html", ".xlsx")


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with open_house(f"duckdb:///{tmp_path_factory.mktemp('fresh')}/store.duckdb") as house:
        token, _ = create_token(house.library.store, role="publisher")
        with served(house.library) as address:
            yield Service(address, token)


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    """The content without a store, as the command reads it."""
    return load_folder(ROOT).catalog()


def offline(path: Path, catalog: Catalog) -> tuple[dict[str, bytes], tuple[str, ...]]:
    """The findings of ``check`` in every form, and the rules that it did not run."""
    with path.open("rb") as file:
        outcome = check(SentFile(file=file, name=path.name), Wish(), catalog)
        groups, receipt = outcome.groups, outcome.receipt
        found = [one.to_json() for group in groups for one in group.findings()]
        return {
            "": json.dumps({"findings": found}, ensure_ascii=False, indent=2).encode(),
            ".csv": findings_csv(groups),
            ".html": findings_html(receipt, groups),
            ".xlsx": b"".join(findings_workbook(groups, receipt.file, file)),
        }, receipt.rules_not_run


def same(service: Service, path: Path, catalog: Catalog) -> int:
    """How many bytes of JSON were equal; every other form is equal too, but for the sentence about rules not run."""
    told = service.findings(path.read_bytes(), path.name)
    found, not_run = offline(path, catalog)
    sentence = found[".html"].partition(b"<p>Rules not run")[2].partition(b"</p>")[0]
    assert bool(sentence) == bool(not_run)
    found[".html"] = found[".html"].replace(b"<p>Rules not run" + sentence + b"</p>", b"")
    for form in FORMS:
        assert found[form] == told[form], (path.name, form)
    codes = {one["code"] for one in json.loads(found[""])["findings"]}
    assert not {"V10", "V18"} & codes  # what was sent before is not known, and that is said
    return len(told[""])


@pytest.mark.golden("Findings offline and from a service")
@pytest.mark.parametrize("name", FILES)
def test_a_real_file(name: str, service: Service, catalog: Catalog, shared: Path) -> None:
    assert same(service, shared / "data" / name, catalog) > 0


@pytest.mark.golden("Findings offline and from a service")
@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_file(name: str, service: Service, catalog: Catalog, shared: Path, tmp_path: Path) -> None:
    source, changes = DAMAGED[name]
    body = (shared / "data" / source).read_bytes()
    for old, new in changes:
        assert old in body
        body = body.replace(old, new, 1)
    path = tmp_path / name
    path.write_bytes(body)
    told = json.loads(offline(path, catalog)[0][""])["findings"]
    assert any(one["severity"] == "error" for one in told)
    assert same(service, path, catalog) > 0


def test_the_command_writes_the_same(shared: Path, catalog: Catalog, tmp_path: Path) -> None:
    path = shared / "data/eurostat/malta_demo_gind.csv"
    expected, not_run = offline(path, catalog)
    for form in ("json", "csv"):
        main(["check", str(path), "--data", str(tmp_path / "none"), "--format", form, "-o", str(tmp_path / form)])
    assert (tmp_path / "csv").read_bytes() == expected[".csv"]
    written = (tmp_path / "json").read_text()
    assert expected[""].decode().removeprefix("{\n") in written  # the same bytes, after the receipt
    assert json.loads(written)["receipt"]["rules_not_run"] == list(not_run)
    assert {"V10", "V18"} <= set(not_run)
