"""SM17: the life of a message, its channels, and the words for what came of each try.

A message is in the inbox from the start, whatever the channels do with it.
"""

from __future__ import annotations

from typing import Final

from django.db.models import TextChoices

from hospital.kernel.states import Moves


class MessageStatus(TextChoices):
    """Where a message stands. FALLBACK: the first channel failed, another way was taken, if only
    the inbox; which one is the message's `channel`."""

    PREPARATION = "preparation", "等待时段"
    QUEUED = "queued", "待发送"
    SENT = "sent", "已发送"
    DELIVERED = "delivered", "已送达"
    FAILED = "failed", "正在换方式"
    FALLBACK = "fallback", "已换方式"
    NOT_DONE = "not_done", "不发送"


class Channel(TextChoices):
    """The ways to a person, in the order they are tried (M8.3)."""

    TEMPLATE = "template", "微信模板消息"
    SUBSCRIPTION = "subscription", "微信订阅通知"
    SMS = "sms", "短信"
    INBOX = "inbox", "仅站内消息"
    CALL = "call", "电话通知"


#: How a message stands that took another way, in words.
WAYS: Final = {
    Channel.TEMPLATE.value: "已改发模板消息",
    Channel.SUBSCRIPTION.value: "已改发订阅通知",
    Channel.SMS.value: "已改发短信",
    Channel.INBOX.value: "仅站内消息",
    Channel.CALL.value: "转电话通知",
}


class Outcome(TextChoices):
    """What came of one channel. SKIPPED: it was not even asked."""

    TRYING = "trying", "发送中"
    SENT = "sent", "已发送"
    DELIVERED = "delivered", "已送达"
    FAILED = "failed", "未送达"
    SKIPPED = "skipped", "未使用"


class Reason(TextChoices):
    """Why a channel or a message came to nothing; the first ones are WeChat's answers."""

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
    SYSTEM_FAILED = "system_failed", "微信投递失败"
    UNSURE = "unsure", "微信没有答复，可能已送达"
    NO_SMS = "no_sms", "医院未接入短信"
    NO_PHONE = "no_phone", "没有登记手机号"
    SMS_REFUSED = "sms_refused", "短信平台拒绝发送"
    OTHERS_TOLD = "others_told", "其他绑定人已收到"
    SWITCHED_OFF = "switched_off", "用户关闭了此类消息"
    EXPIRED = "expired", "已过有效时间"
    UNBOUND = "unbound", "已解除绑定"


class Switch(TextChoices):
    """What a user may turn on and off; ANYTIME is off unless turned on, the others are on."""

    BOOKING = "booking", "挂号结果"
    TODO = "todo", "待办提醒"
    ANYTIME = "anytime", "夜间也接收"


class CallStatus(TextChoices):
    """Where a call to a patient nobody could reach otherwise stands."""

    OPEN = "open", "待联系"
    DONE = "done", "已通知"
    UNREACHABLE = "unreachable", "联系不上"


class InboundStatus(TextChoices):
    """Where something said to the account stands; an answer is owed from ANSWERING on."""

    RECEIVED = "received", "待处理"
    HANDLED = "handled", "已处理"
    ANSWERING = "answering", "待回复"
    ANSWERED = "answered", "已回复"
    UNANSWERED = "unanswered", "未能回复"


class MenuStatus(TextChoices):
    """Where one version of the account's menu stands."""

    DRAFT = "draft", "草稿"
    PUBLISHING = "publishing", "发布中"
    PUBLISHED = "published", "使用中"
    REPLACED = "replaced", "已被替换"
    DISCARDED = "discarded", "已放弃"


class RuleKind(TextChoices):
    """What makes the account answer by itself."""

    WELCOME = "welcome", "关注时"
    DEFAULT = "default", "没有匹配时"
    KEYWORD = "keyword", "关键词"
    MENU = "menu", "菜单按钮"


class Match(TextChoices):
    """How a keyword fits what somebody wrote."""

    EXACT = "exact", "完全相同"
    CONTAINS = "contains", "包含"


#: Somebody or something is still working on it.
OPEN: Final = (MessageStatus.PREPARATION, MessageStatus.QUEUED, MessageStatus.FAILED)
#: A channel took it to the person.
TOLD: Final = (MessageStatus.SENT, MessageStatus.DELIVERED)
#: Channels that make a sound in somebody's pocket.
PUSHES: Final = (Channel.TEMPLATE, Channel.SUBSCRIPTION, Channel.SMS)
WECHAT: Final = (Channel.TEMPLATE, Channel.SUBSCRIPTION)

MOVES: Final[Moves] = frozenset(
    {
        (MessageStatus.PREPARATION.value, MessageStatus.QUEUED.value),
        (MessageStatus.PREPARATION.value, MessageStatus.NOT_DONE.value),
        (MessageStatus.QUEUED.value, MessageStatus.SENT.value),
        (MessageStatus.QUEUED.value, MessageStatus.FAILED.value),
        (MessageStatus.QUEUED.value, MessageStatus.NOT_DONE.value),
        (MessageStatus.SENT.value, MessageStatus.DELIVERED.value),
        (MessageStatus.SENT.value, MessageStatus.FAILED.value),
        (MessageStatus.FAILED.value, MessageStatus.FALLBACK.value),
        # The other way failed too, as WeChat reported afterwards.
        (MessageStatus.FALLBACK.value, MessageStatus.FAILED.value),
        # Staff send again.
        (MessageStatus.SENT.value, MessageStatus.QUEUED.value),
        (MessageStatus.DELIVERED.value, MessageStatus.QUEUED.value),
        (MessageStatus.FALLBACK.value, MessageStatus.QUEUED.value),
    }
)
CALL_MOVES: Final[Moves] = frozenset(
    {
        (CallStatus.OPEN.value, CallStatus.DONE.value),
        (CallStatus.OPEN.value, CallStatus.UNREACHABLE.value),
        # The patient called back, or came.
        (CallStatus.UNREACHABLE.value, CallStatus.DONE.value),
    }
)
INBOUND_MOVES: Final[Moves] = frozenset(
    {
        (InboundStatus.RECEIVED.value, InboundStatus.HANDLED.value),
        (InboundStatus.RECEIVED.value, InboundStatus.ANSWERING.value),
        (InboundStatus.ANSWERING.value, InboundStatus.ANSWERED.value),
        (InboundStatus.ANSWERING.value, InboundStatus.UNANSWERED.value),
    }
)
MENU_MOVES: Final[Moves] = frozenset(
    {
        (MenuStatus.DRAFT.value, MenuStatus.PUBLISHING.value),
        (MenuStatus.DRAFT.value, MenuStatus.DISCARDED.value),
        (MenuStatus.PUBLISHING.value, MenuStatus.PUBLISHED.value),
        # WeChat refused it: it is a draft again, with WeChat's words beside it.
        (MenuStatus.PUBLISHING.value, MenuStatus.DRAFT.value),
        (MenuStatus.PUBLISHED.value, MenuStatus.REPLACED.value),
    }
)
