"""The staff rail: which work places exist, in order, and the permission that shows each."""

from dataclasses import dataclass

from hospital.catalogue.permissions import APPROVE_PRICE
from hospital.desk.permissions import READ_AUDIT, VIEW_CONFIGURATION
from hospital.identity.permissions import BREAK_GLASS, END_SESSIONS, REVIEW_BREAK_GLASS, VIEW_ACCESS
from hospital.interop.permissions import MANAGE_PARTNERS
from hospital.kernel.permissions import Permission
from hospital.messaging.permissions import MANAGE_ACCOUNT, VIEW_MESSAGES
from hospital.monitoring.permissions import VIEW_MONITORING
from hospital.onboarding.permissions import VIEW_MASTER
from hospital.patients.permissions import FIND_PATIENT
from hospital.payments.permissions import (
    APPROVE_REFUND,
    COLLECT,
    VIEW_PAYMENTS,
    VIEW_STATEMENTS,
)
from hospital.registration.permissions import (
    JUDGE_ALERTS,
    LIFT_RESTRICTION,
    REGISTER_EMERGENCY,
    VIEW_APPOINTMENTS,
    VIEW_UTILISATION,
)
from hospital.scheduling.permissions import (
    ASK_LEAVE,
    DRAFT_ROSTER,
    EDIT_CALENDAR,
    MANAGE_NUMBERS,
    VIEW_OWN_SESSIONS,
    VIEW_SOLD,
)
from hospital.window.permissions import USE_WINDOW


@dataclass(frozen=True)
class Entry:
    """One place on the rail; `icon` is a symbol of a sprite in hospital/ui."""

    label: str
    icon: str
    url_name: str
    permission: Permission


STAFF_NAV: tuple[Entry, ...] = (
    Entry("号源", "calendar-stats", "desk-board", VIEW_SOLD),
    Entry("号源管理", "settings", "scheduling-numbers", MANAGE_NUMBERS),
    Entry("使用情况", "chart-histogram", "registration-utilisation", VIEW_UTILISATION),
    Entry("我的出诊", "stethoscope", "desk-my-sessions", VIEW_OWN_SESSIONS),
    Entry("请假", "calendar-x", "scheduling-leaves", ASK_LEAVE),
    Entry("节假日", "calendar-off", "scheduling-holidays", EDIT_CALENDAR),
    Entry("排班", "calendar-event", "scheduling-rosters", DRAFT_ROSTER),
    Entry("预约", "search", "desk-search", VIEW_APPOINTMENTS),
    Entry("急诊", "clipboard-heart", "registration-emergency", REGISTER_EMERGENCY),
    Entry("申诉", "message", "registration-appeals", LIFT_RESTRICTION),
    Entry("号贩", "alert-triangle", "registration-alerts", JUDGE_ALERTS),
    Entry("建档", "user-plus", "patients-desk", FIND_PATIENT),
    Entry("窗口", "ticket", "window-desk", USE_WINDOW),
    Entry("收款", "cash", "payments-collect-find", COLLECT),
    Entry("支付", "wallet", "desk-payments", VIEW_PAYMENTS),
    Entry("退款", "receipt-refund", "desk-refunds", VIEW_PAYMENTS),
    Entry("欠费", "wallet", "desk-arrears", VIEW_PAYMENTS),
    Entry("异常", "alert-triangle", "payments-cases", VIEW_PAYMENTS),
    Entry("复核", "users", "payments-approvals", APPROVE_REFUND),
    Entry("账单", "file-text", "payments-statements", VIEW_STATEMENTS),
    Entry("调价", "receipt", "catalogue-prices", APPROVE_PRICE),
    Entry("消息", "message", "messaging-log", VIEW_MESSAGES),
    Entry("公众号", "device-mobile", "messaging-menu", MANAGE_ACCOUNT),
    Entry("急查", "eye", "desk-emergencies", BREAK_GLASS),
    Entry("急查审核", "clipboard-heart", "desk-emergency-reviews", REVIEW_BREAK_GLASS),
    Entry("人员", "user-circle", "identity-people", VIEW_ACCESS),
    Entry("角色", "clipboard-list", "identity-roles", VIEW_ACCESS),
    Entry("授权", "shield-lock", "identity-requests", VIEW_ACCESS),
    Entry("登录", "lock", "identity-log-ins", END_SESSIONS),
    Entry("资料", "building-hospital", "onboarding-start", VIEW_MASTER),
    Entry("参数", "sliders", "desk-configuration", VIEW_CONFIGURATION),
    Entry("平台", "external-link", "interop-partners", MANAGE_PARTNERS),
    Entry("监控", "activity", "monitoring-board", VIEW_MONITORING),
    Entry("审计", "history", "desk-audit", READ_AUDIT),
)
