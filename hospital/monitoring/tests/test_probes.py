"""Each probe with a real bad state made in the database, the network or the files."""

from __future__ import annotations

import datetime as dt
import threading

import pytest
from django.db import connection
from pytest_django.fixtures import Settings

from hospital.kernel import audit, clock, heartbeats, shared_tokens
from hospital.kernel.actors import SYSTEM
from hospital.kernel.models import Heartbeat
from hospital.kernel.settings_rows import set_value
from hospital.messaging.models import CallTask, Delivery
from hospital.messaging.states import Channel, Outcome, Reason
from hospital.messaging.tests.world import a_message
from hospital.monitoring import actions, queries, thresholds
from hospital.monitoring.models import DaySize
from hospital.monitoring.probes import messages as message_probes
from hospital.monitoring.reading import Limits, lasting
from hospital.monitoring.states import BackupKind, ProbeState
from hospital.monitoring.tests.world import (
    AT,
    a_due_job,
    a_failed_job,
    a_worker,
    processes,
    read,
    run,
    state,
)
from hospital.payments.models import Notice, Payment
from hospital.payments.states import NoticeKind, PaymentStatus, Scene
from hospital.testing.people import a_wechat_user

pytestmark = pytest.mark.django_db
OK, WARN, BAD, UNKNOWN = ProbeState.OK, ProbeState.WARN, ProbeState.BAD, ProbeState.UNKNOWN


def ago(**stretch: float) -> dt.datetime:
    return AT - dt.timedelta(**stretch)


def limit(limits: Limits, *, warn: int, bad: int) -> None:
    """The hospital sets both limits of a probe."""
    for setting, value in ((limits.warn, warn), (limits.bad, bad)):
        set_value(setting=setting, value=value, by=SYSTEM, at=AT)


@pytest.mark.parametrize("kind", ["web", "live"])
def test_a_process_that_gives_no_sign_is_dead(kind: str) -> None:
    processes(AT)
    assert state(kind) is OK

    assert state(kind, at=AT + dt.timedelta(seconds=59)) is OK
    dead = read(kind, at=AT + dt.timedelta(minutes=12))
    assert (dead.state, dead.value) == (BAD, 0)
    assert f"{heartbeats.host()} 已 12 分钟没有动静" in dead.text

    Heartbeat.objects.filter(kind=kind).delete()
    assert (state(kind), read(kind).text.endswith("没有在运行的记录。")) == (BAD, True)


def test_one_silent_machine_of_two_is_a_warning_until_it_counts_as_withdrawn() -> None:
    processes(AT)
    Heartbeat.objects.create(kind="web", host="web-2", seen_at=ago(minutes=5))
    found = read("web")
    assert (found.state, found.value) == (WARN, 1)
    assert "web-2 已 5 分钟没有动静" in found.text

    Heartbeat.objects.filter(host="web-2").update(seen_at=ago(hours=25))
    assert read("web").state is OK
    Heartbeat.objects.filter(host="web-2").update(seen_at=ago(days=8))
    actions.forget_old(at=AT)
    assert not Heartbeat.objects.filter(host="web-2").exists()
    assert Heartbeat.objects.filter(kind="web").count() == 1


def test_a_killed_worker_is_missed() -> None:
    run("DELETE FROM procrastinate_workers", [])
    assert state("worker") is BAD
    a_worker()
    assert (state("worker"), read("worker").value) == (OK, 1)

    run("UPDATE procrastinate_workers SET last_heartbeat = %s", [ago(minutes=3)])
    assert (state("worker"), read("worker").text) == (BAD, "后台任务进程已 3 分钟没有动静。")
    assert queries.workers_alive(at=AT) == 0


def test_a_monitor_that_does_not_look_says_so() -> None:
    assert state("rounds") is UNKNOWN
    actions.run_round(at=ago(minutes=4))
    assert state("rounds") is WARN
    assert state("rounds", at=AT + dt.timedelta(minutes=6)) is BAD
    assert state("rounds", at=ago(minutes=3)) is OK


def test_due_jobs_are_late_by_the_oldest() -> None:
    assert state("due_age") is OK
    a_due_job(since=AT + dt.timedelta(hours=1))
    assert (state("due_age"), read("due_age").value) == (OK, 0)
    a_due_job(since=ago(seconds=119))
    assert state("due_age") is OK
    a_due_job(since=ago(minutes=3))
    assert (state("due_age"), read("due_age").value) == (WARN, 180)
    a_due_job(since=ago(minutes=11))
    assert state("due_age") is BAD
    assert "3 个任务到期未执行，最早的等了 11 分钟" in read("due_age").text


def test_a_job_without_a_moment_waits_since_it_was_deferred() -> None:
    run(
        "INSERT INTO procrastinate_jobs (queue_name, task_name, args)"
        " VALUES ('default', 'payments.jobs.look', '{}')",
        [],
    )
    later = clock.now() + dt.timedelta(minutes=11)
    assert state("due_age", at=later) is BAD


def test_failed_jobs_are_counted_by_name() -> None:
    assert state("failed_jobs") is OK
    a_failed_job()
    assert state("failed_jobs") is WARN
    for _ in range(19):
        a_failed_job("messaging.jobs.deliver")
    found = read("failed_jobs")
    assert (found.state, found.value) == (BAD, 20)
    assert "messaging.jobs.deliver 19 个，payments.jobs.look 1 个" in found.text


def a_delivery(outcome: Outcome, reason: str = "", channel: Channel = Channel.TEMPLATE) -> None:
    message = a_message("N26", a_wechat_user())
    sent_at = AT if outcome in (Outcome.SENT, Outcome.DELIVERED) else None
    Delivery.objects.create(
        message=message,
        channel=channel,
        outcome=outcome,
        reason=reason,
        started_at=AT,
        sent_at=sent_at,
    )


def test_messages_fail_by_their_share_of_the_last_hour() -> None:
    for _ in range(message_probes.FEWEST - 2):
        a_delivery(Outcome.SENT)
    a_delivery(Outcome.FAILED, Reason.GAVE_UP)
    assert "次数太少" in read("message_failures").text
    a_delivery(Outcome.DELIVERED)
    assert (state("message_failures"), read("message_failures").value) == (WARN, 20)
    for _ in range(4):
        a_delivery(Outcome.FAILED, Reason.NO_PERMISSION)
    assert (state("message_failures"), read("message_failures").value) == (BAD, 55.6)
    assert read("message_failures", at=AT + dt.timedelta(hours=2)).value is None


def test_what_readers_chose_is_no_failure() -> None:
    for reason in (Reason.NOT_FOLLOWING, Reason.BLOCKED, Reason.NO_CONSENT):
        for _ in range(2):
            a_delivery(Outcome.FAILED, reason)
    assert (state("message_failures"), read("message_failures").value) == (OK, 0)


def test_sms_are_looked_at_alone(settings: Settings) -> None:
    for _ in range(5):
        a_delivery(Outcome.SENT)
        a_delivery(Outcome.FAILED, Reason.SMS_REFUSED, Channel.SMS)
    settings.SMS_URL = ""
    said = "没有接入短信平台：患者在手机上不能添加就诊人、更换手机号。"
    assert read("sms_failures").text == said
    settings.SMS_URL = "https://sms.example/"
    assert (state("sms_failures"), read("sms_failures").value) == (BAD, 100)
    assert read("message_failures").value == 50


def test_the_call_list_grows_old() -> None:
    message = a_message("N06", a_wechat_user())
    CallTask.objects.create(message=message, kind="N06", event_key="x", opened_at=ago(minutes=31))
    assert (state("open_calls"), read("open_calls").value) == (WARN, 31)
    assert state("open_calls", at=AT + dt.timedelta(hours=4)) is BAD


def an_order(status: PaymentStatus, *, at: dt.datetime, succeeded_at: object = None) -> Payment:
    number = f"9026112300000000000{Payment.objects.count():03d}"
    facts = {"succeeded_at": succeeded_at, "received_fen": 100, "transaction_id": number}
    return Payment.objects.create(
        status=status,
        out_trade_no=number,
        scene=Scene.UNKNOWN,
        mchid="1900000001",
        appid="wx0000000000000000",
        amount_fen=100,
        description="x",
        created_at=at,
        expires_at=at + dt.timedelta(minutes=15),
        **(facts if succeeded_at else {}),
    )


def a_notice(*, succeeded_at: dt.datetime, received_at: dt.datetime) -> None:
    order = an_order(PaymentStatus.SUCCEEDED, at=succeeded_at, succeeded_at=succeeded_at)
    Notice.objects.create(
        notice_id=f"notice-{order.pk}",
        kind=NoticeKind.PAYMENT,
        event_type="TRANSACTION.SUCCESS",
        headers={},
        body="{}",
        received_at=received_at,
        payment=order,
    )


def test_notices_are_late_by_what_nine_of_ten_kept() -> None:
    assert read("notice_lag").text == "最近一小时没有支付通知。"
    a_notice(succeeded_at=ago(minutes=10, seconds=2), received_at=ago(minutes=10))
    assert (state("notice_lag"), read("notice_lag").value) == (OK, 2)
    a_notice(succeeded_at=ago(minutes=9), received_at=ago(minutes=7))
    assert (state("notice_lag"), read("notice_lag").value) == (WARN, 108)
    for _ in range(9):
        a_notice(succeeded_at=ago(minutes=50), received_at=ago(minutes=20))
    assert (state("notice_lag"), read("notice_lag").value) == (BAD, 1800)
    assert read("notice_lag", at=AT + dt.timedelta(hours=2)).value is None


def test_what_wechat_has_not_answered_grows_old() -> None:
    an_order(PaymentStatus.PENDING, at=ago(minutes=14))
    assert (state("unanswered"), read("unanswered").value) == (OK, 0)
    an_order(PaymentStatus.PENDING, at=ago(minutes=26))
    assert (state("unanswered"), read("unanswered").value) == (WARN, 11)
    an_order(PaymentStatus.UNKNOWN, at=ago(minutes=75))
    assert (state("unanswered"), read("unanswered").value) == (BAD, 75)


def test_connections_are_a_share_of_what_postgresql_has() -> None:
    found = read("connections")
    assert found.state is OK
    assert found.value is not None
    assert found.value > 0
    limit(thresholds.CONNECTIONS, warn=0, bad=100)
    assert state("connections") is WARN


@pytest.mark.django_db(transaction=True)
def test_an_old_transaction_and_who_waits_for_a_lock_are_seen() -> None:
    began, done = threading.Event(), threading.Event()

    def hold() -> None:
        with connection.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute("LOCK TABLE monitoring_daysize IN ACCESS EXCLUSIVE MODE")
            began.set()
            done.wait(20)
            cursor.execute("ROLLBACK")
        connection.close()

    def wait() -> None:
        DaySize.objects.count()
        connection.close()

    holder, waiter = threading.Thread(target=hold), threading.Thread(target=wait)
    holder.start()
    try:
        assert began.wait(20)
        waiter.start()
        seen = _until_somebody_waits()
        assert seen.startswith("1 个连接在等锁")
        limit(thresholds.OLD_TRANSACTION, warn=0, bad=86400)
        assert "最久的事务进行了" in read("old_transaction").text
        assert state("old_transaction") is WARN
    finally:
        done.set()
        holder.join()
        waiter.join()
    assert read("lock_wait").text == "没有人在等锁。"


def _until_somebody_waits() -> str:
    for _ in range(200):
        text = read("lock_wait").text
        if "在等锁，" in text:
            return text
        threading.Event().wait(0.02)
    return text


def test_the_database_grows() -> None:
    assert read("database_size").value is not None
    assert state("database_growth") is UNKNOWN
    DaySize.objects.create(day=dt.date(2026, 11, 17), size_bytes=0)
    found = read("database_growth")
    assert found.text.startswith("6 天来增加了")
    limit(thresholds.DATABASE_GROWTH, warn=0, bad=10000)
    limit(thresholds.DATABASE_SIZE, warn=0, bad=0)
    assert (state("database_growth"), state("database_size")) == (WARN, BAD)


def test_a_full_disk_is_below_its_limit() -> None:
    found = read("disk_free")
    assert found.state in {OK, WARN, BAD}
    assert found.value is not None
    assert 0 < found.value <= 100
    limit(thresholds.DISK_FREE, warn=100, bad=0)
    assert state("disk_free") is WARN
    limit_later = AT + dt.timedelta(seconds=1)
    set_value(setting=thresholds.DISK_FREE.bad, value=100, by=SYSTEM, at=limit_later)
    assert state("disk_free") is BAD


def test_the_token_and_the_keys(settings: Settings) -> None:
    if settings.WECHAT is None:
        assert read("access_token").text == "没有接入微信，不检查。"
    settings.FIELD_KEYS = settings.AUDIT_KEYS = "k1:" + "A" * 43 + "="
    assert state("keys") is OK
    settings.FIELD_KEYS = "k0:" + "A" * 43 + "="
    assert (state("keys"), "FIELD_KEYS" in read("keys").text) == (WARN, True)
    shared_tokens.token("wechat.access_token", lambda: ("x", dt.timedelta(hours=-1)))
    assert state("access_token") is OK


def test_a_backup_grows_old_and_a_failed_one_is_severe(settings: Settings) -> None:
    assert state("backup") is WARN
    settings.PRODUCTION = True
    assert state("backup") is BAD

    note = {"kind": BackupKind.BACKUP, "size_bytes": 3 * 1024**3, "by": SYSTEM}
    actions.note_backup(is_good=True, note="/backup/a.dump", at=ago(hours=25), **note)  # type: ignore[arg-type]
    assert (state("backup"), read("backup").value) == (OK, 25)
    assert "25 小时前完成，3.0 GB，/backup/a.dump" in read("backup").text
    assert state("backup", at=AT + dt.timedelta(hours=1)) is WARN
    assert state("backup", at=AT + dt.timedelta(hours=25)) is BAD

    actions.note_backup(is_good=False, note="磁盘已满", at=ago(hours=1), **note)  # type: ignore[arg-type]
    assert (state("backup"), read("backup").text) == (BAD, "最近一次备份失败：磁盘已满")


def test_a_restore_is_to_be_tried_every_month() -> None:
    assert state("restore_test") is WARN
    actions.note_backup(
        kind=BackupKind.RESTORE_TEST,
        is_good=True,
        size_bytes=None,
        note="",
        by=SYSTEM,
        at=ago(days=36),
    )
    assert (state("restore_test"), read("restore_test").value) == (WARN, 36)
    assert state("restore_test", at=ago(days=2)) is OK


def test_a_fault_in_the_audit_trail_is_severe() -> None:
    assert state("audit") is UNKNOWN
    audit.keep(audit.verify(at=AT), at=AT)
    assert state("audit") is OK
    assert state("audit", at=AT + dt.timedelta(hours=27)) is WARN
    audit.keep(audit.verify(at=AT, anchors=audit.Anchors({"0" * 64: 9})), at=AT)
    assert (state("audit"), "马上通知审计管理员" in read("audit").text) == (BAD, True)


def test_a_probe_that_cannot_be_read_is_a_warning_and_stops_no_other() -> None:
    run("ALTER TABLE monitoring_backuprun RENAME TO gone", [])
    by_key = {reading.probe.key: reading for reading in queries.measure(at=AT)}
    run("ALTER TABLE gone RENAME TO monitoring_backuprun", [])

    assert by_key["backup"].state is WARN
    assert by_key["backup"].text == "检查时出错（ProgrammingError），详见日志。"
    assert by_key["due_age"].state is OK


def test_stretches_read_as_people_say_them() -> None:
    said = [lasting(seconds) for seconds in (0, 59, 60, 119, 120, 3600, 7100, 7200, 172800)]
    assert said == [
        "0 秒", "59 秒", "1 分钟", "119 秒", "2 分钟", "1 小时", "118 分钟", "2 小时", "2 天"
    ]  # fmt: skip
