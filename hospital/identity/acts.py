"""What the audit calls the acts of this area."""

from hospital.kernel.acts import declare

declare(
    "identity",
    {
        "log_in_staff": "登录工作台",
        "log_in_failed": "登录失败",
        "log_out_staff": "退出工作台",
        "unlock_session": "解锁工作台",
        "enrol_second_factor": "绑定动态口令",
        "renew_second_factor": "更换动态口令手机",
        "renew_recovery_codes": "重新生成恢复码",
        "reset_second_factor": "重置动态口令",
        "give_second_factor": "在服务器上绑定动态口令",
        "end_session": "结束登录",
        "unlock_account": "解除登录锁定",
        "set_networks": "设置岗位登录网络",
        "change_password": "修改密码",
        "save_staff": "保存员工账号",
        "open_account": "新建员工账号",
        "change_account": "修改员工资料",
        "switch_off": "停用员工账号",
        "switch_on": "启用员工账号",
        "reset_password": "重置员工密码",
        "ask_access": "申请调整权限",
        "approve_access": "批准调整权限",
        "reject_access": "驳回调整权限",
        "lend": "临时授权",
        "take_back": "结束临时授权",
        "break_glass": "紧急查阅患者",
        "review_break_glass": "审核紧急查阅",
        "set_blocked": "停用或恢复微信用户",
        "refused": "越权操作被拒绝",
    },
)
