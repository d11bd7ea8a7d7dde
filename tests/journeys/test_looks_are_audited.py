"""Whoever of the staff opens a page about one patient leaves an entry about that patient (X13)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

import pytest
import time_machine
from django.urls import reverse

from hospital.desk import audit_terms, audit_words
from hospital.identity.function_matrix import FUNCTIONS
from hospital.kernel import acts
from hospital.kernel.models import AuditEntry
from hospital.testing.people import a_staff, staff_client
from hospital.testing.schedules import NOW
from hospital.ui.masks import mask_name
from tests.journeys.matrix_world import a_world
from tests.journeys.seeded import NAME, Seeded, everything_else, seeded_hospital
from tools.inventory import Address, addresses

pytestmark = pytest.mark.django_db
#: Lists name many people in masked form; opening one of the rows is the look.
LISTS: Final = {
    "desk-payments",
    "desk-refunds",
    "desk-search",
    "messaging-calls",
    "messaging-log",
    "payments-approvals",
    "payments-cases",
    "payments-refund-requests",
}
#: The pages about one patient this walk must have come to.
PAGES: Final = {
    "desk-appointment",
    "desk-payment",
    "messaging-story",
    "patients-record",
    "payments-case",
    "payments-collect",
    "payments-refund-request",
}


@pytest.fixture
def seeded() -> Iterator[Seeded]:
    with time_machine.travel(NOW, tick=True):
        yield seeded_hospital()


def about_patients() -> list[Address]:
    """Staff pages behind a permission that the function matrix calls patients' data."""
    codes = {code for one in FUNCTIONS if one.is_patient_data for code in one.permissions}
    return [
        one
        for one in addresses()
        if one.access and one.access.permission and one.access.permission.code in codes
    ]


def path_of(page: Address, seeded: Seeded) -> str:
    """The page's address for the one patient; "" where it is about something else."""
    number = {
        "desk": seeded.booking.number,
        "payments": seeded.booking.bill.number,
        "patients": seeded.patient.outpatient_no,
    }
    values = {
        "number": number.get(page.name.partition("-")[0], ""),
        "payment_id": seeded.payment.pk,
        "request_id": seeded.request.pk,
        "case_id": seeded.case.pk,
        "transfer_id": seeded.transfer.pk,
        "message_id": seeded.message.pk,
        "task_id": seeded.call.pk,
    }
    wanted = [part.rstrip(">").partition(":")[2] for part in page.route.split("<")[1:]]
    wanted = [part.partition(">")[0] for part in wanted]
    if not all(values.get(name) for name in wanted):
        return ""
    return reverse(page.name, kwargs={name: values[name] for name in wanted})


def look_at(page: Address, seeded: Seeded) -> tuple[bool, bool]:
    """Opened by somebody new: does it show the patient, and is there an entry about them?"""
    path, mark = path_of(page, seeded), page.access
    if not path or mark is None or mark.permission is None:
        return False, False
    account = a_staff(mark.permission.roles[0])
    answer = staff_client(account=account).get(path)
    text = answer.content.decode() if answer.status_code == 200 else ""
    shows = any(word in text for word in (NAME, mask_name(NAME), seeded.patient.outpatient_no))
    entries = AuditEntry.objects.filter(person_id=seeded.patient.pk, by=f"staff:{account.pk}")
    return shows, entries.exists()


def test_every_page_that_shows_a_patient_leaves_an_entry(seeded: Seeded) -> None:
    looked = {page.name: look_at(page, seeded) for page in about_patients()}
    showing = {name for name, (shows, _) in looked.items() if shows} - LISTS
    silent = {name for name in showing if not looked[name][1]}
    assert silent == set()
    assert showing >= PAGES, "the walk came to fewer pages than it should"


def test_the_trail_speaks_to_people(seeded: Seeded) -> None:
    """No code of ours is left over for the audit administrator to guess at; pinyin is no code, nor
    is a platform's own name."""
    everything_else(seeded)
    a_world()
    entries, codes = list(AuditEntry.objects.all()), audit_terms.codes()
    words = {entry.act for entry in entries if entry.act not in acts.all_acts()}
    words |= {one.subject_type for one in entries} - {"", *audit_terms.SUBJECTS}
    for entry in entries:
        for change in audit_words.changes(entry, codes):
            is_its_own = change.label.startswith("拼音") or change.label == "客户端编号"
            said = [] if is_its_own else [change.before, change.after]
            words |= {word for word in (change.label, *said) if re.search("[a-z_]{3}", word)}
    assert words == set()
    assert len({entry.act for entry in entries}) >= 30


def test_a_log_in_is_told_by_what_proved_it(seeded: Seeded) -> None:
    entry = AuditEntry.objects.get(act="identity.log_in_staff")
    told = {one.label: one.after for one in audit_words.changes(entry, audit_terms.codes())}
    assert told == {"网络地址": "127.0.0.1", "登录凭据": "密码"}


def test_a_printed_slip_and_a_reveal_are_entries_too(seeded: Seeded) -> None:
    desk = staff_client(account=seeded.clerk)
    bill = seeded.booking.bill.number
    desk.post(reverse("messaging-call-phone", args=[seeded.call.pk]))
    reveal = AuditEntry.objects.get(act="patients.reveal")
    assert (reveal.person_id, reveal.by) == (seeded.patient.pk, f"staff:{seeded.clerk.pk}")
    assert reveal.role == "registration_clerk"
    assert reveal.address == "127.0.0.1"
    desk.post(reverse("payments-slip-make", args=[bill]))
    desk.get(reverse("payments-slip", args=[bill]))
    printed = AuditEntry.objects.filter(act="payments.print_slip")
    assert [entry.person_id for entry in printed] == [seeded.patient.pk]


def test_the_first_person_as_the_second_is_refused_and_kept(seeded: Seeded) -> None:
    before = type(seeded.request).objects.values().get(pk=seeded.request.pk)
    decide = reverse("payments-decide-refund", args=[seeded.request.pk])
    answer = staff_client(account=seeded.asker).post(decide, {"answer": "yes"})
    assert answer.status_code == 409
    assert type(seeded.request).objects.values().get(pk=seeded.request.pk) == before
    entry = AuditEntry.objects.get(act="identity.refused")
    assert (entry.result, entry.by) == ("refused", f"staff:{seeded.asker.pk}")
    assert entry.after == {"page": "payments-decide-refund", "code": "FOUR_EYES"}


def test_a_page_without_permission_is_kept_as_refused(seeded: Seeded) -> None:
    stranger = a_staff("triage_nurse")
    answer = staff_client(account=stranger).get(reverse("desk-payments"))
    assert answer.status_code == 403
    entry = AuditEntry.objects.get(act="identity.refused")
    assert (entry.by, entry.role) == (f"staff:{stranger.pk}", "triage_nurse")
    assert entry.after == {
        "permission": "查看支付与退款",
        "page": "desk-payments",
        "code": "PERMISSION_MISSING",
    }


def test_a_log_in_says_in_which_role_and_a_mistyped_one_nothing(seeded: Seeded) -> None:
    """The seeded clerk first typed a patient's number as the user name, then came in."""
    failed = AuditEntry.objects.get(act="identity.log_in_failed")
    assert (failed.result, failed.subject_id, failed.by) == ("refused", None, "system:0")
    entry = AuditEntry.objects.get(act="identity.log_in_staff")
    assert (entry.subject_id, entry.role) == (seeded.clerk.pk, "registration_clerk")
    assert entry.address == "127.0.0.1"
