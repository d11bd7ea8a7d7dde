"""Who may see what people were told, tell them again, and telephone them."""

from __future__ import annotations

from hospital.kernel.permissions import Permission

VIEW_MESSAGES = Permission(
    code="messaging.view_messages",
    label="查看消息发送记录",
    roles=("outpatient_office", "registration_clerk"),
)
RESEND = Permission(
    code="messaging.resend",
    label="再次发送消息",
    roles=("outpatient_office", "registration_clerk"),
)
CALL_PATIENT = Permission(
    code="messaging.call_patient",
    label="电话通知患者（显示手机号）",
    roles=("outpatient_office", "registration_clerk"),
)
MANAGE_ACCOUNT = Permission(
    code="messaging.manage_account",
    label="公众号菜单与自动回复",
    roles=("system_admin",),
)
