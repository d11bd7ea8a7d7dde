"""A hospital to measure: its own database, sessions of clinics, logged-in people, a real server."""

import contextlib
import datetime as dt
import os
import platform
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from hospital.config import embedded

ROOT = embedded.ROOT
DATABASE = "xinglin_benchmark"
CSRF = "b" * 32


@dataclass(frozen=True)
class Person:
    """Somebody logged in: the Cookie header and the outpatient number of the own patient."""

    cookie: str
    patient_number: str


@dataclass(frozen=True)
class Clinic:
    """One session: its id, the band to book in, its department's code."""

    schedule_id: int
    band_id: int
    department: str


def fresh_database() -> str:
    """An empty database on the server of DATABASE_URL (embedded when unset); its address."""
    server = embedded.ensure_database_url()
    with psycopg.connect(server, autocommit=True) as connection:
        name = sql.Identifier(DATABASE)
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))
        connection.execute(sql.SQL("CREATE DATABASE {}").format(name))
    url = make_conninfo(server, dbname=DATABASE)
    os.environ["DATABASE_URL"] = url
    return url


def clinics(count: int, *, capacity: int) -> list[Clinic]:
    """Released sessions with that many numbers each, in four departments, a week ahead."""
    from hospital.kernel import clock
    from hospital.testing.organisation import a_department, a_practitioner, a_room
    from hospital.testing.schedules import a_released_schedule, band_of

    day = clock.today() + dt.timedelta(days=1)
    departments = [a_department(name=f"测试{letter}科") for letter in "甲乙丙丁"]
    made = []
    for index in range(count):
        department = departments[index % len(departments)]
        schedule = a_released_schedule(
            day=day,
            department=department,
            practitioner=a_practitioner(department),
            room=a_room(department=department),
            capacity=capacity,
            band_minutes=240,
            at=clock.now(),
        )
        band = band_of(schedule)
        made.append(Clinic(schedule.pk, band.pk, department.code))
    return made


def people(count: int) -> list[Person]:
    """WeChat users with one patient each and a live session, made by the product's own actions."""
    from django.conf import settings

    from hospital.testing.people import a_patient, a_wechat_user, patient_client

    made = []
    for _ in range(count):
        user = a_wechat_user()
        patient = a_patient(user)
        key = patient_client(user).cookies[settings.PATIENT_COOKIE_NAME].value
        cookie = f"{settings.PATIENT_COOKIE_NAME}={key}; {settings.CSRF_COOKIE_NAME}={CSRF}"
        made.append(Person(cookie, patient.outpatient_no))
    return made


@contextlib.contextmanager
def server(*, workers: int, threads: int, **environment: str) -> Iterator[int]:
    """`manage.py serve` on a free port until the block ends; gives the port."""
    command = ["serve", "--workers", str(workers), "--threads", str(threads)]
    with _process(command, DJANGO_SETTINGS_MODULE="benchmarks.settings", **environment) as port:
        yield port


@contextlib.contextmanager
def live() -> Iterator[int]:
    """`manage.py live` on a free port until the block ends; gives the port."""
    with _process(["live"]) as port:
        yield port


@contextlib.contextmanager
def _process(command: list[str], **environment: str) -> Iterator[int]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    ours = {"LOG_LEVEL": "WARNING", "PUBLIC_URL": f"http://127.0.0.1:{port}"}
    process = subprocess.Popen(
        [sys.executable, "manage.py", *command, "--port", str(port)],
        cwd=ROOT,
        env={**os.environ, **ours, **environment},
        stdout=subprocess.DEVNULL,
    )
    try:
        _wait(f"http://127.0.0.1:{port}/healthz", process)
        yield port
    finally:
        process.terminate()
        process.wait(timeout=20)


def versions(url: str) -> dict[str, str]:
    """What was measured with: processor, cores, memory, Python, Django, PostgreSQL."""
    import django

    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT current_setting('server_version')").fetchone()
    cpu = next(
        (
            line.split(":", 1)[1].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.processor(),
    )
    return {
        "processor": f"{cpu}, {os.cpu_count()} cores",
        "Python": platform.python_version(),
        "Django": django.get_version(),
        "PostgreSQL": str(row[0]) if row else "?",
    }


def _wait(address: str, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError("the server did not start")
        with contextlib.suppress(OSError), urllib.request.urlopen(address):
            return
        time.sleep(0.1)
    raise RuntimeError("the server did not answer in time")
