"""Killed at random moments of submitting and publishing: never a half release, never a lost accepted submission.

``KILLED_TIMES`` says how often, ``KILLED_SEED`` repeats a run.
"""

from __future__ import annotations

import ast
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from tests.harness import ROOT

TIMES = int(os.environ.get("KILLED_TIMES") or 30)


@pytest.mark.timeout(900)
def test_nothing_is_torn_or_lost(tmp_path: Path) -> None:
    seed = os.environ.get("KILLED_SEED") or str(random.SystemRandom().randrange(1_000_000))
    done = subprocess.run(
        [sys.executable, "-m", "tests.workflow.dying", str(tmp_path), str(TIMES), seed],
        cwd=ROOT, capture_output=True, text=True, timeout=880,
    )  # fmt: skip
    assert done.returncode == 0, f"seed {seed}: {done.stderr}"
    counts = ast.literal_eval(done.stdout)
    assert counts["accepted"] > TIMES / 10, counts  # else they were killed before they did anything
    assert counts["published"] > 1, counts
