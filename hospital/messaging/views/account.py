"""The account's own pages for staff: its menu version by version, and what it answers by itself."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from hospital.identity.access import StaffRequest, staff_page
from hospital.kernel import clock
from hospital.kernel.errors import Invalid, NotFound
from hospital.messaging import account_forms as forms
from hospital.messaging import account_gateway as gateway
from hospital.messaging import actions, menu_faults, menu_words, queries
from hospital.messaging.account_gateway import Published
from hospital.messaging.models import MenuVersion, ReplyRule
from hospital.messaging.permissions import MANAGE_ACCOUNT
from hospital.messaging.states import Match, MenuStatus, RuleKind
from hospital.ui.typed import typed_id
from hospital.wechat.menus import Menu

_SAID = {
    Published.DONE: (messages.success, "菜单已发布，手机上几分钟内更新。"),
    Published.REFUSED: (messages.error, "微信没有接受这份菜单，原因写在草稿上，请修改后再发布。"),
    Published.UNANSWERED: (messages.warning, "微信暂时没有回应，系统会继续自动发布。"),
}
#: There is one of each, so it is changed and never added.
_ALONE = {RuleKind.WELCOME, RuleKind.DEFAULT}


@staff_page(MANAGE_ACCOUNT)
@require_safe
def menu(request: StaffRequest) -> HttpResponse:
    """The menu in use, the draft beside it, what they differ in, and all versions."""
    replies = _reply_names()
    in_use, draft = (_in(MenuStatus.PUBLISHED), _in(MenuStatus.DRAFT))
    changes = menu_words.differences(_menu(in_use), draft.menu, replies=replies) if draft else []
    context = {
        "tabs": _tabs("messaging-menu"),
        "in_use": in_use,
        "in_use_entries": _entries(in_use, replies),
        "draft": draft,
        "draft_entries": _entries(draft, replies),
        "publishing": _in(MenuStatus.PUBLISHING),
        "differences": changes,
        "broken": menu_faults.broken_limits(draft.menu) if draft else [],
        "ask": f"与现在的菜单相比有 {len(changes)} 处变化，所有患者几分钟内都会看到。",
        "history": queries.menu_history(),
        "check": _check(in_use, replies) if request.GET.get("check") else None,
        "scenes": queries.scenes(),
    }
    return render(request, "messaging/staff/menu.html", context)


@staff_page(MANAGE_ACCOUNT)
@require_http_methods(["GET", "POST"])
def edit(request: StaffRequest, menu_id: int) -> HttpResponse:
    """The draft as a grid; saving keeps it, finished or not."""
    draft = queries.menu_version(menu_id=menu_id)
    if request.method == "POST":
        actions.save_draft(
            menu_id=menu_id,
            revision=_number(request, "revision"),
            menu=forms.typed_menu(request.POST.dict()),
            by=request.actor,
            at=clock.now(),
        )
        messages.success(request, "草稿已保存，还没有发布。")
        return redirect("messaging-menu")
    if draft.status != MenuStatus.DRAFT:
        raise NotFound("这份菜单已经不是草稿。")
    context = {
        "draft": draft,
        "columns": forms.columns(draft.menu),
        "targets": forms.targets(queries.reply_rules()),
    }
    return render(request, "messaging/staff/menu_edit.html", context)


@staff_page(MANAGE_ACCOUNT)
@require_POST
def start(request: StaffRequest) -> HttpResponse:
    """Begin a draft, as a copy of a version when one is named, and open it."""
    copy_of = _number(request, "copy_of") if request.POST.get("copy_of") else None
    draft = actions.start_draft(copy_of=copy_of, by=request.actor, at=clock.now())
    return redirect("messaging-menu-edit", menu_id=draft.pk)


@staff_page(MANAGE_ACCOUNT)
@require_POST
def discard(request: StaffRequest, menu_id: int) -> HttpResponse:
    """Give the draft up."""
    revision = _number(request, "key")
    actions.discard_draft(menu_id=menu_id, revision=revision, by=request.actor, at=clock.now())
    messages.success(request, "草稿已放弃。")
    return redirect("messaging-menu")


@staff_page(MANAGE_ACCOUNT)
@require_POST
def publish(request: StaffRequest, menu_id: int) -> HttpResponse:
    """Tell WeChat: this is the menu. One whose answer got lost is told again.

    The draft's revision is the key of the question's form: nothing is published unseen.
    """
    if "key" in request.POST:
        done = gateway.start_publishing(
            menu_id=menu_id,
            revision=_number(request, "key"),
            by=request.actor,
            at=clock.now(),
        )
    else:
        done = gateway.publish_menu(menu_id=menu_id, by=request.actor, at=clock.now())
    tell, sentence = _SAID[done]
    tell(request, sentence)
    return redirect("messaging-menu")


@staff_page(MANAGE_ACCOUNT)
@require_safe
def replies(request: StaffRequest) -> HttpResponse:
    """Every rule, and which one answers a text that is tried."""
    said = request.GET.get("try", "")[:200]
    rules = queries.reply_rules()
    taken = {rule.kind for rule in rules}
    context = {
        "tabs": _tabs("messaging-replies"),
        "rules": rules,
        "said": said,
        "answer": queries.rule_for_text(text=said) if said else None,
        "addable": [
            (kind.value, kind.label) for kind in RuleKind if kind not in _ALONE or kind not in taken
        ],
    }
    return render(request, "messaging/staff/replies.html", context)


@staff_page(MANAGE_ACCOUNT)
@require_http_methods(["GET", "POST"])
def reply(request: StaffRequest, kind: str, rule_id: int | None = None) -> HttpResponse:
    """One rule, new or known."""
    if kind not in RuleKind.values:
        raise NotFound
    known = queries.reply_rule(rule_id=rule_id) if rule_id is not None else None
    rule = known or ReplyRule(kind=kind, priority=100)
    errors: dict[str, list[str]] = {}
    if request.method == "POST":
        try:
            typed = forms.typed_rule(request.POST.dict())
            actions.save_rule(
                rule_id=rule_id,
                kind=RuleKind(kind),
                name=typed.name,
                words=typed.words,
                match=typed.match,
                priority=typed.priority,
                text=typed.text,
                is_on=typed.is_on,
                by=request.actor,
                at=clock.now(),
            )
        except Invalid as invalid:
            errors = invalid.errors
        else:
            messages.success(request, "自动回复已保存，立即生效。")
            return redirect("messaging-replies")
    context = {
        "rule": rule,
        "kind_label": RuleKind(kind).label,
        "is_keyword": kind == RuleKind.KEYWORD,
        "matches": Match.choices,
        "typed": request.POST if request.method == "POST" else _shown(rule),
        "errors": errors,
    }
    return render(request, "messaging/staff/reply.html", context, status=422 if errors else 200)


def _in(status: MenuStatus) -> MenuVersion | None:
    return queries.menu_in(status=status)


def _menu(version: MenuVersion | None) -> Menu:
    return version.menu if version else Menu()


def _entries(version: MenuVersion | None, replies: dict[str, str]) -> list[menu_words.Entry]:
    return menu_words.entries(_menu(version), replies=replies)


def _reply_names() -> dict[str, str]:
    return {rule.key: rule.name for rule in queries.reply_rules()}


def _check(in_use: MenuVersion | None, replies: dict[str, str]) -> dict[str, object]:
    """What WeChat shows now, beside what we published last. Raises WeChatNotConnected."""
    found = gateway.fetch_menu()
    if not isinstance(found, Menu):
        return {"failed": True}
    return {
        "failed": False,
        "differences": menu_words.differences(_menu(in_use), found, replies=replies),
    }


def _shown(rule: ReplyRule) -> dict[str, object]:
    return {
        "name": rule.name,
        "words": "\n".join(rule.words),
        "match": rule.match,
        "priority": rule.priority,
        "text": rule.text,
        "is_on": "on" if rule.is_on else "",
    }


def _number(request: StaffRequest, name: str) -> int:
    """A number out of a hidden field. Raises NotFound when somebody changed it."""
    number = typed_id(request.POST.get(name, ""))
    if number is None:
        raise NotFound
    return number


def _tabs(here: str) -> list[dict[str, object]]:
    places = (("messaging-menu", "公众号菜单"), ("messaging-replies", "自动回复"))
    return [
        {"label": label, "url": reverse(name), "active": name == here} for name, label in places
    ]
