"""Staff reach no further than their scope, and no guessed number opens anything (acceptance 2).

Every staff address that carries an identifier either looks at how far the permission reaches, or
belongs to one person, or is the whole hospital's for a reason that stands here.
"""

from __future__ import annotations

import datetime as dt
import inspect
import re
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Final
from urllib.parse import quote, unquote

import pytest
import time_machine
from django.http import Http404
from django.test import Client, RequestFactory
from django.urls import Resolver404, resolve, reverse

from hospital.identity import actions as identity
from hospital.identity.access import access_of
from hospital.identity.models import StaffAccount
from hospital.identity.states import Role, Verdict
from hospital.kernel import moment_cache
from hospital.kernel.actors import Actor
from hospital.kernel.errors import NotAllowed, NotFound
from hospital.kernel.models import AuditEntry
from hospital.kernel.permissions import all_permissions
from hospital.messaging.states import CallStatus
from hospital.testing.organisation import a_practitioner
from hospital.testing.people import a_staff, staff_client
from hospital.testing.schedules import NOW, TOMORROW
from tests.journeys import matrix_world, stranger_world
from tests.journeys.stranger_world import NO_ID
from tests.journeys.test_function_matrix import (
    Visitor,
    allowed_roles,
    staff_addresses,
    state_of_everything,
)
from tests.journeys.test_strangers import ask, said, words_in
from tools.inventory import Address

_PARAMETER: Final = re.compile(r"<(?:(\w+):)?(\w+)>")
#: Pages that look how far their permission reaches for whoever asks.
NARROWED: Final = {
    *("desk-appointment", "desk-search", "desk-board"),
    *("scheduling-numbers", "scheduling-session"),
    *("scheduling-rosters", "scheduling-roster", "scheduling-roster-open"),
    *("scheduling-roster-cell", "scheduling-roster-step", "scheduling-roster-bulk"),
    *("scheduling-roster-changes", "scheduling-roster-advance"),
    *("scheduling-leaves", "scheduling-leave-new"),
    *("scheduling-leave", "scheduling-leave-withdraw"),
    *("scheduling-proposals", "scheduling-proposal"),
    *("scheduling-proposal-take", "scheduling-proposal-drop"),
    *("scheduling-needs", "scheduling-needs-fill"),
    *("scheduling-needs-save", "scheduling-needs-remove"),
    *("registration-utilisation", "registration-utilisation-export", "registration-booked"),
    *("registration-close", "scheduling-ask-stop", "scheduling-stop-withdraw"),
}
#: One person's own things, whatever the role.
OWN: Final = {
    *("desk-emergency", "identity-loan-end", "identity-session-end"),
    *("registration-add-on", "registration-begin"),
    *("desk-my-patients", "desk-forget-wish"),
}
#: Everything else is the whole hospital's: permission → why.
HOSPITAL_WIDE: Final = {
    "patients.find_patient": "one patient index; masked, every look audited (H2)",
    "patients.edit_patient": "any patient may come to any window",
    "patients.upgrade_identity": "any patient may come to any window",
    "patients.manage_card": "any patient may come to any window",
    "patients.force_unbind": "the outpatient office answers for all",
    "patients.reveal": "with a purpose, audited one by one (X12)",
    "payments.view_payments": "money knows no departments (chapter 7)",
    "payments.ask_channel": "money knows no departments",
    "payments.ask_refund": "money knows no departments",
    "payments.approve_refund": "money knows no departments; never one's own",
    "payments.close_case": "money knows no departments",
    "payments.collect": "any bill may be paid at any window",
    "payments.view_statements": "the merchant account is one",
    "registration.register": "any patient may come to any window",
    "registration.cancel_any": "any patient may come to any window",
    "registration.check_in": "the nurses' desk stands before several departments",
    "registration.lift_restriction": "the outpatient office answers for all",
    "registration.judge_alerts": "accounts of the whole hospital, by their numbers; names masked",
    "registration.register_emergency": "whoever comes to the emergency room",
    "window.use": "any patient may come to any window",
    "messaging.view_messages": "the office traces every message (M8)",
    "messaging.resend": "the office traces every message",
    "messaging.call_patient": "the call list is one",
    "messaging.manage_account": "the official account is one",
    "identity.view_access": "two administrators oversee everybody",
    "identity.manage_staff": "asked for by one administrator, approved by another",
    "identity.manage_roles": "asked for by one administrator, approved by another",
    "identity.approve_access": "never one's own request",
    "identity.end_sessions": "the security administrator's",
    "identity.manage_devices": "the security administrator's",
    "identity.manage_networks": "the security administrator's",
    "identity.review_break_glass": "medical affairs review all, never their own",
    "desk.read_audit": "the audit administrator's; names masked",
    "desk.view_configuration": "no personal data",
    "monitoring.view": "no personal data",
    "monitoring.acknowledge": "no personal data",
    "scheduling.stop_sessions": "the office calls any clinic off",
    "scheduling.stop_running": "the nurses' desk stands before several departments",
    "scheduling.manage_numbers": "the office deals out every clinic's numbers",
    "scheduling.decide_leave": "the office decides every leave, never one's own",
    "scheduling.manage_rosters": "the office approves every department's roster",
    "interop.manage_partners": "no personal data: platforms, keys, numbers of calls",
    "master.view": "no personal data of patients",
    "master.edit": "no personal data of patients",
}

#: Numbers of somebody who tries: none of them is anybody's, most are no number at all.
GUESSED_NUMBERS: Final = (
    *("0", "-1", "1.0", "１２３", str(NO_ID), str(2**63), "9" * 40, "9" * 5000),
)
GUESSED_WORDS: Final = ("-1", "１２３４５６７８９０", "x" * 3000, "a\0b", "' OR 1=1 --")
#: What a form says beside the identifier, so that nothing else is wrong with it.
BODIES: Final = {
    "identity-request-decide": {"answer": "no", "note": "不符合岗位"},
    "desk-emergency-review": {"verdict": Verdict.JUSTIFIED.value, "note": "属实"},
    "messaging-call-close": {"status": CallStatus.DONE.value},
}


@pytest.fixture(autouse=True)
def _at_now() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def families(db: None, monkeypatch: pytest.MonkeyPatch) -> stranger_world.World:
    made = stranger_world.a_world()
    monkeypatch.setattr(moment_cache, "SECONDS", 3600.0)
    return made


@pytest.fixture
def hospital(db: None, monkeypatch: pytest.MonkeyPatch) -> matrix_world.World:
    made = matrix_world.a_world()
    monkeypatch.setattr(moment_cache, "SECONDS", 3600.0)
    return made


def naming() -> list[Address]:
    return [one for one in staff_addresses() if _PARAMETER.search(one.route)]


def path_of(address: Address, values: Mapping[str, object]) -> str:
    """An address with these values in it, also such as no page would ever write."""

    def put(found: re.Match[str]) -> str:
        return quote(str(values[found[2]]), safe="")

    return _PARAMETER.sub(put, address.route)


def test_every_staff_address_says_how_far_it_reaches() -> None:
    narrowing = {one.code for one in all_permissions() if one.narrows}
    guarded = {
        one.name: one.access.permission.code
        for one in staff_addresses()
        if one.access and one.access.permission
    }
    assert {name for name, code in guarded.items() if code in narrowing} == NARROWED
    rest = {guarded[one.name] for one in naming() if one.name not in NARROWED | OWN}
    assert rest == set(HOSPITAL_WIDE)
    assert not narrowing & set(HOSPITAL_WIDE)


def test_another_department_and_another_doctor_are_out_of_reach(
    families: stranger_world.World,
) -> None:
    days = {"day", "unpaid day"}  # the board has days of its own
    words = families.private | {k: v for k, v in families.timetable.items() if k not in days}
    department = families.victim.booked.department
    colleague = staff_client(account=a_staff(Role.DOCTOR, department=department))
    doctors = {who: staff_client(account=one) for who, one in _doctors_elsewhere(families).items()}
    before, looks = state_of_everything(), AuditEntry.objects.count()

    for who, client in doctors.items():
        answers = zip(
            _looked_for(client, families.victim.things),
            _looked_for(client, families.nobodys),
            strict=True,
        )
        for found, nothing in answers:
            assert found == nothing, who
            assert words_in(found, words) == [], who
    assert AuditEntry.objects.count() == looks
    assert state_of_everything() == before

    seen = " ".join(_looked_for(colleague, families.victim.things))
    assert {"masked name", "department", "doctor", "fee"} <= set(words_in(seen, words))


def test_no_guessed_number_opens_anything(hospital: matrix_world.World) -> None:
    visitors = {role: Visitor.of(account) for role, account in hospital.accounts.items()}
    others = list(_others_things(hospital))
    real = {one.name: hospital.path_arguments(one) for one in naming()}
    before, entries = state_of_everything(), AuditEntry.objects.count()

    wrong = [
        line
        for address in naming()
        for line in _opened(address, real[address.name], hospital, visitors)
    ]
    wrong += [line for one, path in others for line in _tried(one, path, {})]

    assert wrong == []
    assert state_of_everything() == before
    written = AuditEntry.objects.order_by("pk")[entries:].values_list("act", "result")
    assert set(written) <= {("identity.refused", "refused")}


def _doctors_elsewhere(world: stranger_world.World) -> dict[str, StaffAccount]:
    """A doctor and a head of another department, a doctor of the same one who sees the own
    patients only, and one whose emergency access was yesterday."""
    there, here = world.strangers["alone"].booked.department, world.victim.booked.department
    admin, security = a_staff(Role.SYSTEM_ADMIN), a_staff(Role.SECURITY_ADMIN)
    role = identity.ask_for_new_role(
        label="只看本人",
        wanted={"registration.view_appointments": "own", "scheduling.view_sold": "own"},
        reason="试用",
        by=Actor("staff", admin.pk),
        at=NOW,
    )
    identity.approve_access(request_id=role.pk, note="", by=Actor("staff", security.pk), at=NOW)
    late = a_staff(Role.DOCTOR, department=there)
    identity.break_glass(
        account=late,
        patient_id=world.victim.patient.pk,
        reason="昨天急诊会诊",
        by=Actor("staff", late.pk),
        at=NOW - dt.timedelta(days=1),
    )
    return {
        "doctor": a_staff(Role.DOCTOR, department=there),
        "head": a_staff(Role.DEPARTMENT_HEAD, department=there),
        "own": a_staff(role.role, practitioner=a_practitioner(here, name="同科大夫")),
        "late": late,
    }


def _looked_for(client: Client, things: Mapping[str, str]) -> Iterator[str]:
    """The pages that look at reach, asked for a booking in each way there is."""
    named = {what: things[what] for what in ("booking", "patient", "document")}
    path = reverse("desk-appointment", args=[things["booking"]])
    for htmx in (False, True):
        yield said(ask(client, "GET", path, {}, htmx=htmx), named)
    search = reverse("desk-search")
    for what, method in (("booking", "GET"), ("patient", "POST"), ("document", "POST")):
        yield said(ask(client, method, search, {"q": things[what]}), named)
    for shown in ({}, {"q": "百草"}):
        day = {"day": TOMORROW.isoformat(), **shown}
        yield said(ask(client, "GET", reverse("desk-board"), day), named)


def _opened(
    address: Address,
    real: Mapping[str, object],
    world: matrix_world.World,
    visitors: Mapping[Role, Visitor],
) -> Iterator[str]:
    """What answered a guess by somebody who may open the address, and should not have."""
    assert address.access is not None
    assert address.access.permission is not None
    visitor = visitors[allowed_roles(address.access.permission.code)[0]]
    for converter, name in _PARAMETER.findall(address.route):
        guesses = GUESSED_NUMBERS if converter == "int" else (*GUESSED_WORDS, _near(real[name]))
        for guess in guesses:
            path = path_of(address, {**real, name: guess})
            yield from _tried(visitor, path, BODIES.get(address.name) or world.body(address))


def _near(real: object) -> str:
    """A few characters off what somebody has."""
    text = str(real)
    return text[:-4] + ("7539" if text[-4:] != "7539" else "7540")


def _others_things(world: matrix_world.World) -> Iterator[tuple[Visitor, str]]:
    """Rows that exist, asked for by another person of the role, or by way of another patient."""
    doctor, cashier = Visitor.of(a_staff(Role.DOCTOR)), Visitor.of(a_staff(Role.CASHIER))
    yield doctor, reverse("desk-emergency", args=[world.numbers["break_glass_id"]])
    yield cashier, reverse("identity-loan-end", args=[world.numbers["delegation_id"]])
    for page in ("scheduling-leave", "scheduling-leave-withdraw"):
        yield doctor, reverse(page, args=[world.numbers["leave_id"]])
    yield doctor, reverse("desk-forget-wish", args=[world.numbers["wish_id"]])
    yield doctor, reverse("desk-my-patients", args=[world.booked.schedule_id])
    yield doctor, reverse("registration-close", args=[world.booked.schedule_id])
    session = world.accounts[Role.CASHIER].sessions.latest("pk")
    yield cashier, reverse("identity-session-end", args=[session.pk])
    clerk, office = (
        Visitor.of(a_staff(Role.REGISTRATION_CLERK)),
        Visitor.of(a_staff(Role.OUTPATIENT_OFFICE)),
    )
    other, patient = world.unpaid.patient.outpatient_no, world.booked.patient
    yield clerk, reverse("patients-card-move", args=[other, world.numbers["card_id"]])
    yield clerk, reverse("patients-void", args=[other, patient.identifiers.get().pk])
    yield office, reverse("patients-unbind", args=[other, world.numbers["binding_id"]])


def _tried(visitor: Visitor, path: str, body: Mapping[str, str]) -> Iterator[str]:
    """Both ways of asking, behind the mark: whom it lets in is the function matrix's question."""
    try:
        match = resolve(unquote(path))
    except Resolver404:
        return
    view = inspect.unwrap(match.func, stop=lambda one: access_of(one) is None)
    for make in (RequestFactory().get, RequestFactory().post):
        request = make(path, dict(body))
        request.resolver_match, request.session = match, visitor.session
        request.user, request.htmx = visitor.account, False  # type: ignore[attr-defined]
        request.actor = Actor("staff", visitor.account.pk)  # type: ignore[attr-defined]
        try:
            status = view(request, *match.args, **match.kwargs).status_code
        except (NotFound, NotAllowed, Http404):
            continue
        except Exception as bug:
            bug.add_note(f"{request.method} {path[:200]}")
            raise
        if status != HTTPStatus.METHOD_NOT_ALLOWED:
            yield f"{request.method} {path[:200]}: {status}"
