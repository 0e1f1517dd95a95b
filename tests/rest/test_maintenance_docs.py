"""The session of docs/maintenance.md, run as it is written."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from lxml import etree

from tests.harness import ROOT
from tests.rest.fishery import open_fishery
from tests.rest.maintaining import Desk, schema

CURL = f"""#!{sys.executable}
# what the examples use of curl, where it is not installed
import sys, urllib.error, urllib.request
words, method, headers, data, url = sys.argv[1:], None, {{}}, None, ""
while words:
    word = words.pop(0)
    if word == "-X": method = words.pop(0)
    elif word == "-H": headers.update([words.pop(0).split(": ", 1)])
    elif word == "--data-binary": data = open(words.pop(0)[1:], "rb").read()
    elif not word.startswith("-"): url = word
try:
    answer = urllib.request.urlopen(urllib.request.Request(url, data, headers, method=method))
except urllib.error.HTTPError as error:
    answer = error
sys.stdout.buffer.write(answer.read())
"""


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with open_fishery(tmp_path_factory.mktemp("docs") / "house") as house, Desk(house) as desk:
        yield desk


def test_the_examples(desk: Desk, tmp_path: Path) -> None:
    if shutil.which("curl") is None:
        (tmp_path / "curl").write_text(CURL)
        (tmp_path / "curl").chmod(0o700)
    blocks = re.findall(r"^```sh\n(.*?)^```", (ROOT / "docs" / "maintenance.md").read_text(), re.DOTALL | re.MULTILINE)
    environment = {
        "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}", "TOKEN": desk.tokens["publisher"],
        "SDMX": f"http://127.0.0.1:{desk.port}/sdmx/v2", "no_proxy": "127.0.0.1",
    }  # fmt: skip
    answers = []
    for block in blocks:
        done = subprocess.run(["bash", "-euc", block], cwd=tmp_path, env=environment, capture_output=True, timeout=30)
        assert done.returncode == 0, done.stderr
        answers.append(done.stdout)
    created, shown, completed, deleted, as_it_was, found, registered, data = answers
    valid = schema("3.1")
    two = [part for part in deleted.split(b'<?xml version="1.0" encoding="UTF-8"?>') if part.strip()]
    for answer, codes in ((created, [201]), (completed, [200]), (two[0], [200]), (two[1], [200]), (registered, [201])):
        root = etree.fromstring(answer)
        valid.assertValid(root)
        assert [int(one.get("code", "0")) for one in root.iter("{*}MessageText")] == codes
    assert b'id="FERRY"' in shown and b"CL_SHIP" not in as_it_was and b"CL_PORT" in as_it_was
    valid.assertValid(etree.fromstring(found))
    assert b"PA_CATCH_HARBOUR" in found
    assert json.loads(data)["data"]["submitDataResponse"]["submissionResult"]["code"] == 200
