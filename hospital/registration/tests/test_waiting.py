"""候补: who is in line, in which order numbers are offered, and when the waiting ends (SM3)."""

import datetime as dt
from collections.abc import Callable
from functools import partial

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from hospital.identity.models import WeChatUser
from hospital.kernel.actors import SYSTEM, Actor
from hospital.kernel.errors import Refusal
from hospital.messaging.models import Message
from hospital.registration import actions
from hospital.registration.models import Appointment, WaitlistEntry
from hospital.registration.states import AppointmentStatus, WaitlistStatus
from hospital.registration.tests.refusals import rows, someone
from hospital.scheduling import actions as scheduling
from hospital.scheduling.models import Slot
from hospital.scheduling.states import Channel, Pool, SlotStatus
from hospital.testing.bookings import a_booking, a_paid_booking, pay
from hospital.testing.jobs import run_jobs
from hospital.testing.organisation import a_department
from hospital.testing.people import a_patient, a_wechat_user
from hospital.testing.schedules import NOW, a_released_schedule, change_capacity, moment
from hospital.testing.waiting import a_full_schedule, a_waiting

pytestmark = pytest.mark.django_db
SOON = NOW + dt.timedelta(hours=1)
DAY = NOW + dt.timedelta(hours=22)  # tomorrow at 8:00, when the session begins


def minutes(count: int) -> dt.timedelta:
    return dt.timedelta(minutes=count)


def fates() -> list[str]:
    return list(WaitlistEntry.objects.order_by("pk").values_list("status", flat=True))


def told(entry: WaitlistEntry) -> list[str]:
    rows = Message.objects.filter(wechat_user_id=entry.wechat_user_id).order_by("pk")
    return list(rows.values_list("kind", flat=True))


def user_of(row: Appointment | WaitlistEntry) -> WeChatUser:
    assert row.wechat_user is not None
    return row.wechat_user


def gives_back(booking: Appointment, *, at: dt.datetime = NOW) -> None:
    """The patient cancels, and the random wait is over (M1.15)."""
    actions.cancel(number=booking.number, by=Actor("patient", user_of(booking).pk), at=at)
    scheduling.reclaim_due(by=SYSTEM, at=at + minutes(31))


def no(code: str, act: Callable[[], object]) -> dict[str, object]:
    """It is refused, and nobody's place or number has changed; what the refusal says besides."""
    before = (*rows(), WaitlistEntry.objects.count())
    with pytest.raises(Refusal) as raised:
        act()
    assert raised.value.code == code
    assert (*rows(), WaitlistEntry.objects.count()) == before
    return raised.value.details


def serve(at: dt.datetime = SOON) -> int:
    return actions.serve_waitlists(by=SYSTEM, at=at)


def test_n08_sm3_a_number_that_comes_free_is_offered_to_the_first_in_line() -> None:
    schedule, (booking,) = a_full_schedule()
    first, second = a_waiting(schedule), a_waiting(schedule)
    assert serve() == 0
    gives_back(booking)

    assert serve() == 1
    assert serve() == 0

    first.refresh_from_db()
    assert fates() == ["offered", "waiting"]
    offer = first.appointment
    assert offer is not None
    assert (offer.status, offer.slot_id) == (AppointmentStatus.PENDING, booking.slot_id)
    assert offer.patient_id == first.patient_id
    assert first.offer_until == offer.hold_until
    assert (told(first), told(second)) == (["N08"], [])
    fields = Message.objects.get(kind="N08").fields
    assert fields["pay_before"] == "11月23日 17:00 前"


def test_sm3_an_offer_paid_for_is_a_booking_and_the_place_in_line_is_over() -> None:
    schedule, (booking,) = a_full_schedule()
    entry = a_waiting(schedule)
    gives_back(booking)
    serve()
    entry.refresh_from_db()
    assert entry.appointment is not None

    pay(entry.appointment.bill, at=SOON)
    actions.confirm(bill_id=entry.appointment.bill_id, by=SYSTEM, at=SOON)
    serve(SOON + minutes(1))

    entry.appointment.refresh_from_db()
    assert entry.appointment.status == AppointmentStatus.BOOKED
    assert fates() == ["taken"]
    assert told(entry) == ["N08", "N01"]
    schedule.refresh_from_db()
    assert not schedule.has_waiting


def test_sm3_an_offer_not_paid_goes_to_the_next_in_line() -> None:
    schedule, (booking,) = a_full_schedule()
    entries = [a_waiting(schedule) for _ in range(2)]
    gives_back(booking)
    serve()
    entries[0].refresh_from_db()
    assert entries[0].appointment is not None
    end = entries[0].appointment.hold_until

    with time_machine.travel(end, tick=False):
        assert run_jobs(only="registration.") == []
    assert serve(end) == 1

    assert fates() == ["passed", "offered"]
    assert (told(entries[0]), told(entries[1])) == (["N08", "N03"], ["N08"])


def test_a_number_with_somebody_waiting_is_nobody_elses() -> None:
    schedule, bookings = a_full_schedule(paid=1, unpaid=1)
    entry = a_waiting(schedule)
    actions.release_unpaid(appointment_id=bookings[1].pk, by=SYSTEM, at=NOW + minutes(15))
    assert Slot.objects.filter(schedule=schedule, status=SlotStatus.FREE).count() == 1

    user, patient = someone()
    no("SLOT_TAKEN", lambda: a_booking(schedule=schedule, user=user, patient=patient, at=SOON))
    for channel in (Channel.KIOSK, Channel.WINDOW, Channel.PARTNER):
        with pytest.raises(scheduling.SlotTaken):
            scheduling.hold_slot(
                schedule_id=schedule.pk, until=SOON, channel=channel, by=SYSTEM, at=SOON
            )

    assert serve(NOW + minutes(17)) == 1
    entry.refresh_from_db()
    assert entry.appointment is not None
    assert entry.appointment.slot_id == bookings[1].slot_id


def test_the_window_keeps_its_own_numbers_while_people_wait_on_phones() -> None:
    schedule = a_released_schedule(
        capacity=2, band_minutes=240, shares={Pool.WECHAT: 1, Pool.WINDOW: 1}
    )
    a_paid_booking(schedule=schedule)
    a_waiting(schedule)

    slot = scheduling.hold_slot(
        schedule_id=schedule.pk, until=SOON, channel=Channel.WINDOW, by=SYSTEM, at=NOW
    )

    assert Slot.objects.get(pk=slot.pk).pool == Pool.WINDOW
    assert serve() == 0


def test_a_number_of_a_band_about_to_begin_goes_to_whoever_comes() -> None:
    """M1.13: what is given up at the band's start is for the walk-ins."""
    schedule, (booking,) = a_full_schedule()
    a_waiting(schedule)
    gives_back(booking)
    near = moment(dt.date(2026, 11, 24), 7, 40)

    assert a_booking(schedule=schedule, at=near).slot_id == booking.slot_id
    assert serve(near) == 0
    assert fates() == ["cleared"]


@pytest.mark.parametrize("way", ["more", "unblock", "merge"])
def test_numbers_that_come_by_the_office_go_to_the_list_first(way: str) -> None:
    schedule = a_released_schedule(
        capacity=3, band_minutes=240, shares={Pool.WECHAT: 2, Pool.WINDOW: 1}
    )
    spare = schedule.slots.filter(pool=Pool.WECHAT).order_by("sequence_no")[0]
    scheduling.block_numbers(
        schedule_id=schedule.pk, slot_ids=[spare.pk], reason="", by=SYSTEM, at=NOW
    )
    a_paid_booking(schedule=schedule)
    entry = a_waiting(schedule)

    if way == "more":
        band = schedule.bands.get()
        change_capacity(band, 8)
    elif way == "unblock":
        scheduling.unblock_numbers(
            schedule_id=schedule.pk, slot_ids=[spare.pk], reason="", by=SYSTEM, at=NOW
        )
    else:
        Slot.objects.filter(schedule=schedule, pool=Pool.WINDOW).update(pool=Pool.PUBLIC)

    user, patient = someone()
    no("SLOT_TAKEN", lambda: a_booking(schedule=schedule, user=user, patient=patient, at=SOON))
    assert serve() == 1
    entry.refresh_from_db()
    assert entry.status == WaitlistStatus.OFFERED


def test_joining_asks_what_booking_asks_and_keeps_one_place() -> None:
    schedule, (booking,) = a_full_schedule()
    user = a_wechat_user()
    patient = a_patient(user, at=NOW)
    entry = a_waiting(schedule, user=user, patient=patient)
    assert a_waiting(schedule, user=user, patient=patient).pk == entry.pk

    stranger = a_wechat_user()
    no("NOT_IDENTIFIED", lambda: a_waiting(schedule, user=stranger, patient=patient))
    has_it = booking.patient
    holder = user_of(booking)
    no("DUPLICATE", lambda: a_waiting(schedule, user=holder, patient=has_it))
    open_session = a_released_schedule()
    new_user, new_patient = someone()
    no("STILL_FREE", lambda: a_waiting(open_session, user=new_user, patient=new_patient))
    late = moment(dt.date(2026, 11, 24), 7, 35)
    no("WAITLIST_OVER", lambda: a_waiting(schedule, user=new_user, patient=new_patient, at=late))

    assert WaitlistEntry.objects.count() == 1
    open_session.refresh_from_db()
    assert not open_session.has_waiting


def test_a_patient_waits_for_three_sessions_at_most() -> None:
    user = a_wechat_user()
    patient = a_patient(user, at=NOW)
    for _ in range(3):
        a_waiting(a_full_schedule()[0], user=user, patient=patient)

    fourth, _ = a_full_schedule()
    no("WAITLIST_LIMIT", lambda: a_waiting(fourth, user=user, patient=patient))

    assert WaitlistEntry.objects.count() == 3


def test_whoever_leaves_the_line_is_passed_over() -> None:
    schedule, (booking,) = a_full_schedule()
    first, second = a_waiting(schedule), a_waiting(schedule)
    actions.leave_waitlist(entry_id=first.pk, by=SYSTEM, at=NOW)
    gives_back(booking)

    assert serve() == 1

    assert fates() == ["left", "offered"]
    no("CANNOT_LEAVE", lambda: actions.leave_waitlist(entry_id=second.pk, by=SYSTEM, at=NOW))
    assert fates() == ["left", "offered"]


def test_an_offer_given_back_goes_to_the_next() -> None:
    schedule, (booking,) = a_full_schedule()
    first, _second = a_waiting(schedule), a_waiting(schedule)
    gives_back(booking)
    serve()
    first.refresh_from_db()
    assert first.appointment is not None

    actions.cancel(number=first.appointment.number, by=Actor("patient", user_of(first).pk), at=SOON)
    assert serve(SOON + minutes(1)) == 1

    assert fates() == ["left", "offered"]


def test_who_may_not_book_any_more_is_told_and_the_number_goes_on() -> None:
    schedule, (booking,) = a_full_schedule()
    first, second = a_waiting(schedule), a_waiting(schedule)
    WeChatUser.objects.filter(pk=user_of(first).pk).update(is_blocked=True)
    other = a_released_schedule(department=schedule.department)
    user = user_of(second)
    a_paid_booking(schedule=other, user=user, patient=second.patient)
    third = a_waiting(schedule)
    gives_back(booking)

    assert serve() == 1

    assert fates() == ["cleared", "cleared", "offered"]
    assert told(second) == ["N01", "N03"]
    assert told(third) == ["N08"]


def test_n03_the_list_is_cleared_the_evening_before_and_everybody_told_once() -> None:
    schedule, _ = a_full_schedule()
    entries = [a_waiting(schedule) for _ in range(2)]
    late = moment(dt.date(2026, 11, 23), 23)
    assert serve(late - minutes(1)) == 0
    assert fates() == ["waiting", "waiting"]

    serve(late)
    serve(late + minutes(1))

    assert fates() == ["cleared", "cleared"]
    assert [told(entry) for entry in entries] == [["N03"], ["N03"]]
    assert Message.objects.filter(kind="N03").latest("pk").fields["reason"] == "候补期间没有空号"
    schedule.refresh_from_db()
    assert not schedule.has_waiting


def test_on_the_day_itself_a_line_begins_anew_as_long_as_a_band_is_ahead() -> None:
    """E3 has somebody in line in the middle of a session."""
    schedule, (booking,) = a_full_schedule()
    a_waiting(schedule)
    night = moment(dt.date(2026, 11, 23), 23, 30)
    user, patient = someone()

    no("WAITLIST_OVER", lambda: a_waiting(schedule, user=user, patient=patient, at=night))
    early = moment(dt.date(2026, 11, 24), 5)
    anew = a_waiting(schedule, user=user, patient=patient, at=early)
    gives_back(booking, at=early)
    assert serve(early + minutes(31)) == 1, "who waited yesterday is not next, though no sweep ran"

    anew.refresh_from_db()
    assert fates() == ["cleared", "offered"]
    assert anew.valid_until == moment(dt.date(2026, 11, 24), 7, 30)


def test_n08_an_offer_of_the_evening_ends_with_the_list_but_leaves_a_while() -> None:
    schedule, (booking,) = a_full_schedule()
    entry = a_waiting(schedule)
    gives_back(booking)
    late = moment(dt.date(2026, 11, 23), 22, 55)

    assert serve(late) == 1

    entry.refresh_from_db()
    assert entry.offer_until == late + minutes(15)


def test_m1_08_a_stop_clears_the_list_and_a_resumed_session_offers_first_to_the_stopped() -> None:
    schedule, (booking,) = a_full_schedule()
    in_line = a_waiting(schedule)
    with time_machine.travel(NOW, tick=False):
        scheduling.suspend_schedule(schedule_id=schedule.pk, reason="病假", by=SYSTEM, at=NOW)
        assert run_jobs(only="registration.") == []
    assert fates()[0] == "cleared"
    assert told(in_line) == ["N03"]
    booking.refresh_from_db()
    actions.owe_first_offer(appointment=booking, by=SYSTEM, at=NOW)
    actions.owe_first_offer(appointment=booking, by=SYSTEM, at=NOW)
    assert WaitlistEntry.objects.filter(owed_for=booking).count() == 1
    scheduling.reclaim_due(by=SYSTEM, at=NOW + minutes(31))

    scheduling.resume_schedule(schedule_id=schedule.pk, reason="已到岗", by=SYSTEM, at=SOON)
    assert actions.offer_again(schedule_id=schedule.pk, by=SYSTEM, at=SOON) == 1
    a_waiting(schedule, at=SOON)
    assert serve(SOON) == 1

    owed = WaitlistEntry.objects.get(owed_for=booking)
    assert owed.appointment is not None
    assert owed.appointment.patient_id == booking.patient_id
    assert fates()[-1] == "waiting"


def test_m1_08_who_is_owed_an_offer_goes_ahead_in_another_line_for_a_day() -> None:
    stopped, (lost,) = a_full_schedule()
    Appointment.objects.filter(pk=lost.pk).update(
        status="cancelled", cancelled_at=NOW, cancel_reason="hospital"
    )
    lost.refresh_from_db()
    actions.owe_first_offer(appointment=lost, by=SYSTEM, at=NOW)
    full = a_released_schedule(
        department=stopped.department, day=dt.date(2026, 11, 27), capacity=1, band_minutes=240
    )
    booking = a_paid_booking(schedule=full)
    ordinary = a_waiting(full)
    user = user_of(lost)

    ahead = a_waiting(full, user=user, patient=lost.patient, at=SOON)
    gives_back(booking)
    serve(SOON)

    assert ahead.owed_for_id == lost.pk
    ahead.refresh_from_db()
    ordinary.refresh_from_db()
    assert (ahead.status, ordinary.status) == ("offered", "waiting")


def test_a_right_not_used_within_a_day_is_over() -> None:
    _, (lost,) = a_full_schedule()
    actions.owe_first_offer(appointment=lost, by=SYSTEM, at=NOW)
    serve(NOW + dt.timedelta(hours=23))
    assert fates() == ["waiting"]

    serve(NOW + dt.timedelta(hours=24))

    assert fates() == ["cleared"]
    assert not Message.objects.filter(kind="N03").exists()


def test_what_costs_nothing_is_booked_as_it_is_offered() -> None:
    schedule, (booking,) = a_full_schedule(paid=0, unpaid=1, fee_fen=0)
    entry = a_waiting(schedule)
    gives_back(booking)

    serve()

    entry.refresh_from_db()
    assert entry.appointment is not None
    assert (entry.status, entry.appointment.status) == ("taken", "booked")
    assert told(entry) == ["N01"]


def test_m1_06_late_money_does_not_overtake_the_line() -> None:
    schedule, (booking,) = a_full_schedule(paid=0, unpaid=1)
    a_waiting(schedule)
    end = NOW + minutes(15)
    actions.release_unpaid(appointment_id=booking.pk, by=SYSTEM, at=end)
    pay(booking.bill, at=end)

    actions.confirm(bill_id=booking.bill_id, by=SYSTEM, at=end + minutes(1))

    booking.refresh_from_db()
    assert booking.status == AppointmentStatus.CANCELLED
    assert serve(end + minutes(1)) == 1


def test_waiting_does_not_stand_in_the_way_of_a_hold_and_counts_as_none() -> None:
    schedule, _ = a_full_schedule()
    user = a_wechat_user()
    patient = a_patient(user, at=NOW)
    a_booking(user=user, patient=patient)
    entry = a_waiting(schedule, user=user, patient=patient)
    assert entry.status == WaitlistStatus.WAITING


def test_m1_04_an_offer_nobody_has_answered_is_no_unpaid_hold() -> None:
    department, user = a_department(), a_wechat_user()
    patient = a_patient(user, at=NOW)
    schedule, (booking,) = a_full_schedule(department=department)
    entry = a_waiting(schedule, user=user, patient=patient)
    gives_back(booking)
    assert serve() == 1
    entry.refresh_from_db()
    assert entry.appointment is not None
    same_day = a_released_schedule(department=department)

    own = a_booking(user=user, patient=patient, at=SOON)

    assert own.status == AppointmentStatus.PENDING
    third = a_released_schedule()
    for other, code, number in (
        (schedule, "DUPLICATE", entry.appointment.number),
        (same_day, "LIMIT_DEPARTMENT_DAY", entry.appointment.number),
        (third, "LIMIT_UNPAID_PATIENT", own.number),
    ):
        again = partial(a_booking, user=user, patient=patient, schedule=other, at=SOON)
        assert no(code, again)["number"] == number


def test_m1_04_offers_of_the_list_do_not_count_for_the_user_either() -> None:
    user = a_wechat_user()
    for _ in range(2):
        schedule, (booking,) = a_full_schedule()
        a_waiting(schedule, user=user)
        gives_back(booking)
    assert serve() == 2

    for _ in range(2):
        a_booking(user=user, patient=a_patient(user, at=NOW), at=SOON)

    third, free = a_patient(user, at=NOW), a_released_schedule()
    no("LIMIT_UNPAID_USER", lambda: a_booking(user=user, patient=third, schedule=free, at=SOON))


def test_m1_05_a_booking_pays_no_statement_for_the_list() -> None:
    """The same for a session with a line and for one without: the claim asks what it reads."""
    counts = []
    for has_line in (False, True):
        schedule = a_released_schedule(
            capacity=2, band_minutes=240, shares={Pool.WECHAT: 1, Pool.WINDOW: 1}
        )
        if has_line:
            a_paid_booking(schedule=schedule)
            a_waiting(schedule)
        _, patient = someone()
        with CaptureQueriesContext(connection) as asked:
            actions.book(
                patient_id=patient.pk,
                schedule_id=schedule.pk,
                band_id=None,
                channel=Channel.WINDOW,
                key=f"window-{has_line}",
                by=SYSTEM,
                at=NOW,
            )
        statements = [one["sql"] for one in asked.captured_queries]
        assert not any("waitlist" in sql for sql in statements)
        counts.append(len(statements))
    assert counts[0] == counts[1]
