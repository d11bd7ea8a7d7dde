"""Who watches the installation, takes alerts on, and is telephoned by SMS (chapter 7: system)."""

from __future__ import annotations

from hospital.kernel.permissions import Permission

VIEW_MONITORING = Permission(
    code="monitoring.view", label="查看系统运行状态", roles=("system_admin",)
)
ACKNOWLEDGE = Permission(
    code="monitoring.acknowledge", label="处理系统告警、重新执行任务", roles=("system_admin",)
)
RECEIVE_ALERTS = Permission(
    code="monitoring.receive_alerts", label="接收系统告警短信", roles=("system_admin",)
)
