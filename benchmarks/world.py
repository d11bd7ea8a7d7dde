"""A hospital to measure: its own database, sessions of clinics, logged-in people, a real server."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import platform
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from hospital.config import embedded

if TYPE_CHECKING:
    from hospital.identity.models import WeChatUser

ROOT = embedded.ROOT
#: Where Linux keeps files in memory, as docs/operations.md asks of CACHE_FOLDER.
_MEMORY = Path("/dev/shm")
DATABASE = "xinglin_benchmark"
CSRF = "b" * 32


@dataclass(frozen=True)
class Person:
    """Somebody logged in: the Cookie header and the outpatient number of the own patient."""

    cookie: str
    patient_number: str


@dataclass(frozen=True)
class Clinic:
    """One session: its id, the band to book in, its department's and doctor's codes."""

    schedule_id: int
    band_id: int
    department: str
    doctor: str


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
        doctor = a_practitioner(department)
        schedule = a_released_schedule(
            day=day,
            department=department,
            practitioner=doctor,
            room=a_room(department=department),
            capacity=capacity,
            band_minutes=240,
            at=clock.now(),
        )
        band = band_of(schedule)
        made.append(Clinic(schedule.pk, band.pk, department.code, doctor.code))
    return made


def people(count: int, *, seed: int = 1) -> list[Person]:
    """WeChat users with a seeded patient and a live session each, written in bulk: made one by one
    as the product does, thirty thousand would take longer than their rush."""
    from django.db import transaction

    from hospital.identity.models import WeChatUser
    from hospital.kernel import clock
    from hospital.kernel.actors import SYSTEM
    from hospital.patients import consent
    from hospital.patients.actions.seeding import seed_patients
    from hospital.patients.models import Patient, PatientBinding
    from hospital.patients.states import REAL_NAME, Relationship

    at = clock.now()
    with transaction.atomic():
        before = Patient.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
        for _ in seed_patients(count=count + count // 100 + 5, seed=seed, by=SYSTEM, at=at):
            pass
        fit = Patient.objects.filter(pk__gt=before, assurance__in=REAL_NAME, is_active=True)
        patients = list(fit.order_by("pk").only("pk", "outpatient_no")[:count])
        users = WeChatUser.objects.bulk_create(
            WeChatUser(appid="wx-bench", openid=f"o-bench-{patient.pk}", created_at=at)
            for patient in patients
        )
        PatientBinding.objects.bulk_create(
            PatientBinding(
                wechat_user=user,
                patient=patient,
                relationship=Relationship.SELF,
                is_default=True,
                consent_version=consent.VERSION,
                consented_at=at,
            )
            for user, patient in zip(users, patients, strict=True)
        )
        keys = _sessions(users)
    return [
        Person(_cookies(key), patient.outpatient_no)
        for key, patient in zip(keys, patients, strict=True)
    ]


def _sessions(users: list[WeChatUser]) -> list[str]:
    """A session row for each of these WeChat users, like the one a log-in leaves; their keys."""
    from django.conf import settings
    from django.contrib.sessions.backends.db import SessionStore
    from django.contrib.sessions.models import Session
    from django.utils import timezone

    from hospital.testing.people import patient_client

    first = users[0].pk
    store = SessionStore(patient_client(users[0]).cookies[settings.PATIENT_COOKIE_NAME].value)
    pattern = store.load()
    rows = [
        Session(
            session_key=secrets.token_hex(16),
            session_data=store.encode(
                {name: user.pk if value == first else value for name, value in pattern.items()}
            ),
            expire_date=timezone.now() + dt.timedelta(days=1),
        )
        for user in users
    ]
    Session.objects.bulk_create(rows, batch_size=5000)
    return [row.session_key for row in rows]


def _cookies(key: str) -> str:
    from django.conf import settings

    return f"{settings.PATIENT_COOKIE_NAME}={key}; {settings.CSRF_COOKIE_NAME}={CSRF}"


def analyse() -> None:
    """What autovacuum does within a minute: count what was filled in, so that plans fit."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def people_a_second(count: int) -> None:
    """How many the house lets in."""
    from hospital.kernel import clock
    from hospital.kernel.actors import SYSTEM
    from hospital.kernel.rush_line import RUSH_PER_SECOND
    from hospital.kernel.settings_rows import set_value

    set_value(setting=RUSH_PER_SECOND, value=count, by=SYSTEM, at=clock.now())


@contextlib.contextmanager
def server(*, workers: int = 2, threads: int = 2, **environment: str) -> Iterator[int]:
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
    cache = tempfile.mkdtemp(dir=_MEMORY if _MEMORY.is_dir() else None)
    ours = {
        "LOG_LEVEL": "WARNING",
        "PUBLIC_URL": f"http://127.0.0.1:{port}",
        "CACHE_FOLDER": cache,
    }
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
        shutil.rmtree(cache)


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


def _wait(address: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError("the server did not start")
        with contextlib.suppress(OSError), urllib.request.urlopen(address):
            return
        time.sleep(0.1)
    raise RuntimeError("the server did not answer in time")
