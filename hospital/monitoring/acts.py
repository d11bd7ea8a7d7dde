"""What the audit calls the acts of this area."""

from hospital.kernel.acts import declare

declare("monitoring", {"acknowledge_alert": "处理系统告警", "note_backup": "登记备份结果"})
