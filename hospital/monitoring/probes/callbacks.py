"""Does WeChat Pay reach us, and does it answer."""

from __future__ import annotations

import datetime as dt
from typing import Final

from hospital.monitoring.reading import Finding, Probe, lasting
from hospital.monitoring.states import Group
from hospital.monitoring.thresholds import NOTICE_LAG, UNANSWERED
from hospital.payments import queries as payments

_HOUR: Final = dt.timedelta(hours=1)


def notice_lag(at: dt.datetime) -> Finding:
    """How late the payment notices of the last hour came."""
    count, seconds = payments.notice_lag(since=at - _HOUR)
    if not count:
        return Finding("最近一小时没有支付通知。")
    late = f"九成在支付成功后 {lasting(seconds)}内收到"
    return Finding(f"最近一小时 {count} 条支付通知，{late}。", round(seconds))


def unanswered(at: dt.datetime) -> Finding:
    """Since when WeChat owes us the result of some payment."""
    since = payments.oldest_unanswered(at=at)
    if since is None:
        return Finding("没有等微信答复的支付。", 0)
    seconds = max(0.0, (at - since).total_seconds())
    return Finding(f"最久的一笔支付等微信答复 {lasting(seconds)}了。", int(seconds // 60))


PROBES: Final = (
    Probe(
        key="notice_lag",
        group=Group.CALLBACKS,
        label="通知晚到",
        unit="秒",
        read=notice_lag,
        limits=NOTICE_LAG,
    ),
    Probe(
        key="unanswered",
        group=Group.CALLBACKS,
        label="结果未答复",
        unit="分钟",
        read=unanswered,
        limits=UNANSWERED,
    ),
)
