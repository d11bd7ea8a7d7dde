"""Writes of the menu: a draft is edited, published, and replaced by the next one."""

from __future__ import annotations

import datetime as dt
from typing import ClassVar

from django.db import transaction

from hospital.kernel import audit, serials
from hospital.kernel.actors import Actor
from hospital.kernel.errors import NotFound, Refusal, Stale
from hospital.kernel.events import later
from hospital.kernel.states import move
from hospital.messaging.menu_faults import check_menu
from hospital.messaging.models import MenuVersion
from hospital.messaging.states import MenuStatus
from hospital.wechat.menus import Menu

_ON_ITS_WAY = (MenuStatus.DRAFT, MenuStatus.PUBLISHING, MenuStatus.PUBLISHED)
_NUMBERS = "messaging.menu"
_SAFETY_NET = dt.timedelta(seconds=30)


class MenuUnderWay(Refusal):
    """A menu is just being published, and no other one can be made meanwhile."""

    code: ClassVar[str] = "MENU_UNDER_WAY"
    default_message: ClassVar[str] = "正在发布菜单，请等发布完成后再修改。"


class DraftExists(Refusal):
    """There is a draft already; it is finished or given up first."""

    code: ClassVar[str] = "DRAFT_EXISTS"
    default_message: ClassVar[str] = "已有一份草稿，请先发布或放弃它。"


def start_draft(*, copy_of: int | None, by: Actor, at: dt.datetime) -> MenuVersion:
    """Begin a draft: a copy of an older version (its id), or of nothing.

    Raises DraftExists, MenuUnderWay, NotFound.
    """
    with transaction.atomic():
        _nothing_under_way()
        source = MenuVersion.objects.filter(pk=copy_of).first() if copy_of is not None else None
        if copy_of is not None and source is None:
            raise NotFound
        draft = MenuVersion(
            document=source.document if source else Menu().document,
            copied_from=source,
            made_by=str(by),
            made_at=at,
        )
        draft.number = serials.gap_free(series=_NUMBERS)
        draft.save(force_insert=True)
        audit.record(
            act="messaging.start_menu_draft",
            subject=draft,
            by=by,
            at=at,
            after={"copied_from": source.number if source else None},
        )
    return draft


def save_draft(
    *, menu_id: int, revision: int, menu: Menu, by: Actor, at: dt.datetime
) -> MenuVersion:
    """Keep what was edited, finished or not; the limits are checked when it is published.

    `revision` is the one the editor saw. Raises Stale when somebody saved in between, NotFound.
    """
    with transaction.atomic():
        draft = _draft(menu_id, revision)
        if draft.document == menu.document:
            return draft
        before = draft.document
        draft.document = menu.document
        draft.revision += 1
        draft.answer = ""
        draft.save(update_fields=["document", "revision", "answer"])
        audit.record(
            act="messaging.save_menu_draft",
            subject=draft,
            by=by,
            at=at,
            before=before,
            after=draft.document,
        )
    return draft


def discard_draft(*, menu_id: int, revision: int, by: Actor, at: dt.datetime) -> None:
    """Give a draft up. Raises Stale, NotFound."""
    with transaction.atomic():
        draft = _draft(menu_id, revision)
        move(draft, MenuStatus.DISCARDED, by=by, at=at)
        audit.record(act="messaging.discard_menu_draft", subject=draft, by=by, at=at)


def begin_publishing(*, menu_id: int, revision: int, by: Actor, at: dt.datetime) -> MenuVersion:
    """Decide that this draft is the next menu; the gateway then tells WeChat.

    A job tells it too, in case the one who asked is cut off. Raises Stale, NotFound, and Invalid
    with every limit of WeChat's that the menu breaks.
    """
    with transaction.atomic():
        draft = _draft(menu_id, revision)
        check_menu(draft.menu)
        move(draft, MenuStatus.PUBLISHING, by=by, at=at, published_by=str(by), answer="")
        audit.record(
            act="messaging.publish_menu", subject=draft, by=by, at=at, after=draft.document
        )
        later("messaging.jobs.publish_menu", at=at + _SAFETY_NET, menu_id=draft.pk)
    return draft


def record_published(*, menu_id: int, by: Actor, at: dt.datetime) -> None:
    """WeChat shows this menu; the former one has been replaced. A repeat changes nothing."""
    with transaction.atomic():
        rows = {row.pk: row for row in _locked()}
        version = rows.get(menu_id)
        if version is None or version.status != MenuStatus.PUBLISHING:
            return
        for former in rows.values():
            if former.status == MenuStatus.PUBLISHED:
                move(former, MenuStatus.REPLACED, by=by, at=at)
        move(version, MenuStatus.PUBLISHED, by=by, at=at, published_at=at, answer="ok")


def record_refused(*, menu_id: int, answer: str, by: Actor, at: dt.datetime) -> None:
    """WeChat refused the menu: it is a draft again, and WeChat's words stand beside it."""
    with transaction.atomic():
        rows = {row.pk: row for row in _locked()}
        version = rows.get(menu_id)
        if version is None or version.status != MenuStatus.PUBLISHING:
            return
        move(version, MenuStatus.DRAFT, by=by, at=at, reason=answer[:100], answer=answer[:200])


def _locked() -> list[MenuVersion]:
    """Every version that is draft, on its way or in use, locked."""
    rows = MenuVersion.objects.select_for_update().filter(status__in=_ON_ITS_WAY)
    return list(rows.order_by("pk"))


def _nothing_under_way() -> None:
    states = {row.status for row in _locked()}
    if MenuStatus.PUBLISHING in states:
        raise MenuUnderWay
    if MenuStatus.DRAFT in states:
        raise DraftExists


def _draft(menu_id: int, revision: int) -> MenuVersion:
    """The draft as its editor saw it, locked. Raises Stale, NotFound."""
    version = MenuVersion.objects.select_for_update().filter(pk=menu_id).first()
    if version is None:
        raise NotFound
    if version.status != MenuStatus.DRAFT or version.revision != revision:
        raise Stale("菜单刚刚被别人修改或发布，请刷新后再试。")
    return version
