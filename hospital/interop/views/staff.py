"""外部平台: partners with their day, one partner with its secrets, and what it called."""

from __future__ import annotations

import datetime as dt
from http import HTTPStatus
from typing import Final

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from hospital.identity import queries as identity
from hospital.identity.access import StaffRequest, note_refusal, staff_page
from hospital.interop import actions, queries, thresholds
from hospital.interop.fhir.openapi import BASE
from hospital.interop.forms import NewPartnerForm, PartnerForm, initial_of
from hospital.interop.models import Partner
from hospital.interop.permissions import MANAGE_PARTNERS
from hospital.interop.states import Scope
from hospital.kernel import clock
from hospital.kernel.errors import Invalid, Refusal, Stale, words_of_codes
from hospital.ui.typed import typed, typed_id

_OPERATIONS: Final = {
    "issueToken": "申请令牌",
    "searchSchedule": "查询出诊",
    "readSchedule": "读取出诊",
    "readPractitioner": "读取医生",
    "searchSlot": "查询号源",
    "readSlot": "读取号源",
    "searchAppointment": "查询预约",
    "readAppointment": "读取预约",
    "bookAppointment": "预约",
    "cancelAppointment": "退号",
    "patchAppointment": "退号",
}
_BY_FORM: Final = "ByForm"
#: How a call may end beside a rule of ours.
_ENDS: Final = {"EXCEPTION": "系统出错，请查日志"}
_START: Final = {"daily_quota": 200, "session_percent": 30, "per_minute": 120}


@staff_page(MANAGE_PARTNERS)
@require_safe
def partners(request: StaffRequest) -> HttpResponse:
    """Every platform with what it did today."""
    at, today = clock.now(), clock.today()
    rows = queries.partners(day=today, at=at)
    context = {
        "rows": rows,
        "unproved": queries.unproved_calls(day=today),
        "most_noted": actions.UNPROVED_A_MINUTE,
        "base": request.build_absolute_uri(BASE),
    }
    return render(request, "interop/staff/partners.html", context)


@staff_page(MANAGE_PARTNERS)
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: StaffRequest) -> HttpResponse:
    """Take in a platform."""
    form = NewPartnerForm(request.POST or None, initial=_START)
    status = HTTPStatus.OK
    if request.method == "POST":
        status = HTTPStatus.UNPROCESSABLE_ENTITY
        made = _opened(request, form) if form.is_valid() else None
        if made is not None:
            messages.success(request, "平台已登记，请发放密钥。")
            return redirect("interop-partner", partner_id=made.pk)
    return render(request, "interop/staff/new.html", {"form": form}, status=status)


@staff_page(MANAGE_PARTNERS)
@require_http_methods(["GET", "HEAD", "POST"])
def partner(request: StaffRequest, partner_id: int) -> HttpResponse:
    """One platform: its terms, its secrets, its day."""
    known = queries.partner(partner_id=partner_id)
    form = PartnerForm(request.POST or None, initial=initial_of(known))
    if request.method == "POST" and form.is_valid():
        try:
            is_changed = actions.change_partner(
                partner_id=partner_id,
                terms=form.terms,
                seen=typed(request.POST, "seen", most=16),
                by=request.actor,
                at=clock.now(),
            )
        except Stale as refusal:
            note_refusal(request, refusal)
            now = queries.partner(partner_id=partner_id)
            return _partner(request, now, form=form, refusal=Stale(_meanwhile(now, form)))
        text = "已保存，下一次调用起生效。" if is_changed else "没有改动。"
        messages.success(request, text)
        return redirect("interop-partner", partner_id=partner_id)
    return _partner(request, known, form=form)


@staff_page(MANAGE_PARTNERS)
@require_POST
def switch(request: StaffRequest, partner_id: int) -> HttpResponse:
    """Switch a platform off or on, for a reason."""
    is_active = request.POST.get("is_active") == "1"
    try:
        actions.switch_partner(
            partner_id=partner_id,
            is_active=is_active,
            reason=typed(request.POST, "reason", most=200),
            by=request.actor,
            at=clock.now(),
        )
    except Invalid as refusal:
        known = queries.partner(partner_id=partner_id)
        return _partner(request, known, refusal=refusal)
    messages.success(request, "平台已启用。" if is_active else "平台已停用，马上生效。")
    return redirect("interop-partner", partner_id=partner_id)


@sensitive_variables("text")
@staff_page(MANAGE_PARTNERS)
@never_cache
@require_POST
def secret(request: StaffRequest, partner_id: int) -> HttpResponse:
    """A new secret, shown once, on the answer to this form."""
    known = queries.partner(partner_id=partner_id)
    days = typed_id(typed(request.POST, "days", most=6)) or 0
    try:
        row, text = actions.make_secret(
            partner_id=partner_id, days=days, by=request.actor, at=clock.now()
        )
    except Refusal as refusal:
        note_refusal(request, refusal)
        return _partner(request, known, refusal=refusal)
    context = {"partner": known, "secret": row, "text": text}
    return render(request, "interop/staff/secret.html", context)


@staff_page(MANAGE_PARTNERS)
@require_POST
def end_secret(request: StaffRequest, partner_id: int, secret_id: int) -> HttpResponse:
    """End a secret at once, with every token it bought."""
    actions.end_secret(partner_id=partner_id, secret_id=secret_id, by=request.actor, at=clock.now())
    messages.success(request, "密钥已作废，用它取得的访问令牌同时失效。")
    return redirect("interop-partner", partner_id=partner_id)


@staff_page(MANAGE_PARTNERS)
@require_safe
def calls(request: StaffRequest, partner_id: int) -> HttpResponse:
    """What a platform called on a day, the latest first."""
    known = queries.partner(partner_id=partner_id)
    day, refused_only = _day(request), request.GET.get("only") == "refused"
    rows, total = queries.calls_of(partner_id=partner_id, day=day, refused_only=refused_only)
    words = words_of_codes() | _ENDS
    context = {
        "partner": known,
        "rows": [(row, _operation(row.operation), words.get(row.code, "")) for row in rows],
        "total": total,
        "day": day,
        "refused_only": refused_only,
        "is_cut": total > len(rows),
    }
    part = "#rows" if request.htmx and not request.htmx.boosted else ""
    return render(request, f"interop/staff/calls.html{part}", context)


def _opened(request: StaffRequest, form: NewPartnerForm) -> Partner | None:
    try:
        return actions.open_partner(
            code=form.cleaned_data["code"], terms=form.terms, by=request.actor, at=clock.now()
        )
    except Invalid as refusal:
        for field, sentences in refusal.errors.items():
            form.add_error(field, sentences)
        return None


def _partner(
    request: StaffRequest,
    known: Partner,
    *,
    form: PartnerForm | None = None,
    refusal: Refusal | None = None,
) -> HttpResponse:
    """The page of a platform; what was refused stands at its field with what was typed there."""
    form = form or PartnerForm(initial=initial_of(known))
    errors = refusal.errors if isinstance(refusal, Invalid) else {}
    most_days = thresholds.SECRET_DAYS.value()
    at, today = clock.now(), clock.today()
    secrets = queries.secrets_of(partner_id=known.pk, at=at)
    names = identity.staff_names(
        actors=[actor for row in secrets for actor in (row.secret.created_by, row.secret.ended_by)]
    )
    live = sum(row.state == "live" for row in secrets)
    context = {
        "partner": known,
        "row": queries.partner_row(partner_id=known.pk, day=today, at=at),
        "form": form,
        "seen": actions.terms_version(known),
        "error": "" if refusal is None or errors else refusal.message,
        "errors": {field: " ".join(sentences) for field, sentences in errors.items()},
        "secrets": [
            {
                "row": one.secret,
                "state": one.state,
                "made_by": names.get(one.secret.created_by, "系统"),
                "ended_by": names.get(one.secret.ended_by, ""),
            }
            for one in secrets
        ],
        "may_make": live < actions.LIVE_AT_MOST,
        "most_days": most_days,
        "days": typed(request.POST, "days", most=6) or most_days,
        "base": request.build_absolute_uri(BASE),
    }
    is_refused = bool(refusal or form.errors)
    status = HTTPStatus.UNPROCESSABLE_ENTITY if is_refused else HTTPStatus.OK
    return render(request, "interop/staff/partner.html", context, status=status)


def _meanwhile(now: Partner, form: PartnerForm) -> str:
    """What somebody else made of the terms while this page was open, next to what is typed here."""
    typed_here = form.cleaned_data
    shown = {
        name: "、".join(str(Scope(word).label) for word in value) if name == "scopes" else value
        for name, value in initial_of(now).items()
        if value != typed_here[name]
    }
    others = "，".join(f"{form.fields[name].label}现为 {value}" for name, value in shown.items())
    return f"另一位管理员刚刚改过：{others or '和您填的一样'}。您填的还在，看过再保存。"


def _operation(name: str) -> str:
    """An operation in the administrator's words; a method no address knows stays as it came."""
    return _OPERATIONS.get(name.removesuffix(_BY_FORM), name)


def _day(request: HttpRequest) -> dt.date:
    """The day asked for; today for whatever is none."""
    try:
        return dt.date.fromisoformat(typed(request.GET, "day", most=10))
    except ValueError:
        return clock.today()
