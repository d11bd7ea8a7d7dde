"""One act over many sessions: what the preview tells is what happens, or nothing is (M2.6)."""

import datetime as dt
import re
from collections import Counter
from collections.abc import Iterator

import pytest
import time_machine
from django.db import connection
from django.http import HttpResponse
from django.test.utils import CaptureQueriesContext

from hospital.identity.states import Role
from hospital.kernel.actors import SYSTEM
from hospital.kernel.errors import Invalid, Stale
from hospital.kernel.models import AuditEntry
from hospital.kernel.request_keys import KeyReused
from hospital.scheduling import actions
from hospital.scheduling.actions import BatchHasConflicts
from hospital.scheduling.models import Schedule, Slot
from hospital.scheduling.queries.batches import BatchWish, plan_batch
from hospital.scheduling.states import BatchKind, Pool
from hospital.testing.organisation import a_department, a_room
from hospital.testing.people import staff_client
from hospital.testing.schedules import NOW, TOMORROW, a_released_schedule, band_of, moment

pytestmark = pytest.mark.django_db
BATCH = "/staff/numbers/batch/"
WEDNESDAY = TOMORROW + dt.timedelta(days=1)


@pytest.fixture(autouse=True)
def _monday_at_ten() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


def a_wish(kind: BatchKind, **more: object) -> BatchWish:
    return BatchWish(kind=kind, first=TOMORROW, latest=WEDNESDAY, **more)  # type: ignore[arg-type]


def run(wish: BatchWish, *, digest: str = "", only_possible: bool = False, key: str = "k") -> int:
    return actions.run_batch(
        wish=wish,
        digest=digest or plan_batch(wish=wish, at=NOW).digest,
        only_possible=only_possible,
        reason="义诊",
        key=key,
        by=SYSTEM,
        at=NOW,
    )


def sold(schedule: Schedule, *, places: int) -> list[Slot]:
    found = [
        actions.hold_slot(
            schedule_id=schedule.pk, until=NOW + dt.timedelta(minutes=15), by=SYSTEM, at=NOW
        )
        for _ in range(places)
    ]
    for slot in found:
        actions.book_slot(slot_id=slot.pk, by=SYSTEM, at=NOW)
    return found


def state() -> list[tuple[int, int, str, str]]:
    """Every number there is: what a refused batch must leave alone."""
    return list(Slot.objects.order_by("pk").values_list("pk", "band_id", "pool", "status"))


def sizes(schedule: Schedule) -> list[int]:
    return list(schedule.bands.order_by("starts_at").values_list("capacity", flat=True))


def test_m2_06_a_batch_reaches_the_days_departments_weekdays_and_periods_asked_for() -> None:
    tuesday, wednesday = a_released_schedule(), a_released_schedule(day=WEDNESDAY)
    a_released_schedule(day=WEDNESDAY + dt.timedelta(days=1))

    def found(**more: object) -> list[int]:
        plan = plan_batch(wish=a_wish(BatchKind.BLOCK, **more), at=NOW)
        return [line.session.id for line in plan.lines]

    assert found() == [tuesday.pk, wednesday.pk]
    assert found(weekdays=(3,)) == [wednesday.pk]
    assert found(department_ids=(tuesday.department_id,)) == [tuesday.pk]
    assert found(periods=("pm",)) == []
    assert found(weekdays=(2, 3), periods=("am", "pm")) == [tuesday.pk, wednesday.pk]


def test_m2_06_the_preview_lists_conflicts_first_and_changes_nothing() -> None:
    full, free = a_released_schedule(), a_released_schedule(day=WEDNESDAY)
    sold(full, places=3)
    before = state()

    plan = plan_batch(wish=a_wish(BatchKind.CAPACITY, set_to=2), at=NOW)

    assert [(line.session.id, line.effect, line.conflict) for line in plan.lines] == [
        (full.pk, "号数 16 → 8", "08:00 已约出 3 个"),
        (free.pk, "号数 16 → 8", ""),
    ]
    assert state() == before


def test_m2_06_all_or_nothing_unless_chosen_otherwise() -> None:
    full, free = a_released_schedule(), a_released_schedule(day=WEDNESDAY)
    sold(full, places=3)
    wish = a_wish(BatchKind.CAPACITY, set_to=2)
    before = state(), AuditEntry.objects.count()

    with pytest.raises(BatchHasConflicts):
        run(wish)
    assert (state(), AuditEntry.objects.count()) == before
    assert (sizes(full), sizes(free)) == ([4] * 4, [4] * 4)

    assert run(wish, only_possible=True) == 1
    assert (sizes(full), sizes(free)) == ([4] * 4, [2] * 4)
    entry = AuditEntry.objects.get(act="scheduling.run_batch")
    assert (entry.after["sessions"], entry.after["left_out"]) == (1, 1)


def test_m2_06_what_changed_since_the_preview_stops_the_batch() -> None:
    schedule, other = a_released_schedule(), a_released_schedule(day=WEDNESDAY)
    wish = a_wish(BatchKind.BLOCK)
    shown = plan_batch(wish=wish, at=NOW).digest
    latest = schedule.slots.latest("sequence_no").pk
    actions.block_numbers(
        schedule_id=schedule.pk, slot_ids=[latest], reason="会议", by=SYSTEM, at=NOW
    )
    before = state()

    with pytest.raises(Stale):
        run(wish, digest=shown)

    assert state() == before
    assert run(wish) == 2
    assert other.slots.filter(status="blocked").count() == 16


def test_m2_06_numbers_patients_take_meanwhile_are_left_to_them_and_stop_nothing() -> None:
    schedule, other = a_released_schedule(), a_released_schedule(day=WEDNESDAY)
    block = a_wish(BatchKind.BLOCK, department_ids=(schedule.department_id,))
    half = a_wish(
        BatchKind.SHARES,
        percents=((Pool.WECHAT, 50),),
        department_ids=(other.department_id,),
    )
    seen = [plan_batch(wish=wish, at=NOW).digest for wish in (block, half)]
    theirs = {slot.pk for one in (schedule, other) for slot in sold(one, places=3)}

    assert run(block, digest=seen[0]) == 1
    assert run(half, digest=seen[1], key="half") == 1

    assert schedule.slots.filter(status="blocked").count() == 13
    left = other.slots.filter(status="free").values_list("pool", flat=True)
    assert Counter(left) == {"wechat": 6, "window": 7}
    assert {pk for pk, _, _, status in state() if status == "booked"} == theirs


def test_m2_06_a_preview_is_of_one_wish_and_carries_out_no_other() -> None:
    a_released_schedule()
    before = state()
    pairs = (
        (a_wish(BatchKind.BLOCK, pool="kiosk"), a_wish(BatchKind.BLOCK)),
        (
            a_wish(BatchKind.SHARES, percents=((Pool.WECHAT, 50),)),
            a_wish(BatchKind.SHARES, percents=((Pool.WECHAT, 90),)),
        ),
    )

    for shown, other in pairs:
        with pytest.raises(Stale):
            run(other, digest=plan_batch(wish=shown, at=NOW).digest)

    assert state() == before


def test_m2_02_a_batch_leaves_what_is_merged_and_what_is_over() -> None:
    schedule = a_released_schedule()
    at = moment(TOMORROW, 9)
    wish = a_wish(BatchKind.CAPACITY, change_by=1)

    (line,) = plan_batch(wish=wish, at=at).lines
    (merged,) = plan_batch(wish=a_wish(BatchKind.SHARES), at=at).lines

    assert line.effect == "号数 16 → 19"
    assert [band_id for band_id, _, _ in line.capacities] == [
        band_of(schedule, place).pk for place in (1, 2, 3)
    ]
    assert merged.conflict == "当天未约的号已并入公共号池"


def test_m2_06_pressing_twice_does_it_once() -> None:
    schedule = a_released_schedule()
    wish = a_wish(BatchKind.CAPACITY, change_by=1)
    shown = plan_batch(wish=wish, at=NOW).digest

    assert [run(wish, digest=shown), run(wish, digest=shown)] == [1, 1]

    assert sizes(schedule) == [5] * 4
    with pytest.raises(KeyReused):
        run(wish)
    assert sizes(schedule) == [5] * 4


def test_m2_06_many_sessions_cost_no_more_statements_than_one() -> None:
    """Whoever waits behind the batch's locks waits for a moment, however many it changes."""
    kinds: list[dict[str, object]] = [
        {"kind": BatchKind.CAPACITY, "change_by": 1},
        {"kind": BatchKind.CAPACITY, "change_by": -2},
        {"kind": BatchKind.SHARES, "percents": ((Pool.KIOSK, 40),)},
        {"kind": BatchKind.BLOCK},
        {"kind": BatchKind.UNBLOCK},
    ]
    one = a_released_schedule(department=(small := a_department()))
    others = [a_released_schedule(department=(large := a_department()))]
    others += [a_released_schedule(department=large, day=WEDNESDAY) for _ in range(2)]
    asked: dict[int, list[int]] = {}
    for department in (small, large):
        for place, kind in enumerate(kinds):
            wish = a_wish(**kind, department_ids=(department.pk,))  # type: ignore[arg-type]
            digest = plan_batch(wish=wish, at=NOW).digest
            with CaptureQueriesContext(connection) as statements:
                run(wish, digest=digest, key=f"{department.pk}-{place}")
            asked.setdefault(department.pk, []).append(len(statements))
    assert asked[small.pk] == asked[large.pk]
    for schedule in (one, *others):
        schedule.refresh_from_db()
        assert (sizes(schedule), schedule.capacity) == ([3] * 4, 12)
        told = AuditEntry.objects.filter(subject_id=schedule.pk, by=str(SYSTEM), reason="义诊")
        assert Counter(told.values_list("act", flat=True)) == {
            "scheduling.change_capacity": 8,
            "scheduling.share_numbers": 1,
            "scheduling.block_numbers": 1,
            "scheduling.unblock_numbers": 1,
        }


def test_m2_02_shares_of_what_is_left_in_many_sessions() -> None:
    schedule = a_released_schedule()
    sold(schedule, places=4)
    percents = ((Pool.WECHAT, 50), (Pool.KIOSK, 10), (Pool.RESERVED, 0))
    wish = a_wish(BatchKind.SHARES, percents=percents)

    (line,) = plan_batch(wish=wish, at=NOW).lines
    assert line.effect == "未约 12 个：微信 12→6，窗口 0→5，自助机 0→1"
    run(wish)

    left = schedule.slots.filter(status="free")
    counted = {pool: left.filter(pool=pool).count() for pool in Pool.values}
    assert counted == {"wechat": 6, "window": 5, "kiosk": 1, "reserved": 0, "public": 0}
    assert plan_batch(wish=wish, at=NOW).untouched == 1


def test_numbers_are_withheld_by_pool_and_time_and_given_back() -> None:
    schedule = a_released_schedule(shares={Pool.WECHAT: 8, Pool.WINDOW: 8})
    sold(schedule, places=1)
    early = {"before": dt.time(10), "pool": "wechat"}

    (line,) = plan_batch(wish=a_wish(BatchKind.BLOCK, **early), at=NOW).lines
    assert (line.effect, line.note) == ("停 3 个号", "另有 1 个已约出，不动")
    run(a_wish(BatchKind.BLOCK, **early))

    blocked = schedule.slots.filter(status="blocked")
    assert set(blocked.values_list("pool", flat=True)) == {"wechat"}
    assert {slot.band_id for slot in blocked} <= {band_of(schedule).pk, band_of(schedule, 1).pk}
    assert run(a_wish(BatchKind.UNBLOCK), key="back") == 1
    assert schedule.slots.filter(status="free").count() == 15


def test_m15_02_a_room_is_given_to_one_session_at_a_time() -> None:
    room = a_room()
    first = a_released_schedule()
    a_released_schedule()
    later = a_released_schedule(starts=dt.time(14), ends=dt.time(17))
    wish = a_wish(BatchKind.ROOM, room_id=room.pk)

    plan = plan_batch(wish=wish, at=NOW)

    assert [line.conflict for line in plan.lines] == ["诊室被针灸推拿科占用", "", ""]
    assert run(wish, only_possible=True) == 2
    held = Schedule.objects.filter(room=room).values_list("pk", flat=True)
    assert set(held) == {first.pk, later.pk}


def test_a_session_that_is_off_or_over_is_left_alone() -> None:
    stopped, over = a_released_schedule(), a_released_schedule(day=WEDNESDAY)
    actions.suspend_schedule(schedule_id=stopped.pk, reason="生病", by=SYSTEM, at=NOW)
    at = moment(WEDNESDAY, 7)
    wish = a_wish(BatchKind.CAPACITY, set_to=5)

    plan = plan_batch(wish=wish, at=NOW)
    assert [(line.session.id, line.conflict) for line in plan.lines] == [
        (stopped.pk, "已停诊"),
        (over.pk, ""),
    ]
    assert [line.session.id for line in plan_batch(wish=wish, at=at).lines] == [over.pk]


def test_a_range_too_wide_is_refused() -> None:
    far = TOMORROW + dt.timedelta(days=93)
    for first, latest in ((TOMORROW, far), (WEDNESDAY, TOMORROW)):
        with pytest.raises(Invalid):
            plan_batch(wish=BatchWish(kind=BatchKind.BLOCK, first=first, latest=latest), at=NOW)


def text(answer: object) -> str:
    assert isinstance(answer, HttpResponse)
    return " ".join(answer.content.decode().split())


def hidden(shown: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]+)"', shown)
    assert found, name
    return found[1]


def test_the_office_looks_first_then_does_it_once() -> None:
    office = staff_client(Role.OUTPATIENT_OFFICE)
    schedule = a_released_schedule()
    form = {
        "kind": "capacity",
        "change_by": "-1",
        "first": TOMORROW.isoformat(),
        "latest": WEDNESDAY.isoformat(),
    }
    assert "要做什么" in text(office.get(BATCH))

    shown = text(office.post(BATCH, form))
    assert "号数 16 → 12" in shown
    assert sizes(schedule) == [4] * 4
    save = {
        **form,
        "step": "save",
        "way": "all",
        "reason": "节后减号",
        **{name: hidden(shown, name) for name in ("digest", "key")},
    }
    answers = [office.post(BATCH, save), office.post(BATCH, save)]

    assert [answer.status_code for answer in answers] == [302, 302]
    assert sizes(schedule) == [3] * 4
    changed = AuditEntry.objects.filter(act="scheduling.change_capacity")
    assert set(changed.values_list("reason", flat=True)) == {"节后减号"}


NONSENSE: tuple[dict[str, str], ...] = (
    {"kind": "everything"},
    {"first": "明天"},
    {"set_to": "3", "change_by": "1"},
    {"set_to": "", "change_by": "0"},
    {"set_to": "-2", "change_by": ""},
    {"change_by": "9999"},
    {"kind": "shares", "wechat": "90", "kiosk": "20"},
    {"kind": "room", "room": "x"},
    {"kind": "room", "room": "999999"},
    {"department": "全部"},
    {"after": "25:00"},
)


def test_a_form_that_makes_no_sense_says_what_is_wrong() -> None:
    office = staff_client(Role.OUTPATIENT_OFFICE)
    a_released_schedule()
    before = state()
    form = {"kind": "capacity", "change_by": "1", "first": "2026-11-24", "latest": "2026-11-25"}

    for wrong in NONSENSE:
        answer = office.post(BATCH, form | {"set_to": ""} | wrong)
        assert answer.status_code == 422, wrong
        assert 'role="alert"' in text(answer)
    assert state() == before


def test_nobody_but_the_office_works_in_batches() -> None:
    for role in (Role.REGISTRATION_CLERK, Role.DEPARTMENT_HEAD, Role.SYSTEM_ADMIN):
        assert staff_client(role).get(BATCH).status_code == 403
