"""What is said to the account: stored once, then acted upon once, then answered at most once."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable
from typing import Final

from django.db import IntegrityError, transaction
from django.db.models import F

from hospital.identity import actions as identity
from hospital.kernel import sealed
from hospital.kernel.actors import SYSTEM
from hospital.kernel.events import later
from hospital.kernel.states import move
from hospital.messaging import queries
from hospital.messaging.actions.results import record_delivery
from hospital.messaging.actions.wishes import add_consent, withdraw_consent
from hospital.messaging.models import InboundMessage, ReplyRule
from hospital.messaging.states import InboundStatus, RuleKind
from hospital.messaging.thresholds import INBOUND_DAYS
from hospital.wechat import inbound as wire
from hospital.wechat.inbound import InboundEvent, InboundKind

logger = logging.getLogger(__name__)

#: WeChat takes an answer to what somebody said for so long; afterwards nobody expects one.
ANSWER_WITHIN: Final = dt.timedelta(hours=48)
#: A delivery report may overtake our own record of having sent the message.
_OVERTAKEN_FOR: Final = dt.timedelta(minutes=1)
_LOOK_AGAIN: Final = dt.timedelta(seconds=10)
_TRIES: Final = 4
_WAITS: Final = (2, 15, 60)
_LONGEST_TEXT: Final = 2000


def hear(*, message: wire.InboundMessage, appid: str, at: dt.datetime) -> bool:
    """Store one message or event and defer what it asks for; False when it is known already."""
    user = identity.sign_in_wechat_user(appid=appid, openid=message.openid, at=at)
    row = InboundMessage(
        fingerprint=_fingerprint(message, appid=appid),
        wechat_user=user,
        kind=message.kind,
        event=message.event,
        event_key=message.event_key,
        scene=message.scene[:64],
        content=message.content[:_LONGEST_TEXT],
        deliveries=[
            [report.message_id, report.status, report.template_id] for report in message.deliveries
        ],
        consents=[[report.template_id, report.is_accepted] for report in message.consents],
        said_at=message.created_at,
        received_at=at,
    )
    if InboundMessage.objects.filter(fingerprint=row.fingerprint).exists():
        return False
    try:
        with transaction.atomic():
            row.save(force_insert=True)
            later("messaging.jobs.handle_inbound", inbound_id=row.pk)
    except IntegrityError:
        # Another copy came in between; its own request defers the work.
        if InboundMessage.objects.filter(fingerprint=row.fingerprint).exists():
            return False
        raise
    return True


def handle(*, inbound_id: int, at: dt.datetime) -> None:
    """Do what a stored message asks for, once; an answer to it is deferred."""
    with transaction.atomic():
        row = (
            InboundMessage.objects.select_for_update(of=("self",))
            .select_related("wechat_user")
            .get(pk=inbound_id)
        )
        if row.status != InboundStatus.RECEIVED:
            return
        if _reports_overtook(row, at=at):
            later("messaging.jobs.handle_inbound", at=at + _LOOK_AGAIN, inbound_id=row.pk)
            return
        effect = _EFFECTS.get(row.event)
        if effect is not None:
            effect(row, at)
        rule = _rule_for(row) if at - row.said_at < ANSWER_WITHIN else None
        if rule is None:
            move(row, InboundStatus.HANDLED, by=SYSTEM, at=at)
            return
        move(row, InboundStatus.ANSWERING, by=SYSTEM, at=at, rule=rule, answer=rule.text)
        later("messaging.jobs.answer_inbound", inbound_id=row.pk, attempt=1)


def begin_answer(*, inbound_id: int, attempt: int, at: dt.datetime) -> InboundMessage | None:
    """Take try number `attempt` at sending an answer; None when there is nothing to send.

    A try taken before and not ended was cut short in the middle. WeChat shows every copy of a
    text, so it is not sent again: better no answer than two.
    """
    row = InboundMessage.objects.select_related("wechat_user").get(pk=inbound_id)
    if row.status != InboundStatus.ANSWERING:
        return None
    taken = InboundMessage.objects.filter(
        pk=inbound_id, status=InboundStatus.ANSWERING, tries=attempt - 1
    )
    if taken.update(tries=F("tries") + 1):
        return row
    if row.tries == attempt:
        record_unanswered(inbound_id=inbound_id, reason="interrupted", at=at)
    return None


def record_answered(*, inbound_id: int, at: dt.datetime) -> None:
    """WeChat took the answer. Raises Stale when it was settled before."""
    with transaction.atomic():
        move(InboundMessage.objects.get(pk=inbound_id), InboundStatus.ANSWERED, by=SYSTEM, at=at)


def record_unanswered(*, inbound_id: int, reason: str, at: dt.datetime) -> None:
    """The answer reached nobody, as far as we know; nobody tries again. Raises Stale."""
    with transaction.atomic():
        row = InboundMessage.objects.get(pk=inbound_id)
        move(row, InboundStatus.UNANSWERED, by=SYSTEM, at=at, reason=reason, failure=reason[:60])


def answer_later(*, inbound_id: int, attempt: int, reason: str, at: dt.datetime) -> None:
    """Try again a little later what certainly did not arrive, or give up after the last try."""
    if attempt >= _TRIES:
        record_unanswered(inbound_id=inbound_id, reason=reason, at=at)
        return
    wait = dt.timedelta(seconds=_WAITS[attempt - 1])
    later("messaging.jobs.answer_inbound", at=at + wait, inbound_id=inbound_id, attempt=attempt + 1)


def forget_texts(*, at: dt.datetime) -> int:
    """Blank what people wrote some days ago; returns how many texts that were."""
    since = at - dt.timedelta(days=INBOUND_DAYS.value())
    rows = InboundMessage.objects.filter(received_at__lt=since).exclude(content="")
    return rows.update(content="")


def _fingerprint(message: wire.InboundMessage, *, appid: str) -> str:
    """Keyed, since it is made from the openid. Messages have a number; events are told apart by
    person, second, name and whatever else they name, because two may come in one second."""
    parts = [appid, message.kind, message.openid]
    if message.message_id:
        parts.append(message.message_id)
    else:
        stamp = str(int(message.created_at.timestamp()))
        parts += [stamp, message.event, message.event_key]
        parts += [f"{report.message_id}:{report.status}" for report in message.deliveries]
        parts += [f"{report.template_id}:{report.is_accepted}" for report in message.consents]
    return sealed.blind_index("\0".join(parts), "messaging.inbound")


def _reports_overtook(row: InboundMessage, *, at: dt.datetime) -> bool:
    """Write delivery results back; whether to look again, because a message is not known yet."""
    openid = row.wechat_user.openid
    known = [
        record_delivery(
            provider_id=message_id, openid=openid, status=status, template_id=template_id, at=at
        )
        for message_id, status, template_id in row.deliveries
    ]
    if all(known):
        return False
    if at - row.received_at < _OVERTAKEN_FOR:
        return True
    logger.warning("report about a message nobody sent", extra={"inbound_id": row.pk})
    return False


def _follow(row: InboundMessage, at: dt.datetime) -> None:
    identity.record_following(
        wechat_user_id=row.wechat_user_id,
        is_following=row.event == InboundEvent.SUBSCRIBE,
        changed_at=row.said_at,
        by=SYSTEM,
        at=at,
    )


def _allow(row: InboundMessage, at: dt.datetime) -> None:
    """An agreement allows one notification more; a refusal at that moment takes nothing back."""
    for template_id, is_accepted in row.consents:
        if is_accepted:
            add_consent(wechat_user_id=row.wechat_user_id, template_id=template_id, at=at)


def _withdraw(row: InboundMessage, at: dt.datetime) -> None:
    """Switched off in WeChat's own settings: nothing is allowed any more."""
    for template_id, is_accepted in row.consents:
        if not is_accepted:
            withdraw_consent(wechat_user_id=row.wechat_user_id, template_id=template_id, at=at)


def _rule_for(row: InboundMessage) -> ReplyRule | None:
    if row.event == InboundEvent.SUBSCRIBE:
        return queries.rule_of_kind(kind=RuleKind.WELCOME)
    if row.event == InboundEvent.CLICK:
        return queries.rule_of_key(key=row.event_key)
    if row.kind == InboundKind.EVENT:
        return None
    return queries.rule_for_text(text=row.content)


_EFFECTS: Final[dict[str, Callable[[InboundMessage, dt.datetime], None]]] = {
    InboundEvent.SUBSCRIBE.value: _follow,
    InboundEvent.UNSUBSCRIBE.value: _follow,
    InboundEvent.CONSENT_ASKED.value: _allow,
    InboundEvent.CONSENT_CHANGED.value: _withdraw,
}
