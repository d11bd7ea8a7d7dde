"""The conversation with WeChat about the account itself: its menu, and answers to people.

Action, HTTP, action; no transaction is open while WeChat is asked.
"""

from __future__ import annotations

import datetime as dt
import logging
from enum import Enum

from django.db import connection, transaction

from hospital.kernel.actors import Actor
from hospital.kernel.errors import Stale
from hospital.messaging import actions, queries
from hospital.messaging.states import MenuStatus
from hospital.wechat import clients, official
from hospital.wechat.menus import MenuOutcome, Taken
from hospital.wechat.outcomes import Refused

logger = logging.getLogger(__name__)


class NotPublished(Exception):
    """WeChat gave no usable answer about a menu; the job is to try again."""


class Published(Enum):
    """What came of a try to publish."""

    DONE = "done"
    REFUSED = "refused"
    UNANSWERED = "unanswered"


def fetch_menu() -> MenuOutcome:
    """The menu WeChat shows now. Raises WeChatNotConnected."""
    account = clients.official_account()
    _leave_database()
    return account.get_menu()


def start_publishing(*, menu_id: int, revision: int, by: Actor, at: dt.datetime) -> Published:
    """Decide that this draft is the next menu, and tell WeChat.

    Raises what begin_publishing raises, and WeChatNotConnected before anything is decided.
    """
    clients.config()
    actions.begin_publishing(menu_id=menu_id, revision=revision, by=by, at=at)
    return publish_menu(menu_id=menu_id, by=by, at=at)


def publish_menu(*, menu_id: int, by: Actor, at: dt.datetime) -> Published:
    """Tell WeChat about a menu that is to be published; telling it twice changes nothing.

    Raises WeChatNotConnected, NotFound.
    """
    version = queries.menu_version(menu_id=menu_id)
    if version.status != MenuStatus.PUBLISHING:
        return Published.DONE
    account = clients.official_account()
    _leave_database()
    outcome = account.create_menu(version.menu)
    if isinstance(outcome, Taken):
        actions.record_published(menu_id=menu_id, by=by, at=at)
        return Published.DONE
    if isinstance(outcome, Refused):
        logger.warning("menu refused", extra={"menu_id": menu_id, "code": outcome.code})
        answer = f"{outcome.code} {outcome.message}"
        actions.record_refused(menu_id=menu_id, answer=answer, by=by, at=at)
        return Published.REFUSED
    logger.warning("menu not published yet", extra={"menu_id": menu_id, "why": outcome.reason})
    return Published.UNANSWERED


def publish_at_last(*, menu_id: int, by: Actor, at: dt.datetime) -> None:
    """For the job. Raises NotPublished while WeChat does not answer, so that it comes back."""
    if publish_menu(menu_id=menu_id, by=by, at=at) is Published.UNANSWERED:
        raise NotPublished


def answer(*, inbound_id: int, attempt: int, at: dt.datetime) -> None:
    """Send the answer to something somebody said; what comes of it is recorded."""
    row = actions.begin_answer(inbound_id=inbound_id, attempt=attempt, at=at)
    if row is None:
        return
    openid, text = row.wechat_user.openid, row.answer
    _leave_database()
    outcome = _send(openid, text)
    try:
        _record(inbound_id, attempt, outcome, at=at)
    except Stale:
        logger.info("answer settled elsewhere", extra={"inbound_id": inbound_id})


def _send(openid: str, text: str) -> official.MessageOutcome:
    try:
        account = clients.official_account()
    except clients.WeChatNotConnected:
        return official.Undeliverable(code="", reason="not_connected")
    return account.send_customer_text(openid=openid, text=text)


def _record(
    inbound_id: int, attempt: int, outcome: official.MessageOutcome, *, at: dt.datetime
) -> None:
    if isinstance(outcome, official.Sent):
        actions.record_answered(inbound_id=inbound_id, at=at)
    elif isinstance(outcome, official.Retryable) and outcome.is_certain:
        actions.answer_later(inbound_id=inbound_id, attempt=attempt, reason=outcome.reason, at=at)
    else:
        # Refused for good, or it may be there already: a text sent twice is shown twice.
        logger.warning("answer not sent", extra={"inbound_id": inbound_id, "why": outcome.reason})
        actions.record_unanswered(inbound_id=inbound_id, reason=outcome.reason, at=at)


def _leave_database() -> None:
    """Before every call out: refuse to hold a transaction over it, and give the connection back."""
    with transaction.atomic(durable=True):
        pass
    if not connection.in_atomic_block:
        connection.close()
