"""The demo hospital as `make demo` starts it: real processes and a database of its own.

Web, worker, live channel and the stand-in for WeChat run on free ports; the demo workbook is loaded
by the product's importer. The database lies on the tests' server and goes when the world ends.
"""

from __future__ import annotations

import base64
import hashlib
import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from hospital.testing import database
from tools.demo import ROOT, Demo
from tools.demo_place import HOST, Place
from tools.processes import Family

LOGS = Path("test-artifacts/world-log")
FILLED = f"walk_filled_{database.RUN}"
OWN = f"walk_{os.getpid()}"


@contextmanager
def open_hospital() -> Iterator[Place]:
    """A running hospital; its addresses are the place's `url` and `sandbox_url`."""
    # Not below pytest's folder: its names are long, and a kept folder would keep the demo's keys.
    folder = Path(tempfile.mkdtemp(prefix="xinglin-walk-"))
    _give_keys(folder)
    port, sandbox_port, live_port = _free_ports(3)
    place = Place(ROOT, folder, port, sandbox_port, live_port, False, _address(OWN))
    demo = Demo(place, Family(folder / "log", place.environment()))
    try:
        demo.open_wechat()
        _copy_filled(demo)
        demo.start()
        yield place
    finally:
        demo.family.stop()
        database.drop(OWN, FILLED)
        shutil.copytree(folder / "log", LOGS, dirs_exist_ok=True)
        shutil.rmtree(folder)


def _give_keys(folder: Path) -> None:
    """Throw-away keys that all workers of a test run share, as they share the filled database."""
    key = hashlib.sha256(database.RUN.encode()).digest()
    made = {
        "SECRET_KEY": key.hex(),
        "FIELD_KEYS": f"k1:{base64.b64encode(key).decode()}",
        "BLIND_INDEX_KEY": key.hex(),
        "AUDIT_KEYS": f"a1:{base64.b64encode(key).decode()}",
    }
    lines = "".join(f"{name}={value}\n" for name, value in made.items())
    (folder / "secrets.env").write_text(lines)


def _copy_filled(demo: Demo) -> None:
    """Give the demo its database. Filling one takes 20 seconds, so the workers of a test run copy
    the first one's; whoever comes while it is being filled waits."""
    with database.server() as connected:
        connected.execute("SELECT pg_advisory_lock(hashtext(%s))", [FILLED])
        if database.exists(connected, FILLED):
            database.create(connected, OWN, template=FILLED)
            return
        database.create(connected, OWN, template=database.tables())
        demo.fill()
        database.create(connected, FILLED, template=OWN)


def _address(name: str) -> str:
    return urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}").geturl()


def _free_ports(count: int) -> list[int]:
    probes = [socket.create_server((HOST, 0)) for _ in range(count)]
    ports = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return ports
