"""A family with everything an address can name, and people who are no part of it.

Of every thing there is one of the victim's, and one of the same shape that nobody has.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final

from hospital.identity.models import WeChatUser
from hospital.kernel import serials
from hospital.kernel.actors import SYSTEM, Actor
from hospital.messaging.tests.world import a_message
from hospital.patients import actions as patients
from hospital.patients.actions.persons import outpatient_no
from hospital.patients.models import Patient
from hospital.patients.states import Relationship
from hospital.payments import actions as payments
from hospital.portal.jobs import make_copy
from hospital.registration import actions as registration
from hospital.registration.models import Appointment
from hospital.registration.puzzle import new_token
from hospital.scheduling.models import Schedule
from hospital.testing.bookings import a_booking, a_paid_booking
from hospital.testing.organisation import a_department, a_practitioner, a_room
from hospital.testing.people import ADULT_BORN, a_patient, a_resident_id, a_wechat_user
from hospital.testing.schedules import NOW, TOMORROW, a_released_schedule, band_of
from hospital.testing.waiting import a_full_schedule, a_waiting

NAME: Final = "慕容雪晴"
PHONE: Final = "13987650321"
FEE_FEN: Final = 8761
#: A running number that nobody has.
NO_ID: Final = 99_999_998
#: What somebody has, by what it is called in the tables of the tests.
Things = dict[str, str]


@dataclass(frozen=True)
class Own:
    """Who came through WeChat, for whom, and what addresses may name of theirs."""

    user: WeChatUser
    patient: Patient
    booked: Appointment
    unpaid: Appointment
    things: Things


@dataclass(frozen=True)
class World:
    """The victim, who is a stranger to it, and what nobody's page may show.

    `targets` are the victim's things, once as its own and once as the removed user knew them;
    `private` is nobody's but the victim's, `timetable` is on pages for everybody too.
    """

    victim: Own
    targets: list[Things]
    nobodys: Things
    strangers: dict[str, Own]
    private: dict[str, str]
    timetable: dict[str, str]


def a_world() -> World:
    """Made at NOW by the actions everybody uses."""
    mine, gone, relative = a_wechat_user(), a_wechat_user(), a_wechat_user()
    patient = a_patient(mine, name=NAME, phone=PHONE)
    parent = a_patient(mine, name="慕容老太")
    for user in (gone, relative):
        _bound_too(user, patient)
    remembered = _once_booked(gone, patient, by=mine)
    victim = _own(mine, patient, "百草", fee_fen=FEE_FEN, day=TOMORROW)
    victim.things["binding"] = str(_binding(relative, patient))
    in_law = _family("柳如意", "丹桂")
    a_patient(in_law.user, name="慕容老太", document_no=parent.identifiers.get().value)
    strangers = {
        "alone": _family("独孤一鹤", "青松"),
        "in-law": in_law,
        "removed": _family("令狐大中", "紫苏", user=gone),
    }
    return World(
        victim=victim,
        targets=[victim.things, victim.things | remembered],
        nobodys=_nobodys(victim),
        strangers=strangers,
        private=_private(victim) | {f"once {what}": word for what, word in remembered.items()},
        timetable=_timetable(victim.booked) | _timetable(victim.unpaid, "unpaid "),
    )


def _family(name: str, mark: str, *, user: WeChatUser | None = None) -> Own:
    user = user or a_wechat_user()
    day = TOMORROW + dt.timedelta(days=2)
    return _own(user, a_patient(user, name=name), mark, fee_fen=2500, day=day)


def _own(user: WeChatUser, patient: Patient, mark: str, *, fee_fen: int, day: dt.date) -> Own:
    """A paid and an unpaid booking, and everything else that has an address."""
    paid_for, other = _session(f"{mark}一", fee_fen, day), _session(f"{mark}二", fee_fen, day)
    booked = a_paid_booking(patient=patient, user=user, schedule=paid_for)
    unpaid = a_booking(patient=patient, user=user, schedule=other)
    return Own(user, patient, booked, unpaid, _things(user, patient, booked, unpaid))


def _session(mark: str, fee_fen: int, day: dt.date) -> Schedule:
    department = a_department(name=f"{mark}科", location_text=f"{mark}楼")
    return a_released_schedule(
        day=day,
        department=department,
        practitioner=a_practitioner(department, name=f"{mark}大夫"),
        room=a_room(department=department, name=f"{mark}诊室"),
        fee_fen=fee_fen,
    )


def _things(user: WeChatUser, patient: Patient, booked: Appointment, unpaid: Appointment) -> Things:
    by = Actor("patient", user.pk)
    code = payments.create_pay_code(bill_ids=[unpaid.bill_id], by=SYSTEM, at=NOW)
    copy = patients.ask_copy(wechat_user_id=user.pk, number=patient.outpatient_no, by=by, at=NOW)
    make_copy(copy_id=copy.pk)
    line, _ = a_full_schedule(day=TOMORROW + dt.timedelta(days=3))
    return {
        "entry": str(a_waiting(line, user=user, patient=patient).pk),
        "puzzle": new_token(user_id=user.pk, at=NOW),
        "share": registration.share(number=booked.number, by=by, at=NOW),
        "patient": patient.outpatient_no,
        "booking": booked.number,
        "bill": unpaid.bill.token,
        "code": code.token,
        "copy": copy.token,
        "message": a_message("N01", user, patient=patient, at=NOW).token,
        "binding": str(_binding(user, patient)),
        "document": patient.identifiers.get().value,
        "schedule": str(booked.schedule_id),
        "band": str(band_of(booked.schedule, 1).pk),
        "department": booked.department.code,
        "doctor": booked.practitioner.code if booked.practitioner else "",
    }


def _bound_too(user: WeChatUser, patient: Patient) -> None:
    number = patient.identifiers.get().value
    other = Relationship.OTHER
    a_patient(user, name=NAME, phone=PHONE, document_no=number, relationship=other)


def _once_booked(user: WeChatUser, patient: Patient, *, by: WeChatUser) -> Things:
    """Somebody acted for the patient, booked and paid for it, and was then taken off."""
    schedule = _session("旧约", FEE_FEN, TOMORROW)
    booked = a_paid_booking(patient=patient, user=user, schedule=schedule)
    patients.end_other(
        wechat_user_id=by.pk,
        number=patient.outpatient_no,
        binding_id=_binding(user, patient),
        by=Actor("patient", by.pk),
        at=NOW,
    )
    return {"booking": booked.number, "bill": booked.bill.token}


def _binding(user: WeChatUser, patient: Patient) -> int:
    return int(patient.bindings.get(wechat_user=user, ended_at=None).pk)


def _nobodys(victim: Own) -> Things:
    """The same shapes, and nobody behind them."""
    day = victim.things["booking"][:6]
    return {
        "patient": outpatient_no(NO_ID),
        "booking": day + serials.scattered(NO_ID),
        **{name: serials.opaque() for name in ("bill", "code", "copy", "message", "share")},
        "puzzle": new_token(user_id=NO_ID, at=NOW),
        **dict.fromkeys(("binding", "entry"), str(NO_ID)),
        "document": a_resident_id(born=ADULT_BORN),
        # The timetable is everybody's.
        **{name: victim.things[name] for name in ("schedule", "band", "department", "doctor")},
    }


def _private(victim: Own) -> dict[str, str]:
    patient, things, paid = victim.patient, victim.things, victim.booked.bill
    paid.refresh_from_db()
    names = ("patient", "document", "booking", "bill", "code", "copy", "message", "share")
    return {
        "name": NAME,
        "masked name": patient.masked_name,
        "phone": PHONE,
        "masked phone": patient.masked_phone,
        "masked document": patient.identifiers.get().masked_value,
        "unpaid booking": victim.unpaid.number,
        "bill number": victim.unpaid.bill.number,
        "paid bill": paid.token,
        "paid bill number": paid.number,
        "receipt": paid.receipt_no,
        **{name: things[name] for name in names},
    }


def _timetable(row: Appointment, mark: str = "") -> dict[str, str]:
    return {
        f"{mark}department": row.department_name,
        f"{mark}doctor": row.doctor_name,
        f"{mark}room": row.schedule.room.name,
        f"{mark}place": row.department.location_text,
        f"{mark}day": f"{row.visit_date.month}月{row.visit_date.day}日",
        f"{mark}fee": f"{FEE_FEN / 100:.2f}",
    }
