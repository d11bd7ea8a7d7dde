"""How many numbers a session has, for whom they are kept, and which are withheld (M2.1-M2.4)."""

import datetime as dt
from collections import Counter

import pytest

from hospital.kernel import settings_rows
from hospital.kernel.actors import SYSTEM
from hospital.kernel.errors import Invalid, NotFound, Stale
from hospital.kernel.models import AuditEntry
from hospital.kernel.states import history
from hospital.scheduling import actions, queries, thresholds
from hospital.scheduling.actions import (
    AddOnsUsedUp,
    CapacityTooSmall,
    SessionOver,
    SlotTaken,
)
from hospital.scheduling.models import Schedule, Slot
from hospital.scheduling.states import Channel, Pool, SessionPeriod, SlotStatus
from hospital.testing.organisation import LONG_AGO
from hospital.testing.schedules import (
    NOW,
    TOMORROW,
    a_released_schedule,
    an_unreleased_schedule,
    band_of,
    change_capacity,
    moment,
)

pytestmark = pytest.mark.django_db
UNTIL = NOW + dt.timedelta(minutes=15)
MIXED = {Pool.WECHAT: 4, Pool.WINDOW: 2, Pool.KIOSK: 1, Pool.RESERVED: 1}


def hold(schedule: Schedule, channel: Channel = Channel.WECHAT, *, at: dt.datetime = NOW) -> Slot:
    return actions.hold_slot(
        schedule_id=schedule.pk, until=UNTIL, channel=channel, by=SYSTEM, at=at
    )


def pools(schedule: Schedule) -> Counter[str]:
    return Counter(schedule.slots.values_list("pool", flat=True))


def facts(schedule: Schedule) -> list[tuple[int, str, str]]:
    """Every number with pool and status: what a refused act must leave alone."""
    return list(schedule.slots.order_by("pk").values_list("sequence_no", "pool", "status"))


def test_m2_02_numbers_are_dealt_by_the_percentages_in_force_for_the_doctor() -> None:
    schedule = a_released_schedule(capacity=10)
    settings_rows.set_value(
        setting=thresholds.WECHAT_PERCENT,
        value=30,
        scope=settings_rows.Scope("practitioner", schedule.practitioner_id or 0),
        by=SYSTEM,
        at=LONG_AGO,
    )
    assert schedule.template is not None
    day = TOMORROW + dt.timedelta(days=7)
    type(schedule.template).objects.update(valid_to=day + dt.timedelta(days=1))
    actions.generate_schedules(through=day, by=SYSTEM, at=NOW)

    made = Schedule.objects.get(template=schedule.template, visit_date=day)

    assert pools(made) == {"wechat": 3, "window": 5, "kiosk": 1, "reserved": 1}


def test_m2_02_a_channel_claims_its_own_numbers_and_public_ones_only() -> None:
    schedule = a_released_schedule(capacity=8, shares=MIXED)

    for _ in range(4):
        hold(schedule, Channel.WECHAT)
    with pytest.raises(SlotTaken):
        hold(schedule, Channel.WECHAT)
    with pytest.raises(SlotTaken):
        hold(schedule, Channel.PARTNER)
    hold(schedule, Channel.KIOSK)
    hold(schedule, Channel.WINDOW)

    taken = schedule.slots.filter(status=SlotStatus.HELD)
    assert Counter(taken.values_list("pool", flat=True)) == {"wechat": 4, "kiosk": 1, "window": 1}


def test_m1_02_each_channel_sees_what_it_can_claim() -> None:
    schedule = a_released_schedule(capacity=8, shares=MIXED)
    session = queries.session_facts(schedule_id=schedule.pk)

    left = {channel: queries.offer_of(session, channel=channel, at=NOW).left for channel in Channel}

    assert left == {
        Channel.WECHAT: 4,
        Channel.PARTNER: 4,
        Channel.WINDOW: 2,
        Channel.KIOSK: 1,
        Channel.PHONE: 1,
        Channel.REFERRAL: 1,
        Channel.DOCTOR: 1,
    }
    assert queries.offer_of(session, channel=None, at=NOW).left == 8


def test_m1_11_online_closes_half_an_hour_before_the_window_does() -> None:
    schedule = a_released_schedule(capacity=8, shares=MIXED)
    session = queries.session_facts(schedule_id=schedule.pk)
    late = schedule.ends_at - dt.timedelta(minutes=30)

    assert queries.offer_of(session, channel=Channel.WECHAT, at=late).state == "ended"
    assert queries.offer_of(session, channel=Channel.PARTNER, at=late).state == "ended"
    assert queries.offer_of(session, channel=Channel.WINDOW, at=late).state == "available"


def test_m2_02_unused_quota_is_everybodys_at_midnight_but_the_windows_last_two() -> None:
    schedule = a_released_schedule(capacity=8, shares={Pool.WECHAT: 4, Pool.WINDOW: 4})
    midnight = moment(TOMORROW, 0)
    before = pools(schedule)

    assert actions.merge_due(today=TOMORROW - dt.timedelta(days=1), at=NOW) == 0
    assert pools(schedule) == before
    assert actions.merge_due(today=TOMORROW, at=midnight) == 6
    assert actions.merge_due(today=TOMORROW, at=midnight) == 0

    kept = schedule.slots.filter(pool=Pool.WINDOW).order_by("sequence_no")
    assert pools(schedule) == {"public": 6, "window": 2}
    assert [slot.sequence_no for slot in kept] == [6, 8]
    assert actions.merge_due(today=TOMORROW, at=moment(TOMORROW, 9, 30)) == 2
    assert pools(schedule) == {"public": 8}


def test_m2_02_sold_numbers_keep_their_pool_and_come_back_public() -> None:
    schedule = a_released_schedule(capacity=4, shares={Pool.WECHAT: 4})
    slot = hold(schedule)
    actions.book_slot(slot_id=slot.pk, by=SYSTEM, at=NOW)

    actions.merge_due(today=TOMORROW, at=moment(TOMORROW, 0))
    assert pools(schedule) == {"public": 3, "wechat": 1}
    actions.free_slot(slot_id=slot.pk, wait=True, by=SYSTEM, at=moment(TOMORROW, 6))
    actions.merge_due(today=TOMORROW, at=moment(TOMORROW, 6, 1))

    assert pools(schedule) == {"public": 4}


def test_m2_02_what_comes_back_after_midnight_of_a_night_session_is_everybodys_too() -> None:
    schedule = a_released_schedule(
        capacity=4,
        shares={Pool.WECHAT: 4},
        session_period=SessionPeriod.NIGHT,
        starts=dt.time(22),
        ends=dt.time(6),
    )
    slot = hold(schedule)
    actions.book_slot(slot_id=slot.pk, by=SYSTEM, at=NOW)
    actions.merge_due(today=TOMORROW, at=moment(TOMORROW, 0))
    later = moment(TOMORROW + dt.timedelta(days=1), 0, 30)

    actions.free_slot(slot_id=slot.pk, wait=True, by=SYSTEM, at=later)
    actions.merge_due(today=TOMORROW + dt.timedelta(days=1), at=later)

    assert pools(schedule) == {"public": 4}


def test_m2_03_more_places_are_new_numbers_behind_the_last() -> None:
    schedule = a_released_schedule(capacity=8, band_minutes=120)
    first = band_of(schedule)

    change_capacity(first, 6, seen=4)

    schedule.refresh_from_db()
    added = first.slots.filter(sequence_no__gt=8).order_by("sequence_no")
    assert schedule.capacity == 10
    assert [(slot.sequence_no, slot.status) for slot in added] == [(9, "free"), (10, "free")]
    assert band_of(schedule, 1).slots.count() == 4
    entry = AuditEntry.objects.filter(act="scheduling.change_capacity").latest("pk")
    assert (entry.before["capacity"], entry.after["capacity"]) == (4, 6)


def test_m2_03_numbers_added_before_the_release_come_out_with_it() -> None:
    schedule = an_unreleased_schedule()
    band = band_of(schedule)

    change_capacity(band, band.capacity + 1)
    assert set(schedule.slots.values_list("status", flat=True)) == {"planned"}
    actions.release_due(by=SYSTEM, at=schedule.release_at)

    assert Counter(schedule.slots.values_list("status", flat=True)) == {"free": 17}


def test_m2_03_fewer_places_take_the_latest_numbers_nobody_has() -> None:
    schedule = a_released_schedule(capacity=4, band_minutes=240)
    band = band_of(schedule)
    slot = hold(schedule)

    change_capacity(band, 2, reason="门诊缩短")

    schedule.refresh_from_db()
    gone = schedule.slots.filter(status=SlotStatus.WITHDRAWN).order_by("sequence_no")
    assert schedule.capacity == 2
    assert [row.sequence_no for row in gone] == [3, 4]
    assert [(row.from_status, row.to_status, row.reason) for row in history(gone[0])] == [
        ("free", "withdrawn", "门诊缩短")
    ]
    assert Slot.objects.get(pk=slot.pk).status == "held"


def test_m2_03_fewer_than_are_booked_is_refused_and_changes_nothing() -> None:
    schedule = a_released_schedule(capacity=4, band_minutes=240)
    band = band_of(schedule)
    for _ in range(3):
        hold(schedule)
    before = facts(schedule), AuditEntry.objects.count()

    with pytest.raises(CapacityTooSmall) as refused:
        change_capacity(band, 2)

    band.refresh_from_db()
    assert refused.value.details["bands"] == {band.pk: 3}
    assert (facts(schedule), AuditEntry.objects.count()) == before
    assert (band.capacity, Schedule.objects.get(pk=schedule.pk).capacity) == (4, 4)


@pytest.mark.parametrize("capacity", [-1, 501])
def test_m2_03_an_impossible_capacity_is_refused(capacity: int) -> None:
    schedule = a_released_schedule(capacity=4)
    before = facts(schedule)

    with pytest.raises(Invalid):
        change_capacity(band_of(schedule), capacity)

    assert facts(schedule) == before


def test_m2_06_two_clerks_editing_one_day_do_not_overwrite_each_other() -> None:
    schedule = a_released_schedule(capacity=4)
    band = band_of(schedule)
    change_capacity(band, 3, seen=1)
    before = facts(schedule)

    with pytest.raises(Stale):
        change_capacity(band, 2, seen=1)

    assert facts(schedule) == before


def test_numbers_are_withheld_and_given_back_but_never_taken_from_anybody() -> None:
    schedule = a_released_schedule(capacity=4)
    slot = hold(schedule)
    ids = list(schedule.slots.values_list("pk", flat=True))

    blocked = actions.block_numbers(
        schedule_id=schedule.pk, slot_ids=ids, reason="会诊", by=SYSTEM, at=NOW
    )
    with pytest.raises(SlotTaken):
        hold(schedule)
    freed = actions.unblock_numbers(
        schedule_id=schedule.pk, slot_ids=ids, reason="会诊取消", by=SYSTEM, at=NOW
    )

    assert (blocked, freed) == (3, 3)
    assert Slot.objects.get(pk=slot.pk).status == "held"
    assert Counter(schedule.slots.values_list("status", flat=True)) == {"held": 1, "free": 3}


def test_numbers_withheld_by_a_called_off_session_are_not_the_offices_to_give_back() -> None:
    schedule = a_released_schedule(capacity=4)
    ids = list(schedule.slots.values_list("pk", flat=True))
    actions.suspend_schedule(schedule_id=schedule.pk, reason="出差", by=SYSTEM, at=NOW)
    before = facts(schedule)

    with pytest.raises(SessionOver):
        actions.unblock_numbers(
            schedule_id=schedule.pk, slot_ids=ids, reason="x", by=SYSTEM, at=NOW
        )

    assert facts(schedule) == before


def test_numbers_of_another_session_are_not_found() -> None:
    schedule, other = a_released_schedule(capacity=2), a_released_schedule(capacity=2)
    stranger = other.slots.earliest("pk").pk
    before = facts(schedule), facts(other)

    with pytest.raises(NotFound):
        actions.block_numbers(
            schedule_id=schedule.pk, slot_ids=[stranger], reason="x", by=SYSTEM, at=NOW
        )

    assert (facts(schedule), facts(other)) == before


def test_sharing_out_more_than_is_left_is_refused() -> None:
    schedule = a_released_schedule(capacity=4)
    hold(schedule)
    before = facts(schedule)

    with pytest.raises(Invalid):
        actions.share_numbers(
            schedule_id=schedule.pk, shares={Pool.KIOSK: 4}, reason="x", by=SYSTEM, at=NOW
        )

    assert facts(schedule) == before
    got = actions.share_numbers(
        schedule_id=schedule.pk, shares={Pool.KIOSK: 1}, reason="x", by=SYSTEM, at=NOW
    )
    assert got == {Pool.KIOSK: 1, Pool.WINDOW: 2}


def test_m2_04_add_on_numbers_are_counted_apart_and_limited() -> None:
    schedule = a_released_schedule(capacity=10)
    band = band_of(schedule)

    slots = [actions.add_slot(band_id=band.pk, until=UNTIL, by=SYSTEM, at=NOW) for _ in range(2)]
    with pytest.raises(AddOnsUsedUp):
        actions.add_slot(band_id=band.pk, until=UNTIL, by=SYSTEM, at=NOW)

    assert [slot.label for slot in slots] == ["A01", "A02"]
    assert schedule.slots.filter(is_add_on=False).count() == 10
    assert schedule.slots.filter(is_add_on=True).count() == 2


def test_m2_04_an_add_on_given_back_is_nobodys() -> None:
    schedule = a_released_schedule(capacity=10)
    band = band_of(schedule)
    held = actions.add_slot(band_id=band.pk, until=UNTIL, by=SYSTEM, at=NOW)
    sold = actions.add_slot(band_id=band.pk, until=UNTIL, by=SYSTEM, at=NOW)
    actions.book_slot(slot_id=sold.pk, by=SYSTEM, at=NOW)

    actions.free_slot(slot_id=held.pk, by=SYSTEM, at=NOW)
    actions.free_slot(slot_id=sold.pk, wait=True, by=SYSTEM, at=NOW)

    added = schedule.slots.filter(is_add_on=True)
    assert set(added.values_list("status", flat=True)) == {"withdrawn"}
    again = actions.add_slot(band_id=band.pk, until=UNTIL, by=SYSTEM, at=NOW)
    assert again.label == "A03"


def test_a_session_that_is_over_takes_no_change() -> None:
    schedule = a_released_schedule(capacity=4)
    band = band_of(schedule)
    actions.start_sessions(by=SYSTEM, at=schedule.ends_at)
    actions.close_sessions(schedule_ids=[schedule.pk], by=SYSTEM, at=schedule.ends_at)
    before = facts(schedule)

    for call in (
        lambda: actions.add_slot(band_id=band.pk, until=UNTIL, by=SYSTEM, at=NOW),
        lambda: change_capacity(band, 9),
        lambda: actions.share_numbers(
            schedule_id=schedule.pk, shares={}, reason="x", by=SYSTEM, at=NOW
        ),
    ):
        with pytest.raises(SessionOver):
            call()

    assert facts(schedule) == before
