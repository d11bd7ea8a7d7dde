"""What the audit calls the acts of this area."""

from hospital.kernel.acts import declare

declare(
    "registration",
    {
        "answer_substitution": "代患者答复替诊",
        "cancel_after_check_in": "签到后退号",
        "close_session": "结束出诊",
        "collect": "取号",
        "correct_noshow": "更正爽约",
        "decide_appeal": "处理爽约申诉",
        "enter_in_error": "登记有误作废",
        "export_utilisation": "导出号源使用情况",
        "lift_restriction": "解除预约限制",
        "override": "放宽挂号限制",
        "refund_unseen": "未就诊退号",
        "share": "分享就诊安排",
        "substitute": "替诊后的预约",
        "unshare": "停止分享就诊安排",
    },
)
