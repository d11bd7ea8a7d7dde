"""`python -m tools.together MODULE …`: runs a Python module as one family with its own PostgreSQL.

The tests and the benchmark start servers, browsers and stand-ins of their own. Whatever happens to
them, their whole process group ends with them, and so does the embedded PostgreSQL. The exit code
is the module's.
"""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from types import FrameType

from hospital.config import embedded
from tools.processes import kill_group

# How long each ever less polite request to end may take.
ASK_SECONDS = 8
INSIST_SECONDS = 15


class Stopped(BaseException):
    """Somebody asked us to stop."""


def main() -> int:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _stop)
    try:
        with _database():
            return _run([sys.executable, "-m", *sys.argv[1:]])
    except Stopped:
        return 130


def _stop(number: int, frame: FrameType | None) -> None:
    # A second one must not cut the stopping short.
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, signal.SIG_IGN)
    raise Stopped


@contextlib.contextmanager
def _database() -> Iterator[None]:
    """The embedded server for as long as we run, unless DATABASE_URL names another."""
    if os.environ.get("DATABASE_URL"):
        yield
        return
    server = embedded.join(embedded.data_folder() / "pg")
    os.environ["DATABASE_URL"] = str(server.get_uri())
    try:
        yield
    finally:
        server.cleanup()


def _run(command: list[str]) -> int:
    process = subprocess.Popen(command, start_new_session=True)
    try:
        return process.wait()
    finally:
        end_group(process)


def end_group(process: "subprocess.Popen[bytes]") -> None:
    """End a group leader and all in its group: interrupt it, ask the group, kill what is left."""
    process.send_signal(signal.SIGINT)
    if not _ended(process, ASK_SECONDS):
        print("together: asking everything to end", flush=True)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGTERM)
    until = time.monotonic() + INSIST_SECONDS
    while _group_lives(process) and time.monotonic() < until:
        time.sleep(0.1)
    kill_group(process.pid)
    process.wait()


def _ended(process: "subprocess.Popen[bytes]", seconds: float) -> bool:
    try:
        process.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        return False
    return True


def _group_lives(process: "subprocess.Popen[bytes]") -> bool:
    process.poll()
    try:
        os.killpg(process.pid, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return True


if __name__ == "__main__":
    sys.exit(main())
