"""The account's first menu and answers out of a file, for the day a hospital begins.

`{"replies": [{"kind", "name", "text", "words"?, "match"?}, …], "menu": [{"name", "page" | "reply" |
"entries"}, …]}`: `page` is one of menu_words.PAGES, `reply` the name of a reply of kind "menu".
What staff made since is left alone: a reply of that name stands as it is, and so does a menu
somebody has published.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from hospital.kernel.actors import SYSTEM, Actor
from hospital.messaging import account_gateway, actions, queries
from hospital.messaging.account_gateway import Published
from hospital.messaging.menu_words import page_url
from hospital.messaging.states import Match, MenuStatus, RuleKind
from hospital.wechat.menus import CLICK, VIEW, Button, Menu


def set_up_account(*, document: Mapping[str, Any], by: Actor, at: dt.datetime) -> Published | None:
    """Save the replies that are not there, and publish the menu; None when nothing was published.

    Raises KeyError or ValueError for a file of another form, Invalid for what the limits refuse,
    WeChatNotConnected.
    """
    keys = _save_replies(document["replies"], by=by, at=at)
    menu = Menu(buttons=tuple(_button(entry, keys) for entry in document["menu"]))
    in_use = queries.menu_in(status=MenuStatus.PUBLISHED)
    if in_use and (in_use.published_by != str(SYSTEM) or in_use.menu == menu):
        return None
    if queries.menu_in(status=MenuStatus.DRAFT) or queries.menu_in(status=MenuStatus.PUBLISHING):
        return None
    draft = actions.start_draft(copy_of=None, by=by, at=at)
    draft = actions.save_draft(menu_id=draft.pk, revision=draft.revision, menu=menu, by=by, at=at)
    return account_gateway.start_publishing(menu_id=draft.pk, revision=draft.revision, by=by, at=at)


def _save_replies(listed: list[dict[str, Any]], *, by: Actor, at: dt.datetime) -> dict[str, str]:
    """The key a menu button sends, by the name of the reply it gets."""
    rules = {(rule.kind, rule.name): rule for rule in queries.reply_rules()}
    alone = {rule.kind for rule in rules.values()} & {RuleKind.WELCOME, RuleKind.DEFAULT}
    for entry in listed:
        kind, name = RuleKind(entry["kind"]), entry["name"]
        if (kind, name) in rules or kind in alone:
            continue
        rules[kind, name] = actions.save_rule(
            rule_id=None,
            kind=kind,
            name=name,
            words=entry.get("words", []),
            match=Match(entry.get("match", Match.EXACT)),
            priority=100,
            text=entry["text"],
            is_on=True,
            by=by,
            at=at,
        )
    return {name: rule.key for (kind, name), rule in rules.items() if kind == RuleKind.MENU}


def _button(entry: Mapping[str, Any], keys: Mapping[str, str]) -> Button:
    name = entry["name"]
    if "entries" in entry:
        return Button(name=name, children=tuple(_button(one, keys) for one in entry["entries"]))
    if "reply" in entry:
        return Button(name=name, kind=CLICK, key=keys[entry["reply"]])
    return Button(name=name, kind=VIEW, url=page_url(entry["page"]))
