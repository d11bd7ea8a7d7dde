"""Do messages reach people: WeChat and SMS, and who still has to be telephoned."""

from __future__ import annotations

import datetime as dt
from typing import Final

from django.conf import settings

from hospital.messaging import queries as messaging
from hospital.messaging.states import Channel
from hospital.monitoring.reading import Finding, Probe, lasting
from hospital.monitoring.states import Group
from hospital.monitoring.thresholds import MESSAGE_FAILURES, OPEN_CALLS, SMS_FAILURES

_HOUR: Final = dt.timedelta(hours=1)
#: Of fewer a share says nothing.
FEWEST: Final = 5


def failures(at: dt.datetime) -> Finding:
    """The share of the last hour's tries that failed, except for what their reader chose."""
    return _share("消息", *messaging.delivery_results(since=at - _HOUR))


def sms(at: dt.datetime) -> Finding:
    """The same for SMS alone."""
    if not settings.SMS_URL:
        return Finding("没有接入短信平台：患者在手机上不能添加就诊人、更换手机号。")
    found = messaging.delivery_results(since=at - _HOUR, channel=Channel.SMS)
    return _share("短信", *found)


def calls(at: dt.datetime) -> Finding:
    """How long the first patient on the call list has waited."""
    count, since = messaging.waiting_calls()
    if since is None:
        return Finding("没有待打的电话。", 0)
    seconds = max(0.0, (at - since).total_seconds())
    text = f"{count} 位患者待电话通知，最久的等了 {lasting(seconds)}。"
    return Finding(text, int(seconds // 60))


def _share(what: str, ended: int, failed: int) -> Finding:
    if not ended:
        return Finding(f"最近一小时没有发出{what}。")
    text = f"最近一小时发送{what} {ended} 次，失败 {failed} 次。"
    if ended < FEWEST:
        return Finding(f"{text}次数太少，不判断。")
    return Finding(text, round(100 * failed / ended, 1))


PROBES: Final = (
    Probe(
        key="message_failures",
        group=Group.MESSAGES,
        label="消息发送失败",
        unit="%",
        read=failures,
        limits=MESSAGE_FAILURES,
    ),
    Probe(
        key="sms_failures",
        group=Group.MESSAGES,
        label="短信发送失败",
        unit="%",
        read=sms,
        limits=SMS_FAILURES,
    ),
    Probe(
        key="open_calls",
        group=Group.MESSAGES,
        label="电话通知",
        unit="分钟",
        read=calls,
        limits=OPEN_CALLS,
    ),
)
