"""放号监控, 挂号费 and 默认比例 over HTTP, with figures counted by hand (M2.2, M2.5, M1.16)."""

import datetime as dt
import re
from collections.abc import Iterator

import pytest
import time_machine
from django.http import HttpResponse
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from hospital.catalogue import actions as catalogue
from hospital.catalogue.models import PriceItem
from hospital.identity.states import Role
from hospital.kernel import settings_rows
from hospital.kernel.actors import SYSTEM
from hospital.kernel.models import ConfigurationRow
from hospital.organisation.states import Title
from hospital.scheduling import actions, thresholds
from hospital.scheduling.models import Schedule
from hospital.scheduling.queries.releases import monitor
from hospital.testing.organisation import a_service_type
from hospital.testing.people import staff_client
from hospital.testing.schedules import NOW, TOMORROW, a_released_schedule, an_unreleased_schedule

pytestmark = pytest.mark.django_db
RELEASES, PRICES, SHARES = (
    "/staff/numbers/releases/",
    "/staff/numbers/prices/",
    "/staff/numbers/shares/",
)


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


def out_and_claimed(*after: float) -> tuple[Schedule, dt.datetime]:
    """A session released by its own clock, its numbers claimed so many seconds later."""
    schedule = an_unreleased_schedule(days_ahead=8)
    out = schedule.release_at
    assert actions.release_due(by=SYSTEM, at=out) == [schedule.pk]
    for seconds in after:
        at = out + dt.timedelta(seconds=seconds)
        actions.hold_slot(
            schedule_id=schedule.pk, until=at + dt.timedelta(minutes=15), by=SYSTEM, at=at
        )
    return schedule, out


def test_m1_01_the_monitor_says_what_comes_next_and_counts_down(office: Client) -> None:
    schedule = an_unreleased_schedule()
    an_unreleased_schedule()
    actions.release_due(by=SYSTEM, at=NOW)

    (wave,) = monitor(at=NOW).waves
    assert (wave.sessions, wave.departments, wave.numbers, wave.online) == (2, 2, 32, 32)
    assert wave.release_at == schedule.release_at
    shown = text(office.get(RELEASES))
    left = int((schedule.release_at - NOW).total_seconds())
    assert f'data-left="{left}"' in shown
    assert "今天还没有放号" in shown


def test_m1_16_how_fast_numbers_went_is_told_minute_by_minute(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    schedule, out = out_and_claimed(0.5, 1, 59, 61, 130, 599, 601)
    at = out + dt.timedelta(minutes=11)

    with django_assert_num_queries(6):
        (one,) = monitor(at=at).released

    assert one.session.id == schedule.pk
    assert one.minutes == (3, 1, 1, 0, 0, 0, 0, 0, 0, 1)
    assert (one.numbers, one.held, one.sold, one.left) == (16, 7, 0, 9)
    assert one.gone_after is None
    assert monitor(at=at).minutes == one.minutes


def test_m1_16_sold_out_is_when_the_last_number_was_first_claimed() -> None:
    schedule, out = out_and_claimed(*range(1, 17))
    again = schedule.slots.earliest("sequence_no")
    at = out + dt.timedelta(minutes=20)
    actions.free_slot(slot_id=again.pk, by=SYSTEM, at=at)
    actions.hold_slot(
        schedule_id=schedule.pk, until=at + dt.timedelta(minutes=15), by=SYSTEM, at=at
    )

    (one,) = monitor(at=at).released

    assert (one.gone_after, one.lapsed, one.left) == (16.0, 1, 0)
    assert sum(one.minutes) == 16


def test_a_release_that_did_not_happen_is_said_loudly(office: Client) -> None:
    schedule = an_unreleased_schedule()
    at = schedule.release_at + dt.timedelta(minutes=2)

    with time_machine.travel(at, tick=False):
        shown = text(staff_client(Role.OUTPATIENT_OFFICE).get(RELEASES))

    assert "有 1 个出诊过了放号时间还没有放出" in shown
    assert [one.id for one in monitor(at=at).late] == [schedule.pk]
    assert monitor(at=schedule.release_at).late == ()
    assert staff_client(Role.REGISTRATION_CLERK).get(RELEASES).status_code == 403


def test_m2_05_the_price_follows_service_and_title_on_the_visit_date(office: Client) -> None:
    kind = a_service_type(name="名医门诊", fee_fen=3000, fees=[(Title.CHIEF, 6000)])
    item = PriceItem.objects.get(service_fees__service_type=kind, service_fees__title=Title.CHIEF)
    catalogue.save_price_item(
        code=item.code,
        name=item.name,
        category=item.category,  # type: ignore[arg-type]
        unit=item.unit,
        price_fen=8000,
        valid_from=TOMORROW,
        by=SYSTEM,
        at=NOW,
    )
    a_released_schedule(service_type=kind)

    now = text(office.get(PRICES))
    then = text(office.get(PRICES, {"day": TOMORROW.isoformat()}))

    assert "¥60.00" in now
    assert "¥80.00" not in now
    assert "<b>¥80.00</b>" in then
    assert then.count("到那天有变化") == 1
    assert re.findall(r'class="x-num">(\d+)</td>', then) == ["0", "1"]  # the chief sits that day
    assert office.get(PRICES, {"day": "31.12.2026"}).status_code == 200


def test_m2_05_a_session_nobody_priced_is_named(office: Client) -> None:
    schedule = a_released_schedule(service_type=a_service_type(fee_fen=None))

    shown = text(office.get(PRICES, {"day": TOMORROW.isoformat()}))

    assert "这一天有 1 个出诊没有价格" in shown
    assert f'href="/staff/numbers/{schedule.pk}/"' in shown


def shares_form(scope: str, *, seen: int = 0, **more: str) -> dict[str, str]:
    form = {"scope": scope, "wechat": "50", "kiosk": "5", "reserved": "20", "add_on": "10"}
    return {**form, "reason": "老年病多", "seen": str(seen), **more}


def test_m2_02_the_office_sets_the_shares_of_a_department(office: Client) -> None:
    schedule = a_released_schedule()
    scope = f"department:{schedule.department_id}"

    answer = office.post(SHARES, shares_form(scope))

    assert answer.status_code == 302
    place = settings_rows.Scope("department", schedule.department_id)
    assert thresholds.quota_percents(place) == {"wechat": 50, "kiosk": 5, "reserved": 20}
    assert thresholds.quota_percents() == {"wechat": 60, "kiosk": 10, "reserved": 10}
    shown = text(office.get(SHARES))
    assert f"科室：{schedule.department.name}" in shown
    assert "老年病多" in shown
    own = text(office.get(SHARES, {"scope": scope}))
    assert f'value="{scope}" selected' in own
    assert 'name="wechat" value="50"' in own
    assert 'name="add_on" value="10"' in own
    seen = ConfigurationRow.objects.latest("pk").pk
    with time_machine.travel(NOW + dt.timedelta(minutes=1), tick=False):
        back = office.post(SHARES, shares_form(scope, seen=seen, way="back"))
        assert thresholds.quota_percents(place) == {"wechat": 60, "kiosk": 10, "reserved": 10}
    assert back.status_code == 302


NONSENSE: tuple[tuple[dict[str, str], int], ...] = (
    ({"wechat": "90"}, 422),
    ({"wechat": "-1"}, 422),
    ({"wechat": "101", "kiosk": "0", "reserved": "0"}, 422),
    ({"add_on": "101"}, 422),
    ({"scope": "department:999999"}, 422),
    ({"scope": "patient:1"}, 422),
    ({"reason": ""}, 422),
    ({"way": "back"}, 422),
    ({"seen": "7"}, 409),
    ({"seen": "x"}, 409),
)


def test_m2_02_shares_that_make_no_sense_change_nothing(office: Client) -> None:
    for wrong, status in NONSENSE:
        answer = office.post(SHARES, shares_form("hospital:0") | wrong)
        assert answer.status_code == status, wrong
        assert 'role="alert"' in text(answer)
    assert not ConfigurationRow.objects.exists()


def test_m2_02_two_who_set_shares_do_not_overwrite_each_other(office: Client) -> None:
    office.post(SHARES, shares_form("hospital:0"))
    rows = ConfigurationRow.objects.count()

    answer = office.post(SHARES, shares_form("hospital:0", wechat="70"))

    assert answer.status_code == 409
    assert "刚刚被别人改过" in text(answer)
    assert ConfigurationRow.objects.count() == rows


def test_m2_02_quota_is_merged_at_the_time_set_for_it() -> None:
    schedule = a_released_schedule()
    settings_rows.set_value(setting=thresholds.MERGE_TIME, value="06:00", by=SYSTEM, at=NOW)
    midnight = schedule.starts_at - dt.timedelta(hours=8)
    with time_machine.travel(midnight, tick=False):
        settings_rows.forget()
        before = actions.merge_due(today=TOMORROW, at=midnight)
        due = actions.merge_due(today=TOMORROW, at=midnight + dt.timedelta(hours=6))

    assert (before, due) == (0, 16)
