"""The script of raw requests, with the stand-in of this folder."""

from __future__ import annotations

import subprocess
import sys

from hospital.testing.sandbox import ROOT, SandboxControl
from tests.sandbox import raw_v3


def test_every_raw_check_holds(control: SandboxControl) -> None:
    found = raw_v3.run(control.facts, 0.01)
    assert [(says, wrong) for says, wrong in found if wrong] == []
    assert len(found) == len(raw_v3.CHECKS) >= 16


def test_it_runs_by_itself(control: SandboxControl) -> None:
    """As somebody else would run it; a wrong pace is found."""
    command = [sys.executable, "-m", "tests.sandbox.raw_v3", str(control.export), "0.02"]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 1, ended.stdout + ended.stderr
    failed = [line for line in ended.stdout.splitlines() if line.startswith("FAIL")]
    assert "after WeChat's waits" in failed[0]
