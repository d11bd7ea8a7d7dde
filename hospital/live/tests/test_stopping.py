"""The live process ends when it is told to, although its streams never would."""

from __future__ import annotations

import socket
import subprocess
import sys
import time

import pytest
from django.conf import settings

from hospital.live import tickets

pytestmark = pytest.mark.slow

HOST = "127.0.0.1"
START_SECONDS = 30.0
STOP_SECONDS = 8.0  # a demo kills after twelve


def test_it_stops_while_somebody_listens() -> None:
    with socket.create_server((HOST, 0)) as probe:
        port = probe.getsockname()[1]
    command = [sys.executable, "manage.py", "live", "--port", str(port)]
    process = subprocess.Popen(command, cwd=settings.ROOT)
    try:
        with _connected(port) as listener:
            ticket = tickets.issue(["schedules"])
            listener.sendall(f"GET /live/?ticket={ticket} HTTP/1.1\r\nHost: live\r\n\r\n".encode())
            assert listener.recv(100).startswith(b"HTTP/1.1 200")

            process.terminate()
            process.wait(STOP_SECONDS)
    finally:
        process.kill()
        process.wait()


def _connected(port: int) -> socket.socket:
    """A connection to the process as soon as it listens."""
    until = time.monotonic() + START_SECONDS
    while True:
        try:
            return socket.create_connection((HOST, port), timeout=START_SECONDS)
        except ConnectionRefusedError:
            assert time.monotonic() < until, "the live process did not come up"
            time.sleep(0.05)
