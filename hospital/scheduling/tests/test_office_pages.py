"""The outpatient office's pages of number sources over HTTP: the calendar and one session (M2)."""

import datetime as dt
from collections import Counter
from collections.abc import Iterator

import pytest
import time_machine
from django.http import HttpResponse
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from hospital.identity.states import Role
from hospital.kernel import clock
from hospital.kernel.actors import SYSTEM
from hospital.kernel.models import AuditEntry
from hospital.scheduling import actions
from hospital.scheduling.actions import BandWish
from hospital.scheduling.models import Schedule
from hospital.scheduling.states import Pool, SessionPeriod
from hospital.testing.organisation import a_department, a_practitioner, a_room
from hospital.testing.people import a_staff, staff_client
from hospital.testing.schedules import (
    NOW,
    TOMORROW,
    a_released_schedule,
    band_of,
    change_capacity,
    moment,
)

pytestmark = pytest.mark.django_db
CALENDAR = "/staff/numbers/"
UNTIL = NOW + dt.timedelta(minutes=15)
MIXED = {Pool.WECHAT: 10, Pool.WINDOW: 3, Pool.KIOSK: 1, Pool.RESERVED: 2}


@pytest.fixture(autouse=True)
def _monday_at_ten() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def office() -> Client:
    return staff_client(Role.OUTPATIENT_OFFICE)


def text(answer: object) -> str:
    assert isinstance(answer, HttpResponse)
    return " ".join(answer.content.decode().split())


def page_of(schedule: Schedule) -> str:
    return f"{CALENDAR}{schedule.pk}/"


def sold(schedule: Schedule, *, places: int, band: int = 0) -> None:
    for _ in range(places):
        slot = actions.hold_slot(
            schedule_id=schedule.pk,
            band_id=band_of(schedule, band).pk,
            until=UNTIL,
            by=SYSTEM,
            at=NOW,
        )
        actions.book_slot(slot_id=slot.pk, by=SYSTEM, at=NOW)


def numbers(schedule: Schedule) -> list[tuple[int, str, str]]:
    """Every number with pool and status: what a refused form must leave alone."""
    return list(schedule.slots.order_by("sequence_no").values_list("sequence_no", "pool", "status"))


def sizes(schedule: Schedule) -> list[int]:
    return list(schedule.bands.order_by("starts_at").values_list("capacity", flat=True))


def bands_form(schedule: Schedule, *capacities: int, **more: str) -> dict[str, str]:
    form = {"reason": "院领导会议", **more}
    for band, capacity in zip(schedule.bands.order_by("starts_at"), capacities, strict=True):
        ends = f"{clock.local(band.ends_at):%H:%M}"
        form |= {f"seen-{band.pk}": str(band.capacity), f"capacity-{band.pk}": str(capacity)}
        form |= {f"seen-ends-{band.pk}": ends}
        form.setdefault(f"ends-{band.pk}", ends)
    return form


def test_the_calendar_shows_every_channels_share(office: Client) -> None:
    schedule = a_released_schedule(shares=MIXED)
    sold(schedule, places=3)

    shown = text(office.get(CALENDAR, {"day": TOMORROW.isoformat()}))

    assert "微信 3/10" in shown
    assert "窗口 0/3" in shown
    assert "自助机 0/1" in shown
    assert "预留 0/2" in shown
    assert f'href="{page_of(schedule)}"' in shown
    assert "没有符合条件的出诊" in text(office.get(CALENDAR))
    assert "没有符合条件的出诊" in text(
        office.get(CALENDAR, {"day": "2026-11-24", "q": "没有这人"})
    )
    assert office.get(CALENDAR, {"day": "9999-12-31", "department": "x"}).status_code == 200


def test_the_calendar_asks_as_often_for_a_day_of_many(
    office: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    day = {"day": TOMORROW.isoformat()}
    a_released_schedule()
    office.get(CALENDAR, day)
    with django_assert_num_queries(10):
        office.get(CALENDAR, day)
    for _ in range(5):
        a_released_schedule()
    with django_assert_num_queries(10):
        office.get(CALENDAR, day)


def test_a_doctor_sees_the_own_department_only() -> None:
    here, elsewhere = a_released_schedule(), a_released_schedule()
    doctor = staff_client(account=a_staff(Role.DOCTOR, department=here.department))

    shown = text(doctor.get(CALENDAR, {"day": TOMORROW.isoformat()}))

    assert page_of(here) in shown
    assert page_of(elsewhere) not in shown
    assert doctor.get(page_of(elsewhere)).status_code == 404
    own = text(doctor.get(page_of(here)))
    assert "保存时段" not in own
    before = numbers(here)
    assert doctor.post(f"{page_of(here)}bands/", bands_form(here, 1, 1, 1, 1)).status_code == 403
    assert numbers(here) == before


def test_m2_02_the_page_works_the_rounding_out(office: Client) -> None:
    schedule = a_released_schedule(capacity=16)

    shown = text(office.get(page_of(schedule)))

    assert (
        "微信 16×60%=9.6 取整 9，自助机 16×10%=1.6 取整 1，预留 16×10%=1.6 取整 1，其余 5 个归窗口"
    ) in shown
    assert "就诊当日 00:00 未约的并入公共号池，窗口保留 2 个到 09:30" in shown


def test_m2_02_the_page_says_that_the_pools_are_merged() -> None:
    schedule = a_released_schedule(shares=MIXED)
    with time_machine.travel(moment(TOMORROW, 0), tick=False):
        actions.merge_due(today=TOMORROW, at=moment(TOMORROW, 0))
        shown = text(staff_client(Role.OUTPATIENT_OFFICE).get(page_of(schedule)))

    assert "就诊当日 00:00 已把未约的并入公共号池，各渠道都能约，不用再分配" in shown
    assert "窗口的最后 2 个保留到 09:30" in shown
    assert Counter(schedule.slots.values_list("pool", flat=True)) == {"public": 14, "window": 2}


def test_m2_02_what_is_merged_is_not_dealt_out_again() -> None:
    schedule = a_released_schedule(shares=MIXED)
    form = {"reason": "调给微信", "seen-public": "14", "seen-window": "2", "left-wechat": "9"}
    midnight = moment(TOMORROW, 0)
    with time_machine.travel(midnight, tick=False):
        actions.merge_due(today=TOMORROW, at=midnight)
        office = staff_client(Role.OUTPATIENT_OFFICE)
        shown = text(office.get(page_of(schedule)))
        answer = office.post(f"{page_of(schedule)}shares/", form)

    assert "保存分配" not in shown
    assert "保存时段" in shown
    assert answer.status_code == 409
    assert "已并入公共号池，各渠道都能约，不用再分配" in text(answer)
    assert Counter(schedule.slots.values_list("pool", flat=True)) == {"public": 14, "window": 2}


def test_m2_03_shrinking_below_the_booked_is_refused_band_by_band(office: Client) -> None:
    schedule = a_released_schedule()
    sold(schedule, places=3)
    sold(schedule, places=2, band=1)
    before = numbers(schedule), AuditEntry.objects.count()

    answer = office.post(f"{page_of(schedule)}bands/", bands_form(schedule, 1, 1, 9, 4))

    shown = text(answer)
    assert answer.status_code == 409
    assert "08:00 起的时段已约出 3 个号；09:00 起的时段已约出 2 个号，号数不能改得更少" in shown
    assert shown.count("改不了这么少") == 2
    assert 'value="9"' in shown  # what was typed is not lost
    assert (numbers(schedule), AuditEntry.objects.count()) == before
    assert sizes(schedule) == [4, 4, 4, 4]


def test_m2_01_several_bands_change_in_one_act(office: Client) -> None:
    schedule = a_released_schedule()
    sold(schedule, places=3)

    answer = office.post(f"{page_of(schedule)}bands/", bands_form(schedule, 3, 6, 4, 0))

    assert answer.status_code == 302
    assert sizes(schedule) == [3, 6, 4, 0]
    schedule.refresh_from_db()
    assert schedule.capacity == 13
    shown = text(office.get(page_of(schedule)))
    assert "09:00 时段 号数 4 → 6" in shown
    assert "院领导会议" in shown


def test_m2_02_numbers_added_to_several_bands_are_dealt_together(office: Client) -> None:
    schedule = a_released_schedule()

    office.post(f"{page_of(schedule)}bands/", bands_form(schedule, 6, 5, 3, 6))

    assert sizes(schedule) == [6, 5, 3, 6]
    assert Schedule.objects.get(pk=schedule.pk).capacity == 20
    added = schedule.slots.filter(sequence_no__gt=16).order_by("sequence_no")
    places = {band.pk: place for place, band in enumerate(schedule.bands.order_by("starts_at"))}
    assert [places[slot.band_id] for slot in added] == [0, 0, 1, 3, 3]
    # Five numbers: three are 60 %, a tenth of five is none, the window has the rest.
    assert Counter(slot.pool for slot in added) == {"wechat": 3, "window": 2}


def test_m2_03_two_clerks_do_not_overwrite_each_other(office: Client) -> None:
    schedule = a_released_schedule()
    form = bands_form(schedule, 4, 4, 4, 2)
    change_capacity(band_of(schedule, 3), 6, reason="加开")

    answer = office.post(f"{page_of(schedule)}bands/", form)

    assert answer.status_code == 409
    assert "刚刚被别人改过" in text(answer)
    assert sizes(schedule) == [4, 4, 4, 6]


def test_m2_03_an_end_a_colleague_moved_meanwhile_is_not_moved_back(office: Client) -> None:
    schedule = a_released_schedule()
    first, later = band_of(schedule), moment(TOMORROW, 8, 45)
    stale = bands_form(schedule, 5, 4, 4, 4)
    mine = bands_form(schedule, 4, 4, 4, 4, **{f"ends-{first.pk}": "08:30"})
    actions.change_bands(
        schedule_id=schedule.pk,
        wishes=[BandWish(first.pk, 4, 4, later, first.ends_at)],
        reason="早走",
        by=SYSTEM,
        at=NOW,
    )

    assert office.post(f"{page_of(schedule)}bands/", stale).status_code == 302
    answer = office.post(f"{page_of(schedule)}bands/", mine)

    assert sizes(schedule) == [5, 4, 4, 4]
    assert answer.status_code == 409
    shown = text(answer)
    assert "结束时间刚刚被别人改过" in shown
    assert 'value="08:30"' in shown
    assert "<small>现在 08:45</small>" in shown
    assert "<small>现在 5</small>" in shown
    first.refresh_from_db()
    assert first.ends_at == later


def test_m2_03_a_band_that_is_over_gets_no_more_numbers() -> None:
    schedule = a_released_schedule()
    before = numbers(schedule)
    with time_machine.travel(moment(TOMORROW, 9), tick=False):
        actions.expire_due(at=moment(TOMORROW, 9))
        office = staff_client(Role.OUTPATIENT_OFFICE)
        more = office.post(f"{page_of(schedule)}bands/", bands_form(schedule, 5, 4, 4, 4))
        fewer = office.post(f"{page_of(schedule)}bands/", bands_form(schedule, 3, 4, 4, 4))

    assert more.status_code == 422
    assert "这个时段已经过去" in text(more)
    assert fewer.status_code == 409
    assert "08:00 起的时段已过时 4 个号，号数不能改得更少" in text(fewer)
    assert [one[:2] for one in numbers(schedule)] == [one[:2] for one in before]


def test_m2_03_a_band_ends_earlier_only_when_nobody_is_left_outside(office: Client) -> None:
    schedule = a_released_schedule()
    sold(schedule, places=3)
    first = band_of(schedule)

    early = {f"ends-{first.pk}": "08:30"}
    refused = office.post(f"{page_of(schedule)}bands/", bands_form(schedule, 4, 4, 4, 4, **early))
    first.refresh_from_db()
    ended_then = first.ends_at
    later = {f"ends-{first.pk}": "08:45"}
    done = office.post(f"{page_of(schedule)}bands/", bands_form(schedule, 4, 4, 4, 4, **later))

    assert refused.status_code == 409
    assert "08:30 之后还有 1 个已约的号" in text(refused)
    assert ended_then == moment(TOMORROW, 9)
    assert done.status_code == 302
    first.refresh_from_db()
    assert first.ends_at == moment(TOMORROW, 8, 45)
    over = {f"ends-{first.pk}": "09:15"}
    answer = office.post(f"{page_of(schedule)}bands/", bands_form(schedule, 4, 4, 4, 4, **over))
    assert answer.status_code == 422
    assert "08:00 起的时段，结束时间应在 08:00 之后，最晚 09:00。" in text(answer)
    first.refresh_from_db()
    assert first.ends_at == moment(TOMORROW, 8, 45)
    assert "08:00 时段 结束 09:00 → 08:45" in text(office.get(page_of(schedule)))


def test_a_size_that_is_none_changes_nothing(office: Client) -> None:
    schedule = a_released_schedule()
    form, first = bands_form(schedule, 4, 4, 4, 4), f"capacity-{band_of(schedule).pk}"

    for wrong in ("-1", "501", "4.0", "四", "", "9" * 50):
        answer = office.post(f"{page_of(schedule)}bands/", form | {first: wrong})
        assert answer.status_code == 422, wrong
    nothing = office.post(f"{page_of(schedule)}bands/", bands_form(schedule, 0, 0, 0, 0))

    assert nothing.status_code == 422
    assert "请办理停诊" in text(nothing)
    assert sizes(schedule) == [4, 4, 4, 4]


def test_every_change_needs_a_reason(office: Client) -> None:
    schedule, room = a_released_schedule(), a_room()
    before = numbers(schedule), AuditEntry.objects.count()
    forms = {
        "bands": bands_form(schedule, 5, 4, 4, 4),
        "shares": {"seen-wechat": "16", "left-wechat": "2"},
        "numbers": {"band": str(band_of(schedule).pk), "act": "block"},
        "room": {"room": str(room.pk)},
    }

    answers = {
        name: office.post(f"{page_of(schedule)}{name}/", form | {"reason": "  "})
        for name, form in forms.items()
    }

    assert [answer.status_code for answer in answers.values()] == [422] * 4
    assert all("请写明原因" in text(answer) for answer in answers.values())
    # What was chosen is still chosen.
    assert f'value="{band_of(schedule).pk}" checked' in text(answers["numbers"])
    assert f'value="{room.pk}" selected' in text(answers["room"])
    assert (numbers(schedule), AuditEntry.objects.count()) == before


def test_m2_02_shares_are_dealt_anew_and_the_window_gets_the_rest(office: Client) -> None:
    schedule = a_released_schedule(capacity=16)
    sold(schedule, places=2)
    form = {"reason": "老年义诊", "seen-wechat": "16", "left-wechat": "4", "left-reserved": "6"}

    answer = office.post(f"{page_of(schedule)}shares/", form)

    assert answer.status_code == 302
    assert Counter(schedule.slots.values_list("pool", flat=True)) == {
        "wechat": 2 + 4,
        "reserved": 6,
        "window": 4,
    }
    again = office.post(f"{page_of(schedule)}shares/", form)
    assert again.status_code == 409
    assert "渠道分配刚刚变过" in text(again)


def test_m2_02_the_default_deals_what_is_left_by_the_percentages(office: Client) -> None:
    schedule = a_released_schedule(capacity=16)
    sold(schedule, places=4)
    form = {"reason": "恢复默认", "seen-wechat": "16", "how": "default"}

    office.post(f"{page_of(schedule)}shares/", form)

    left = schedule.slots.filter(status="free").values_list("pool", flat=True)
    assert Counter(left) == {"wechat": 7, "kiosk": 1, "reserved": 1, "window": 3}


def test_m2_02_more_than_there_is_cannot_be_dealt(office: Client) -> None:
    schedule = a_released_schedule(capacity=16)
    before = numbers(schedule)
    form = {"reason": "试试", "seen-wechat": "16", "left-wechat": "10", "left-kiosk": "7"}

    answer = office.post(f"{page_of(schedule)}shares/", form)

    assert answer.status_code == 422
    assert "还没有约出的号只有 16 个" in text(answer)
    assert numbers(schedule) == before


def test_a_band_is_withheld_and_given_back(office: Client) -> None:
    schedule = a_released_schedule()
    sold(schedule, places=1)
    band = str(band_of(schedule).pk)

    office.post(f"{page_of(schedule)}numbers/", {"band": band, "act": "block", "reason": "抢救"})

    states = [status for _, _, status in numbers(schedule)]
    assert states[:4] == ["booked", "blocked", "blocked", "blocked"]
    assert set(states[4:]) == {"free"}
    assert "停号 2、3、4（3 个）" in text(office.get(page_of(schedule)))
    back = {"number": str(schedule.slots.get(sequence_no=3).pk), "act": "unblock", "reason": "好了"}
    office.post(f"{page_of(schedule)}numbers/", back)
    assert [status for _, _, status in numbers(schedule)][:4] == [
        "booked",
        "blocked",
        "free",
        "blocked",
    ]


def test_numbers_of_another_session_are_not_found(office: Client) -> None:
    schedule, other = a_released_schedule(), a_released_schedule()
    before = numbers(other)
    form = {"number": str(other.slots.earliest("pk").pk), "act": "block", "reason": "错"}

    assert office.post(f"{page_of(schedule)}numbers/", form).status_code == 404
    assert office.post(f"{page_of(schedule)}bands/", bands_form(other, 9, 9, 9, 9)).status_code in {
        302,
        404,
    }
    assert numbers(other) == before
    assert sizes(schedule) == [4, 4, 4, 4]


def test_m15_02_a_room_is_taken_once(office: Client) -> None:
    room, other_room = a_room(), a_room()
    schedule = a_released_schedule(room=room)
    a_released_schedule(room=other_room)
    form = {"room": str(other_room.pk), "reason": "空调坏了"}

    refused = office.post(f"{page_of(schedule)}room/", form)
    free = a_room()
    done = office.post(
        f"{page_of(schedule)}room/", form | {"room": str(free.pk), "seen-room": str(room.pk)}
    )
    late = office.post(
        f"{page_of(schedule)}room/", form | {"room": str(a_room().pk), "seen-room": str(room.pk)}
    )

    assert refused.status_code == 409
    assert "这间诊室在这个时间已有别的出诊" in text(refused)
    assert done.status_code == 302
    assert late.status_code == 409
    assert "诊室刚刚被别人换过" in text(late)
    none = office.post(f"{page_of(schedule)}room/", form | {"room": ""})
    assert none.status_code == 422
    assert "请选择诊室" in text(none)
    schedule.refresh_from_db()
    assert schedule.room_id == free.pk
    assert f"诊室 {room.name} → {free.name}" in text(office.get(page_of(schedule)))


def test_a_session_that_is_off_is_shown_and_not_changed(office: Client) -> None:
    schedule = a_released_schedule(session_period=SessionPeriod.AM)
    actions.suspend_schedule(schedule_id=schedule.pk, reason="医生生病", by=SYSTEM, at=NOW)
    before = numbers(schedule)

    shown = text(office.get(page_of(schedule)))
    answer = office.post(f"{page_of(schedule)}bands/", bands_form(schedule, 5, 4, 4, 4))

    assert "医生生病" in shown
    assert "保存时段" not in shown
    assert answer.status_code == 409
    assert "已停诊或已结束" in text(answer)
    assert numbers(schedule) == before


def test_long_names_and_an_unpriced_session_are_shown(office: Client) -> None:
    department = a_department(name="中医肛肠外科与盆底疾病诊疗中心（东院区）")
    doctor = a_practitioner(department, name="欧阳上官婉儿")
    schedule = a_released_schedule(department=department, practitioner=doctor)

    shown = text(office.get(page_of(schedule)))

    assert "欧阳上官婉儿" in shown
    assert "¥25.00" in shown
