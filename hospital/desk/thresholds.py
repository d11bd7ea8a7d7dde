"""Limits of the desk's own pages (law 14)."""

from hospital.kernel.settings_rows import Setting

EXPORT_AT_MOST = Setting(
    key="desk.audit_export_rows",
    label="一次导出审计记录的最多行数",
    default=2000,
    unit="行",
    minimum=100,
    maximum=20000,
    rule="X12",
    is_policy=True,
)
