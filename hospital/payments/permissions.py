"""Who may see money that came through a channel, ask the channel again, settle a case."""

from hospital.kernel.permissions import Permission

VIEW_PAYMENTS = Permission(
    code="payments.view_payments",
    label="查看支付与退款",
    roles=("finance", "cashier", "cashier_supervisor", "outpatient_office"),
)
ASK_CHANNEL = Permission(
    code="payments.ask_channel",
    label="向微信重新查询支付",
    roles=("finance", "cashier", "cashier_supervisor"),
)
CLOSE_CASE = Permission(
    code="payments.close_case",
    label="处理支付异常",
    roles=("finance",),
)
COLLECT = Permission(
    code="payments.collect",
    label="窗口收款",
    roles=("cashier", "registration_clerk"),
)
ASK_REFUND = Permission(
    code="payments.ask_refund",
    label="申请退款",
    roles=("cashier", "finance"),
)
APPROVE_REFUND = Permission(
    code="payments.approve_refund",
    label="审批退款与线下转账",
    roles=("finance", "cashier_supervisor"),
)
VIEW_STATEMENTS = Permission(
    code="payments.view_statements",
    label="查看与取得微信账单",
    roles=("finance", "cashier_supervisor"),
)
