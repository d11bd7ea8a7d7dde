"""SM17: the life of a message. It is in the inbox from the start, whatever WeChat does with it."""

from __future__ import annotations

from django.db.models import TextChoices


class MessageStatus(TextChoices):
    """Where a message stands on its way through WeChat."""

    QUEUED = "queued", "待发送"
    SENT = "sent", "已发送"
    UNDELIVERED = "undelivered", "仅站内消息"


class Reason(TextChoices):
    """Why a message stays in the inbox only; the first ones are WeChat's answers."""

    NOT_FOLLOWING = "not_following", "未关注公众号"
    BLOCKED = "blocked", "已被用户拒收"
    NO_CONSENT = "no_consent", "用户未订阅"
    OPENID_UNKNOWN = "openid_unknown", "微信用户不存在"
    TEMPLATE_UNKNOWN = "template_unknown", "消息模板已失效"
    PAGE_UNKNOWN = "page_unknown", "跳转页面不存在"
    BAD_MESSAGE = "bad_message", "消息内容被微信拒绝"
    BAD_FIELD = "bad_field", "消息字段被微信拒绝"
    NO_PERMISSION = "no_permission", "公众号没有发送权限"
    BANNED = "banned", "公众号接口被封禁"
    NOT_CONNECTED = "not_connected", "医院未接入微信"
    NO_TEMPLATE = "no_template", "未配置消息模板"
    GAVE_UP = "gave_up", "多次发送未成功"


MOVES = frozenset(
    {
        (MessageStatus.QUEUED.value, MessageStatus.SENT.value),
        (MessageStatus.QUEUED.value, MessageStatus.UNDELIVERED.value),
    }
)
