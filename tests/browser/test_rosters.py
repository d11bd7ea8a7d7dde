"""A department's week in Chromium: drafted by keys and by mouse, refused where it collides, handed
over, looked at and published; pictures land in test-artifacts/rosters/."""

from __future__ import annotations

import datetime as dt

import pytest
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from hospital.identity.states import Role
from hospital.kernel import clock
from hospital.kernel.actors import SYSTEM, Actor
from hospital.organisation.models import Department, Practitioner
from hospital.organisation.states import Title
from hospital.scheduling import actions as scheduling
from hospital.scheduling.actions import rosters
from hospital.scheduling.models import Roster, RosterEntry, Schedule
from hospital.scheduling.states import RosterStatus, SessionPeriod
from hospital.scheduling.weeks import monday_of
from hospital.testing.browser import Watch
from hospital.testing.organisation import (
    a_department,
    a_practitioner,
    a_room,
    a_service_type,
)
from hospital.testing.people import a_staff
from hospital.testing.schedules import a_template
from tests.browser.looking import Check
from tests.browser.windows import SMALL, a_desk, without_live

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
check = Check("rosters", is_whole=False)
TABLET = SMALL | {"viewport": {"width": 820, "height": 1180}, "has_touch": True}
NAMES = (
    "陈知行", "欧阳上官婉儿", "林若水", "梁慎独", "黄芪", "区凤仪",
    "冼星海", "司徒明月", "何首乌", "邓白术", "罗汉果", "谭远志",
)  # fmt: skip
TITLES = (Title.CHIEF, Title.ASSOCIATE_CHIEF, Title.ATTENDING, Title.RESIDENT)


def a_busy_department() -> tuple[Department, list[Practitioner]]:
    """Twelve doctors with a template each on two mornings and one afternoon."""
    department = a_department(code="ZJK", name="针灸推拿科")
    expert = a_service_type(code="ZJ", name="专家门诊")
    usual = a_service_type(code="PT", name="普通门诊")
    people = []
    for number, name in enumerate(NAMES):
        doctor = a_practitioner(department, name=name, title=TITLES[number % 4])
        room = a_room(code=f"R{301 + number}", name=f"{301 + number}诊室", department=department)
        service = expert if number % 2 == 0 else usual
        for weekday in (1 + number % 5, 1 + (number + 2) % 5):
            a_template(
                department=department,
                practitioner=doctor,
                service_type=service,
                room=room,
                weekday=weekday,
                band_minutes=30,
                capacity=24,
            )
        a_template(
            department=department,
            practitioner=doctor,
            service_type=service,
            room=room,
            weekday=1 + (number + 1) % 5,
            session_period=SessionPeriod.PM,
            starts=dt.time(14, 30),
            ends=dt.time(17, 30),
            band_minutes=30,
            capacity=18,
        )
        people.append(doctor)
    a_department(code="GSK", name="骨伤科")
    return department, people


def at(page: Page, day: dt.date, period: str, doctor: Practitioner) -> str:
    return f'[data-cell="{day.isoformat()}_{period}_{doctor.pk}"]'


def test_m15_01_a_week_is_drafted_by_keys_and_mouse_and_published(
    browser: Browser, live_server: LiveServer, watched: Watch
) -> None:
    department, people = a_busy_department()
    monday = monday_of(clock.today()) + dt.timedelta(days=21)
    tuesday = monday + dt.timedelta(days=1)
    head = a_staff(Role.DEPARTMENT_HEAD, display_name="梁主任", department=department)
    window = a_desk(browser, live_server, head, SMALL)
    without_live(window)
    page = watched(window.new_page(), but="422")

    page.goto("/staff/rosters/")
    check(page, "overview")
    page.goto(f"/staff/rosters/ZJK/{monday}/")
    check(page, "unopened")
    page.keyboard.press("F2")
    expect(page.get_by_role("button", name="提交审核")).to_be_visible()
    roster = Roster.objects.get()
    assert roster.entries.count() == 36
    check(page, "full_week")

    # A doctor whose Saturday is free: typed into the cell, by the service's initials.
    saturday = monday + dt.timedelta(days=5)
    chief = people[0]
    cell = page.locator(at(page, saturday, "am", chief))
    cell.click()
    page.keyboard.type("zj 301 12")
    page.keyboard.press("Enter")
    expect(cell).to_contain_text("限12")
    expect(cell).to_be_focused()

    # The same room again is refused in the cell, and nothing is there.
    page.keyboard.press("ArrowDown")
    page.keyboard.type("301 20")
    page.keyboard.press("Enter")
    expect(page.locator(".r-cell.is-refused .r-no")).to_contain_text("301诊室")
    assert roster.entries.filter(visit_date=saturday, is_removed=False).count() == 1
    expect(page.locator(".r-type input")).to_have_value("301 20")
    check(page, "refused")

    # Quick hands: mended where it was typed, and the next doctor (by title and pinyin) at once.
    page.keyboard.press("Escape")
    page.keyboard.type("pt 302 20")
    page.keyboard.press("Enter")
    expect(page.locator(at(page, saturday, "am", people[8]))).to_contain_text("限20")
    page.keyboard.press("ArrowDown")
    page.keyboard.type("zj 303 14")
    page.keyboard.press("Enter")
    expect(page.locator(at(page, saturday, "am", people[4]))).to_contain_text("限14")

    # The clinic's own row holds two at a time: a plus puts another one.
    own = page.locator(f'[data-cell="{saturday.isoformat()}_am_0"]')
    own.click()
    for words in ("pt 304 20", "+pt 305 25"):
        page.keyboard.type(words)
        page.keyboard.press("Enter")
    expect(own.locator("[data-entry]")).to_have_count(2)
    page.keyboard.press("Enter")
    page.get_by_role("dialog").get_by_role("link", name="305诊室").click()
    expect(page.get_by_label("限号")).to_have_value("25")
    page.get_by_role("link", name="这一格再放一次").click()
    expect(page.get_by_role("heading", name="放入出诊")).to_be_visible()
    check(page, "beside")
    page.keyboard.press("Escape")

    cell.click()
    page.keyboard.press("Control+c")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Control+v")
    afternoon = page.locator(at(page, saturday, "pm", chief))
    expect(afternoon).to_contain_text("限12")
    page.keyboard.press("Delete")
    expect(afternoon).not_to_contain_text("专家")
    page.keyboard.press("Control+z")
    expect(afternoon).to_contain_text("专家")

    sunday = page.locator(at(page, saturday + dt.timedelta(days=1), "am", chief))
    # A drag that begins while the grid is drawn anew takes hold of nothing.
    expect(page.locator(".htmx-request, .htmx-swapping, .htmx-settling")).to_have_count(0)
    afternoon.locator("[data-entry]").drag_to(sunday)
    expect(sunday).to_contain_text("限12")
    expect(afternoon).not_to_contain_text("专家")

    sunday.click()
    page.keyboard.press("Enter")
    page.get_by_label("限号").fill("0")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.get_by_label("限号").fill("15")
    check(page, "form")
    page.get_by_role("button", name="保存").click()
    expect(sunday).to_contain_text("限15")
    expect(page.get_by_role("dialog")).to_have_count(0)

    page.keyboard.press("F9")
    expect(page.get_by_text("已提交门诊办公室审核。")).to_be_visible()

    office = a_staff(Role.OUTPATIENT_OFFICE, display_name="何主管")
    window = a_desk(browser, live_server, office, SMALL)
    without_live(window)
    desk = watched(window.new_page())
    desk.goto(f"/staff/rosters/ZJK/{monday}/")
    desk.keyboard.press("F9")
    expect(desk.get_by_role("heading", name="发布后患者看到的变化")).to_be_visible()
    Check("rosters")(desk, "changes")
    desk.keyboard.press("F9")
    expect(desk.get_by_text("已发布：新开 42 次出诊。")).to_be_visible()
    check(desk, "published")
    roster.refresh_from_db()
    assert roster.status == RosterStatus.PUBLISHED
    assert Schedule.objects.filter(visit_date=tuesday).exists()
    assert RosterEntry.objects.filter(is_removed=False, schedule=None).count() == 0


@pytest.mark.thorough
def test_m15_02_a_week_with_something_wrong_says_so_everywhere_it_is_shown(
    browser: Browser, live_server: LiveServer, watched: Watch
) -> None:
    department, people = a_busy_department()
    monday = monday_of(clock.today())
    office = a_staff(Role.OUTPATIENT_OFFICE, display_name="欧阳上官婉儿")
    by = Actor("staff", office.pk)
    scheduling.generate_schedules(through=monday + dt.timedelta(days=13), by=SYSTEM, at=clock.now())
    following = monday + dt.timedelta(days=7)
    roster = rosters.open_week(department_id=department.pk, monday=following, by=by, at=clock.now())
    # The licence of one ends, another left, two mornings follow each other, nobody priced a title.
    people[0].__class__.objects.filter(pk=people[0].pk).update(
        licence_end_date=following + dt.timedelta(days=1)
    )
    people[4].roles.update(valid_to=following)
    entry = roster.entries.order_by("pk")[0]
    entry.practitioner = people[4]  # gone by then, and not published yet
    entry.room = a_room(name="门诊楼三楼东侧名老中医传承工作室", department=department)
    entry.schedule = None
    entry.starts, entry.ends = dt.time(12), dt.time(13, 30)
    entry.save()
    stopped = roster.entries.exclude(schedule=None).order_by("-pk")[0].schedule
    assert stopped is not None
    scheduling.suspend_schedule(schedule_id=stopped.pk, reason="会议", by=SYSTEM, at=clock.now())
    window = a_desk(browser, live_server, office, SMALL)
    without_live(window)
    page = watched(window.new_page(), but="409")

    page.goto(f"/staff/rosters/ZJK/{following}/")
    expect(page.get_by_text("没有任职").first).to_be_visible()
    Check("rosters")(page, "conflicts")
    page.keyboard.press("F9")
    expect(page.get_by_role("alert")).to_contain_text("处冲突没有解决")
    check(page, "not_submitted")
    page.goto(f"/staff/roster/{roster.pk}/fill/?from=templates")
    Check("rosters")(page, "fill")
    page.goto(f"/staff/roster/{roster.pk}/changes/")
    Check("rosters")(page, "changes_conflicts")
    page.goto("/staff/rosters/")
    check(page, "overview_opened")

    tablet = a_desk(browser, live_server, office, TABLET)
    without_live(tablet)
    pad = watched(tablet.new_page())
    pad.goto(f"/staff/rosters/ZJK/{following}/")
    pad.locator("[data-cell]:has(.r-add)").first.tap()
    expect(pad.get_by_role("dialog")).to_be_visible()
    check(pad, "tablet_form")
