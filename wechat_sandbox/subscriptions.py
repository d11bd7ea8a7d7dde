"""Subscription messages: one consent is one message; and the results of all messages.

`bizsend` is the Official Account's, `send` the mini program's. Neither answers a message id: that
comes with the result, as at WeChat.
"""

from __future__ import annotations

from typing import Any

from wechat_sandbox import consents, inbound, messages
from wechat_sandbox.official import ApiCall, Failed, known_user, mini_user, require_token, route
from wechat_sandbox.records import User
from wechat_sandbox.sandbox import Sandbox
from wechat_sandbox.templates import SUBSCRIPTION
from wechat_sandbox.xml import Field

MINI_STATES = ("developer", "trial", "formal")
SYSTEM_FAILED = "failed: system failed"
ERROR_CODES = {messages.SUCCESS: 0, "failed:user block": 43019, SYSTEM_FAILED: 50002}


def bizsend(sandbox: Sandbox, call: ApiCall) -> dict[str, Any]:
    """POST /cgi-bin/message/subscribe/bizsend"""
    require_token(sandbox, call)
    user = known_user(sandbox, str(call.body.get("touser", "")))
    template_id = str(call.body.get("template_id", ""))
    messages.check_template(sandbox, template_id, call.body.get("data"), SUBSCRIPTION)
    messages.check_reach(sandbox, call, user, follows=False)
    with sandbox.store.write():
        _use_consent(sandbox, user.openid, template_id)
        message = messages.put(
            sandbox, call, user, product="subscription", url=str(call.body.get("page") or "")
        )
        _tell(sandbox, user, template_id, message.msgid, message.result)
    return {"errcode": 0, "errmsg": "ok"}


def mini_send(sandbox: Sandbox, call: ApiCall) -> dict[str, Any]:
    """POST /cgi-bin/message/subscribe/send; its results go to the mini program's own console."""
    require_token(sandbox, call, mini_program=True)
    body = call.body
    user = mini_user(sandbox, str(body.get("touser", "")))
    template_id = str(body.get("template_id", ""))
    messages.check_template(sandbox, template_id, body.get("data"), SUBSCRIPTION)
    if body.get("miniprogram_state", "formal") not in MINI_STATES:
        raise Failed(40097, "invalid args: miniprogram_state")
    page = str(body.get("page") or "")
    if page.startswith(("/", "http")):
        raise Failed(41030, "invalid page")
    messages.check_reach(sandbox, call, user, follows=False)
    with sandbox.store.write():
        _use_consent(sandbox, user.mp_openid, template_id)
        messages.put(sandbox, call, user, product="mini", url="", page=page)
    return {"errcode": 0, "errmsg": "ok"}


def _use_consent(sandbox: Sandbox, openid: str, template_id: str) -> None:
    if not consents.use(sandbox, openid, template_id):
        raise Failed(*messages.REFUSALS["no_consent"])


def _tell(sandbox: Sandbox, user: User, template_id: str, msgid: int, result: str) -> None:
    entry: list[Field] = [
        ("TemplateId", template_id),
        ("MsgID", msgid),
        ("ErrorCode", ERROR_CODES[result]),
        ("ErrorStatus", result),
    ]
    inbound.event(
        sandbox,
        user.openid,
        "subscribe_msg_sent_event",
        [("SubscribeMsgSentEvent", [("List", entry)])],
        after_s=inbound.RESULT_AFTER_S,
    )


routes = [
    route("/cgi-bin/message/subscribe/bizsend", bizsend, method="POST"),
    route("/cgi-bin/message/subscribe/send", mini_send, method="POST"),
]
