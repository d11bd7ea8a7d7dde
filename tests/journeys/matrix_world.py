"""One hospital in which every staff address has something real behind it, for the function matrix.

Whatever carries an identifier gets one of a row that exists; what no builder makes stands in
NOTHING_THERE, and "not found" is the honest answer there.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final

from hospital.desk.tests import world as money
from hospital.identity import actions as identity
from hospital.identity.actions import Wanted
from hospital.identity.models import StaffAccount
from hospital.identity.states import Role
from hospital.interop import actions as interop
from hospital.kernel import clock
from hospital.kernel.actors import SYSTEM, Actor
from hospital.kernel.models import AuditEntry
from hospital.messaging import actions as messaging
from hospital.messaging.states import Match, RuleKind
from hospital.messaging.tests.world import a_message
from hospital.patients import actions as patients
from hospital.payments import actions as payments
from hospital.registration.models import Appointment
from hospital.scheduling import actions as scheduling
from hospital.scheduling.actions import rosters
from hospital.scheduling.models import Leave, RosterNeed, RosterProposal, RosterWish
from hospital.scheduling.weeks import monday_of
from hospital.testing.bookings import a_booking
from hospital.testing.partners import a_partner
from hospital.testing.people import a_staff
from tools.inventory import Address

#: Addresses of things that take a longer story to make than this test is about.
NOTHING_THERE: Final = frozenset(
    {
        "monitoring-alert",
        "monitoring-acknowledge",
        "messaging-call-close",
        "messaging-call-phone",
        "onboarding-carry-out",
        "onboarding-drop",
        "onboarding-photo-remove",
        "onboarding-preview",
        "patients-guardian-end",
        "patients-void",
        "payments-decide",
        "payments-decide-transfer",
        "payments-slip",
        "payments-transfer-reveal",
        "payments-statement-fetch",
        "registration-alert",
        "registration-decide-appeal",
        "registration-lift",
        "window-emergency-print",
        "window-emergency-slip",
    }
)
#: Somebody else's own things: only one person finds them, whatever the role.
OWN_THINGS: Final = frozenset(
    {
        "desk-emergency",
        "desk-forget-wish",
        "desk-my-patients",
        "identity-loan-end",
        "identity-session-end",
        "registration-add-on",
        "registration-begin",
        "registration-close",
        "scheduling-leave",
        "scheduling-leave-withdraw",
    }
)

#: What a form must carry to be about something at all.
BODIES: Final = {
    "messaging-menu-edit": {"revision": "1"},
    "messaging-menu-discard": {"key": "1"},
    "messaging-resend": {"key": "0"},
    "scheduling-roster-advance": {"do": "submit"},
    "scheduling-roster-decide": {"do": "publish"},
    "scheduling-roster-step": {"do": "undo"},
}
_TERMS: Final = {
    "name": "预约平台",
    "daily_quota": "10",
    "session_percent": "30",
    "per_minute": "60",
    "scopes": "system/Slot.rs",
}
_NEED: Final = {"scope:patients.find_patient": "hospital", "ask": "1", "reason": "业务需要"}
#: Forms filled in so that whoever may send them has done it: answered well, and audited.
DEEDS: Final = {
    "desk-emergency-review": {"verdict": "justified", "note": "情况属实"},
    "identity-factor-reset": {"reason": "手机丢失，当面核实"},
    "identity-log-in-end": {"reason": "可疑登录"},
    "identity-network": {"networks": "10.0.0.0/8, 127.0.0.1", "reason": "只在院内"},
    "identity-person-new": {"username": "newcomer", "display_name": "新来的人"},
    "identity-person-off": {"reason": "离职"},
    "identity-person-password": {},
    "identity-person-roles": {"role-0": "pharmacist", "role-1": "finance", "reason": "兼任"},
    "identity-request-decide": {"answer": "yes"},
    "identity-role-change": _NEED,
    "identity-role-new": _NEED | {"label": "随访岗"},
    "identity-role-retire": {"reason": "不再需要"},
    "identity-unlock-account": {"reason": "本人输错"},
    "interop-partner": _TERMS,
    "interop-partner-new": _TERMS | {"code": "new-platform"},
    "interop-partner-switch": {"is_active": "0", "reason": "合同到期"},
    "interop-secret": {"days": "30"},
    "interop-secret-end": {},
}


@dataclass(frozen=True)
class World:
    """The rows addresses may point at, and one account a role; `numbers` is by address name."""

    booked: Appointment
    unpaid: Appointment
    accounts: dict[Role, StaffAccount]
    numbers: dict[str, object]

    def body(self, address: Address) -> dict[str, str]:
        """What is sent to an address so that it is about something."""
        if address.name == "patients-same":
            return {"other": self.unpaid.patient.outpatient_no}
        if address.name == "scheduling-needs-remove":
            return {"need": str(self.numbers["need"])}
        return BODIES.get(address.name) or DEEDS.get(address.name, {})

    def path_arguments(self, address: Address) -> dict[str, object]:
        """The identifiers an address carries, of rows that exist where there are any."""
        names = [
            part.split(":")[-1].rstrip(">") for part in address.route.split("/") if "<" in part
        ]
        return {name: self._value(address, name) for name in names}

    def _value(self, address: Address, name: str) -> object:
        for key in (f"{address.name} {name}", f"{address.route.split('/')[2]} {name}", name):
            if key in self.numbers:
                return self.numbers[key]
        if address.name in NOTHING_THERE:
            return 999_999_999
        raise LookupError(f"{address.route} names a {name}: put one into tests/journeys")


def a_world() -> World:
    """Bookings, money, messages, people and requests, made by the actions everybody uses."""
    at = clock.now()
    booked, payment = money.a_booking_paid_by_wechat()
    unpaid = a_booking()
    back, _ = money.a_booking_paid_by_wechat()
    refund = money.give_back(back)
    case = money.a_case(payment)
    accounts = {role: _account(role, booked) for role in Role}
    asker, doctor = accounts[Role.CASHIER], accounts[Role.DOCTOR]
    asked = payments.propose_refund(
        bill_id=booked.bill_id,
        shown_fen=booked.bill.total_fen,
        reason="患者改约",
        key="matrix",
        by=Actor("staff", asker.pk),
        at=at + dt.timedelta(days=2),
    )
    assert booked.wechat_user is not None
    assert booked.practitioner is not None
    message = a_message("N01", booked.wechat_user, patient=booked.patient)
    rule = messaging.save_rule(
        rule_id=None,
        kind=RuleKind.KEYWORD,
        name="地址",
        words=["地址"],
        match=Match.CONTAINS,
        priority=100,
        text="门诊楼在东门",
        is_on=True,
        by=SYSTEM,
        at=at,
    )
    menu = messaging.start_draft(copy_of=None, by=SYSTEM, at=at)
    card = patients.issue_card(patient_id=booked.patient_id, number="", by=SYSTEM, at=at)
    request = identity.ask_for_roles(
        account=accounts[Role.CASHIER],
        wanted=[Wanted(Role.CASHIER), Wanted(Role.FINANCE)],
        reason="兼任",
        by=Actor("staff", accounts[Role.SYSTEM_ADMIN].pk),
        at=at,
    )
    role = identity.ask_for_new_role(
        label="体检前台",
        wanted={"patients.find_patient": "hospital"},
        reason="体检中心",
        by=Actor("staff", accounts[Role.SYSTEM_ADMIN].pk),
        at=at,
    )
    identity.approve_access(
        request_id=role.pk,
        note="",
        by=Actor("staff", accounts[Role.SECURITY_ADMIN].pk),
        at=at,
    )
    loan = identity.lend(
        giver=asker,
        taker_id=a_staff(Role.REGISTRATION_CLERK).pk,
        permissions=["payments.collect"],
        begins_at=at,
        ends_at=at + dt.timedelta(days=1),
        reason="请假",
        by=Actor("staff", asker.pk),
        at=at,
    )
    glass = identity.break_glass(
        account=doctor,
        patient_id=unpaid.patient_id,
        reason="急诊会诊，需要核对",
        by=Actor("staff", doctor.pk),
        at=at,
    )
    partner = a_partner(at=at)
    secret, _ = interop.make_secret(partner_id=partner.pk, days=90, by=SYSTEM, at=at)
    kiosk, _ = identity.add_device(name="大厅1号机", place="1楼", by=SYSTEM, at=at)
    log_in = identity.begin_session(
        account=accounts[Role.PHARMACIST], address="127.0.0.1", device="Windows", at=at
    )
    roster = rosters.open_week(
        department_id=booked.department_id,
        monday=monday_of(clock.hospital_day(at)) + dt.timedelta(days=21),
        by=SYSTEM,
        at=at,
    )
    leave, proposal = _a_leave_and_a_proposal(booked, at)
    return World(
        booked=booked,
        unpaid=unpaid,
        accounts=accounts,
        numbers={
            "appointments number": booked.number,
            "visits number": booked.number,
            "bills number": booked.bill.number,
            "window number": booked.number,
            "window-person number": booked.patient.outpatient_no,
            "window-book number": booked.patient.outpatient_no,
            "schedule_id": booked.schedule_id,
            "collect number": unpaid.bill.number,
            "card-desk number": booked.patient.outpatient_no,
            "card_id": card.pk,
            "binding_id": booked.patient.bindings.get(ended_at=None).pk,
            "payment_id": payment.pk,
            "refund_id": refund.pk,
            "case_id": case,
            "refund-requests request_id": asked.pk,
            "access request_id": request.pk,
            "stop-requests request_id": _a_stop_request(booked, at),
            "delegation_id": loan.pk,
            "break_glass_id": glass.pk,
            "session_id": log_in.pk,
            "device_id": kiosk.pk,
            "account_id": accounts[Role.PHARMACIST].pk,
            "entry_id": AuditEntry.objects.latest("pk").pk,
            "message_id": message.pk,
            "menu_id": menu.pk,
            "kind": RuleKind.KEYWORD.value,
            "rule_id": rule.pk,
            "code": Role.DOCTOR.value,
            "role": Role.DOCTOR.value,
            "identity-role-retire code": role.role,
            "partner_id": partner.pk,
            "secret_id": secret.pk,
            "key": "registration.hold_minutes",
            "slug": "departments",
            "rosters code": booked.department.code,
            "monday": roster.monday.isoformat(),
            "roster_id": roster.pk,
            "leave_id": leave.pk,
            "proposals code": booked.department.code,
            "proposal_id": proposal.pk,
            "need": RosterNeed.objects.latest("pk").pk,
            "wish_id": RosterWish.objects.latest("pk").pk,
            "address": booked.department.code,
            "onboarding-photo-save address": booked.practitioner.code,
        },
    )


def _a_stop_request(booked: Appointment, at: dt.datetime) -> int:
    return scheduling.ask_stop(
        schedule_id=booked.schedule_id, reason="meeting", note="", by=SYSTEM, at=at
    ).pk


def _a_leave_and_a_proposal(booked: Appointment, at: dt.datetime) -> tuple[Leave, RosterProposal]:
    """A leave over the booked session, a wish of its doctor, a roster asked for the department."""
    doctor = booked.practitioner
    assert doctor is not None
    leave = scheduling.ask_leave(
        practitioner_id=doctor.pk,
        starts_at=booked.schedule.starts_at,
        ends_at=booked.schedule.ends_at,
        reason="meeting",
        note="",
        by=SYSTEM,
        at=at,
    )
    scheduling.save_wish(
        practitioner_id=doctor.pk,
        visit_date=None,
        weekday=1,
        session_period="",
        mind="wants",
        weight=1,
        at=at,
    )
    scheduling.needs_from_templates(department_id=booked.department_id, by=SYSTEM, at=at)
    first = clock.hospital_day(at) + dt.timedelta(days=28)
    proposal = scheduling.ask_proposal(
        department_id=booked.department_id,
        from_date=first,
        to_date=first + dt.timedelta(days=7),
        people=[doctor.pk],
        by=SYSTEM,
        at=at,
    )
    return leave, proposal


def _account(role: Role, booked: Appointment) -> StaffAccount:
    """Whoever works for one department works for the one that was booked."""
    narrow = role in {Role.DOCTOR, Role.DEPARTMENT_HEAD}
    return a_staff(role, department=booked.department if narrow else None)
