"""Who may look after the system itself (chapter 7: configuration and users, no clinical data)."""

from hospital.kernel.permissions import Permission

CONFIGURE = Permission(code="desk.configure", label="业务参数", roles=("system_admin",))
CONFIGURE_POLICY = Permission(
    code="desk.configure_policy", label="安全策略参数", roles=("security_admin",)
)
VIEW_CONFIGURATION = Permission(
    code="desk.view_configuration", label="查看参数", roles=("system_admin", "security_admin")
)
READ_AUDIT = Permission(code="desk.read_audit", label="查阅与导出审计记录", roles=("audit_admin",))
