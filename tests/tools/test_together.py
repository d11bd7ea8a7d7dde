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


@pytest.fixture
def beside(tmp_path: Path) -> Callable[[str, str], tuple[int, str]]:
    """Runs `together` on a module with a shell command beside it: exit code and words."""

    def run(module: str, command: str) -> tuple[int, str]:
        (tmp_path / "quick.py").write_text(module)
        script = tmp_path / "command"
        script.write_text(f"#!/bin/sh\n{command}\n")
        script.chmod(0o755)
        path = os.pathsep.join([str(ROOT), str(tmp_path)])
        ended = subprocess.run(
            [sys.executable, "-m", "tools.together", "--beside", str(script), "quick"],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": path},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return ended.returncode, ended.stdout

    return run


WAITING = "import time; print('module', flush=True); time.sleep(1); print('still', flush=True)"


def test_what_fails_beside_fails_the_whole_and_speaks_in_one_piece(
    beside: Callable[[str, str], tuple[int, str]],
) -> None:
    code, said = beside(WAITING, "echo one; echo two >&2; exit 3")

    assert code == 3
    assert "\none\ntwo\n" in said
    assert said.endswith("failed, see above\n")


def test_all_is_well_when_both_are_and_the_module_s_failure_counts_first(
    beside: Callable[[str, str], tuple[int, str]],
) -> None:
    assert beside("print('fine')", "sleep 0.3; echo clean") == (0, "fine\n\nclean\n")
    code, said = beside("raise SystemExit(5)", "exit 3")
    assert code == 5
    assert "see above" not in said


def test_what_runs_beside_ends_with_the_rest(tmp_path: Path) -> None:
    script = tmp_path / "command"
    script.write_text(f"#!/bin/sh\necho $$ > {tmp_path}/pid\nsleep 600\n")
    script.chmod(0o755)
    process = subprocess.Popen(
        [sys.executable, "-m", "tools.together", "--beside", str(script), "timeit", "-n1", "-r1"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
    )
    assert eventually(lambda: (tmp_path / "pid").exists() and bool(read(tmp_path / "pid")))

    process.send_signal(signal.SIGTERM)

    assert process.wait(timeout=30) == 130
    assert eventually(lambda: gone(int(read(tmp_path / "pid"))))


def read(file: Path) -> str:
    return file.read_text("utf-8").strip()
