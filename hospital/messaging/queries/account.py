"""Reads of the account itself: its menu's versions, its own answers, where followers came from."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db.models import Count, Max

from hospital.identity import queries as identity
from hospital.kernel.actors import SYSTEM
from hospital.kernel.errors import NotFound
from hospital.messaging import answering
from hospital.messaging.models import InboundMessage, MenuVersion, ReplyRule
from hospital.messaging.models.replies import KEY_PREFIX
from hospital.messaging.states import MenuStatus, RuleKind

_SHOWN = 20


@dataclass(frozen=True, slots=True)
class VersionRow:
    """A version of the menu as the list shows it; `by` is a name, "系统" for none."""

    id: int
    number: int
    label: str
    status: MenuStatus
    copied_from: int | None
    made_by: str
    made_at: dt.datetime
    published_by: str
    published_at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class SceneRow:
    """How often a QR code of ours was scanned."""

    scene: str
    times: int
    latest_at: dt.datetime


def menu_version(*, menu_id: int) -> MenuVersion:
    """Raises NotFound."""
    version = MenuVersion.objects.filter(pk=menu_id).first()
    if version is None:
        raise NotFound("没有这个菜单版本。")
    return version


def menu_in(*, status: MenuStatus) -> MenuVersion | None:
    """The one version that is draft, on its way or in use; None when there is none."""
    return MenuVersion.objects.filter(status=status).first()


def menu_history() -> list[VersionRow]:
    """The last versions, newest first."""
    rows = list(MenuVersion.objects.select_related("copied_from").order_by("-number")[:_SHOWN])
    actors = {by for row in rows for by in (row.made_by, row.published_by)}
    names = {str(SYSTEM): "系统"} | identity.staff_names(actors=actors)
    return [
        VersionRow(
            id=row.pk,
            number=row.number,
            label=MenuStatus(row.status).label,
            status=MenuStatus(row.status),
            copied_from=row.copied_from.number if row.copied_from else None,
            made_by=names.get(row.made_by, ""),
            made_at=row.made_at,
            published_by=names.get(row.published_by, ""),
            published_at=row.published_at,
        )
        for row in rows
    ]


def reply_rules() -> list[ReplyRule]:
    """All rules as the page lists them: welcome, default, then the words by priority."""
    order = {kind: place for place, kind in enumerate(RuleKind)}
    rows = ReplyRule.objects.order_by("priority", "pk")
    return sorted(rows, key=lambda rule: order[RuleKind(rule.kind)])


def reply_rule(*, rule_id: int) -> ReplyRule:
    """Raises NotFound."""
    rule = ReplyRule.objects.filter(pk=rule_id).first()
    if rule is None:
        raise NotFound("没有这条自动回复。")
    return rule


def rule_of_kind(*, kind: RuleKind) -> ReplyRule | None:
    """The welcome or default rule, if it is on."""
    return ReplyRule.objects.filter(kind=kind, is_on=True).first()


def rule_of_key(*, key: str) -> ReplyRule | None:
    """The rule a menu button names, if it is on."""
    number = key.removeprefix(KEY_PREFIX)
    if number == key or not number.isascii() or not number.isdigit() or len(number) > 18:
        return None
    return ReplyRule.objects.filter(pk=int(number), kind=RuleKind.MENU, is_on=True).first()


def rule_for_text(*, text: str) -> ReplyRule | None:
    """The rule that answers a text: by its words, else the default one."""
    rules = {rule.pk: rule for rule in ReplyRule.objects.filter(kind=RuleKind.KEYWORD, is_on=True)}
    chosen = answering.choose(
        text,
        [
            answering.Rule(id=rule.pk, words=rule.words, match=rule.match, priority=rule.priority)
            for rule in rules.values()
        ],
    )
    return rules[chosen.id] if chosen else rule_of_kind(kind=RuleKind.DEFAULT)


def scenes() -> list[SceneRow]:
    """The QR codes that were scanned, the latest first."""
    rows = (
        InboundMessage.objects.exclude(scene="")
        .values("scene")
        .annotate(times=Count("pk"), latest=Max("said_at"))
        .order_by("-latest")[:_SHOWN]
    )
    return [SceneRow(row["scene"], row["times"], row["latest"]) for row in rows]
