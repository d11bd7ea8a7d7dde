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
    },
)
