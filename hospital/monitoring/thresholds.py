"""From when on something is a warning or severe, and how alerts are told: configuration rows."""

from __future__ import annotations

from typing import Final

from hospital.kernel.settings_rows import Setting
from hospital.monitoring.reading import Limits

_RULE: Final = "H1.3"


def _limits(
    key: str, label: str, unit: str, warn: int, bad: int, most: int, *, is_floor: bool = False
) -> Limits:
    """The two rows of one probe; a value past both is severe."""

    def row(part: str, word: str, default: int) -> Setting[int]:
        return Setting(
            key=f"monitoring.{key}_{part}",
            label=f"{label}：{word}",
            default=default,
            unit=unit,
            minimum=0,
            maximum=most,
            rule=_RULE,
        )

    return Limits(row("warn", "提醒", warn), row("bad", "严重", bad), is_floor)


ROUND_AGE = _limits("round_age", "监控多久没有检查", "秒", 180, 600, 86400)
DUE_AGE = _limits("due_age", "最早的到期任务等了多久", "秒", 120, 600, 86400)
FAILED_JOBS = _limits("failed_jobs", "重试后仍失败的任务", "个", 1, 20, 100000)
NOTICE_LAG = _limits("notice_lag", "支付通知比支付成功晚到", "秒", 60, 600, 86400)
UNANSWERED = _limits("unanswered", "支付结果最久多久没有答复", "分钟", 10, 60, 1440)
MESSAGE_FAILURES = _limits("message_failures", "最近一小时消息发送失败", "%", 10, 50, 100)
OPEN_CALLS = _limits("open_calls", "电话通知名单最久等了多久", "分钟", 30, 240, 10080)
SMS_FAILURES = _limits("sms_failures", "最近一小时短信发送失败", "%", 10, 50, 100)
CONNECTIONS = _limits("connections", "数据库连接占用", "%", 70, 90, 100)
DATABASE_SIZE = _limits("database_size", "数据库大小", "GB", 200, 500, 100000)
DATABASE_GROWTH = _limits("database_growth", "数据库七天增长", "GB", 10, 50, 10000)
OLD_TRANSACTION = _limits("old_transaction", "最久的数据库事务", "秒", 300, 1800, 86400)
LOCK_WAIT = _limits("lock_wait", "等待数据库锁最久", "秒", 30, 120, 86400)
DISK_FREE = _limits("disk_free", "磁盘剩余", "%", 15, 5, 100, is_floor=True)
CERTIFICATE_DAYS = _limits(
    "certificate_days", "证书还有多少天到期", "天", 30, 7, 365, is_floor=True
)
BACKUP_AGE = _limits("backup_age", "距上次备份", "小时", 26, 50, 720)
RESTORE_TEST_AGE = _limits("restore_test_age", "距上次恢复测试", "天", 35, 100, 1000)
VERIFICATION_AGE = _limits("verification_age", "距上次核对审计记录", "小时", 26, 50, 720)

ROUNDS_TO_OPEN = Setting(
    key="monitoring.rounds_to_open",
    label="连续几次不正常才告警（每分钟检查一次）",
    default=2,
    unit="次",
    minimum=1,
    maximum=60,
    rule=_RULE,
)
ROUNDS_TO_END = Setting(
    key="monitoring.rounds_to_end",
    label="连续几次正常才算恢复",
    default=5,
    unit="次",
    minimum=1,
    maximum=120,
    rule=_RULE,
)
REPEAT_HOURS = Setting(
    key="monitoring.repeat_hours",
    label="没有人处理的告警隔多久再发一次",
    default=4,
    unit="小时",
    minimum=1,
    maximum=72,
    rule="N38",
)
