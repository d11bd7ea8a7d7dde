"""Numbers are claimed once, given back with a delay, and never oversold (SM2, M1.5)."""

import datetime as dt
import random

import pytest

from hospital.kernel import settings_rows
from hospital.kernel.actors import SYSTEM
from hospital.kernel.errors import Stale
from hospital.kernel.states import history
from hospital.scheduling import actions, thresholds
from hospital.scheduling.actions import SlotTaken
from hospital.scheduling.models import Schedule, Slot
from hospital.scheduling.queries import FreeBand
from hospital.scheduling.states import TAKEN, SlotStatus
from hospital.testing.organisation import LONG_AGO
from hospital.testing.schedules import (
    NOW,
    TOMORROW,
    a_released_schedule,
    an_unreleased_schedule,
    band_of,
    moment,
)

pytestmark = pytest.mark.django_db
UNTIL = NOW + dt.timedelta(minutes=15)


def hold(schedule: Schedule, band_id: int | None = None, *, at: dt.datetime = NOW) -> Slot:
    return actions.hold_slot(
        schedule_id=schedule.pk, band_id=band_id, until=UNTIL, by=SYSTEM, at=at
    )


def alternatives(refusal: SlotTaken) -> list[FreeBand]:
    found = refusal.details["alternatives"]
    assert isinstance(found, list)
    return found


def test_sm2_numbers_of_a_band_are_held_in_order() -> None:
    schedule = a_released_schedule(capacity=8)
    second = band_of(schedule, 1)

    slots = [hold(schedule, second.pk), hold(schedule, second.pk)]

    assert [slot.sequence_no for slot in slots] == [3, 4]
    stored = Slot.objects.get(pk=slots[0].pk)
    assert (stored.status, stored.held_until) == ("held", UNTIL)
    assert [(row.from_status, row.to_status, row.by) for row in history(stored)] == [
        ("free", "held", "system:0")
    ]


def test_m1_02_a_full_band_is_refused_with_the_nearest_three_free_bands() -> None:
    schedule = a_released_schedule(capacity=4)
    wanted = band_of(schedule, 1)
    hold(schedule, wanted.pk)
    before = Slot.objects.filter(status=SlotStatus.HELD).count()

    with pytest.raises(SlotTaken) as refused:
        hold(schedule, wanted.pk)

    offered = alternatives(refused.value)
    assert [band.band_id for band in offered] == [
        band_of(schedule, 0).pk,
        band_of(schedule, 2).pk,
        band_of(schedule, 3).pk,
    ]
    assert Slot.objects.filter(status=SlotStatus.HELD).count() == before


def test_m1_02_alternatives_are_the_same_session_then_doctor_then_department() -> None:
    full = a_released_schedule(capacity=1, band_minutes=240)
    hold(full)
    same_doctor = a_released_schedule(
        day=TOMORROW + dt.timedelta(days=1),
        department=full.department,
        practitioner=full.practitioner,
        capacity=1,
        band_minutes=240,
    )
    same_day = a_released_schedule(
        department=full.department,
        capacity=1,
        band_minutes=240,
        starts=dt.time(14),
        ends=dt.time(17),
    )
    a_released_schedule(capacity=1, band_minutes=240)

    with pytest.raises(SlotTaken) as refused:
        hold(full)

    assert [band.schedule_id for band in alternatives(refused.value)] == [
        same_doctor.pk,
        same_day.pk,
    ]


def test_m1_16_nothing_can_be_held_before_release_or_after_the_band() -> None:
    unreleased, today = an_unreleased_schedule(), a_released_schedule(capacity=4)
    first = band_of(today)

    with pytest.raises(SlotTaken):
        hold(unreleased)
    with pytest.raises(SlotTaken):
        hold(today, first.pk, at=first.ends_at)

    assert not Slot.objects.filter(status=SlotStatus.HELD).exists()


def test_m1_08_a_hold_undone_behind_a_suspension_frees_nothing_to_claim() -> None:
    schedule = a_released_schedule(capacity=4)
    held = hold(schedule)
    actions.suspend_schedule(schedule_id=schedule.pk, reason="病假", by=SYSTEM, at=NOW)
    actions.free_slot(slot_id=held.pk, by=SYSTEM, at=NOW)

    with pytest.raises(SlotTaken):
        hold(schedule)


def test_sm2_a_held_number_is_booked_or_freed_at_once_and_only_once() -> None:
    schedule = a_released_schedule(capacity=4)
    booked, freed = hold(schedule), hold(schedule)

    actions.book_slot(slot_id=booked.pk, by=SYSTEM, at=NOW)
    actions.free_slot(slot_id=freed.pk, by=SYSTEM, at=NOW)

    assert Slot.objects.get(pk=booked.pk).status == SlotStatus.BOOKED
    assert Slot.objects.get(pk=freed.pk).status == SlotStatus.FREE
    for again in (booked, freed):
        with pytest.raises(Stale):
            actions.book_slot(slot_id=again.pk, by=SYSTEM, at=NOW)
        with pytest.raises(Stale):
            actions.free_slot(slot_id=again.pk, by=SYSTEM, at=NOW)


def test_m1_15_a_cancelled_number_comes_back_after_a_random_delay() -> None:
    schedule = a_released_schedule(capacity=12)
    waits = set()
    for _ in range(12):
        slot = hold(schedule)
        actions.book_slot(slot_id=slot.pk, by=SYSTEM, at=NOW)
        actions.free_slot(slot_id=slot.pk, wait=True, by=SYSTEM, at=NOW)
        stored = Slot.objects.get(pk=slot.pk)
        assert stored.free_at is not None
        waits.add(stored.free_at - NOW)

    assert min(waits) >= dt.timedelta(minutes=5)
    assert max(waits) <= dt.timedelta(minutes=30)
    assert len(waits) > 1
    assert actions.reclaim_due(by=SYSTEM, at=NOW + dt.timedelta(minutes=5, seconds=-1)) == 0
    assert actions.reclaim_due(by=SYSTEM, at=NOW + dt.timedelta(minutes=30)) == 12
    assert actions.reclaim_due(by=SYSTEM, at=NOW + dt.timedelta(minutes=30)) == 0
    assert set(schedule.slots.values_list("status", flat=True)) == {SlotStatus.FREE}


def test_m1_15_the_delay_is_configuration() -> None:
    for setting in (thresholds.RECLAIM_MINUTES_MIN, thresholds.RECLAIM_MINUTES_MAX):
        settings_rows.set_value(setting=setting, value=0, by=SYSTEM, at=LONG_AGO)
    slot = hold(a_released_schedule())
    actions.book_slot(slot_id=slot.pk, by=SYSTEM, at=NOW)

    actions.free_slot(slot_id=slot.pk, wait=True, by=SYSTEM, at=NOW)

    assert actions.reclaim_due(by=SYSTEM, at=NOW) == 1


def test_sm2_free_numbers_expire_with_their_band() -> None:
    schedule = a_released_schedule(capacity=4)
    held = hold(schedule)

    expired = actions.expire_due(at=moment(TOMORROW, 10))

    assert expired == 1
    assert list(schedule.slots.order_by("sequence_no").values_list("status", flat=True)) == [
        "held",
        "expired",
        "free",
        "free",
    ]
    assert Slot.objects.get(pk=held.pk).status == SlotStatus.HELD


def test_a_preferred_number_is_taken_when_free() -> None:
    schedule = a_released_schedule(capacity=4, band_minutes=240)
    third = schedule.slots.get(sequence_no=3)

    first, second = (
        actions.hold_slot(
            schedule_id=schedule.pk, prefer_slot_id=third.pk, until=UNTIL, by=SYSTEM, at=NOW
        )
        for _ in range(2)
    )

    assert (first.sequence_no, second.sequence_no) == (3, 1)


def test_sm2_the_invariant_holds_whatever_happens_in_whatever_order() -> None:
    schedule = a_released_schedule(capacity=6, band_minutes=120)
    chance = random.Random(20261122)
    at, mine = NOW, dict[int, str]()
    for _ in range(150):
        at += dt.timedelta(minutes=chance.randint(0, 3))
        _something(schedule, mine, chance, at)
        for band in schedule.bands.all():
            taken = band.slots.filter(status__in=TAKEN).count()
            assert taken <= band.capacity
        assert schedule.slots.filter(status__in=TAKEN).count() <= schedule.capacity
        assert schedule.slots.count() == schedule.capacity


def _something(
    schedule: Schedule, mine: dict[int, str], chance: random.Random, at: dt.datetime
) -> None:
    """One random legal step; claims beyond the capacity must be refused."""
    act = chance.choice(["hold", "hold", "hold", "book", "free", "cancel", "reclaim"])
    of = {"book": "held", "free": "held", "cancel": "booked"}.get(act, "")
    candidates = [slot_id for slot_id, status in mine.items() if status == of]
    if act == "hold":
        free = schedule.slots.filter(status=SlotStatus.FREE).exists()
        try:
            slot = hold(schedule, at=at)
        except SlotTaken:
            assert not free
        else:
            assert slot.pk not in mine
            mine[slot.pk] = "held"
    elif act == "reclaim":
        actions.reclaim_due(by=SYSTEM, at=at)
    elif candidates:
        slot_id = chance.choice(candidates)
        if act == "book":
            actions.book_slot(slot_id=slot_id, by=SYSTEM, at=at)
            mine[slot_id] = "booked"
        else:
            actions.free_slot(slot_id=slot_id, wait=act == "cancel", by=SYSTEM, at=at)
            del mine[slot_id]
