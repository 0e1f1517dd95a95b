"""Programs of other languages that tests use as clients: found, or asked for with a word.

``REQUIRE_CLIENTS=1`` (set by ``.ci/run`` after it installed them) makes a missing one a failure instead of a skip.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

NPM_PACKAGE = "sdmx-rest@2.20.0"


def require(found: bool, what: str) -> None:
    """Skips the test if a client is missing, with the word for it; fails where clients are demanded."""
    if found:
        return
    if os.environ.get("REQUIRE_CLIENTS") == "1":
        pytest.fail(f"{what}, and REQUIRE_CLIENTS=1")
    pytest.skip(what)


def node() -> str:
    """The path of node."""
    found = shutil.which("node")
    require(found is not None and shutil.which("npm") is not None, "node and npm are not installed")
    assert found is not None
    return found


def install_npm_package(folder: Path) -> None:
    """Installs the package of URL builders into a folder, without running anything of it."""
    command = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", str(folder), NPM_PACKAGE]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=90)
    except subprocess.TimeoutExpired:
        pytest.skip(f"npm did not install {NPM_PACKAGE} in 90 seconds")
    if done.returncode != 0:  # its registry is out of reach, which is nothing that a test could mend
        pytest.skip(f"npm cannot install {NPM_PACKAGE}: {done.stderr[-300:]}")


def rscript() -> str:
    """The path of Rscript, with the package rsdmx there."""
    found = shutil.which("Rscript")
    require(found is not None, "R is not installed (Debian: r-cran-rsdmx)")
    assert found is not None
    command = [found, "-e", "library(rsdmx)"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    require(done.returncode == 0, "R has no package rsdmx (Debian: r-cran-rsdmx)")
    return found
