"""Writes of the account's own answers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Final

from django.db import transaction

from hospital.kernel import audit
from hospital.kernel.actors import Actor
from hospital.kernel.errors import Invalid, NotFound
from hospital.messaging import answering
from hospital.messaging.models import ReplyRule
from hospital.messaging.states import Match, RuleKind
from hospital.wechat.sending import MOST_TEXT_BYTES
from hospital.wechat.xml import clean

_MOST_WORDS: Final = 20
_LONGEST_WORD: Final = 30
_LONGEST_NAME: Final = 20
_ALONE: Final = (RuleKind.WELCOME, RuleKind.DEFAULT)
_COLUMNS: Final = ("kind", "name", "words", "match", "priority", "text", "is_on")


def save_rule(
    *,
    rule_id: int | None,
    kind: RuleKind,
    name: str,
    words: Sequence[str],
    match: Match,
    priority: int,
    text: str,
    is_on: bool,
    by: Actor,
    at: dt.datetime,
) -> ReplyRule:
    """Create a rule (`rule_id` None) or change one; the kind of a rule never changes.

    Raises Invalid with a sentence per field, NotFound.
    """
    with transaction.atomic():
        rule = _locked(rule_id, kind)
        spelled = list(dict.fromkeys(filter(None, map(answering.plain, words))))
        name, text = name.strip(), text.replace("\r\n", "\n").strip()
        errors = _errors(rule, name=name, words=spelled, priority=priority, text=text)
        if errors:
            raise Invalid(errors)
        before = _snapshot(rule) if rule.pk else {}
        rule.name, rule.text, rule.priority = name, text, priority
        rule.words = spelled if kind == RuleKind.KEYWORD else []
        rule.match, rule.is_on = match, is_on
        if before == _snapshot(rule):
            return rule
        rule.changed_by, rule.changed_at = str(by), at
        rule.save()
        audit.record(
            act="messaging.save_reply_rule",
            subject=rule,
            by=by,
            at=at,
            before=before,
            after=_snapshot(rule),
        )
    return rule


def _locked(rule_id: int | None, kind: RuleKind) -> ReplyRule:
    if rule_id is not None:
        known = ReplyRule.objects.select_for_update().filter(pk=rule_id, kind=kind).first()
        if known is None:
            raise NotFound("没有这条自动回复。")
        return known
    if kind in _ALONE and (one := ReplyRule.objects.select_for_update().filter(kind=kind).first()):
        return one
    return ReplyRule(kind=kind)


def _errors(
    rule: ReplyRule, *, name: str, words: Sequence[str], priority: int, text: str
) -> dict[str, list[str]]:
    errors: dict[str, list[str]] = {}
    if not 0 < len(name) <= _LONGEST_NAME:
        errors["name"] = [f"请填写名称，最多 {_LONGEST_NAME} 个字。"]
    if rule.kind == RuleKind.KEYWORD and not words:
        errors["words"] = ["请至少填写一个关键词。"]
    if len(words) > _MOST_WORDS or any(len(word) > _LONGEST_WORD for word in words):
        errors["words"] = [f"关键词最多 {_MOST_WORDS} 个，每个最多 {_LONGEST_WORD} 个字。"]
    if not 1 <= priority <= 999:
        errors["priority"] = ["优先级请填 1 到 999，数字小的先匹配。"]
    if not text or len(text.encode()) > MOST_TEXT_BYTES:
        errors["text"] = ["请填写回复内容，最多约 680 个汉字。"]
    elif text != clean(text):
        errors["text"] = ["回复内容里有微信无法显示的字符，请删除后再保存。"]
    return errors


def _snapshot(rule: ReplyRule) -> dict[str, object]:
    return {column: getattr(rule, column) for column in _COLUMNS}
