"""The demo hospital as `make demo` starts it: real processes and a database of its own.

Web, worker, live channel and the stand-in for WeChat run on free ports; the demo workbook is loaded
by the product's importer. The database lies on the tests' server and goes when the world ends.
"""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

from tools.demo import ROOT, Demo
from tools.demo_place import HOST, Place
from tools.processes import Family

LOGS = Path("test-artifacts/world-log")


@contextmanager
def open_hospital() -> Iterator[Place]:
    """A running hospital; its addresses are the place's `url` and `sandbox_url`."""
    # Not below pytest's folder: its names are long, and a kept folder would keep the demo's keys.
    folder = Path(tempfile.mkdtemp(prefix="xinglin-walk-"))
    with _own_database() as database_url:
        port, sandbox_port, live_port = _free_ports(3)
        place = Place(ROOT, folder, port, sandbox_port, live_port, False, database_url)
        family = Family(folder / "log", place.environment())
        demo = Demo(place, family)
        try:
            demo.prepare()
            demo.start()
            yield place
        finally:
            family.stop()
            shutil.copytree(folder / "log", LOGS, dirs_exist_ok=True)
            shutil.rmtree(folder)


@contextmanager
def _own_database() -> Iterator[str]:
    """A fresh database on the server of DATABASE_URL, dropped at the end."""
    server = os.environ["DATABASE_URL"]
    name = f"walk_{os.getpid()}"
    quoted = sql.Identifier(name)
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(quoted))
        connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(quoted))
        try:
            yield urlsplit(server)._replace(path=f"/{name}").geturl()
        finally:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(quoted))


def _free_ports(count: int) -> list[int]:
    probes = [socket.create_server((HOST, 0)) for _ in range(count)]
    ports = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return ports
