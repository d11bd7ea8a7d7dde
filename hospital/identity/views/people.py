"""The staff editor: who works here, with which roles, what they may do and why.

Nobody gets a role here: it is asked for, and a security administrator decides (requests.py).
"""

from __future__ import annotations

from http import HTTPStatus

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from hospital.identity import access_forms as forms
from hospital.identity import actions, queries
from hospital.identity.access import StaffRequest, note_refusal, staff_page
from hospital.identity.models import StaffAccount
from hospital.identity.permissions import MANAGE_STAFF, SIGNED_IN, VIEW_ACCESS
from hospital.identity.views.frame import person_tabs
from hospital.identity.views.trail import of_person
from hospital.kernel import clock
from hospital.kernel.errors import Invalid, NotAllowed, NotFound, Refusal
from hospital.organisation import queries as organisation
from hospital.ui.typed import typed

_STATES = (("on", "在职"), ("off", "已停用"), ("", "全部"))


@staff_page(VIEW_ACCESS)
@require_safe
def people(request: StaffRequest) -> HttpResponse:
    """Everybody who works here, found as one types."""
    text = typed(request.GET, "q", most=40)
    state = request.GET.get("state", "on")
    state = state if state in {"on", "off", ""} else "on"
    context = {
        "rows": queries.people(text=text, state=state, on=clock.today()),
        "text": text,
        "state": state,
        "states": _STATES,
        "may_edit": queries.may(request.user, MANAGE_STAFF),
        "waiting": queries.waiting_requests(),
    }
    part = "#rows" if request.htmx and not request.htmx.boosted else ""
    return render(request, f"identity/staff/people.html{part}", context)


@sensitive_variables("password")
@staff_page(MANAGE_STAFF)
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: StaffRequest) -> HttpResponse:
    """A new account; its first password is shown once, on the answer to this form."""
    form = forms.PersonForm(request.POST or None)
    status = HTTPStatus.OK
    if request.method == "POST":
        status = HTTPStatus.UNPROCESSABLE_ENTITY
        password = actions.temporary_password()
        account = _open(request, form, password) if form.is_valid() else None
        if account is not None:
            context = {"account": account, "password": password, "is_new": True}
            return render(request, "identity/staff/person_password.html", context)
    context = {"form": form, "practitioner": _practitioner_cell(request)}
    return render(request, "identity/staff/person_new.html", context, status=status)


@staff_page(VIEW_ACCESS)
@require_http_methods(["GET", "HEAD", "POST"])
def person(request: StaffRequest, account_id: int) -> HttpResponse:
    """One member of staff: data, roles, and what was ever asked for them."""
    account = queries.person(account_id=account_id)
    may_edit = queries.may(request.user, MANAGE_STAFF)
    known = {"username": account.username, "display_name": account.display_name}
    form = forms.PersonForm(initial=known | {"phone": account.phone})
    status = HTTPStatus.OK
    if request.method == "POST":
        if not may_edit:
            raise NotAllowed
        form = forms.PersonForm({**request.POST.dict(), "username": account.username})
        status = HTTPStatus.UNPROCESSABLE_ENTITY
        if form.is_valid() and _change(request, form, account):
            return redirect("identity-person", account_id=account.pk)
    context = {
        "account": account,
        "tabs": person_tabs(account, "identity-person", may_edit=may_edit),
        "form": form,
        "may_edit": may_edit,
        "practitioner": _practitioner_cell(request, account),
        "roles": queries.roles_held(account=account, on=clock.today()),
        "events": of_person(account),
        "waiting": _waiting(account),
    }
    return render(request, "identity/staff/person.html", context, status=status)


@staff_page(MANAGE_STAFF)
@require_http_methods(["GET", "HEAD", "POST"])
def roles(request: StaffRequest, account_id: int) -> HttpResponse:
    """The roles somebody shall have: one line each, asked for as a whole."""
    account = queries.person(account_id=account_id)
    errors: list[str] = []
    if request.method == "POST":
        try:
            asked = actions.ask_for_roles(
                account=account,
                wanted=forms.wanted_roles(request.POST),
                reason=typed(request.POST, "reason", most=200),
                by=request.actor,
                at=clock.now(),
            )
        except Invalid as invalid:
            errors = forms.sentences(invalid.errors)
        except Refusal as refusal:
            note_refusal(request, refusal)
            errors = [refusal.message]
        else:
            messages.success(request, "已提交，等安全管理员批准后生效。")
            return redirect("identity-request", request_id=asked.pk)
    context = {
        "account": account,
        "tabs": person_tabs(account, "identity-person-roles", may_edit=True),
        "lines": _lines(request, account),
        "role_choices": queries.role_labels(with_retired=False).items(),
        "department_choices": organisation.department_labels(active_only=True).items(),
        "reason": request.POST.get("reason", ""),
        "errors": errors,
        "waiting": _waiting(account),
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if errors else HTTPStatus.OK
    return render(request, "identity/staff/person_roles.html", context, status=status)


@staff_page(VIEW_ACCESS)
@require_safe
def may(request: StaffRequest, account_id: int) -> HttpResponse:
    """What this person may do, and why: role, reach, loan, emergency, since and until."""
    account = queries.person(account_id=account_id)
    at = clock.now()
    context = {
        "account": account,
        "tabs": person_tabs(
            account,
            "identity-person-may",
            may_edit=queries.may(request.user, MANAGE_STAFF),
        ),
        "rows": queries.explain(account=account),
        "emergencies": queries.emergencies_of(account=account, since=at),
        "at": at,
    }
    return render(request, "identity/staff/person_may.html", context)


@staff_page(MANAGE_STAFF)
@require_POST
def switch_off(request: StaffRequest, account_id: int) -> HttpResponse:
    """Somebody leaves: out at once."""
    actions.switch_off(
        account_id=account_id,
        reason=typed(request.POST, "reason", most=200),
        by=request.actor,
        at=clock.now(),
    )
    messages.success(request, "账号已停用，岗位和临时授权同时结束，已打开的页面立即失效。")
    return redirect("identity-person", account_id=account_id)


@staff_page(MANAGE_STAFF)
@require_POST
def switch_on(request: StaffRequest, account_id: int) -> HttpResponse:
    """Somebody is back; the roles are to be asked for anew."""
    actions.switch_on(account_id=account_id, reason="", by=request.actor, at=clock.now())
    messages.success(request, "账号已启用。原来的岗位不会恢复，请重新提出。")
    return redirect("identity-person", account_id=account_id)


@sensitive_variables("password")
@staff_page(MANAGE_STAFF)
@never_cache
@require_POST
def reset_password(request: StaffRequest, account_id: int) -> HttpResponse:
    """A temporary password, shown once; it must be changed at the next log-in."""
    password = actions.temporary_password()
    actions.reset_password(
        account_id=account_id, password=password, by=request.actor, at=clock.now()
    )
    account = queries.person(account_id=account_id)
    context = {"account": account, "password": password, "is_new": False}
    return render(request, "identity/staff/person_password.html", context)


@staff_page(MANAGE_STAFF)
@require_safe
def practitioners(request: StaffRequest) -> HttpResponse:
    """Doctors an account may belong to, as one types."""
    text = typed(request.GET, "practitioner_text", most=40)
    rows = organisation.search_practitioners(text, on=clock.today(), limit=12)
    found = [
        {"value": row.code, "label": row.name, "hint": "、".join(row.departments)} for row in rows
    ]
    return render(request, "ui/components/options.html", {"options": found, "prefix": "doctor"})


@staff_page(SIGNED_IN)
@require_safe
def colleagues(request: StaffRequest) -> HttpResponse:
    """Colleagues to lend something to, as one types: names only."""
    text = typed(request.GET, "taker_text", most=40)
    rows = queries.colleagues(text=text, but=request.user)
    found = [{"value": row.pk, "label": row.display_name, "hint": row.username} for row in rows]
    return render(request, "ui/components/options.html", {"options": found, "prefix": "colleague"})


def _open(request: StaffRequest, form: forms.PersonForm, password: str) -> StaffAccount | None:
    try:
        return actions.open_account(
            username=form.cleaned_data["username"],
            display_name=form.cleaned_data["display_name"],
            phone=form.cleaned_data["phone"],
            practitioner_id=_practitioner_id(request),
            initial_password=password,
            by=request.actor,
            at=clock.now(),
        )
    except Invalid as invalid:
        _show(form, invalid)
        return None


def _change(request: StaffRequest, form: forms.PersonForm, account: StaffAccount) -> bool:
    try:
        has_changed = actions.change_account(
            account_id=account.pk,
            display_name=form.cleaned_data["display_name"],
            phone=form.cleaned_data["phone"],
            practitioner_id=_practitioner_id(request),
            by=request.actor,
            at=clock.now(),
        )
    except Invalid as invalid:
        _show(form, invalid)
        return False
    except actions.AdministratorsApart as refusal:
        note_refusal(request, refusal)
        form.add_error(None, refusal.message)
        return False
    messages.success(request, "已保存。" if has_changed else "没有改动。")
    return True


def _show(form: forms.PersonForm, invalid: Invalid) -> None:
    for field, lines in invalid.errors.items():
        for line in lines:
            form.add_error(field if field in form.fields else None, line)


def _practitioner_id(request: StaffRequest) -> int | None:
    """The doctor chosen; clearing the text unlinks. Raises Invalid for one nobody knows."""
    code = typed(request.POST, "practitioner", most=20)
    if not code or not typed(request.POST, "practitioner_text", most=60):
        return None
    try:
        return organisation.practitioner(code).pk
    except NotFound as refusal:
        raise Invalid({"": [refusal.message]}, refusal.message) from None


def _practitioner_cell(
    request: StaffRequest, account: StaffAccount | None = None
) -> dict[str, str]:
    if request.method == "POST":
        return {
            "value": typed(request.POST, "practitioner", most=20),
            "text": typed(request.POST, "practitioner_text", most=60),
        }
    known = account.practitioner if account is not None else None
    return {"value": known.code, "text": known.name} if known else {"value": "", "text": ""}


def _lines(request: StaffRequest, account: StaffAccount) -> list[dict[str, object]]:
    """The form's lines: as typed when something was wrong, else the present and coming roles."""
    if request.method == "POST":
        return [
            {
                "at": at,
                "role": request.POST.get(f"role-{at}", ""),
                "department": request.POST.get(f"department-{at}", ""),
                "since": request.POST.get(f"since-{at}", ""),
                "until": request.POST.get(f"until-{at}", ""),
            }
            for at in forms.role_lines(request.POST)
        ]
    rows = [row for row in queries.roles_held(account=account, on=clock.today()) if not row.is_over]
    known = [
        {
            "role": row.role,
            "department": str(row.department_id or ""),
            "since": row.since.isoformat(),
            "until": row.until.isoformat() if row.until else "",
        }
        for row in rows
    ]
    blank = [{"role": "", "department": "", "since": "", "until": ""}] * forms.BLANK_LINES
    return [{"at": at, **line} for at, line in enumerate([*known, *blank])]


def _waiting(account: StaffAccount) -> str:
    """The address of a request that waits for this person, "" when there is none."""
    for row in queries.requests_about(account_id=account.pk):
        if not row.decided_by:
            return reverse("identity-request", args=[row.pk])
    return ""
