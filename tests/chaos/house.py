"""The processes of a hospital, each leading a group of its own, and who starts them again.

A supervisor thread looks twenty times a second: whatever has ended is started again, as the service
manager of a real machine does. Their output is appended to one log file each.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import httpx

from hospital.testing.sandbox import ROOT
from tests.chaos import postgres
from tests.chaos.postgres import Files
from tests.chaos.world import PASSWORD_ABOVE_FEN
from tools.processes import die_with_parent, kill_group

LOOK_SECONDS = 0.05
READY_SECONDS = 60.0
Start = Callable[[IO[bytes]], "subprocess.Popen[bytes]"]
Kill = Callable[["subprocess.Popen[bytes]"], None]


class NotReady(Exception):
    """Something did not come up in time; the message says what."""


@dataclass
class Program:
    """One of the processes that may be killed; `starts` counts how often it was started."""

    name: str
    start: Start
    kill: Kill
    process: subprocess.Popen[bytes] | None = None
    starts: int = 0


@dataclass
class Ports:
    """Where everybody listens on this machine."""

    web: int
    live: int
    wechat: int
    database: int


@dataclass
class House:
    """All programs of one run, below one folder."""

    folder: Path
    ports: Ports
    environment: dict[str, str]
    files: Files
    programs: dict[str, Program] = field(default_factory=dict)
    _lock: threading.RLock = field(default_factory=threading.RLock)
    _open: threading.Event = field(default_factory=threading.Event)
    _watch: threading.Thread | None = None

    @property
    def web(self) -> str:
        """The hospital's address."""
        return f"http://127.0.0.1:{self.ports.web}"

    @property
    def wechat(self) -> str:
        """The stand-in's address."""
        return f"http://127.0.0.1:{self.ports.wechat}"

    def log(self, name: str) -> Path:
        """Where a program writes."""
        return self.folder / f"{name}.log"

    def open(self) -> None:
        """Start nothing yet, but start again from now on whatever has been started and ends."""
        self._open.set()
        self._watch = threading.Thread(target=self._supervise, name="supervisor", daemon=True)
        self._watch.start()

    def start(self, name: str) -> None:
        """Start one program for the first time."""
        program = self.programs[name]
        with self._lock, self.log(name).open("ab") as log:
            program.process = program.start(log)
            program.starts += 1

    def kill(self, name: str) -> bool:
        """SIGKILL one program and its whole group; False when it was not running this moment."""
        with self._lock:
            program = self.programs[name]
            if program.process is None or program.process.poll() is not None:
                return False
            program.kill(program.process)
            return True

    def close(self) -> None:
        """Everything ends, the database last."""
        self._open.clear()
        if self._watch is not None:
            self._watch.join()
        for name in reversed(self.programs):
            self.kill(name)

    def wait(self, what: str, ready: Callable[[], bool], seconds: float = READY_SECONDS) -> None:
        """Wait until something is so. Raises NotReady."""
        until = time.monotonic() + seconds
        while not ready():
            if time.monotonic() > until:
                raise NotReady(f"{what} was not ready after {seconds:.0f} s; see {self.folder}")
            time.sleep(0.05)

    def all_answer(self) -> bool:
        """Database, stand-in, pages and the live channel say that they are well."""
        return (
            self.files.answers()
            and _good(f"{self.wechat}/_ctl/state?out_trade_no=none")
            and _good(f"{self.web}/readyz")
            and _good(f"http://127.0.0.1:{self.ports.live}/healthz")
        )

    def _supervise(self) -> None:
        while self._open.is_set():
            for program in self.programs.values():
                with self._lock:
                    ended = program.process is not None and program.process.poll() is not None
                    if ended and program.process is not None:
                        # What a program started itself must not outlive it.
                        kill_group(program.process.pid)
                        self.start(program.name)
            time.sleep(LOOK_SECONDS)


def build(folder: Path, ports: Ports, files: Files, environment: dict[str, str]) -> House:
    """The house with its five programs, nothing started."""
    house = House(folder, ports, environment, files)
    manage = (sys.executable, "manage.py")
    commands = {
        "wechat": (
            *(sys.executable, "-m", "wechat_sandbox", "--port", str(ports.wechat)),
            *("--data", str(folder / "wechat"), "--export", str(folder / "wechat.json")),
            *("--templates", str(ROOT / "demo" / "wechat_templates.json")),
            *("--notify-scale", "0.02", "--refund-delay", "60"),
            *("--password-above", str(PASSWORD_ABOVE_FEN)),
        ),
        "web": (*manage, "serve", "--port", str(ports.web), "--workers", "2", "--threads", "4"),
        "worker": (*manage, "worker"),
        "live": (*manage, "live", "--port", str(ports.live)),
    }
    house.programs["database"] = Program("database", files.start, postgres.kill)
    for name, command in commands.items():
        house.programs[name] = Program(name, _starter(house, command), _kill_group)
    return house


def _starter(house: House, command: tuple[str, ...]) -> Start:
    def start(log: IO[bytes]) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, **house.environment},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=die_with_parent(),
        )

    return start


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    kill_group(process.pid)
    process.wait()


def _good(url: str) -> bool:
    try:
        return httpx.get(url, timeout=3.0, trust_env=False).is_success
    except httpx.HTTPError:
        return False
