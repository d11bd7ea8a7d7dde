"""`python -m tools.together [--beside COMMAND] MODULE …`: runs a Python module as one family with
its own PostgreSQL.

The tests and the benchmark start servers, browsers and stand-ins of their own. Whatever happens to
them, their whole process group ends with them, and so does the embedded PostgreSQL. The exit code
is the module's. COMMAND runs meanwhile, in the time in which the module waits; what it says comes
in one piece when it has ended, and when only it fails, its exit code is ours.
"""

import contextlib
import os
import signal
import subprocess
import sys
import threading
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
    module = sys.argv[1:]
    beside = None
    if module[:1] == ["--beside"]:
        beside, module = Beside(module[1]), module[2:]
    try:
        with _database():
            code = _run([sys.executable, "-m", *module])
        return code or (beside.wait() if beside else 0)
    except Stopped:
        return 130
    finally:
        if beside:
            beside.end()


def _stop(number: int, frame: FrameType | None) -> None:
    # A second one must not cut the stopping short.
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, signal.SIG_IGN)
    raise Stopped


class Beside:
    """A command that runs meanwhile, gently: the module goes first."""

    def __init__(self, command: str) -> None:
        self._command = command
        self._process = subprocess.Popen(
            ["nice", command],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self._teller = threading.Thread(target=self._tell, daemon=True)
        self._teller.start()

    def wait(self) -> int:
        """Its exit code, once it has ended; named again here when it is a bad one."""
        self._teller.join()
        code = self._process.returncode
        if code:
            print(f"together: {self._command} failed, see above", flush=True)
        return code

    def end(self) -> None:
        """Nothing of it is left, even where it has started something of its own."""
        if self._teller.is_alive():
            kill_group(self._process.pid)
            self._teller.join()

    def _tell(self) -> None:
        words, _ = self._process.communicate()
        sys.stdout.write(f"\n{words}")
        sys.stdout.flush()


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
