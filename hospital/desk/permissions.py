"""Who may look after the system itself (chapter 7: configuration and users, no clinical data)."""

from hospital.kernel.permissions import Permission

CONFIGURE = Permission(code="desk.configure", label="系统状态与参数设置", roles=("system_admin",))
