"""停诊 taken back: what the stop withheld comes back, and nothing else (SM1)."""

from collections import Counter

import pytest

from hospital.kernel import audit
from hospital.kernel.actors import SYSTEM, Actor
from hospital.kernel.errors import NotFound
from hospital.scheduling import actions, queries
from hospital.scheduling.actions import CannotResume, CannotSuspend, SlotTaken
from hospital.scheduling.models import Schedule, Slot
from hospital.scheduling.states import Channel, Offer
from hospital.testing.schedules import (
    NOW,
    TOMORROW,
    a_released_schedule,
    an_unreleased_schedule,
    band_of,
    moment,
)

pytestmark = pytest.mark.django_db
OFFICE = Actor("staff", 1)


def numbers(schedule: Schedule) -> Counter[tuple[str, str]]:
    return Counter(Slot.objects.filter(schedule=schedule).values_list("status", "withheld"))


def stop(schedule: Schedule) -> None:
    actions.suspend_schedule(schedule_id=schedule.pk, reason="病假", by=OFFICE, at=NOW)


def test_sm1_resuming_gives_back_only_what_the_stop_withheld() -> None:
    schedule = a_released_schedule(capacity=8)
    kept = schedule.slots.order_by("sequence_no")[:2]
    actions.block_numbers(
        schedule_id=schedule.pk,
        slot_ids=[slot.pk for slot in kept],
        reason="专家带教",
        by=OFFICE,
        at=NOW,
    )
    actions.hold_slot(schedule_id=schedule.pk, band_id=None, until=NOW, by=SYSTEM, at=NOW)
    stop(schedule)
    assert numbers(schedule) == {("blocked", "office"): 2, ("blocked", "stop"): 5, ("held", ""): 1}

    actions.resume_schedule(schedule_id=schedule.pk, reason="医生已到", by=OFFICE, at=NOW)

    schedule.refresh_from_db()
    assert (schedule.status, schedule.suspend_reason) == ("released", "")
    assert numbers(schedule) == {("blocked", "office"): 2, ("free", ""): 5, ("held", ""): 1}
    wanted = audit.Wanted(by=["staff:1"], acts=["scheduling.resume", "scheduling.suspend"])
    assert [(row.act, row.after) for row in audit.find(wanted)] == [
        ("scheduling.resume", {"given_back": 5}),
        ("scheduling.suspend", {"withheld": 5}),
    ]


def test_sm1_a_session_cannot_be_resumed_twice_or_once_it_should_have_begun() -> None:
    schedule = a_released_schedule()
    with pytest.raises(CannotResume):
        actions.resume_schedule(schedule_id=schedule.pk, reason="x", by=OFFICE, at=NOW)
    stop(schedule)
    with pytest.raises(CannotSuspend):
        stop(schedule)

    with pytest.raises(CannotResume, match="出诊时间已到"):
        actions.resume_schedule(
            schedule_id=schedule.pk, reason="x", by=OFFICE, at=moment(TOMORROW, 8)
        )
    with pytest.raises(NotFound):
        actions.resume_schedule(schedule_id=0, reason="x", by=OFFICE, at=NOW)

    schedule.refresh_from_db()
    assert schedule.status == "suspended"
    assert numbers(schedule) == {("blocked", "stop"): 16}


def test_sm1_a_session_stopped_in_the_middle_takes_no_more_patients() -> None:
    schedule = a_released_schedule(capacity=4, band_minutes=240)
    at = moment(TOMORROW, 10)
    actions.start_sessions(by=SYSTEM, at=at)

    actions.suspend_schedule(schedule_id=schedule.pk, reason="手术", by=OFFICE, at=at)

    with pytest.raises(SlotTaken):
        actions.hold_slot(
            schedule_id=schedule.pk, band_id=band_of(schedule).pk, until=at, by=SYSTEM, at=at
        )
    assert numbers(schedule) == {("blocked", "stop"): 4}


def test_m1_16_a_session_stopped_and_resumed_before_its_release_stays_closed_till_then() -> None:
    schedule = an_unreleased_schedule()
    stop(schedule)
    actions.resume_schedule(schedule_id=schedule.pk, reason="医生已到", by=OFFICE, at=NOW)

    facts = queries.session_facts(schedule_id=schedule.pk)
    early = queries.offer_of(facts, channel=Channel.WINDOW, at=NOW)
    out = queries.offer_of(facts, channel=None, at=schedule.release_at)

    assert (early.state, early.left) == (Offer.NOT_RELEASED, 0)
    assert (out.state, out.left) == (Offer.AVAILABLE, 16)
