"""Upgrading from the first version: its seals are checked by its formula, its rows marked."""

import datetime as dt
import hashlib
import json
from importlib import import_module
from types import SimpleNamespace

import pytest
from django.apps import apps
from django.db import connection

from hospital.kernel import audit
from hospital.kernel.models import AuditEntry, AuditSeal

AT = dt.datetime(2026, 11, 23, 4, 0, tzinfo=dt.UTC)
takeover = import_module("hospital.kernel.migrations.0003_mark_present_entries")
pytestmark = pytest.mark.django_db


def first_version() -> tuple[AuditEntry, AuditEntry, AuditSeal]:
    """Two rows and their seal as the first version left them."""
    digest, rows = "", []
    for subject_type, subject_id in (("patients.patient", 17), ("identity.staffaccount", 3)):
        row = AuditEntry.objects.create(
            act="kernel.try",
            subject_type=subject_type,
            subject_id=subject_id,
            by="staff:3",
            at=AT,
            after={"n": 1},
        )
        row.refresh_from_db()
        line = [digest, row.pk, row.act, subject_type, subject_id, row.by, row.at.isoformat()]
        line += [row.before, row.after, row.reason, row.request_id]
        digest = hashlib.sha256(json.dumps(line, sort_keys=True).encode()).hexdigest()
        rows.append(row)
    seal = AuditSeal.objects.create(through_id=rows[1].pk, entries=2, digest=digest, sealed_at=AT)
    return rows[0], rows[1], seal


def test_what_was_sound_is_marked_and_sealed_anew() -> None:
    first, second, _ = first_version()
    takeover.take_over(apps, SimpleNamespace(connection=connection))
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.person_id, second.person_id) == (17, None)
    assert not AuditSeal.objects.exists()
    assert audit.seal_entries(at=AT) == 2
    assert audit.verify(at=AT).findings == []


def test_a_broken_chain_stops_the_upgrade() -> None:
    first, _, seal = first_version()
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("UPDATE kernel_auditentry SET reason = 'x' WHERE id = %s", [first.pk])
        cursor.execute("SET LOCAL session_replication_role = origin")
    with pytest.raises(ValueError, match=f"seal {seal.pk} "):
        takeover.take_over(apps, SimpleNamespace(connection=connection))
    first.refresh_from_db()
    assert first.mac == ""
    assert AuditSeal.objects.get().pk == seal.pk
