"""The outpatient office's pages of number sources in Chromium: worked by hand and keys, accessible,
nothing sticking out. Pictures land in test-artifacts/numbers/."""

from __future__ import annotations

import datetime as dt

import pytest
from playwright.sync_api import Browser, ViewportSize, expect
from pytest_django.live_server_helper import LiveServer

from hospital.identity.states import Role
from hospital.kernel import clock
from hospital.kernel.actors import SYSTEM
from hospital.scheduling import actions
from hospital.scheduling.states import Pool
from hospital.testing.browser import Watch
from hospital.testing.organisation import a_department, a_practitioner
from hospital.testing.people import a_staff
from hospital.testing.schedules import a_released_schedule, band_of
from tests.browser.looking import Check
from tests.browser.windows import SMALL, a_desk, without_live

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
check = Check("numbers", is_quiet=True)
TABLET: ViewportSize = {"width": 820, "height": 1180}
REFUSED = "the server responded with a status of 4"
MIXED = {Pool.WECHAT: 18, Pool.WINDOW: 6, Pool.KIOSK: 3, Pool.RESERVED: 3}


class Hints:
    """Stands in for the live channel: the test says when a hint comes."""

    SCRIPT = """
        window.EventSource = class {
          constructor() { window.hints = this; this.readyState = 1; }
          close() {}
        };
        window.EventSource.OPEN = 1;
    """
    SEND = "hints.onmessage({ data: JSON.stringify('schedules') })"


def test_m1_16_the_monitor_moves_though_claims_never_stop(
    browser: Browser, live_server: LiveServer, watched: Watch
) -> None:
    context = a_desk(browser, live_server, a_staff(Role.OUTPATIENT_OFFICE), SMALL)
    context.add_init_script(Hints.SCRIPT)
    page = watched(context.new_page())
    page.clock.install()
    page.goto("/staff/numbers/releases/")
    page.clock.pause_at(clock.now() + dt.timedelta(minutes=1))

    # Ten a second, and no pause between them; the clock stands still afterwards.
    with page.expect_response("**/staff/numbers/releases/", timeout=5_000):
        for _ in range(45):
            page.evaluate(Hints.SEND)
            page.clock.run_for(100)

    expect(page.get_by_text("今天还没有放号")).to_be_visible()
    context.close()


@pytest.mark.thorough
def test_the_office_works_on_a_session(
    browser: Browser, live_server: LiveServer, watched: Watch
) -> None:
    at = clock.now()
    tomorrow = clock.today() + dt.timedelta(days=1)
    long = a_department(name="中医肛肠外科与盆底疾病诊疗中心（东院区）")
    schedule = a_released_schedule(
        day=tomorrow,
        department=long,
        practitioner=a_practitioner(long, name="欧阳上官婉儿"),
        capacity=30,
        shares=MIXED,
        at=at,
    )
    for _ in range(6):
        a_released_schedule(day=tomorrow, department=a_department(), capacity=30, at=at)
    for place in range(7):
        slot = actions.hold_slot(
            schedule_id=schedule.pk,
            band_id=band_of(schedule, place // 4).pk,
            until=at + dt.timedelta(minutes=15),
            by=SYSTEM,
            at=at,
        )
        if place % 3:
            actions.book_slot(slot_id=slot.pk, by=SYSTEM, at=at)
    account = a_staff(Role.OUTPATIENT_OFFICE, display_name="陆知微")
    context = a_desk(browser, live_server, account, SMALL)
    without_live(context)
    page = watched(context.new_page(), but=REFUSED)

    page.goto("/staff/numbers/")
    check(page, "calendar-empty")
    page.goto(f"/staff/numbers/?day={tomorrow}")
    check(page, "calendar")
    page.get_by_role("link", name="打开 欧阳上官婉儿 上午").click()
    check(page, "session")
    page.get_by_label("08:00 起的时段号数").fill("1")
    bands = page.locator("#bands")
    bands.get_by_label("原因").fill("会议")
    bands.get_by_role("button", name="保存时段").click()
    expect(page.get_by_role("alert")).to_contain_text("已约出 4 个号")
    check(page, "session-refused")
    page.goto("/staff/numbers/batch/")
    check(page, "batch")
    page.get_by_label("每时段改为").fill("3")
    page.keyboard.press("F8")
    expect(page.get_by_role("button", name="只做能做的 6 个")).to_be_visible()
    check(page, "batch-preview")
    page.get_by_label("原因").fill("元旦前减号")
    page.keyboard.press("Enter")
    expect(page.get_by_text("已处理 6 个出诊")).to_be_visible()
    page.goto("/staff/utilisation/")
    check(page, "utilisation")
    page.goto(f"/staff/numbers/{schedule.pk}/")
    expect(page.locator("#booked")).to_contain_text("还没有人预约")
    for name in ("releases", "prices", "shares"):
        page.goto(f"/staff/numbers/{name}/")
        check(page, name)
    page.set_viewport_size(TABLET)
    for name in ("", "batch/", "releases/", "shares/", f"{schedule.pk}/"):
        page.goto(f"/staff/numbers/{name}")
        check(page, f"tablet-{name.strip('/') or 'calendar'}", is_deep=False)
