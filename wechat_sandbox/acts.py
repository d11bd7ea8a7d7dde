"""What a person does towards the account: write, tap the menu, follow, leave, scan, agree.

Each act changes the state, opens the account's window for customer-service messages, and tells the
merchant's server. Both the phone and the control address go through here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Concatenate, ParamSpec

from wechat_sandbox import consents, conversation, inbound, people, qr_codes, windows
from wechat_sandbox.account_records import Following, QrCode
from wechat_sandbox.records import User
from wechat_sandbox.sandbox import Sandbox

TEXT_LIMIT = 600
Rest = ParamSpec("Rest")
Act = Callable[Concatenate[Sandbox, User, Rest], int | None]


class NotPossible(Exception):
    """The person cannot do this; the message says why."""


def _whole(act: Act[Rest]) -> Act[Rest]:
    """What is remembered and what the merchant's server is told come together, or not at all."""

    @wraps(act)
    def run(sandbox: Sandbox, user: User, /, *rest: Rest.args, **named: Rest.kwargs) -> int | None:
        with sandbox.store.write():
            return act(sandbox, user, *rest, **named)

    return run


@_whole
def say(sandbox: Sandbox, user: User, text: str) -> int | None:
    """Write to the account; each act answers the queued row, None when nobody is told."""
    conversation.typed(sandbox, user.openid, text[:TEXT_LIMIT])
    windows.opened(sandbox, user.openid, windows.WROTE)
    return inbound.message(sandbox, user.openid, "text", [("Content", text[:TEXT_LIMIT])])


@_whole
def click(sandbox: Sandbox, user: User, key: str) -> int | None:
    """Tap a menu entry of type click."""
    windows.opened(sandbox, user.openid, windows.CLICKED)
    return inbound.event(sandbox, user.openid, "CLICK", [("EventKey", key)], awaits_reply=True)


def view(sandbox: Sandbox, user: User, url: str) -> int | None:
    """Tap a menu entry of type view: the page opens, the server is told."""
    return inbound.event(sandbox, user.openid, "VIEW", [("EventKey", url), ("MenuId", 414873350)])


@_whole
def follow(sandbox: Sandbox, user: User, code: QrCode | None = None) -> int | None:
    """Follow the account, by its code or by searching; nothing when it is followed already."""
    if user.subscribed:
        return None
    people.change(sandbox, user.openid, subscribed=True)
    sandbox.store.run(
        "INSERT OR REPLACE INTO followings (openid, how, qr_scene, qr_scene_str)"
        " VALUES (?, ?, ?, ?)",
        user.openid,
        "ADD_SCENE_QR_CODE" if code else "ADD_SCENE_SEARCH",
        code.scene_id if code else 0,
        code.scene_str if code else "",
    )
    windows.opened(sandbox, user.openid, windows.FOLLOWED)
    sandbox.hub.publish(user.openid, "account")
    fields = (
        [("EventKey", f"qrscene_{code.scene}"), ("Ticket", code.ticket)]
        if code
        else [("EventKey", "")]
    )
    return inbound.event(sandbox, user.openid, "subscribe", fields, awaits_reply=True)


@_whole
def unfollow(sandbox: Sandbox, user: User) -> int | None:
    """Leave the account; nothing when it is not followed."""
    if not user.subscribed:
        return None
    people.change(sandbox, user.openid, subscribed=False)
    windows.closed(sandbox, user.openid)
    sandbox.hub.publish(user.openid, "account")
    return inbound.event(sandbox, user.openid, "unsubscribe", [("EventKey", "")])


def set_following(sandbox: Sandbox, user: User, *, wanted: bool) -> int | None:
    """Follow or leave, as a switch does."""
    return follow(sandbox, user) if wanted else unfollow(sandbox, user)


@_whole
def scan(sandbox: Sandbox, user: User, code: QrCode) -> int | None:
    """Scan a code with a scene: it follows, or reports the scan. Raises NotPossible."""
    if not qr_codes.is_alive(sandbox, code):
        raise NotPossible("二维码已过期")
    if not user.subscribed:
        return follow(sandbox, user, code)
    windows.opened(sandbox, user.openid, windows.SCANNED)
    fields = [("EventKey", code.scene), ("Ticket", code.ticket)]
    return inbound.event(sandbox, user.openid, "SCAN", fields, awaits_reply=True)


@_whole
def answer_popup(
    sandbox: Sandbox, user: User, choices: Mapping[str, bool], *, permanent: bool = False
) -> int | None:
    """Answer the subscription popup: which templates are agreed to.

    Agreeing once allows one message more; templates of the long-term kind, or `permanent` (the box
    总是保持以上选择), allow any number. Refusing takes nothing back.
    """
    for template_id, agreed in choices.items():
        if agreed:
            consents.give(sandbox, user.openid, template_id, permanent=permanent)
    sandbox.hub.publish(user.openid, "consent")
    answers: list[tuple[str, list[tuple[str, str | int]]]] = [
        (
            "List",
            [
                ("TemplateId", template_id),
                ("SubscribeStatusString", "accept" if agreed else "reject"),
                ("PopupScene", 1),
            ],
        )
        for template_id, agreed in choices.items()
    ]
    return inbound.event(
        sandbox, user.openid, "subscribe_msg_popup_event", [("SubscribeMsgPopupEvent", answers)]
    )


@_whole
def refuse_templates(sandbox: Sandbox, user: User, template_ids: list[str]) -> int | None:
    """Switch notifications off in WeChat's settings: what was agreed to is gone."""
    for template_id in template_ids:
        consents.take_back(sandbox, user.openid, template_id)
    sandbox.hub.publish(user.openid, "consent")
    refused = [
        ("List", [("TemplateId", template_id), ("SubscribeStatusString", "reject")])
        for template_id in template_ids
    ]
    return inbound.event(
        sandbox, user.openid, "subscribe_msg_change_event", [("SubscribeMsgChangeEvent", refused)]
    )


def following_of(sandbox: Sandbox, openid: str) -> Following:
    """How this person came to follow the account."""
    known = sandbox.store.one(Following, "SELECT * FROM followings WHERE openid = ?", openid)
    return known or Following(openid, "ADD_SCENE_SEARCH", 0, "")
