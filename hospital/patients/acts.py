"""What the audit calls the acts of this area."""

from hospital.kernel.acts import declare

declare(
    "patients",
    {
        "view": "查看患者资料",
        "reveal": "显示患者隐私信息",
        "add_patient": "绑定就诊人",
        "remove_binding": "解除就诊人绑定",
        "mismatch": "绑定时资料不符",
        "end_other": "解除他人的就诊人绑定",
        "change_phone": "更换就诊人手机号",
        "force_unbind": "强制解除就诊人绑定",
        "ask_copy": "申请个人数据副本",
        "open_copy": "打开个人数据副本",
        "redeem_pass": "读取就诊二维码",
        "create_patient": "患者建档",
        "prove_identity": "核验患者身份",
        "correct": "修改患者联系方式",
        "add_health_card": "登记电子健康卡",
        "void_identifier": "作废患者证件",
        "report_same": "报告同一患者的两份档案",
        "add_guardian": "登记监护人",
        "end_guardian": "解除监护关系",
        "issue_card": "发就诊卡",
        "move_card": "就诊卡挂失、冻结、恢复、退卡",
        "seed_patients": "生成模拟患者",
        "replace_card": "补换就诊卡",
    },
)
