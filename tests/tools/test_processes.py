"""The demo's supervisor leaves nothing behind, whatever its programs do."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hospital.config.embedded import process_exists
from tools.processes import Family, StepFailed, worth_showing

ROOT = Path(__file__).resolve().parents[2]
SLEEPER = "import time; print('up', flush=True); time.sleep(600)"
DEAF = (
    "import signal, subprocess, sys, time;"
    "signal.signal(signal.SIGTERM, signal.SIG_IGN);"
    "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']);"
    "print(child.pid, flush=True);"
    "time.sleep(600)"
)


@pytest.fixture
def family(tmp_path: Path) -> Iterator[Family]:
    family = Family(tmp_path / "log", {**os.environ, "PYTHONUNBUFFERED": "1"})
    yield family
    family.stop(grace=0.1)


def python(program: str) -> tuple[str, str, str]:
    return (sys.executable, "-c", program)


def eventually(holds: Callable[[], bool], *, seconds: float = 5) -> bool:
    until = time.monotonic() + seconds
    while not holds() and time.monotonic() < until:
        time.sleep(0.02)
    return holds()


def gone(pid: int) -> bool:
    """Whether a process has ended; one that waits to be collected has."""
    stat = Path(f"/proc/{pid}/stat")
    if stat.parent.parent.exists() and stat.exists():
        return stat.read_text().rsplit(")", 1)[1].split()[0] == "Z"
    return not process_exists(pid)


def test_a_program_that_listens_to_us_is_stopped_at_once(family: Family) -> None:
    child = family.start("sleeper", python(SLEEPER))
    started = time.monotonic()

    family.stop(grace=10)

    assert child.process.poll() == -signal.SIGTERM
    assert time.monotonic() - started < 5
    assert family.children == []


def test_a_program_that_does_not_is_killed_with_all_it_started(family: Family) -> None:
    child = family.start("deaf", python(DEAF))
    assert eventually(lambda: child.log.read_text().strip().isdecimal())
    grandchild = int(child.log.read_text())

    family.stop(grace=0.3)

    assert child.process.poll() == -signal.SIGKILL
    assert eventually(lambda: gone(grandchild))


def test_a_program_that_ends_by_itself_is_named_with_its_last_words(family: Family) -> None:
    child = family.start("web", python("print('no such table'); raise SystemExit(3)"))
    child.process.wait()

    with pytest.raises(StepFailed) as refused:
        family.complain_if_dead()

    assert "web stopped by itself (exit code 3)" in str(refused.value)
    assert "no such table" in str(refused.value)


def test_waiting_ends_when_a_program_dies_or_time_is_up(family: Family) -> None:
    child = family.start("web", python(SLEEPER))
    with pytest.raises(StepFailed, match=r"the hospital was not ready after 0 s"):
        family.wait_until(lambda: False, what="the hospital", seconds=0.2)

    child.process.kill()
    with pytest.raises(StepFailed, match=r"stopped by itself \(signal 9\)"):
        family.wait_until(lambda: False, what="the hospital", seconds=20)


def test_a_step_that_fails_shows_the_end_of_its_output(family: Family) -> None:
    family.run("good", python("print('fine')"))

    with pytest.raises(StepFailed, match="row 7 is wrong"):
        family.run("import_base", python("print('row 7 is wrong'); raise SystemExit(1)"))

    assert family.children == []


def test_the_log_of_the_run_before_is_kept(family: Family) -> None:
    family.run("step", python("print('first')"))
    family.run("step", python("print('second')"))

    assert (family.folder / "step.log").read_text() == "second\n"
    assert (family.folder / "step.log.1").read_text() == "first\n"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of its parent's end")
def test_children_end_when_the_supervisor_itself_is_killed(tmp_path: Path) -> None:
    program = (
        "import os, sys, time; from pathlib import Path; from tools.processes import Family;"
        f"child = Family(Path({str(tmp_path)!r}), dict(os.environ))"
        f".start('sleeper', [sys.executable, '-c', {SLEEPER!r}]);"
        "print(child.process.pid, flush=True); time.sleep(600)"
    )
    supervisor = subprocess.Popen(python(program), cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert supervisor.stdout is not None
    child = int(supervisor.stdout.readline())

    supervisor.kill()
    supervisor.wait()
    supervisor.stdout.close()

    assert eventually(lambda: gone(child))


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ('{"level": "INFO", "message": "request", "status": 200}', None),
        ("[INFO] Starting the server", None),
        ("", None),
        ("Traceback (most recent call last):", "Traceback (most recent call last):"),
        (
            '{"at": "x", "level": "WARNING", "logger": "l", "message": "job failed", "job": "a.b"}',
            "WARNING job failed job=a.b",
        ),
    ],
)
def test_only_what_needs_eyes_reaches_the_terminal(line: str, shown: str | None) -> None:
    assert worth_showing(line) == shown
