"""Permissions of the identity area."""

from __future__ import annotations

from hospital.identity.states import Role
from hospital.kernel.permissions import Permission

#: Every working account has it: pages that only need "somebody of the staff".
SIGNED_IN = Permission(
    code="identity.signed_in", label="登录工作台", roles=tuple(role.value for role in Role)
)
MANAGE_STAFF = Permission(
    code="identity.manage_staff", label="员工账号与岗位（提出）", roles=("system_admin",)
)
MANAGE_ROLES = Permission(
    code="identity.manage_roles", label="角色权限（提出）", roles=("system_admin",)
)
APPROVE_ACCESS = Permission(
    code="identity.approve_access", label="批准岗位与角色", roles=("security_admin",)
)
VIEW_ACCESS = Permission(
    code="identity.view_access",
    label="查看谁能做什么",
    roles=("system_admin", "security_admin"),
)
BREAK_GLASS = Permission(
    code="identity.break_glass", label="紧急查阅其他科室患者", roles=("doctor",)
)
REVIEW_BREAK_GLASS = Permission(
    code="identity.review_break_glass", label="审核紧急查阅", roles=("medical_affairs",)
)
END_SESSIONS = Permission(
    code="identity.end_sessions",
    label="结束登录、解除锁定、重置动态口令",
    roles=("security_admin",),
)
MANAGE_NETWORKS = Permission(
    code="identity.manage_networks", label="岗位可以登录的网络", roles=("security_admin",)
)
MANAGE_DEVICES = Permission(
    code="identity.manage_devices", label="自助机的配对与停用", roles=("security_admin",)
)
