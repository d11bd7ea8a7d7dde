"""How a probe, an alert and a backup may stand."""

from __future__ import annotations

from typing import Final

from django.db.models import TextChoices

from hospital.kernel.states import Moves


class ProbeState(TextChoices):
    """How one thing stands. UNKNOWN: there is nothing to judge yet, which alarms nobody; a probe
    that cannot be read is WARN."""

    OK = "ok", "正常"
    WARN = "warn", "提醒"
    BAD = "bad", "严重"
    UNKNOWN = "unknown", "还不知道"


#: Worst first, as pages list them.
WORST_FIRST: Final = (ProbeState.BAD, ProbeState.WARN, ProbeState.UNKNOWN, ProbeState.OK)
TROUBLE: Final = (ProbeState.WARN, ProbeState.BAD)


class AlertLevel(TextChoices):
    """How bad an alert is: the state of its probe, which while it lasts only rises."""

    WARN = "warn", "提醒"
    BAD = "bad", "严重"


class AlertStatus(TextChoices):
    """Where an alert stands. OVER: its probe has been good for a while, which nobody can
    say by hand."""

    OPEN = "open", "待处理"
    ACKNOWLEDGED = "acknowledged", "处理中"
    OVER = "over", "已恢复"


MOVES: Final[Moves] = frozenset(
    {
        (AlertStatus.OPEN.value, AlertStatus.ACKNOWLEDGED.value),
        (AlertStatus.OPEN.value, AlertStatus.OVER.value),
        (AlertStatus.ACKNOWLEDGED.value, AlertStatus.OVER.value),
        # It was taken on as a warning and has become severe since.
        (AlertStatus.ACKNOWLEDGED.value, AlertStatus.OPEN.value),
    }
)


class BackupKind(TextChoices):
    """What the backup script reports."""

    BACKUP = "backup", "备份"
    RESTORE_TEST = "restore_test", "恢复测试"


class Group(TextChoices):
    """The groups of the status board, in order."""

    PROCESSES = "processes", "服务进程"
    QUEUE = "queue", "后台任务"
    CALLBACKS = "callbacks", "微信支付通知"
    MESSAGES = "messages", "消息与短信"
    DATABASE = "database", "数据库"
    DISK = "disk", "磁盘"
    CERTIFICATES = "certificates", "证书、令牌与密钥"
    BACKUPS = "backups", "备份与审计"
