"""What the audit calls the acts of this area."""

from hospital.kernel.acts import declare

declare(
    "messaging",
    {
        "resend": "再次发送消息",
        "start_menu_draft": "新建公众号菜单草稿",
        "save_menu_draft": "保存公众号菜单草稿",
        "discard_menu_draft": "放弃公众号菜单草稿",
        "publish_menu": "发布公众号菜单",
        "save_reply_rule": "保存自动回复",
    },
)
