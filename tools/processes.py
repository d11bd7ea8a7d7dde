"""Starting, watching and stopping the programs of the demo, so that nothing is left behind.

Each child leads a process group of its own and writes to a log file of its own. Stopping asks every
group to end and kills what still lives after a grace; on Linux a child is told to end, too, when
this process dies without having had the time to ask.
"""

import ctypes
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

GRACE_SECONDS = 12
TAIL_LINES = 15
_PR_SET_PDEATHSIG = 1
# Levels of the JSON log that a person at the terminal wants to see at once.
_LOUD = frozenset({"WARNING", "ERROR", "CRITICAL"})


class StepFailed(Exception):
    """A step or a process ended in a way it must not; the message is a sentence for people."""


@dataclass
class Child:
    """A running program: its name for people, its process, its log and how much of it we read."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path
    read_to: int = 0

    def new_lines(self) -> list[str]:
        """Whole lines that came into the log since the last call."""
        with self.log.open("rb") as file:
            file.seek(self.read_to)
            fresh = file.read()
        whole = fresh[: fresh.rfind(b"\n") + 1]
        self.read_to += len(whole)
        return whole.decode("utf-8", "replace").splitlines()

    def tail(self) -> str:
        lines = self.log.read_text("utf-8", "replace").splitlines()[-TAIL_LINES:]
        return "\n".join(f"    {line}" for line in lines)


@dataclass
class Family:
    """All programs one supervisor started."""

    folder: Path
    environment: Mapping[str, str]
    children: list[Child] = field(default_factory=list)

    def start(self, name: str, command: Sequence[str]) -> Child:
        """Start a program that stays; its output goes to <folder>/<name>.log."""
        self.folder.mkdir(parents=True, exist_ok=True)
        log = self.folder / f"{name}.log"
        if log.exists():
            log.replace(log.with_suffix(".log.1"))
        with log.open("wb") as output:
            process = subprocess.Popen(
                command,
                env=dict(self.environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=die_with_parent(),
            )
        child = Child(name, process, log)
        self.children.append(child)
        return child

    def run(self, name: str, command: Sequence[str]) -> None:
        """Run a program to its end. Raises StepFailed with the end of its output."""
        child = self.start(name, command)
        code = child.process.wait()
        self._end([child])
        self.children.remove(child)
        if code != 0:
            raise StepFailed(f"“{name}” failed; the end of {child.log}:\n{child.tail()}")

    def wait_until(self, ready: Callable[[], bool], *, what: str, seconds: float) -> None:
        """Wait for `ready`. Raises StepFailed when a child dies or the time is up."""
        until = time.monotonic() + seconds
        while not ready():
            self.complain_if_dead()
            if time.monotonic() > until:
                raise StepFailed(f"{what} was not ready after {seconds:.0f} s; see {self.folder}")
            time.sleep(0.1)

    def complain_if_dead(self) -> None:
        """Raises StepFailed naming the first program that ended by itself."""
        for child in self.children:
            code = child.process.poll()
            if code is not None:
                ending = f"signal {-code}" if code < 0 else f"exit code {code}"
                raise StepFailed(
                    f"{child.name} stopped by itself ({ending}); the end of {child.log}:"
                    f"\n{child.tail()}"
                )

    def show_news(self) -> None:
        """Print what the programs logged that somebody at the terminal should see."""
        for child in self.children:
            for line in child.new_lines():
                if shown := worth_showing(line):
                    print(f"{child.name:>8} │ {shown}", flush=True)

    def stop(self, *, grace: float = GRACE_SECONDS) -> None:
        """End every program, the last started first; kill what has not ended after `grace`."""
        self._end(list(reversed(self.children)), grace=grace)
        self.children.clear()

    def _end(self, children: list[Child], *, grace: float = GRACE_SECONDS) -> None:
        for child in children:
            if child.process.poll() is None:
                child.process.send_signal(signal.SIGTERM)
        until = time.monotonic() + grace
        for child in children:
            try:
                child.process.wait(timeout=max(0.0, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                print(f"demo: {child.name} did not stop in time and is killed", flush=True)
            # Also when it ended well: whatever it started itself must not outlive it.
            kill_group(child.process.pid)
            child.process.wait()


def worth_showing(line: str) -> str | None:
    """A log line in short when it is a warning, an error or no JSON at all; else None."""
    try:
        entry = json.loads(line)
    except ValueError:
        return None if not line.strip() or "[INFO]" in line else line
    if not isinstance(entry, dict) or entry.get("level") not in _LOUD:
        return None
    facts = " ".join(f"{key}={value}" for key, value in entry.items() if key not in _IN_FRONT)
    return f"{entry['level']} {entry.get('message', '')} {facts}".rstrip()


_IN_FRONT = frozenset({"level", "message", "at", "time", "logger", "traceback"})


def kill_group(leader: int) -> None:
    """Kill every process of a group, if there is still one."""
    try:
        os.killpg(leader, signal.SIGKILL)
    except ProcessLookupError:
        return
    except PermissionError:
        # macOS answers so for a group that has ended but was not yet collected.
        return


def die_with_parent() -> Callable[[], None] | None:
    """A `preexec_fn`, what a child does first: ask Linux to end it when this process dies."""
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None, use_errno=True)
    parent = os.getpid()

    def ask() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:
            os._exit(1)

    return ask
