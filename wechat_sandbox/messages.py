"""Messages from approved templates: what the account sends, what the phone shows of it.

An accepted message reaches the phone unless its result says otherwise; the result is told to the
merchant's server a moment later (TEMPLATESENDJOBFINISH, or `subscriptions`' own event).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from wechat_sandbox import inbound, templates
from wechat_sandbox.faults import Point
from wechat_sandbox.official import ApiCall, Failed, known_user, require_token, route
from wechat_sandbox.records import Message, User
from wechat_sandbox.sandbox import Sandbox

REMEMBERED_S = 600
FIRST_MSGID = 3_000_000_000_000_000_000
SUCCESS = "success"
RESULTS = {
    "result_user_block": "failed:user block",
    "result_system_failed": "failed: system failed",
}
REFUSALS = {
    "user_blocked": (43019, "require remove blacklist"),
    "not_following": (43004, "require subscribe"),
    "no_consent": (43101, "user refuse to accept the msg"),
    "bad_field": (47003, "argument invalid! data.thing1.value invalid"),
}


@dataclass(frozen=True)
class Line:
    """One row of a message card."""

    label: str
    value: str


@dataclass(frozen=True)
class Card:
    """A message as the phone shows it; `url` opens on tap, may be empty."""

    msgid: int
    title: str
    lines: list[Line]
    url: str
    at: float
    product: str = "template"


@dataclass(frozen=True)
class Put:
    """An accepted message: the number WeChat gave it and what becomes of it."""

    msgid: int
    result: str


def send_template(sandbox: Sandbox, call: ApiCall) -> dict[str, Any]:
    """POST /cgi-bin/message/template/send"""
    require_token(sandbox, call)
    body = call.body
    user = known_user(sandbox, str(body.get("touser", "")))
    check_template(sandbox, str(body.get("template_id", "")), body.get("data"), "template")
    repeated = _sent_before(sandbox, user.openid, str(body.get("client_msg_id", "")))
    if repeated is not None:
        return _accepted(FIRST_MSGID + repeated.msgid)
    check_reach(sandbox, call, user, follows=True)
    with sandbox.store.write():
        message = put(sandbox, call, user, product="template", url=str(body.get("url") or ""))
        tell_result(sandbox, user.openid, message.msgid, message.result)
    return _accepted(message.msgid)


def check_template(sandbox: Sandbox, template_id: str, data: object, product: str) -> None:
    """Raises Failed unless the template is approved for this product and the data fits it."""
    try:
        templates.check(sandbox, template_id, data, product)
    except templates.NoTemplate as unknown:
        raise Failed(40037, "invalid template_id") from unknown
    except templates.WrongData as wrong:
        raise Failed(47003, str(wrong)) from wrong


def check_reach(sandbox: Sandbox, call: ApiCall, user: User, *, follows: bool) -> None:
    """Raises Failed when this person gets no message now; `follows`: only followers do."""
    if follows and not user.subscribed:
        raise Failed(*REFUSALS["not_following"])
    if user.blocked:
        raise Failed(*REFUSALS["user_blocked"])
    fault = sandbox.faults.strikes(Point.MESSAGE, call.subject)
    if fault is not None:
        raise Failed(*REFUSALS[fault.kind])


def put(
    sandbox: Sandbox, call: ApiCall, user: User, *, product: str, url: str, page: str = ""
) -> Put:
    """Accept a message; it is on the phone when its result is `success`."""
    body = call.body
    fault = sandbox.faults.strikes(Point.RESULT, call.subject)
    result = SUCCESS if fault is None else RESULTS[fault.kind]
    miniprogram = {"pagepath": page} if page else body.get("miniprogram") or {}
    row = sandbox.store.insert(
        "messages",
        openid=user.openid,
        template_id=str(body["template_id"]),
        url=url,
        miniprogram=json.dumps(miniprogram, ensure_ascii=False),
        data=json.dumps(body["data"], ensure_ascii=False),
        client_msg_id=str(body.get("client_msg_id", "")),
        at=sandbox.clock.now(),
        product=product,
        result=result,
    )
    if result == SUCCESS:
        sandbox.hub.publish(user.openid, "message", str(row))
    return Put(FIRST_MSGID + row, result)


def tell_result(sandbox: Sandbox, openid: str, msgid: int, result: str) -> int | None:
    """Queue TEMPLATESENDJOBFINISH; its row, None when there is nowhere to send it."""
    return inbound.event(
        sandbox,
        openid,
        "TEMPLATESENDJOBFINISH",
        [("MsgID", msgid), ("Status", result)],
        after_s=inbound.RESULT_AFTER_S,
    )


def received(sandbox: Sandbox, openid: str) -> list[Card]:
    """What this person's phone got, oldest first."""
    found = sandbox.store.all(
        Message,
        "SELECT * FROM messages WHERE openid = ? AND result = ? ORDER BY msgid",
        openid,
        SUCCESS,
    )
    return [_card(sandbox, message) for message in found]


def _accepted(msgid: int) -> dict[str, Any]:
    return {"errcode": 0, "errmsg": "ok", "msgid": msgid}


def _sent_before(sandbox: Sandbox, openid: str, client_msg_id: str) -> Message | None:
    if not client_msg_id:
        return None
    return sandbox.store.one(
        Message,
        "SELECT * FROM messages WHERE openid = ? AND client_msg_id = ? AND at > ?",
        openid,
        client_msg_id,
        sandbox.clock.now() - REMEMBERED_S,
    )


def _card(sandbox: Sandbox, message: Message) -> Card:
    template = templates.find(sandbox, message.template_id)
    labels: dict[str, str] = {} if template is None else json.loads(template.keys)
    data: dict[str, Any] = json.loads(message.data)
    return Card(
        msgid=message.msgid,
        title="服务通知" if template is None else template.title,
        lines=[Line(labels.get(key, key), str(entry["value"])) for key, entry in data.items()],
        url=message.url,
        at=message.at,
        product=message.product,
    )


routes = [route("/cgi-bin/message/template/send", send_template, method="POST")]
