"""Nothing private lies in clear in the database, in logs, in jobs or on error pages (law 15)."""

from __future__ import annotations

import base64
import json
import logging
import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import unquote

import pytest
import time_machine
from django.contrib.sessions.models import Session
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from hospital.identity.states import Role
from hospital.kernel import sealed
from hospital.kernel.resealing import sealed_columns
from hospital.registration import queries
from hospital.testing.people import patient_client, staff_client
from hospital.testing.schedules import NOW
from tests.journeys.seeded import ADDRESS, PHONE, Seeded, everything_else, seeded_hospital
from tests.journeys.test_logs import Lines
from tools.inventory import ROOT

pytestmark = pytest.mark.django_db
FORM: Final = re.compile(r"<form\b.*?</form>", re.DOTALL)
_COLUMNS = """
    SELECT table_name, column_name, data_type FROM information_schema.columns
    JOIN information_schema.tables USING (table_schema, table_name)
    WHERE table_schema = 'public' AND table_type = 'BASE TABLE'
"""
#: Tables with text in them that this patient's story leaves empty: the staff's own rights and
#: rosters, the hospital's words, machines, money by numbers. Nothing of a patient is written there.
NOTHING_PERSONAL: Final = {
    "auth_group",
    "catalogue_pricechange",
    "identity_accessrequest",
    "identity_customrole",
    "identity_delegation",
    "identity_grantchange",
    "identity_networkrule",
    "identity_passwordused",
    "kernel_heartbeat",
    "kernel_rushline",
    "kernel_sharedtoken",
    "messaging_consent",
    "messaging_menuversion",
    "messaging_messagepreference",
    "messaging_replyrule",
    "monitoring_alert",
    "monitoring_backuprun",
    "monitoring_certificatecheck",
    "monitoring_probestanding",
    "onboarding_workbookupload",
    "organisation_photo",
    "payments_casedecision",
    "payments_channelstatement",
    "payments_paycode",
    "payments_refund",
    "payments_statementline",
    "procrastinate_periodic_defers",
    "registration_bookingalert",
    "scheduling_calendarday",
    "scheduling_leave",
    "scheduling_leavedecision",
    "scheduling_roster",
    "scheduling_rosteredit",
    "scheduling_rosterentry",
    "scheduling_rosterneed",
    "scheduling_rosterproposal",
    "scheduling_rosterwish",
    "scheduling_stoprequest",
}
_NUMBERS = {"integer", "bigint", "smallint", "boolean", "date", "timestamp with time zone"}


@pytest.fixture
def seeded() -> Iterator[Seeded]:
    with time_machine.travel(NOW, tick=True):
        yield seeded_hospital()


@pytest.fixture
def written() -> Iterator[list[str]]:
    """The log at its most talkative, as the product writes it."""
    handler, root = Lines(), logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield handler.lines
    root.setLevel(level)
    root.removeHandler(handler)


def disguises(word: str) -> set[str]:
    """How a text may stand in a column: itself, escaped as JSON, in base64."""
    plain = word.encode()
    return {word, json.dumps(word)[1:-1], base64.b64encode(plain).decode().rstrip("=")[:-1]}


def places_of(words: list[str]) -> list[str]:
    """Columns of any table in which one of the words stands, whatever the column's type."""
    found = []
    with connection.cursor() as cursor:
        cursor.execute(_COLUMNS)
        for table, column, kind in cursor.fetchall():
            if kind in _NUMBERS:
                continue
            text = f"""encode("{column}", 'escape')""" if kind == "bytea" else f'"{column}"::text'
            cursor.execute(f'SELECT {text} FROM "{table}" WHERE "{column}" IS NOT NULL')
            values = "\n".join(str(value) for (value,) in cursor.fetchall())
            found += [f"{table}.{column}: {word}" for word in words if word in values]
    return found


def test_no_table_holds_a_private_word_in_clear(seeded: Seeded) -> None:
    desk = staff_client(account=seeded.clerk)
    desk.post("/staff/appointments/", {"q": seeded.document_no})
    desk.post(reverse("messaging-call-phone", args=[seeded.call.pk]))
    patient_client(seeded.user).get("/m/patients/")
    everything_else(seeded)
    words = [disguise for word in seeded.private for disguise in disguises(word)]
    assert places_of(words) == []
    assert places_of([seeded.booking.number]) != [], "the tables were read"
    sessions = [str(session.get_decoded()) for session in Session.objects.all()]
    assert sessions
    assert [word for word in seeded.private for text in sessions if word in text] == []
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*), string_agg(args::text, ' ') FROM procrastinate_jobs")
        jobs, arguments = cursor.fetchone()
    assert jobs > 0
    assert seeded.patient.name not in arguments


def filled() -> dict[str, int]:
    """How many rows each table has that has any column but numbers and days."""
    with connection.cursor() as cursor:
        cursor.execute(_COLUMNS)
        tables = sorted({table for table, _, kind in cursor.fetchall() if kind not in _NUMBERS})
        rows = {}
        for table in tables:
            cursor.execute(f'SELECT count(*) FROM "{table}"')
            (rows[table],) = cursor.fetchone()
    return rows


def test_the_tables_that_were_read_are_not_empty(seeded: Seeded) -> None:
    everything_else(seeded)
    empty = {table for table, rows in filled().items() if not rows}
    assert sorted(empty ^ NOTHING_PERSONAL) == []


def test_whatever_is_sealed_is_found_when_its_key_changes(seeded: Seeded) -> None:
    """A value sealed by hand in a plain column would be lost together with the old key."""
    everything_else(seeded)
    known = {f"{one.model._meta.db_table}.{one.column}" for one in sealed_columns()}
    found = {place.partition(":")[0] for place in places_of([f"{sealed.current_key_id()}:"])}
    assert found >= {"patients_patient.phone", "patients_datacopy.content"}
    assert found <= known


def test_what_was_sealed_is_there_and_opens(seeded: Seeded) -> None:
    """Else the test above would pass over an empty hospital."""
    seeded.patient.refresh_from_db()
    assert (seeded.patient.phone, seeded.patient.address) == (PHONE, ADDRESS)
    number = seeded.patient.identifiers.get(kind="resident_id").value
    assert number == seeded.document_no


def test_what_finds_a_person_is_posted_and_stands_in_no_address(seeded: Seeded) -> None:
    """Numbers of people are typed into these boxes, and addresses are written down everywhere."""
    boxes = [
        (path, form)
        for path in sorted((ROOT / "hospital").rglob("templates/**/*.html"))
        for form in FORM.findall(path.read_text("utf-8"))
        if re.search('placeholder="[^"]*(手机|证件)', form) and "x-form" not in form
    ]
    assert len(boxes) >= 3
    assert [str(path) for path, form in boxes if 'method="post"' not in form] == []
    desk = staff_client(account=seeded.clerk)
    found = desk.post("/staff/appointments/", {"q": seeded.document_no})
    assert seeded.booking.number in found.content.decode()
    log = desk.post("/staff/messages/", {"q": PHONE, "start": "2026-11-01"})
    assert log.status_code == 302
    address = log.url  # type: ignore[attr-defined]
    assert "start=2026-11-01" in address
    assert PHONE not in unquote(address)
    page = desk.get(address).content.decode()
    assert seeded.patient.outpatient_no in page
    assert PHONE in page  # in the box, to go on typing
    stale = desk.get("/staff/messages/", {"about": "k9:AAAA"})
    assert stale.status_code == 200


def test_no_statement_asks_for_a_person_by_a_number_in_clear(seeded: Seeded) -> None:
    """PostgreSQL writes slow and failing statements into a log of its own."""
    desk, audit_desk = staff_client(account=seeded.clerk), staff_client(Role.AUDIT_ADMIN)
    with CaptureQueriesContext(connection) as said:
        for number in (seeded.document_no, PHONE):
            found = [
                desk.post(reverse("desk-search"), {"q": number}),
                desk.post(reverse("patients-desk"), {"text": number, "act": "find"}),
                desk.post(reverse("messaging-log"), {"q": number}),
                audit_desk.post(reverse("desk-audit-person"), {"text": number}),
            ]
            assert [answer.status_code for answer in found] == [200, 302, 302, 302]
    assert len(said) > 40
    texts = [str(one["sql"]) for one in said]
    assert [text for text in texts for word in seeded.private if word in text] == []


def test_error_pages_and_logs_tell_nothing(
    seeded: Seeded, written: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clerk, cashier = staff_client(account=seeded.clerk), staff_client(Role.CASHIER)
    clerk.raise_request_exception = cashier.raise_request_exception = False
    number, everything = seeded.document_no, " ".join(seeded.private)

    def broken(**_: object) -> None:
        raise ValueError(f"cannot read {everything}")

    answers = [
        (404, clerk.get(f"/staff/appointments/{number}/", {"q": everything})),
        (404, clerk.get(f"/staff/nowhere/{PHONE}/")),
        (403, cashier.get("/staff/appointments/", {"q": everything})),
        (403, Client(enforce_csrf_checks=True).post("/staff/login/", {"username": number})),
        (409, _own_approval(seeded)),
        (422, patient_client(seeded.user).post("/m/patients/add/", {"document_no": "x"})),
    ]
    monkeypatch.setattr(queries, "search", broken)
    answers.append((500, clerk.get("/staff/appointments/", {"q": everything})))

    for status, answer in answers:
        assert isinstance(answer, HttpResponse)
        assert answer.status_code == status
        page = answer.content.decode()
        assert [word for word in seeded.private if word in page] == [], status
    assert [line for line in written for word in seeded.private if word in line] == []
    said = {json.loads(line)["message"] for line in written}
    assert {"request", "refused"} <= said, "the log was read"


def _own_approval(seeded: Seeded) -> object:
    """Whoever asked wants to approve: the second person is the first."""
    decide = reverse("payments-decide-refund", args=[seeded.request.pk])
    return staff_client(account=seeded.asker).post(decide, {"answer": "yes"})
