"""Rounds: an alert opens once, does not flap, only rises, ends by itself, and people are told."""

from __future__ import annotations

import datetime as dt

import pytest

from hospital.identity.models import StaffAccount
from hospital.identity.states import Role
from hospital.kernel.actors import SYSTEM, Actor
from hospital.kernel.errors import Invalid, NotFound
from hospital.kernel.models import AuditEntry
from hospital.kernel.settings_rows import set_value
from hospital.kernel.states import history
from hospital.messaging.models import Message
from hospital.monitoring import actions, jobs, probes, queries, thresholds
from hospital.monitoring.models import Alert, DaySize, ProbeStanding
from hospital.monitoring.states import AlertStatus, BackupKind
from hospital.monitoring.tests.world import AT, a_failed_job, processes, run
from hospital.testing.people import a_staff

pytestmark = pytest.mark.django_db
MINUTE = dt.timedelta(minutes=1)


@pytest.fixture
def admin() -> StaffAccount:
    return a_staff(Role.SYSTEM_ADMIN, display_name="沈工")


class Clock:
    """Rounds a minute apart, in which only what the test breaks is broken."""

    def __init__(self) -> None:
        self.at = AT
        for kind in BackupKind:
            actions.note_backup(kind=kind, is_good=True, size_bytes=1, note="", by=SYSTEM, at=AT)

    def rounds(self, count: int = 1) -> None:
        for _ in range(count):
            self.at += MINUTE
            processes(self.at)
            run("DELETE FROM procrastinate_jobs WHERE status = 'todo'", [])  # the worker works
            actions.run_round(at=self.at)


@pytest.fixture
def time(admin: StaffAccount, settings: object) -> Clock:
    settings.FIELD_KEYS = settings.AUDIT_KEYS = "k1:" + "A" * 43 + "="  # type: ignore[attr-defined]
    settings.PUBLIC_URL = settings.LIVE_URL = "http://127.0.0.1"  # type: ignore[attr-defined]
    set_value(setting=thresholds.DISK_FREE.warn, value=0, by=SYSTEM, at=AT)
    set_value(setting=thresholds.DISK_FREE.bad, value=0, by=SYSTEM, at=AT)
    # Other sessions of the test server are none of ours.
    for limits in (thresholds.CONNECTIONS, thresholds.OLD_TRANSACTION, thresholds.LOCK_WAIT):
        for row in (limits.warn, limits.bad):
            set_value(setting=row, value=row.maximum, by=SYSTEM, at=AT)
    return Clock()


def mend() -> None:
    run("DELETE FROM procrastinate_jobs WHERE status = 'failed'", [])


def told() -> list[tuple[str, str]]:
    rows = Message.objects.filter(kind="N38").order_by("pk")
    return [(row.fields["level"], row.fields["service"]) for row in rows]


def test_all_well_opens_nothing(time: Clock) -> None:
    time.rounds(3)

    assert list(Alert.objects.values_list("probe", "text")) == []
    assert set(ProbeStanding.objects.values_list("rounds", flat=True)) <= {2, 3}
    assert DaySize.objects.count() == 1


def test_an_alert_opens_once_after_two_rounds_and_tells_once(
    time: Clock, admin: StaffAccount
) -> None:
    a_failed_job()
    time.rounds()
    assert not Alert.objects.exists()
    time.rounds(3)

    alert = Alert.objects.get()
    assert (alert.probe, alert.level, alert.status) == ("failed_jobs", "warn", "open")
    assert alert.opened_at == AT + 2 * MINUTE
    assert told() == [("提醒", "后台任务：失败任务")]
    message = Message.objects.get()
    assert (message.staff_id, message.path) == (admin.pk, f"/staff/monitoring/alerts/{alert.pk}/")
    assert (alert.told_count, alert.told_at) == (1, alert.opened_at)


def test_everybody_who_receives_alerts_is_told_and_nobody_else(time: Clock) -> None:
    second = a_staff(Role.SYSTEM_ADMIN)
    a_staff(Role.SYSTEM_ADMIN, is_active=False)
    a_staff(Role.FINANCE)
    a_failed_job()
    time.rounds(2)
    readers = set(Message.objects.values_list("staff__username", flat=True))
    assert len(readers) == Message.objects.count() == 2
    assert second.username in readers


def test_a_value_that_comes_and_goes_does_not_flap(time: Clock) -> None:
    for _ in range(4):
        a_failed_job()
        time.rounds()
        mend()
        time.rounds()
    assert not Alert.objects.exists()

    a_failed_job()
    time.rounds(2)
    for _ in range(3):
        mend()
        time.rounds(4)
        a_failed_job()
        time.rounds()
    assert Alert.objects.get().status == AlertStatus.OPEN
    assert len(told()) == 1


def test_it_ends_after_five_good_rounds_and_says_so(time: Clock) -> None:
    a_failed_job()
    time.rounds(2)
    mend()
    time.rounds(4)
    assert Alert.objects.get().status == AlertStatus.OPEN
    time.rounds()

    alert = Alert.objects.get()
    assert (alert.status, alert.over_at) == ("over", time.at)
    assert [move.to_status for move in history(alert)] == ["over"]
    assert [level for level, _ in told()] == ["提醒", "已恢复"]
    a_failed_job()
    time.rounds(2)
    assert Alert.objects.count() == 2


def test_a_warning_that_becomes_severe_rises_and_never_falls(
    time: Clock, admin: StaffAccount
) -> None:
    a_failed_job()
    time.rounds(2)
    by = Actor("staff", admin.pk)
    actions.acknowledge(alert_id=Alert.objects.get().pk, note="在查", by=by, at=time.at)
    for _ in range(20):
        a_failed_job()
    time.rounds()
    assert Alert.objects.get().level == "warn", "one round may be an accident"
    time.rounds()

    alert = Alert.objects.get()
    assert (alert.level, alert.status) == ("bad", "open")
    assert [level for level, _ in told()] == ["提醒", "严重"]
    mend()
    a_failed_job()
    time.rounds(3)
    assert Alert.objects.get().level == "bad"


def test_unacknowledged_is_told_again_after_some_hours(time: Clock, admin: StaffAccount) -> None:
    a_failed_job()
    time.rounds(2)
    time.at += dt.timedelta(hours=4) - 2 * MINUTE
    time.rounds()
    assert len(told()) == 1
    time.rounds()
    assert len(told()) == 2

    alert = Alert.objects.get()
    actions.acknowledge(alert_id=alert.pk, note="在查", by=Actor("staff", admin.pk), at=time.at)
    time.at += dt.timedelta(hours=9)
    time.rounds()
    assert len(told()) == 2


def test_at_night_only_what_is_severe_wakes_people(time: Clock) -> None:
    time.at = dt.datetime(2026, 11, 23, 15, 0, tzinfo=dt.UTC)  # 23:00 in the hospital
    a_failed_job()
    time.rounds(3)
    assert Alert.objects.get().status == AlertStatus.OPEN
    assert told() == []
    time.at = dt.datetime(2026, 11, 23, 23, 0, tzinfo=dt.UTC)
    time.rounds()
    assert len(told()) == 1

    time.at = dt.datetime(2026, 11, 24, 15, 0, tzinfo=dt.UTC)
    for _ in range(20):
        a_failed_job()
    time.rounds(2)
    assert told()[-1][0] == "严重"


def test_a_round_twice_at_once_is_one(time: Clock) -> None:
    a_failed_job()
    time.rounds(2)
    before = list(ProbeStanding.objects.order_by("pk").values())
    for seconds in (0, 29):
        actions.run_round(at=time.at + dt.timedelta(seconds=seconds))
    assert list(ProbeStanding.objects.order_by("pk").values()) == before
    assert len(told()) == 1


def test_what_is_unknown_alarms_nobody(time: Clock) -> None:
    time.rounds(3)
    assert ProbeStanding.objects.get(probe="audit").state == "unknown"
    assert not Alert.objects.exists()


def test_acknowledging_is_noted_audited_and_done_once(time: Clock, admin: StaffAccount) -> None:
    a_failed_job()
    time.rounds(2)
    alert, by = Alert.objects.get(), Actor("staff", admin.pk)
    with pytest.raises(Invalid):
        actions.acknowledge(alert_id=alert.pk, note="  ", by=by, at=time.at)
    assert Alert.objects.get().status == AlertStatus.OPEN

    actions.acknowledge(alert_id=alert.pk, note="已联系机房", by=by, at=time.at)
    alert.refresh_from_db()
    assert (alert.status, alert.note) == ("acknowledged", "已联系机房")
    entry = AuditEntry.objects.get(act="monitoring.acknowledge_alert")
    assert (entry.by, entry.reason, entry.after["probe"]) == (str(by), "已联系机房", "failed_jobs")

    with pytest.raises(actions.AlertSettled):
        actions.acknowledge(alert_id=alert.pk, note="我也来", by=by, at=time.at)
    with pytest.raises(NotFound):
        actions.acknowledge(alert_id=0, note="谁", by=by, at=time.at)
    assert Alert.objects.get().note == "已联系机房"
    assert AuditEntry.objects.filter(act="monitoring.acknowledge_alert").count() == 1


def test_the_banner_counts_what_nobody_took_on_and_a_silent_monitor(time: Clock) -> None:
    assert queries.banner(at=AT) is None
    a_failed_job()
    time.rounds(2)
    assert queries.banner(at=time.at) == queries.Banner(severe=0, warnings=1, silent_for="")
    later = time.at + dt.timedelta(minutes=7)
    found = queries.banner(at=later)
    assert found is not None
    assert found.silent_for == "7 分钟"
    by = Actor("staff", 1)
    actions.acknowledge(alert_id=Alert.objects.get().pk, note="在查", by=by, at=time.at)
    assert queries.banner(at=time.at) is None


def test_a_failed_backup_says_why() -> None:
    with pytest.raises(Invalid):
        actions.note_backup(
            kind=BackupKind.BACKUP, is_good=False, size_bytes=None, note=" ", by=SYSTEM, at=AT
        )
    assert not AuditEntry.objects.filter(act="monitoring.note_backup").exists()


def test_the_jobs_may_run_twice(time: Clock) -> None:
    processes(AT)
    for _ in range(2):
        jobs.watch()
        jobs.forget_old()
    assert ProbeStanding.objects.count() == len(probes.ALL)
    assert set(ProbeStanding.objects.values_list("rounds", flat=True)) == {1}
    assert Message.objects.count() == 0
