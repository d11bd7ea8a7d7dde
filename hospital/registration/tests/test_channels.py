"""One door for every channel: the same numbers and checks, other limits (M1.3, M1.13, H3.1)."""

import datetime as dt

import pytest

from hospital.billing import actions as billing
from hospital.billing.models import Bill
from hospital.kernel.actors import SYSTEM, Actor
from hospital.kernel.errors import Invalid
from hospital.kernel.models import AuditEntry
from hospital.organisation.states import SexLimit
from hospital.patients.models import Patient
from hospital.patients.states import Sex
from hospital.registration import actions, rules
from hospital.registration.actions import CannotCollect, Override
from hospital.registration.models import Appointment
from hospital.registration.states import PaidWhen
from hospital.scheduling import actions as scheduling
from hospital.scheduling.actions import SlotTaken
from hospital.scheduling.models import Schedule, Slot
from hospital.scheduling.states import Channel, Pool
from hospital.testing.bookings import pay
from hospital.testing.organisation import a_department
from hospital.testing.people import a_patient, a_wechat_user
from hospital.testing.schedules import NOW, TOMORROW, a_released_schedule, moment

pytestmark = pytest.mark.django_db
CLERK = Actor("staff", 7)
MIXED = {Pool.WECHAT: 2, Pool.WINDOW: 2}
TODAY = TOMORROW - dt.timedelta(days=1)


def at_window(
    schedule: Schedule,
    patient: Patient | None = None,
    *,
    channel: Channel = Channel.WINDOW,
    paid_when: PaidWhen = PaidWhen.BOOKING,
    override: Override | None = None,
    key: str = "k",
    at: dt.datetime = NOW,
) -> Appointment:
    patient = patient or a_patient(a_wechat_user())
    return actions.book(
        patient_id=patient.pk,
        schedule_id=schedule.pk,
        band_id=None,
        channel=channel,
        paid_when=paid_when,
        override=override,
        key=key + str(patient.pk),
        by=CLERK,
        at=at,
    )


def everything() -> tuple[int, int, int, int, list[str]]:
    """What a refused booking must leave alone."""
    return (
        Appointment.objects.count(),
        Bill.objects.count(),
        AuditEntry.objects.filter(act__startswith="registration.").count(),
        Slot.objects.filter(status="held").count(),
        list(Slot.objects.order_by("pk").values_list("status", flat=True)),
    )


def test_h3_01_the_window_books_from_its_own_numbers_for_any_patient() -> None:
    schedule = a_released_schedule(capacity=4, shares=MIXED)

    booked = at_window(schedule)

    assert (booked.channel, booked.booking_kind, booked.status) == ("window", "advance", "pending")
    assert (booked.wechat_user_id, booked.made_by) == (None, "staff:7")
    assert Slot.objects.get(pk=booked.slot_id).pool == "window"
    pay(booked.bill)
    actions.confirm(bill_id=booked.bill_id, by=SYSTEM, at=NOW)
    booked.refresh_from_db()
    assert booked.status == "booked"


def test_h3_01_a_double_press_books_once() -> None:
    schedule = a_released_schedule(capacity=4, shares=MIXED)
    patient = a_patient(a_wechat_user())

    first, second = at_window(schedule, patient), at_window(schedule, patient)

    assert first.pk == second.pk
    assert Appointment.objects.count() == 1


def test_h3_01_registering_on_the_day_at_the_window_is_a_walk_in() -> None:
    schedule = a_released_schedule(day=TODAY, starts=dt.time(14), ends=dt.time(17), capacity=4)
    scheduling.merge_due(today=TODAY, at=NOW)

    assert at_window(schedule).booking_kind == "walk_in"
    assert at_window(schedule, channel=Channel.KIOSK).booking_kind == "walk_in"


def test_m1_03_7_the_windows_numbers_do_not_go_beyond_its_quota() -> None:
    schedule = a_released_schedule(capacity=4, shares=MIXED)
    at_window(schedule)
    at_window(schedule)
    before = everything()

    with pytest.raises(SlotTaken):
        at_window(schedule)

    assert everything() == before


def test_m1_11_a_walk_in_only_clinic_registers_at_the_window_and_not_online() -> None:
    department = a_department(walk_in_only=True)
    schedule = a_released_schedule(department=department, capacity=4, shares=MIXED)
    before = everything()

    with pytest.raises(rules.ChannelClosed):
        at_window(schedule, channel=Channel.PARTNER)
    assert everything() == before
    assert at_window(schedule).status == "pending"


def test_m1_11_the_window_registers_until_the_session_ends() -> None:
    schedule = a_released_schedule(day=TODAY, starts=dt.time(8), ends=dt.time(12), capacity=4)
    scheduling.merge_due(today=TODAY, at=NOW)
    late = schedule.ends_at - dt.timedelta(minutes=10)

    assert at_window(schedule, at=late).status == "pending"
    with pytest.raises(rules.ChannelClosed):
        at_window(schedule, at=schedule.ends_at)


def test_m1_16_no_channel_has_numbers_before_the_release() -> None:
    schedule = a_released_schedule(day=TOMORROW + dt.timedelta(days=9), capacity=4, shares=MIXED)
    before = everything()

    for channel in Channel:
        with pytest.raises(rules.NotReleased):
            at_window(schedule, channel=channel)

    assert everything() == before


def test_h3_01_the_office_sets_a_limit_aside_with_a_reason_and_it_is_audited() -> None:
    department = a_department(sex_limit=SexLimit.MALE)
    schedule = a_released_schedule(department=department, capacity=4, shares=MIXED)
    patient = a_patient(a_wechat_user(), sex=Sex.FEMALE)
    before = everything()

    with pytest.raises(rules.DepartmentLimitSex):
        at_window(schedule, patient)
    with pytest.raises(Invalid):
        at_window(schedule, patient, override=Override(frozenset({"DEPARTMENT_LIMIT_SEX"}), "  "))
    with pytest.raises(rules.DepartmentLimitSex):
        at_window(schedule, patient, override=Override(frozenset({"LIMIT_DAY"}), "x"))
    assert everything() == before

    booked = at_window(
        schedule, patient, override=Override(frozenset({"DEPARTMENT_LIMIT_SEX"}), "夫妻同诊")
    )

    assert (booked.overrides, booked.override_reason) == (["DEPARTMENT_LIMIT_SEX"], "夫妻同诊")
    entry = AuditEntry.objects.get(act="registration.override")
    assert (entry.by, entry.reason, entry.after) == (
        "staff:7",
        "夫妻同诊",
        {"rules": ["DEPARTMENT_LIMIT_SEX"]},
    )


def test_h3_01_an_override_nobody_needed_leaves_no_trace() -> None:
    schedule = a_released_schedule(capacity=4, shares=MIXED)

    booked = at_window(schedule, override=Override(frozenset({"LIMIT_DAY"}), "x"))

    assert (booked.overrides, booked.override_reason) == ([], "")
    assert not AuditEntry.objects.filter(act="registration.override").exists()


def test_h3_01_who_the_patient_is_cannot_be_set_aside() -> None:
    schedule = a_released_schedule(capacity=4, shares=MIXED)
    patient = a_patient(a_wechat_user())
    at_window(schedule, patient)
    before = everything()

    with pytest.raises(rules.Duplicate):
        at_window(schedule, patient, override=Override(frozenset({"DUPLICATE"}), "x"), key="again")

    assert everything() == before


def test_m1_13_a_booking_paid_on_arrival_stands_at_once_and_is_collected_after_paying() -> None:
    schedule = a_released_schedule(capacity=4, shares={Pool.RESERVED: 4})
    booked = at_window(schedule, channel=Channel.PHONE, paid_when=PaidWhen.ARRIVAL)
    arrival = moment(TOMORROW, 7, 50)

    assert (booked.status, booked.bill.status) == ("booked", "issued")
    assert booked.hold_until == moment(TOMORROW, 8, 10)
    with pytest.raises(CannotCollect):
        actions.collect(number=booked.number, by=CLERK, at=arrival)
    pay(booked.bill, at=arrival)
    collected = actions.collect(number=booked.number, by=CLERK, at=arrival)
    again = actions.collect(number=booked.number, by=CLERK, at=moment(TOMORROW, 7, 55))

    assert (collected.collected_at, again.collected_at) == (arrival, arrival)
    assert AuditEntry.objects.filter(act="registration.collect").count() == 1
    assert not actions.give_up_uncollected(
        appointment_id=booked.pk, by=SYSTEM, at=moment(TOMORROW, 9)
    )


def test_m1_13_what_is_not_collected_by_the_bands_start_goes_to_the_walk_ins() -> None:
    schedule = a_released_schedule(capacity=4, shares={Pool.RESERVED: 4})
    booked = at_window(schedule, channel=Channel.PHONE, paid_when=PaidWhen.ARRIVAL)
    in_time, late = moment(TOMORROW, 8, 9), moment(TOMORROW, 8, 10)

    assert not actions.give_up_uncollected(appointment_id=booked.pk, by=SYSTEM, at=in_time)
    assert actions.give_up_uncollected(appointment_id=booked.pk, by=SYSTEM, at=late)
    assert not actions.give_up_uncollected(appointment_id=booked.pk, by=SYSTEM, at=late)
    scheduling.reclaim_due(by=SYSTEM, at=late)
    scheduling.merge_due(today=TOMORROW, at=late)

    booked.refresh_from_db()
    slot = Slot.objects.get(pk=booked.slot_id)
    assert (booked.status, booked.cancel_reason) == ("cancelled", "not_collected")
    assert (slot.status, slot.pool) == ("free", "public")
    assert Bill.objects.get(pk=booked.bill_id).status == "expired"


def test_m1_13_somebody_paying_at_the_window_is_not_given_up_meanwhile() -> None:
    schedule = a_released_schedule(capacity=4, shares={Pool.RESERVED: 4})
    booked = at_window(schedule, channel=Channel.PHONE, paid_when=PaidWhen.ARRIVAL)
    billing.start_paying(bill_id=booked.bill_id, by=SYSTEM, at=moment(TOMORROW, 8, 5))
    late = moment(TOMORROW, 8, 12)

    assert not actions.give_up_uncollected(appointment_id=booked.pk, by=SYSTEM, at=late)
    billing.stop_paying(bill_id=booked.bill_id, by=SYSTEM, at=late)
    assert actions.release_unpaid_bill(bill_id=booked.bill_id, by=SYSTEM, at=late)

    booked.refresh_from_db()
    assert booked.cancel_reason == "not_collected"
