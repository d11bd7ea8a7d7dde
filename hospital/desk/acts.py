"""What the audit calls the acts of this area."""

from hospital.kernel.acts import declare

declare("desk", {"read_audit": "查阅审计记录", "export_audit": "导出审计记录"})
