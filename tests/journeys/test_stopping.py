"""停诊 to its last consequence (M1.8, E3): everybody's money back and everybody told, once each,
whatever goes wrong on the way."""

from __future__ import annotations

from collections import Counter

import pytest
from django.test import Client
from django.urls import reverse

from hospital.identity.states import Role
from hospital.kernel import clock
from hospital.kernel.actors import SYSTEM
from hospital.messaging import queries as messaging
from hospital.messaging.models import Message
from hospital.messaging.states import CallStatus
from hospital.payments.models import PaymentCase, Refund
from hospital.registration import actions as registration
from hospital.registration.models import Appointment, WaitlistEntry
from hospital.registration.states import WaitlistStatus
from hospital.scheduling import queries as sessions
from hospital.scheduling.models import Schedule
from hospital.scheduling.states import Offer, Pool
from hospital.testing.people import a_patient, a_wechat_user, staff_client
from hospital.testing.schedules import NOW, a_released_schedule
from tests.journeys.called_off import Crowd, check_in, see
from tests.journeys.endings import books_balance
from tests.journeys.story import Story

FEE = 2500


@pytest.fixture
def office() -> Client:
    return staff_client(Role.OUTPATIENT_OFFICE)


def a_clinic(story: Story, capacity: int, *, at_window: int = 0) -> Schedule:
    """A session tomorrow morning, four hours; its numbers are on WeChat, but for the window's."""
    return a_released_schedule(
        department=story.schedule.department,
        capacity=capacity,
        fee_fen=FEE,
        shares={Pool.WECHAT: capacity - at_window, Pool.WINDOW: at_window},
        at=NOW,
    )


def stop(office: Client, schedule: Schedule, **more: str) -> int:
    form = {"code": "sick", "note": "发热", **more}
    answer = office.post(reverse("registration-stop", args=[schedule.pk]), form)
    return answer.status_code


def result_page(office: Client, schedule: Schedule) -> str:
    answer = office.get(reverse("registration-stopped", args=[schedule.pk]))
    assert answer.status_code == 200
    return answer.content.decode()


def told(kind: str) -> Counter[int]:
    rows = Message.objects.filter(kind=kind)
    return Counter(rows.values_list("subject_id", flat=True))


def each_refunded_and_told_once(
    crowd: Crowd, rows: list[Appointment], unpaid: list[Appointment] | None = None
) -> None:
    """By our books, by WeChat's, and on the phones; who had not paid is told all the same."""
    for row in rows:
        row.refresh_from_db()
    assert {(row.status, row.cancel_reason, row.is_late_cancel) for row in rows} == {
        ("cancelled", "hospital", False)
    }
    refunds = Refund.objects.filter(bill__in=[row.bill_id for row in rows])
    assert Counter(refunds.values_list("bill_id", flat=True)) == {row.bill_id: 1 for row in rows}
    assert set(refunds.values_list("status", "amount_fen")) == {("succeeded", FEE)}
    theirs = [row["amount_fen"] for row in crowd.state["refunds"] if row["status"] == "SUCCESS"]
    assert theirs == [FEE] * len(rows)
    assert told("N06") == {row.pk: 1 for row in (*rows, *(unpaid or []))}


def nothing_more_happens(office: Client, crowd: Crowd) -> None:
    """Pressing again, by the page and by the job: the same page, and nothing moves."""
    before = (
        Refund.objects.count(),
        Message.objects.count(),
        WaitlistEntry.objects.count(),
        len(crowd.state["refunds"]),
    )
    assert stop(office, crowd.schedule) == 302
    assert registration.cancel_suspended(schedule_id=crowd.schedule.pk) == 0
    for row in crowd.rows:
        assert not registration.cancel_suspended_one(
            appointment_id=row.pk, by=SYSTEM, at=clock.now()
        )
    crowd.story.time.passes(minutes=5)
    after = (
        Refund.objects.count(),
        Message.objects.count(),
        WaitlistEntry.objects.count(),
        len(crowd.state["refunds"]),
    )
    assert after == before


def call_off_a_crowd(story: Story, office: Client, count: int) -> None:
    """`count` paid bookings, refund calls failing in every way, two whom nothing reaches."""
    crowd = Crowd(story, a_clinic(story, count))
    rows = crowd.books(count)
    assert {row.status for row in rows} == {"booked"}
    assert (
        f"通知 {count} 位患者"
        in office.get(reverse("registration-stop", args=[crowd.schedule.pk])).content.decode()
    )
    story.wechat.fault("refund_not_enough", times=count // 6)
    story.wechat.fault("http_429", match="refund/domestic/refunds", times=count // 10)
    story.wechat.fault("http_500", match="refund/domestic/refunds", times=count // 10)
    story.wechat.fault("user_blocked", times=2)
    story.wechat.fault("sms_refused", times=2)

    assert stop(office, crowd.schedule) == 302
    story.time.work()
    assert "正在处理" in result_page(office, crowd.schedule)
    crowd.settles()

    each_refunded_and_told_once(crowd, rows)
    page = result_page(office, crowd.schedule)
    assert page.count("已退款") == count + 1  # one a row, and the sum
    assert "还有 2 位患者要打电话通知" in page
    calls = messaging.calls(status=CallStatus.OPEN)
    assert [call.reason for call in calls] == ["已被用户拒收"] * 2
    assert PaymentCase.objects.filter(closed_at=None).count() == 0
    assert WaitlistEntry.objects.filter(owed_for__in=rows).count() == count
    nothing_more_happens(office, crowd)


def test_m1_08_a_clinic_of_thirty_is_called_off_under_failing_refunds(
    story: Story, office: Client
) -> None:
    call_off_a_crowd(story, office, 30)
    books_balance(story, kept_fen=0)


@pytest.mark.thorough
def test_m1_08_a_clinic_of_three_hundred_is_called_off_under_failing_refunds(
    story: Story, office: Client
) -> None:
    call_off_a_crowd(story, office, 300)


def test_e3_a_doctor_stops_in_the_middle_of_the_morning(story: Story) -> None:
    crowd = Crowd(story, a_clinic(story, 21, at_window=1))
    seen, waiting, later = (crowd.books(count) for count in (6, 4, 8))
    later.append(crowd.books_at_window())
    story.time.sleeps(minutes=22 * 60)  # eight o'clock the next morning
    story.time.work()
    for row in (*seen, *waiting):
        check_in(row)
    for row in seen:
        see(row)
    story.time.sleeps(minutes=115)
    unpaid = crowd.books(2, pays=False)
    hopeful = a_wechat_user()
    entry = registration.join_waitlist(
        wechat_user_id=hopeful.pk,
        patient_id=a_patient(hopeful, at=clock.now()).pk,
        schedule_id=crowd.schedule.pk,
        by=SYSTEM,
        at=clock.now(),
    )
    story.time.sleeps(minutes=5)
    # Ten o'clock. Who booked at the window has no WeChat, and the phone does not take an SMS.
    story.wechat.fault("sms_refused")
    office = staff_client(Role.OUTPATIENT_OFFICE)

    assert stop(office, crowd.schedule, code="surgery", note="") == 302
    story.time.work()
    crowd.settles()

    undone = [*waiting, *later]
    assert len(undone) == 13
    each_refunded_and_told_once(crowd, undone, unpaid)
    for row in unpaid:
        row.refresh_from_db()
        ends = (row.status, row.cancel_reason, row.bill.status)
        assert ends == ("cancelled", "hospital", "cancelled")
    for row in seen:
        row.refresh_from_db()
        assert (row.status, row.slot.status) == ("fulfilled", "consumed")
        assert not Refund.objects.filter(bill=row.bill_id).exists()
    entry.refresh_from_db()
    assert entry.status == WaitlistStatus.CLEARED
    (call,) = messaging.calls(status=CallStatus.OPEN)
    assert call.says.startswith("就诊人：")
    page = result_page(office, crowd.schedule)
    assert "还有 1 位患者要打电话通知" in page
    assert "手术" in page
    session = sessions.session_facts(schedule_id=crowd.schedule.pk)
    assert sessions.offer_of(session, channel=None, at=clock.now()).state == Offer.SUSPENDED
    assert "停诊结果" in office.get(reverse("desk-board")).content.decode()
    nothing_more_happens(office, crowd)
