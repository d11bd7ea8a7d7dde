"""支付异常: what a person must look at, explained, with the one right thing to do about it.

Whatever moves money takes two persons: one proposes with a reason, another confirms or rejects. A
refused step shows the page again with the sentence and what was typed.
"""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http import HTTPStatus

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from hospital.identity import queries as identity
from hospital.identity.access import StaffRequest, note_refusal, staff_page
from hospital.kernel import clock
from hospital.kernel.errors import Invalid, NotAllowed, NotFound, Refusal
from hospital.patients.actions import record_view
from hospital.payments import actions, case_words, gateway, queries
from hospital.payments.actions.reveals import reveal_payee
from hospital.payments.case_forms import TransferForm, note_of
from hospital.payments.models import PaymentCase
from hospital.payments.permissions import (
    APPROVE_REFUND,
    ASK_CHANNEL,
    CLOSE_CASE,
    VIEW_PAYMENTS,
    VIEW_STATEMENTS,
)
from hospital.payments.queries import CasePage
from hospital.payments.states import CaseKind, TransferStatus, TransferWay
from hospital.payments.views import case_story
from hospital.payments.views.named import people
from hospital.ui.masks import mask_name

_CLOSED_FOR = dt.timedelta(days=30)
_STATEMENTS = {CaseKind.STATEMENT_LATE, CaseKind.STATEMENT_BROKEN}


@dataclass
class _Typed:
    """What comes back to a page whose step was refused."""

    problem: str = ""
    note: str = ""
    note_errors: Sequence[str] = ()
    transfer: TransferForm | None = None
    payee: tuple[str, str] | None = None


@staff_page(VIEW_PAYMENTS)
@require_safe
def cases(request: StaffRequest) -> HttpResponse:
    """What waits, oldest first; or what was closed in the last month."""
    at = clock.now()
    is_closed = request.GET.get("show") == "closed"
    waiting = queries.case_rows(at=at)
    closed = queries.closed_cases(since=at - _CLOSED_FOR) if is_closed else []
    names = people(case.closed_by for case in closed)
    context = {
        "tabs": [
            {"label": "待处理", "url": "?", "active": not is_closed, "count": len(waiting)},
            {"label": "最近 30 天已关闭", "url": "?show=closed", "active": is_closed},
        ],
        "is_closed": is_closed,
        "rows": [] if is_closed else [_line(row, at) for row in waiting],
        "closed": [
            {"case": row, "number": case_story.number_of(row), "by": names.get(row.closed_by, "")}
            for row in closed
        ],
    }
    return render(request, "payments/staff/cases.html", context)


@staff_page(VIEW_PAYMENTS)
@require_safe
def case(request: StaffRequest, case_id: int) -> HttpResponse:
    """One case: what happened, both sides' figures and numbers, and its one action."""
    return _case(request, case_id)


@staff_page(ASK_CHANNEL)
@require_POST
def press(request: StaffRequest, case_id: int) -> HttpResponse:
    """Ask WeChat, or send the refund again."""

    def act() -> str:
        actions.note_pressed(case_id=case_id, by=request.actor, at=clock.now())
        gateway.press_case(case_id=case_id, by=request.actor, at=clock.now())
        row = queries.case_page(case_id=case_id, at=clock.now())
        if row.case.closed_at is not None:
            return "已办结，异常已自动关闭。"
        return "已向微信提交，请看本页的最新状态。"

    return _step(request, case_id, act)


@staff_page(CLOSE_CASE)
@require_POST
def propose(request: StaffRequest, case_id: int) -> HttpResponse:
    """First person: this money should go back."""

    def act() -> str:
        note = note_of(request.POST)
        actions.propose_decision(case_id=case_id, note=note, by=request.actor, at=clock.now())
        return "已提出，等待另一人确认。"

    return _step(request, case_id, act)


@staff_page(APPROVE_REFUND)
@require_POST
def decide(request: StaffRequest, decision_id: int) -> HttpResponse:
    """Second person: confirm, or reject with a reason."""
    case_id = queries.case_of_decision(decision_id=decision_id)

    def act() -> str:
        if request.POST.get("answer") == "yes":
            actions.confirm_decision(decision_id=decision_id, by=request.actor, at=clock.now())
            return "已复核，退款已提交。"
        note = note_of(request.POST)
        actions.reject_decision(
            decision_id=decision_id, note=note, by=request.actor, at=clock.now()
        )
        return "已驳回，原因已记录。"

    return _step(request, case_id, act)


@staff_page(CLOSE_CASE)
@require_POST
def transfer(request: StaffRequest, case_id: int) -> HttpResponse:
    """First person: the bank has sent it, with its slip; or WeChat should send it to a card."""
    found = queries.case_page(case_id=case_id, at=clock.now()).case
    form = _transfer_form(found, request.POST)
    if not form.is_valid():
        typed = _Typed(transfer=form)
        return _case(request, case_id, typed, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    facts = form.cleaned_data
    payee = {name: facts[name] for name in ("payee", "payee_account", "reason")}
    by, at = request.actor, clock.now()

    def act() -> str:
        if facts.get("way") == TransferWay.CARD:
            bank_type = facts["bank_type"]
            actions.propose_card(case_id=case_id, **payee, bank_type=bank_type, by=by, at=at)
        else:
            slip = {name: facts[name] for name in ("proof", "proof_file")}
            actions.propose_transfer(case_id=case_id, **payee, **slip, by=by, at=at)
        return "已登记，等待另一人复核。"

    return _step(request, case_id, act, transfer=form)


@staff_page(APPROVE_REFUND)
@require_POST
def decide_transfer(request: StaffRequest, transfer_id: int) -> HttpResponse:
    """Second person: the slip was compared with the bank; or reject with a reason."""
    case_id = queries.transfer(transfer_id=transfer_id).case_id

    def act() -> str:
        if request.POST.get("answer") == "yes":
            done = actions.confirm_transfer(
                transfer_id=transfer_id, by=request.actor, at=clock.now()
            )
            is_sent = done.status == TransferStatus.SENT
            return "已复核，交微信退到银行卡。" if is_sent else "已复核，已记账并通知患者。"
        note = note_of(request.POST)
        actions.reject_transfer(
            transfer_id=transfer_id, note=note, by=request.actor, at=clock.now()
        )
        return "已驳回，原因已记录。"

    return _step(request, case_id, act)


@staff_page(APPROVE_REFUND)
@require_POST
def reveal(request: StaffRequest, transfer_id: int) -> HttpResponse:
    """Show payee and account in full; who looked is on record."""
    payee = reveal_payee(transfer_id=transfer_id, by=request.actor, at=clock.now())
    case_id = queries.transfer(transfer_id=transfer_id).case_id
    return _case(request, case_id, _Typed(payee=payee))


@staff_page(CLOSE_CASE)
@require_POST
def close(request: StaffRequest, case_id: int) -> HttpResponse:
    """Close a case that a person has settled, with a note that says how."""

    def act() -> str:
        note = note_of(request.POST)
        actions.close_case(case_id=case_id, note=note, by=request.actor, at=clock.now())
        return "已关闭，处理结果已记录。"

    return _step(request, case_id, act)


def _step(
    request: StaffRequest,
    case_id: int,
    act: Callable[[], str],
    *,
    transfer: TransferForm | None = None,
) -> HttpResponse:
    """Do it and show the page anew; refused, show it with the sentence and what was typed."""
    try:
        done = act()
    except (NotFound, NotAllowed):
        raise
    except Refusal as refusal:
        note_refusal(request, refusal)
        is_input = isinstance(refusal, Invalid)
        errors = refusal.errors if isinstance(refusal, Invalid) else {}
        if transfer is not None:
            for name, sentences in errors.items():
                transfer.add_error(name, sentences)
        typed = _Typed(
            problem="" if errors else refusal.message,
            note=request.POST.get("note", "")[:200],
            note_errors=errors.get("note", ()),
            transfer=transfer,
        )
        status = HTTPStatus.UNPROCESSABLE_ENTITY if is_input else HTTPStatus.CONFLICT
        return _case(request, case_id, typed, status=status)
    messages.success(request, done)
    return redirect("payments-case", case_id=case_id)


def _case(
    request: StaffRequest,
    case_id: int,
    typed: _Typed | None = None,
    *,
    status: HTTPStatus = HTTPStatus.OK,
) -> HttpResponse:
    typed, at = typed or _Typed(), clock.now()
    row = queries.case_page(case_id=case_id, at=at)
    found, kind = row.case, CaseKind(row.case.kind)
    asked_by = {row.decision.asked_by} if row.decision else set()
    asked_by |= {row.transfer.asked_by} if row.transfer else set()
    for patient_id in row.patient_ids:
        record_view(patient_id=patient_id, what="资金异常", by=request.actor, at=at)
    names = people(case_story.actors(row))
    context = {
        "row": row,
        "case": found,
        "number": case_story.number_of(found),
        "what": case_words.WHAT[kind],
        "todo": case_words.todo(kind, row.remedy),
        "reason": case_words.reason(found.detail),
        "age": case_words.age(found.opened_at, at),
        "numbers": _numbers(found),
        "difference": _difference(found),
        "patients": "、".join(mask_name(name) for name in row.patients),
        "owed_fen": row.moves_fen,
        "is_mine": str(request.actor) in asked_by,
        "may_approve": identity.may(request.user, APPROVE_REFUND),
        "may_press": identity.may(request.user, ASK_CHANNEL),
        "may_close": identity.may(request.user, CLOSE_CASE),
        "statements_url": _statements(request, kind),
        "typed": typed,
        "form": typed.transfer or _transfer_form(found),
        "history": case_story.history(row, names),
        "asked_by": "、".join(names[actor] for actor in asked_by),
        **_payee(row),
    }
    return render(request, "payments/staff/case.html", context, status=status)


def _line(row: queries.CaseRow, at: dt.datetime) -> dict[str, object]:
    return {
        "case": row.case,
        "number": case_story.number_of(row.case),
        "age": case_words.age(row.case.opened_at, at),
        "remedy": row.remedy.label,
        "reason": case_words.reason(row.case.detail),
        "is_going": row.is_going,
        "is_waiting": row.decision is not None or row.transfer is not None,
    }


def _numbers(found: PaymentCase) -> list[tuple[str, str, str]]:
    """Both sides' numbers: what, ours, WeChat's."""
    rows = []
    payment = found.payment or (found.refund.payment if found.refund else None)
    if payment is not None:
        rows.append(("支付", payment.out_trade_no, payment.transaction_id))
    if found.refund is not None:
        rows.append(("退款", found.refund.out_refund_no, found.refund.refund_id))
    known = {number for _, *numbers in rows for number in numbers}
    if found.number not in known and not found.number.startswith(case_story.OF_BILL):
        rows.append(("微信给出的单号", "系统里没有", found.number))
    return rows


def _difference(found: PaymentCase) -> tuple[str, int] | None:
    """How far apart the two sides are, in a word and fen."""
    if found.expected_fen is None or found.found_fen is None:
        return None
    fen = found.found_fen - found.expected_fen
    return ("微信多" if fen > 0 else "微信少", abs(fen)) if fen else None


def _statements(request: StaffRequest, kind: CaseKind) -> str:
    is_about = kind in _STATEMENTS and identity.may(request.user, VIEW_STATEMENTS)
    return reverse("payments-statements") if is_about else ""


def _transfer_form(found: PaymentCase, data: QueryDict | None = None) -> TransferForm:
    """Only an abnormal refund can be sent to a card by WeChat."""
    form = TransferForm(data)
    return form if found.kind == CaseKind.REFUND_ABNORMAL else form.without_card()


def _payee(row: CasePage) -> dict[str, object]:
    """The payee of a waiting transfer, masked until somebody asks."""
    waiting = row.transfer
    if waiting is None:
        return {}
    return {
        "payee": (mask_name(waiting.payee), f"尾号 {waiting.payee_account[-4:]}"),
        "transfer_reason": case_words.reason(waiting.reason),
        "yes": "同意退到这张卡" if waiting.way == TransferWay.CARD else "与银行流水一致，确认",
    }
