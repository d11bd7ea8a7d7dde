"""`make demo` from nothing: it comes up, repeats, names what broke, and leaves nothing behind."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tools.demo_place import HOST
from tools.inventory import ROOT

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="looks for left-over processes in /proc"),
]
# Alone on two cores it takes a third of this; beside another test worker it takes longer.
PATIENCE_SECONDS = 150


class RunningDemo:
    """One `python -m tools.demo` with ports and a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ports = dict(zip(("PORT", "SANDBOX_PORT", "LIVE_PORT"), _free_ports(3), strict=True))
        self.output = folder.with_suffix(".out")
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, **more: str) -> None:
        inherited = {key: value for key, value in os.environ.items() if key != "DATABASE_URL"}
        ports = {name: str(port) for name, port in self.ports.items()}
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tools.demo"],
                cwd=ROOT,
                env={**inherited, **ports, "DATA": str(self.folder), **more},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def said(self) -> str:
        return self.output.read_text("utf-8")

    def wait_until_it_says(self, words: str) -> None:
        until = time.monotonic() + PATIENCE_SECONDS
        while words not in self.said():
            assert self.process is not None
            assert self.process.poll() is None, self.said()
            assert time.monotonic() < until, self.said()
            time.sleep(0.1)

    def end(self, number: int = signal.SIGINT) -> int:
        """Send a signal and wait; the exit code."""
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(timeout=60)

    def get(self, port: str, path: str) -> str:
        with urllib.request.urlopen(f"http://{HOST}:{self.ports[port]}{path}", timeout=10) as page:
            return str(page.read().decode("utf-8"))

    def processes(self) -> dict[int, str]:
        """Every living process that belongs to this demo, by its folder in /proc."""
        return {pid: words for pid, words in _command_lines() if str(self.folder) in words}


def _free_ports(count: int) -> list[int]:
    probes = [socket.create_server((HOST, 0)) for _ in range(count)]
    ports = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return ports


def _command_lines() -> Iterator[tuple[int, str]]:
    """(pid, command line and environment) of every process that has not ended."""
    for entry in Path("/proc").iterdir():
        if not entry.name.isdecimal() or int(entry.name) == os.getpid():
            continue
        try:
            words = (entry / "cmdline").read_bytes() + b"\0" + (entry / "environ").read_bytes()
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue
        yield int(entry.name), words.replace(b"\0", b" ").decode("utf-8", "replace")


@pytest.fixture(scope="module")
def place() -> Iterator[RunningDemo]:
    # Not below pytest's own folder: PostgreSQL runs as another user, which must be let in.
    folder = Path(tempfile.mkdtemp(prefix="xinglin-demo-"))
    place = RunningDemo(folder)
    yield place
    shutil.rmtree(folder)
    place.output.unlink(missing_ok=True)


@pytest.fixture
def demo(place: RunningDemo) -> Iterator[RunningDemo]:
    """The demo in its one place, stopped after each test whatever came of it."""
    yield place
    if place.process is not None and place.process.poll() is None:
        place.end()


def test_from_nothing_to_ready_and_back_to_nothing(demo: RunningDemo) -> None:
    demo.start()
    demo.wait_until_it_says("demo: ready after")

    assert "微信" in demo.get("SANDBOX_PORT", "/")
    assert "登录" in demo.get("PORT", "/staff/")
    assert '"status": "ready"' in demo.get("PORT", "/readyz")
    table = demo.said()
    for role in ("挂号员", "门诊办", "财务", "系统管理员"):
        assert re.search(rf"│ {role} log-in +\S+ +\S+ +│", table)
    assert len(demo.processes()) >= 6

    assert demo.end(signal.SIGINT) == 0
    assert demo.processes() == {}


@pytest.mark.thorough
def test_a_second_start_finds_everything_in_place_and_names_what_breaks(demo: RunningDemo) -> None:
    demo.start()
    demo.wait_until_it_says("demo: ready after")
    (worker,) = [pid for pid, words in demo.processes().items() if "manage.py worker" in words]

    os.kill(worker, signal.SIGKILL)

    assert demo.process is not None
    assert demo.process.wait(timeout=60) == 1
    assert "demo: worker stopped by itself (signal 9)" in demo.said()
    assert demo.processes() == {}


def test_a_taken_port_is_said_before_anything_starts(demo: RunningDemo) -> None:
    with socket.create_server((HOST, demo.ports["LIVE_PORT"])):
        demo.start()
        assert demo.process is not None
        code = demo.process.wait(timeout=20)

    assert code == 2
    (sentence,) = demo.said().splitlines()
    assert sentence.startswith(f"demo: port {demo.ports['LIVE_PORT']} is taken")
    assert demo.processes() == {}
