"""What the audit calls the acts of this area."""

from hospital.kernel.acts import declare

declare(
    "payments",
    {
        "refund_request.requested": "申请退款",
        "refund_request.approved": "批准退款",
        "refund_request.rejected": "驳回退款",
        "take_cash": "窗口收现金",
        "hand_back_cash": "窗口退现金",
        "charge_code": "窗口扫付款码收款",
        "print_slip": "打印缴费单",
        "ask_channel": "向微信查询支付",
        "press_refund": "再次提交退款",
        "press_case": "就资金异常询问微信",
        "revoke_pay_code": "作废缴费单",
        "close_case": "处理资金异常",
        "transfer.proposed": "申请线下转账",
        "transfer.sent": "转账已交微信办理",
        "transfer.done": "确认线下转账",
        "transfer.rejected": "驳回线下转账",
        "transfer.refused": "微信拒绝转账",
        "transfer.reveal_payee": "显示收款人",
        "decision.proposed": "提出异常处理意见",
        "decision.confirmed": "确认异常处理意见",
        "decision.rejected": "驳回异常处理意见",
    },
)
