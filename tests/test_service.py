"""End to end: a subprocess, a socket, and the clients that agencies use, told nothing but the address."""

from __future__ import annotations

import gzip
import io
import json
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest

from tests.harness import ROOT

DEMO = ROOT / "demo"
DATA = "/sdmx/v2/data/dataflow/UNSD_MIG/DF_STOCK_OD/1.0.0"
CSV = {"Accept": "application/vnd.sdmx.data+csv;version=2.1.0"}
pytestmark = pytest.mark.timeout(300)


def run(*arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", "sdmx_service", *arguments], capture_output=True, text=True, cwd=ROOT, timeout=200
    )
    assert not check or done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    return done


@dataclass
class Running:
    address: str
    token: str
    data: Path

    def open(self, path: str, body: bytes | None = None, method: str | None = None, **headers: str) -> Any:
        request = urllib.request.Request(self.address + path, data=body, headers=headers, method=method)
        try:
            return urllib.request.urlopen(request, timeout=60)
        except urllib.error.HTTPError as error:
            return error

    def get(self, path: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
        with self.open(path, **headers) as answer:
            return answer.status, dict(answer.headers), answer.read()

    def send(self, query: str, body: bytes, token: str | None = None) -> tuple[int, dict[str, Any]]:
        headers = {"Authorization": f"Bearer {token or self.token}", "Content-Type": "application/octet-stream"}
        with self.open(f"/api/submissions?{query}", body, **headers) as answer:
            return answer.status, json.loads(answer.read())


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    data = tmp_path_factory.mktemp("service") / "data"
    run("init", "--demo", "--data", str(data))
    token = run("token", "create", "--role", "publisher", "--data", str(data)).stdout.strip()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "sdmx_service", "serve", "--data", str(data), "--port", str(port)], cwd=ROOT
    )
    running = Running(address=f"http://127.0.0.1:{port}", token=token, data=data)
    try:
        for _ in range(300):
            try:
                if running.get("/health/ready")[0] == 200:
                    break
            except OSError:
                assert process.poll() is None
            time.sleep(0.1)
        yield running
    finally:
        process.terminate()
        process.wait(20)


def test_pages_and_health(service: Running) -> None:
    status, headers, body = service.get("/")
    assert status == 200 and b"DF_STOCK_OD" in body
    assert "default-src 'self'" in headers["Content-Security-Policy"]
    assert service.get("/health/live")[0] == 200
    assert json.loads(service.get("/api/limits")[2])["limits"]["open_answers"]["value"] > 0
    assert json.loads(service.get("/api/releases")[2])["releases"]


def test_of_two_sources_the_national_office_is_shown(service: Running) -> None:
    _, _, body = service.get("/api/sources?dataflow=DF_BALANCE")
    found = [one for one in json.loads(body)["sources"] if one["given"]]
    assert [(one["provider"], one["ranked_by"], one["given"], one["shown"]) for one in found] == [
        ("UNSD_MIG.NSO_MLT", "agreements", 12, 12), ("UNSD_MIG.ESTAT", "agreements", 97, 90),
    ]  # fmt: skip
    key = "A.470.NATGROW._T._T._T._T?c%5BTIME_PERIOD%5D=ge:2021"
    _, _, body = service.get(f"/api/sources/v2/data/dataflow/UNSD_MIG/DF_BALANCE/1.0.0/{key}")
    figures = json.loads(body)["datasets"][0]["figures"]
    assert [(one["key"]["TIME_PERIOD"], one["provider"][-7:], one["shown"]) for one in figures][:3] == [
        ("2021", "G.ESTAT", True), ("2022", "NSO_MLT", True), ("2022", "G.ESTAT", False),
    ]  # fmt: skip


def test_data_in_every_encoding_is_the_same(service: Running) -> None:
    status, headers, plain = service.get(DATA, **CSV)
    assert status == 200 and headers["Content-Type"] == CSV["Accept"]
    assert {"Accept", "Accept-Encoding", "Accept-Language"} <= set(re.split(r",\s*", headers["Vary"]))
    _, _, packed = service.get(DATA, **CSV, **{"Accept-Encoding": "gzip"})
    unpacker = zlib.decompressobj(31)
    assert unpacker.decompress(packed) == plain and unpacker.eof and not unpacker.unused_data  # one member
    assert gzip.decompress(packed) == plain


def test_conditional_requests(service: Running) -> None:
    _, headers, _ = service.get(DATA, **CSV)
    assert service.get(DATA, **CSV, **{"If-None-Match": headers["ETag"]})[0] == 304
    assert service.get(DATA, **CSV, **{"If-Modified-Since": headers["Last-Modified"]})[0] == 304
    assert service.get(DATA, Accept="*/*", **{"If-None-Match": headers["ETag"]})[0] == 200


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        (f"{DATA}?colour=red", 400, b"colour"),
        (f"{DATA}?firstNObservations=none", 400, b"firstNObservations"),
        (f"{DATA}/A.470.x.x.x.x.x.x.x.x.x.x.x.x.x.x", 422, b"REF_AREA"),
        (f"{DATA}?c%5BREF_ARAE%5D=470", 422, b"REF_AREA"),
        ("/sdmx/v2/data/dataflow/UNSD_MIG/DF_STOK_OD/1.0.0", 404, b"DF_STOCK_OD"),
        ("/sdmx/v2/structure/codelist/UNSD_MIG/CL_NONE", 404, b"CL_NONE"),
        ("/sdmx/v2/schema/dataflow/UNSD_MIG/DF_STOCK_OD/1.0.0?asOf=2024-01-01T00:00:00Z", 404, b"no structures yet"),
        (f"{DATA}?sort=REF_ARAE", 422, b"REF_AREA"),
        ("/sdmx/v1/data/UNSD_MIG,DF_STOCK_OD,1.0.0/A.470", 403, b"dimensions"),
        ("/api/nowhere", 404, b"nowhere"),
    ],
)
def test_errors_say_what_and_what_to_do(service: Running, path: str, status: int, words: bytes) -> None:
    found, headers, body = service.get(path)
    assert (found, words in body) == (status, True), body
    assert headers["Access-Control-Allow-Origin"] == "*"
    assert b"Traceback" not in body


def test_empty_answers(service: Running) -> None:
    assert service.get(f"{DATA}?c%5BTIME_PERIOD%5D=1066")[0] == 204
    assert service.get("/sdmx/v1/data/UNSD_MIG,DF_STOCK_OD,1.0.0/all?startPeriod=1066&endPeriod=1066")[0] == 404
    assert service.get(DATA, Accept="image/png")[0] == 406


def test_head_and_options(service: Running) -> None:
    with service.open(DATA, method="HEAD") as answer:
        assert answer.status == 200 and answer.read() == b"" and answer.headers["ETag"]
    with service.open(DATA, method="OPTIONS") as answer:
        assert answer.status == 204 and "GET" in answer.headers["Allow"]


def test_a_submission_over_http(service: Running) -> None:
    body = (DEMO / "malta_demographic_balance.csv").read_bytes()
    status, receipt = service.send("name=again.csv&publish=true", body)
    assert (status, receipt["status"]) == (201, "published")
    assert receipt["dataflows"][0]["counts"]["unchanged"] == receipt["dataflows"][0]["counts"]["observations"]
    status, refused = service.send("name=bad.csv", body.replace(b"CNMIGRAT", b"CNMIGRANT"))
    assert (status, refused["status"]) == (422, "refused")
    _, _, findings = service.get(f"/api/submissions/{refused['id']}/findings", Authorization=f"Bearer {service.token}")
    first = json.loads(findings)["findings"][0]
    assert first["row"] and first["value"] == "CNMIGRANT" and first["suggestion"] == "CNMIGRAT"
    _, _, table = service.get(f"/api/submissions/{refused['id']}/findings.csv", Authorization=f"Bearer {service.token}")
    assert b"CNMIGRANT" in table


def test_who_may_submit(service: Running) -> None:
    body = (DEMO / "malta_demographic_balance.csv").read_bytes()
    with service.open("/api/submissions", body) as answer:
        assert answer.status == 401 and answer.headers["Content-Type"] == "application/problem+json"
    status, problem = service.send("publish=maybe", body)
    assert status == 400 and "maybe" in problem["detail"]
    status, problem = service.send("mapping=NONE", body)
    assert status == 404 and "NONE" in problem["detail"]


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("truncated.zip", b"PK\x03\x04\x14\x00\x00\x00\x08\x00" + b"x" * 40),
        ("bomb.xml", b'<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]><l>&b;</l>'),
        ("cut.xml", b'<?xml version="1.0"?><message:StructureSpecificData xmlns:message="http://www.sdmx.org/resources/sdmxml/schemas/v3_0/message"><message:Header>'),
        ("noise.bin", bytes(range(256)) * 8),
        ("empty.csv", b" "),
    ],
)  # fmt: skip
def test_bad_files_are_the_senders_fault(service: Running, name: str, body: bytes) -> None:
    before = json.loads(service.get("/api/releases")[2])["releases"][-1]["release"]
    status, problem = service.send(f"name={name}&publish=true", body)
    assert 400 <= status < 500 and problem["detail"], problem
    assert json.loads(service.get("/api/releases")[2])["releases"][-1]["release"] == before


@pytest.fixture(scope="module")
def client(service: Running) -> Any:
    import sdmx
    from sdmx.source import Source

    source = Source(id="UNSD_MIG", url=f"{service.address}/sdmx/v1", name="Here")
    sdmx.source.sources["UNSD_MIG"] = source
    return sdmx.Client("UNSD_MIG")


class TestSdmx1:
    """sdmx1, unchanged, told the address."""

    def test_lists_dataflows(self, client: Any) -> None:
        flows = client.dataflow().dataflow
        assert "DF_STOCK_OD" in flows and str(flows["DF_STOCK_OD"].name)

    def test_reads_a_structure_with_its_children(self, client: Any) -> None:
        message = client.get("datastructure", "DSD_MIG_STOCK", agency_id="UNSD_MIG", params={"references": "children"})
        (structure,) = message.structure.values()
        assert [one.id for one in structure.dimensions][:2] == ["FREQ", "REF_AREA"]
        assert "CL_AREA_MIG" in message.codelist and len(message.codelist["CL_AREA_MIG"]) > 200

    def test_reads_data_into_pandas(self, client: Any, service: Running) -> None:
        import sdmx

        url = f"{service.address}/sdmx/v1/data/UNSD_MIG,DF_STOCK_OD,1.0.0/all?startPeriod=2024&endPeriod=2024"
        series = sdmx.to_pandas(client.get(url=url))
        rows = pd.read_csv(io.BytesIO(service.get(f"{DATA}?c%5BTIME_PERIOD%5D=2024", **CSV)[2]), dtype=str)
        assert len(series) == len(rows)
        assert int(series.sum()) == int(rows.OBS_VALUE.astype(float).sum())


class TestPysdmx:
    """pysdmx, unchanged, told the address."""

    def test_lists_dataflows_and_reads_structures(self, service: Running) -> None:
        from pysdmx.api.fmr import RegistryClient
        from pysdmx.io.format import StructureFormat

        client = RegistryClient(f"{service.address}/sdmx/v2", format=StructureFormat.SDMX_JSON_2_0_0)
        flow = client.get_dataflow_details("UNSD_MIG", "DF_STOCK_OD", "1.0.0", detail="all")
        assert flow.id == "DF_STOCK_OD"
        codes = client.get_codes("UNSD_MIG", "CL_SEX", "1.0.0")
        assert {"F", "M", "_T"} <= {code.id for code in codes}

    @pytest.mark.parametrize(
        "accept", ["application/vnd.sdmx.data+csv;version=2.0.0", "application/vnd.sdmx.data+xml;version=3.0.0"]
    )
    def test_reads_data(self, service: Running, accept: str) -> None:
        from pysdmx.io import get_datasets

        data = service.get(f"{DATA}?c%5BTIME_PERIOD%5D=2024", Accept=accept)[2]
        structure = service.get(
            "/sdmx/v2/structure/dataflow/UNSD_MIG/DF_STOCK_OD/1.0.0?references=descendants",
            Accept="application/vnd.sdmx.structure+xml;version=3.0.0",
        )[2]
        (dataset,) = get_datasets(io.BytesIO(data), io.BytesIO(structure), validate=False)
        rows = pd.read_csv(io.BytesIO(service.get(f"{DATA}?c%5BTIME_PERIOD%5D=2024", **CSV)[2]), dtype=str)
        assert dataset.data.OBS_VALUE.astype(float).sum() == rows.OBS_VALUE.astype(float).sum()


class TestCommandLine:
    """Exit statuses and words."""

    def test_check_without_a_store(self, tmp_path: Path) -> None:
        done = run("check", str(DEMO / "malta_demographic_balance.csv"), "--data", str(tmp_path / "none"))
        assert "received" in done.stdout and "rules not run" in done.stdout
        assert not (tmp_path / "none").exists()

    def test_a_refused_file_exits_with_1(self, tmp_path: Path) -> None:
        bad = tmp_path / "bad.csv"
        bad.write_bytes((DEMO / "malta_demographic_balance.csv").read_bytes().replace(b"CNMIGRAT", b"CNMIGRANT"))
        done = run("check", str(bad), "--data", str(tmp_path / "none"), "--format", "json", check=False)
        assert done.returncode == 1
        assert any(one["suggestion"] == "CNMIGRAT" for one in json.loads(done.stdout)["findings"])

    @pytest.mark.parametrize("name", ["nothere.csv", "noise.bin"])
    def test_an_unreadable_file_exits_with_2(self, tmp_path: Path, name: str) -> None:
        (tmp_path / "noise.bin").write_bytes(bytes(range(256)) * 4)
        done = run("check", str(tmp_path / name), "--data", str(tmp_path / "none"), check=False)
        assert done.returncode == 2 and name in done.stderr

    def test_submit_publish_query_export(self, tmp_path: Path) -> None:
        data = ["--data", str(tmp_path / "data")]
        run("init", *data)
        done = run("submit", str(DEMO / "malta_demographic_balance.csv"), *data, "--format", "json")
        receipt = json.loads(done.stdout)["receipt"]
        assert receipt["status"] == "accepted"
        assert run("query", "v2/data/dataflow/UNSD_MIG/DF_BALANCE/1.0.0", *data).stdout == ""
        assert "release 1" in run("publish", receipt["id"], *data).stdout
        assert run("publish", receipt["id"], *data, check=False).returncode == 2
        target = tmp_path / "balance.csv"
        run("export", "DF_BALANCE", "-o", str(target), *data)
        table = pd.read_csv(target, dtype=str)
        assert len(table) == receipt["dataflows"][0]["counts"]["observations"]
        assert receipt["id"] in run("submissions", *data).stdout
        assert json.loads(run("receipt", receipt["id"], *data).stdout)["release"] == 1
        assert "1" in run("releases", *data).stdout
        run("restore", "0", *data)
        assert run("query", "v2/data/dataflow/UNSD_MIG/DF_BALANCE/1.0.0", *data).stdout == ""

    def test_submit_to_a_running_service(self, service: Running) -> None:
        done = run(
            "submit", str(DEMO / "malta_demographic_balance.csv"), "--url", service.address, "--token", service.token
        )
        assert json.loads(done.stdout)["receipt"]["status"] == "accepted"

    def test_of_several_files_each_is_submitted_whatever_the_others_are(self, service: Running, tmp_path: Path) -> None:
        good = DEMO / "malta_demographic_balance.csv"
        noise, bad = tmp_path / "noise.bin", tmp_path / "bad.csv"
        noise.write_bytes(bytes(range(256)) * 4)
        bad.write_bytes(good.read_bytes().replace(b"CNMIGRAT", b"CNMIGRANT"))
        ways = (["--data", str(tmp_path / "data")], ["--url", service.address, "--token", service.token])
        for command, more in (("check", ways[0]), ("submit", ways[0]), ("submit", ways[1])):
            names = [str(noise), str(tmp_path / "nothere.csv"), str(bad), str(tmp_path), str(good)]
            done = run(command, *names, *more, "--format", "json", check=False)
            assert done.returncode == 2
            assert [name in done.stderr for name in ("noise.bin", "nothere.csv", str(tmp_path))] == [True] * 3
            statuses = re.findall(r'^    "status": "([a-z]+)"', done.stdout, re.MULTILINE)
            assert statuses == ["refused", "received" if command == "check" else "accepted"]
            assert run(command, str(bad), str(good), *more, "--format", "json", check=False).returncode == 1

    def test_a_template_is_written_without_a_store_and_read_by_check(self, tmp_path: Path) -> None:
        path, data = tmp_path / "t.xlsx", ["--data", str(tmp_path)]
        done = run("template", "MIG-01", "--area", "470", "--years", "2022-2023", "-o", str(path), *data)
        assert "0 figures of NSO_MLT" in done.stdout
        checked = run("check", str(path), *data, check=False)
        assert checked.returncode == 1 and "mapping DYB_MIGRATION(1.0.0)" in checked.stdout and "F109" in checked.stdout

    @pytest.mark.parametrize(
        ("wrong", "said"),
        [
            (["MIG-99", "--area", "470"], "MIG-09"),
            (["MIG-01", "--area", "Maltta"], "470"),
            (["MIG-01", "--area", "1"], "No data provider"),
            (["MIG-01", "--area", "470", "--language", "zh"], "en, fr, es, ru"),
            (["MIG-01", "--area", "470", "--years", "2025-2020"], "FROM-TO"),
        ],
    )
    def test_a_template_that_cannot_be_made_says_why(self, tmp_path: Path, wrong: list[str], said: str) -> None:
        done = run("template", *wrong, "-o", str(tmp_path / "t.xlsx"), "--data", str(tmp_path), check=False)
        assert done.returncode == 2 and said in done.stderr
        assert not (tmp_path / "t.xlsx").exists()

    def test_a_template_comes_from_the_service_that_holds_the_store(self, service: Running, tmp_path: Path) -> None:
        data, path = ["--data", str(service.data)], tmp_path / "t.xlsx"
        run("template", "CEN-2", "MIG-01", "--area", "470", "--language", "fr", "-o", str(path), *data)
        assert "Couverture" in openpyxl.load_workbook(path).sheetnames
        refused = run("template", "CEN-9", "--area", "470", "-o", str(tmp_path / "no.xlsx"), *data, check=False)
        assert refused.returncode == 2 and "CEN-5" in refused.stderr and not (tmp_path / "no.xlsx").exists()
        token = run("token", "create", "--provider", "NSO_ITA", *data).stdout.strip()
        address = "/api/templates/CEN-2?area=470"
        assert service.get(address)[0] == 401
        assert service.get(address, Authorization=f"Bearer {token}")[0] == 403
        status, headers, body = service.get(address.replace("470", "380"), Authorization=f"Bearer {token}")
        assert (status, headers["Cache-Control"], body[:2]) == (200, "private, no-store", b"PK")
        book = openpyxl.load_workbook(path)
        book["MIG-01"]["F10"] = 17
        book.save(path)
        assert service.send("name=filled.xlsx", path.read_bytes(), token)[0] == 403

    def test_commands_go_to_the_service_that_holds_the_store(self, service: Running, tmp_path: Path) -> None:
        data = ["--data", str(service.data)]
        listed = run("submissions", *data).stdout
        assert "malta_demographic_balance.csv" in listed
        identity = listed.split()[0]
        assert json.loads(run("receipt", identity, *data).stdout)["id"] == identity
        assert run("releases", *data).stdout.startswith("1 ")
        target = tmp_path / "stock.csv"
        run("export", "DF_STOCK_OD", "-o", str(target), *data)
        assert target.read_bytes() == service.get(DATA, **CSV)[2]
        path = "v2/data/dataflow/UNSD_MIG/DF_STOCK_OD/1.0.0"
        assert run("query", path, "--accept", CSV["Accept"], *data).stdout.encode() == target.read_bytes()
        token = run("token", "create", "--role", "publisher", *data).stdout.strip()
        assert service.get("/api/submissions", Authorization=f"Bearer {token}")[0] == 200
        assert token.split(".")[0] in run("token", "list", *data).stdout
        run("token", "revoke", token.split(".")[0], *data)
        assert service.get("/api/submissions", Authorization=f"Bearer {token}")[0] == 401
        assert oct((service.data / "service.json").stat().st_mode)[-3:] == "600"
        checked = run("check", str(DEMO / "malta_demographic_balance.csv"), *data).stdout
        assert "received" in checked and "rules not run" in checked

    def test_mappings_and_sources_of_a_service_that_holds_the_store(self, service: Running, tmp_path: Path) -> None:
        data, book = ["--data", str(service.data)], tmp_path / "book.xlsx"
        assert "ESTAT_FLOW_CTZ  1.0.0" in run("map", "list", *data).stdout
        run("map", "export", "ESTAT_FLOW_CTZ", "-o", str(book), "--language", "fr", *data)
        assert "mapping ESTAT_FLOW_CTZ: unchanged" in run("map", "import", str(book), *data).stdout
        opened = openpyxl.load_workbook(book)
        opened["Components"]["B2"] = "guess"
        opened.save(book)
        refused = run("map", "import", str(book), *data, check=False)
        assert refused.returncode == 1 and "sheet Components row 2 column B" in refused.stdout
        assert run("decisions", "--all", *data).stdout == ""
        assert "UNSD_MIG.UNDESA" in run("sources", "DF_STOCK_OD", *data).stdout
        assert run("coverage", "DF_STOCK_OD", *data).stdout.startswith("code,name,year,how,provider")


def blocks(language: str) -> list[str]:
    """The code blocks of the README in a language."""
    return re.findall(rf"```{language}\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)


class TestReadme:
    """The examples work as printed."""

    def test_shell_examples(self, service: Running) -> None:
        if shutil.which("curl") is None:
            pytest.skip("curl absent: the README's two curl examples were not run")
        examples = [block for block in blocks("sh") if "curl" in block]
        assert len(examples) == 2
        outputs = []
        for block in examples:
            script = block.replace("http://127.0.0.1:8080", service.address)
            environment = {"TOKEN": service.token, "PATH": "/usr/local/bin:/usr/bin:/bin"}
            done = subprocess.run(
                ["bash", "-c", script], capture_output=True, text=True, cwd=ROOT, env=environment, timeout=100
            )
            assert done.returncode == 0, done.stderr
            outputs.append(done.stdout)
        assert json.loads(outputs[0])["status"] == "published"
        assert outputs[1].startswith("STRUCTURE,") and "470: Malta" in outputs[1]

    def test_check_example(self, tmp_path: Path) -> None:
        (block,) = [block for block in blocks("sh") if "sdmx-service check" in block]
        done = run(*block.split()[1:], "--data", str(tmp_path / "none"))
        assert "received" in done.stdout

    def test_python_example(self, service: Running) -> None:
        (block,) = blocks("python")
        script = block.replace("http://127.0.0.1:8080", service.address)
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=100)
        assert done.returncode == 0, done.stderr
        rows = pd.read_csv(io.BytesIO(service.get(f"{DATA}?c%5BTIME_PERIOD%5D=2024", **CSV)[2]), dtype=str)
        assert float(done.stdout) == float(rows.OBS_VALUE.astype(float).sum())
