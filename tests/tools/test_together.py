"""Whatever a test run starts ends with it, however it ends."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.tools.test_processes import eventually, gone
from tools.inventory import ROOT

# A module that starts a deaf grandchild, as a test might start a server, and then does `{then}`.
PROGRAM = """
import signal, subprocess, sys, time
deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"
child = subprocess.Popen([sys.executable, "-c", deaf])
time.sleep(0.3)
print(child.pid, flush=True)
{then}
"""

Started = tuple["subprocess.Popen[str]", int]


@pytest.fixture
def start(tmp_path: Path) -> Callable[[str], Started]:
    """Starts `together` on a module that does something after starting its grandchild."""

    def begin(then: str) -> Started:
        (tmp_path / "restless.py").write_text(PROGRAM.format(then=then))
        path = os.pathsep.join([str(ROOT), str(tmp_path)])
        program = (
            "import sys; from tools import together;"
            "together.ASK_SECONDS = together.INSIST_SECONDS = 0.5;"
            "sys.argv[1:] = ['restless']; sys.exit(together.main())"
        )
        process = subprocess.Popen(
            [sys.executable, "-c", program],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": path, "PYTHONUNBUFFERED": "1"},
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        return process, int(process.stdout.readline())

    return begin


def end(process: "subprocess.Popen[str]") -> int:
    code = process.wait(timeout=20)
    assert process.stdout is not None
    process.stdout.close()
    return code


def test_the_exit_code_is_the_module_s_and_nothing_is_left(
    start: Callable[[str], Started],
) -> None:
    process, grandchild = start("raise SystemExit(5)")

    assert end(process) == 5
    assert eventually(lambda: gone(grandchild))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_everything(start: Callable[[str], Started], number: signal.Signals) -> None:
    process, grandchild = start("time.sleep(600)")
    started = time.monotonic()

    process.send_signal(number)

    assert end(process) == 130
    assert eventually(lambda: gone(grandchild))
    assert time.monotonic() - started < 15
