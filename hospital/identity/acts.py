"""What the audit calls the acts of this area."""

from hospital.kernel.acts import declare

declare(
    "identity",
    {
        "log_in_staff": "登录工作台",
        "log_in_failed": "登录失败",
        "log_out_staff": "退出工作台",
        "change_password": "修改密码",
        "save_staff": "保存员工账号",
        "set_blocked": "停用或恢复微信用户",
        "refused": "越权操作被拒绝",
    },
)
