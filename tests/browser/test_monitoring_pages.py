"""The monitoring pages in Chromium: all well, much wrong in long sentences, an alert taken on;
pictures land in test-artifacts/monitoring/."""

from __future__ import annotations

import datetime as dt

import pytest
from playwright.sync_api import Browser, expect
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from hospital.identity.states import Role
from hospital.kernel import audit, clock
from hospital.kernel.actors import SYSTEM
from hospital.kernel.models import Heartbeat
from hospital.kernel.settings_rows import set_value
from hospital.monitoring import actions, thresholds
from hospital.monitoring.models import Alert, DaySize
from hospital.monitoring.states import BackupKind
from hospital.monitoring.tests.world import a_due_job, a_failed_job, processes, run
from hospital.testing.browser import Watch
from hospital.testing.people import a_staff
from tests.browser.looking import Check
from tests.browser.windows import MOVING, SMALL, a_desk

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
check = Check("monitoring")
KEY = "k1:" + "A" * 43 + "="


def all_is_well(settings: Settings) -> None:
    """A hospital's installation on a good day."""
    at = clock.now()
    settings.FIELD_KEYS = settings.AUDIT_KEYS = KEY
    for row in (thresholds.DISK_FREE.warn, thresholds.DISK_FREE.bad):
        set_value(setting=row, value=0, by=SYSTEM, at=at)
    for limits in (thresholds.CONNECTIONS, thresholds.OLD_TRANSACTION):
        for row in (limits.warn, limits.bad):
            set_value(setting=row, value=row.maximum, by=SYSTEM, at=at)
    processes(at)
    for kind in BackupKind:
        actions.note_backup(
            kind=kind,
            is_good=True,
            size_bytes=3 * 1024**3,
            note="/backup/2026-11-23.dump",
            by=SYSTEM,
            at=at - dt.timedelta(hours=5),
        )
    audit.seal_entries(at=at)
    audit.keep(audit.verify(at=at), at=at)
    DaySize.objects.create(day=clock.hospital_day(at) - dt.timedelta(days=6), size_bytes=0)
    actions.run_round(at=at - dt.timedelta(minutes=5))


def much_is_wrong() -> None:
    """Two processes dead, jobs given up, the backup failed at length."""
    at = clock.now()
    Heartbeat.objects.filter(kind="live").update(seen_at=at - dt.timedelta(minutes=9))
    run("UPDATE procrastinate_workers SET last_heartbeat = %s", [at - dt.timedelta(minutes=12)])
    a_due_job(since=at - dt.timedelta(minutes=12))
    for name in ("payments.jobs.look", "registration.jobs.release_unpaid", "messaging.jobs.hear"):
        a_failed_job(name)
    actions.note_backup(
        kind=BackupKind.BACKUP,
        is_good=False,
        size_bytes=None,
        note="pg_dump: error: could not write to output file: No space left on device; "
        "备份盘 /mnt/backup 已满，旧备份没有按计划删除，请先清理再重新执行备份脚本",
        by=SYSTEM,
        at=at,
    )
    for minutes in (1, 0):
        actions.run_round(at=at - dt.timedelta(minutes=minutes))


def test_it_is_watched_and_an_alert_is_taken_on(
    browser: Browser, live_server: LiveServer, watched: Watch, settings: Settings
) -> None:
    all_is_well(settings)
    account = a_staff(Role.SYSTEM_ADMIN, display_name="沈工")
    context = a_desk(browser, live_server, account, SMALL | MOVING)
    page = watched(context.new_page(), but="422")

    page.goto("/staff/monitoring/")
    expect(page.get_by_text("1 个后台任务进程在运行。")).to_be_visible()
    assert page.locator("tr.is-alert").all_inner_texts() == []
    check(page, "well")
    page.get_by_role("link", name="告警记录").click()
    check(page, "no_history")

    much_is_wrong()
    page.goto("/staff/people/")
    expect(page.get_by_role("alert")).to_contain_text("严重 4 条")
    check(page, "banner")
    page.goto("/staff/monitoring/")
    expect(page.get_by_text("后台任务进程已 12 分钟没有动静。").first).to_be_visible()
    check(page, "wrong")
    page.get_by_role("link", name="备份", exact=True).click()
    check(page, "backups")
    page.get_by_role("link", name="后台任务", exact=True).click()
    check(page, "jobs")

    page.goto("/staff/monitoring/")
    page.get_by_role("link", name="备份与审计：数据库备份").click()
    check(page, "alert")
    page.get_by_label("怎么处理").fill(
        "已电话联系机房值班员清理备份盘，预计今晚 20:00 前重新备份，完成后再看一次"
    )
    page.get_by_role("button", name="由我处理").click()
    expect(page.get_by_text("有人处理")).to_be_visible()
    check(page, "taken_on")
    assert Alert.objects.get(probe="backup").status == "acknowledged"
    context.close()
