"""退款申请: choose lines of a paid bill, see the sum and where it goes; what waits for approval.

A small sum of the day goes straight; more waits for somebody else. A refused step shows the page
again with everything that was typed.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from hospital.identity import queries as identity
from hospital.identity.access import StaffRequest, note_refusal, staff_page
from hospital.kernel import clock, serials
from hospital.kernel.errors import Invalid, NotAllowed, NotFound, Refusal
from hospital.patients.actions import record_view
from hospital.payments import actions, queries, thresholds
from hospital.payments.case_forms import RefundForm, note_of
from hospital.payments.models import CaseDecision, OfflineTransfer, RefundRequest
from hospital.payments.permissions import APPROVE_REFUND, ASK_REFUND, VIEW_PAYMENTS
from hospital.payments.queries import RefundPage
from hospital.payments.states import RequestStatus
from hospital.payments.views import case_story
from hospital.payments.views.named import people
from hospital.ui.masks import mask_name
from hospital.ui.typed import typed_id

_SHOWN_FOR = dt.timedelta(days=30)
_MOST_CHARGES = 200
NOTHING_CHOSEN = "请至少选择一个项目。"
TONES = {
    RequestStatus.REQUESTED: "warn",
    RequestStatus.APPROVED: "brand",
    RequestStatus.REJECTED: "danger",
}


@staff_page(ASK_REFUND)
@require_http_methods(["GET", "HEAD", "POST"])
def ask(request: StaffRequest, number: str) -> HttpResponse:
    """GET shows the bill's lines; POST asks that the chosen ones be given back."""
    page = queries.refund_page(number=number)
    if request.method != "POST":
        return _ask(request, page, chosen=[line.pk for line in page.charges])
    form, chosen = RefundForm(request.POST), _chosen(request)
    if not form.is_valid() or not chosen:
        errors = {name: [str(error) for error in found] for name, found in form.errors.items()}
        why = errors.pop("reason", [])
        problems = [error for found in errors.values() for error in found]
        problem = " ".join(problems if chosen else [NOTHING_CHOSEN, *problems])
        return _ask(request, page, chosen=chosen, problem=problem, why=why, status=422)
    facts = form.cleaned_data
    try:
        asked = actions.propose_refund(
            bill_id=page.bill.pk,
            charge_ids=chosen,
            shown_fen=facts["shown_fen"],
            reason=facts["reason"],
            key=facts["key"],
            by=request.actor,
            at=clock.now(),
        )
    except (NotFound, NotAllowed):
        raise
    except Refusal as refusal:
        note_refusal(request, refusal)
        again = queries.refund_page(number=number)
        return _ask(request, again, chosen=chosen, problem=refusal.message, status=409)
    is_done = asked.status == RequestStatus.APPROVED
    words = _approved(page.bill.pk) if is_done else "已提交，等待另一人审批。"
    messages.success(request, words)
    return redirect("payments-refund-request", request_id=asked.pk)


@staff_page(ASK_REFUND)
@require_safe
def total(request: StaffRequest, number: str) -> HttpResponse:
    """The sum of the chosen lines and where it would go, while somebody is choosing."""
    page = queries.refund_page(number=number)
    context = _sum(page, _chosen(request))
    return render(request, "payments/staff/refund_sum.html", context)


@staff_page(VIEW_PAYMENTS)
@require_safe
def requests(request: StaffRequest) -> HttpResponse:
    """Who asked for what in the last month, and who decided."""
    rows = queries.refund_requests(since=clock.now() - _SHOWN_FOR)
    names = people(actor for row in rows for actor in (row.asked_by, row.decided_by))
    context = {
        "rows": [
            {
                "request": row,
                "name": mask_name(row.bill.patient.name),
                "tone": TONES[RequestStatus(row.status)],
                "asked_by": names[row.asked_by],
                "decided_by": names.get(row.decided_by, ""),
            }
            for row in rows
        ],
    }
    return render(request, "payments/staff/refund_requests.html", context)


@staff_page(VIEW_PAYMENTS)
@require_safe
def one(request: StaffRequest, request_id: int) -> HttpResponse:
    """One request: its lines, where the money goes, and the second person's answer."""
    return _one(request, request_id)


@staff_page(APPROVE_REFUND)
@require_POST
def decide(request: StaffRequest, request_id: int) -> HttpResponse:
    """Second person: approve, or reject with a reason."""
    try:
        if request.POST.get("answer") == "yes":
            done = actions.approve_refund(request_id=request_id, by=request.actor, at=clock.now())
            messages.success(request, _approved(done.bill_id))
        else:
            note = note_of(request.POST)
            actions.reject_refund(
                request_id=request_id, note=note, by=request.actor, at=clock.now()
            )
            messages.success(request, "已驳回，原因已记录。")
    except (NotFound, NotAllowed):
        raise
    except Refusal as refusal:
        note_refusal(request, refusal)
        if isinstance(refusal, Invalid):
            return _one(request, request_id, errors=refusal.errors["note"], status=422)
        return _one(request, request_id, problem=refusal.message, status=409)
    return redirect("payments-refund-request", request_id=request_id)


def _approved(bill_id: int) -> str:
    """What happens now: notes wait for their payer, everything else goes by itself."""
    is_cash = queries.cash_owed_fen(bill_id=bill_id) > 0
    return "已批准，请在“待退现金”里把现金退给患者。" if is_cash else "已批准，正在原路退回。"


@staff_page(APPROVE_REFUND)
@require_safe
def approvals(request: StaffRequest) -> HttpResponse:
    """Everything that waits for a second person."""
    waiting = queries.approvals()
    rows = [
        *(_request_row(row) for row in waiting.requests),
        *(_transfer_row(row) for row in waiting.transfers),
        *(_decision_row(row) for row in waiting.decisions),
    ]
    names = people(row.asked_by for row in rows)
    me = str(request.actor)
    context = {
        "rows": [
            {"row": row, "by": names[row.asked_by], "is_mine": row.asked_by == me}
            for row in sorted(rows, key=lambda row: row.asked_at)
        ],
    }
    return render(request, "payments/staff/approvals.html", context)


@dataclass(frozen=True)
class _Waiting:
    """One line of what waits for a second person; the amount in fen."""

    asked_at: dt.datetime
    asked_by: str
    what: str
    about: str
    number: str
    why: str
    amount_fen: int
    url: str


def _request_row(row: RefundRequest) -> _Waiting:
    return _Waiting(
        asked_at=row.asked_at,
        asked_by=row.asked_by,
        what="退款申请",
        about=mask_name(row.bill.patient.name),
        number=row.bill.number,
        why=row.reason,
        amount_fen=row.amount_fen,
        url=reverse("payments-refund-request", args=[row.pk]),
    )


def _transfer_row(row: OfflineTransfer) -> _Waiting:
    return _Waiting(
        asked_at=row.asked_at,
        asked_by=row.asked_by,
        what=row.get_way_display(),
        about=row.case.get_kind_display(),
        number=case_story.number_of(row.case),
        why=f"回单 {row.proof}" if row.proof else "",
        amount_fen=row.amount_fen,
        url=reverse("payments-case", args=[row.case_id]),
    )


def _decision_row(row: CaseDecision) -> _Waiting:
    payment = row.case.payment
    return _Waiting(
        asked_at=row.asked_at,
        asked_by=row.asked_by,
        what="退回无法入账的款",
        about=row.case.get_kind_display(),
        number=case_story.number_of(row.case),
        why=row.note,
        amount_fen=payment.received_fen or 0 if payment else 0,
        url=reverse("payments-case", args=[row.case_id]),
    )


def _chosen(request: StaffRequest) -> list[int]:
    data = request.POST if request.method == "POST" else request.GET
    found = (typed_id(text) for text in data.getlist("charges")[:_MOST_CHARGES])
    return [charge_id for charge_id in found if charge_id is not None]


def _sum(page: RefundPage, chosen: list[int]) -> dict[str, object]:
    fen = sum(line.amount_fen for line in page.charges if line.pk in chosen)
    parts, missing_fen = queries.destinations(bill_id=page.bill.pk, amount_fen=fen)
    cash_fen = min(missing_fen, queries.cash_left_fen(bill_id=page.bill.pk))
    paid_at, limit = page.bill.settled_at, thresholds.APPROVAL_ABOVE_FEN.value()
    is_today = paid_at is not None and clock.hospital_day(paid_at) == clock.today()
    return {
        "sum_fen": fen,
        "parts": parts,
        "cash_fen": cash_fen,
        "missing_fen": missing_fen - cash_fen,
        "is_straight": is_today and fen <= limit,
        "is_today": is_today,
        "limit_fen": limit,
    }


def _ask(
    request: StaffRequest,
    page: RefundPage,
    *,
    chosen: list[int],
    problem: str = "",
    why: Sequence[str] = (),
    status: int = HTTPStatus.OK,
) -> HttpResponse:
    _seen(request, page.bill.patient_id)
    context = {
        "page": page,
        "bill": page.bill,
        "name": mask_name(page.bill.patient.name),
        "lines": [{"line": line, "is_chosen": line.pk in chosen} for line in page.charges],
        "problem": problem,
        "reason": request.POST.get("reason", "")[:80],
        "reason_errors": why,
        # After a refusal nothing was claimed, so the key is still good; it also names this form.
        "key": request.POST.get("key", "")[:80] or serials.opaque(),
        **_sum(page, chosen),
    }
    return render(request, "payments/staff/refund_form.html", context, status=status)


def _one(
    request: StaffRequest,
    request_id: int,
    *,
    problem: str = "",
    errors: Sequence[str] = (),
    status: int = HTTPStatus.OK,
) -> HttpResponse:
    found = queries.refund_request(request_id=request_id)
    _seen(request, found.bill.patient_id)
    names = people([found.asked_by, found.decided_by])
    is_waiting = found.status == RequestStatus.REQUESTED
    parts, _ = queries.destinations(bill_id=found.bill_id, amount_fen=found.amount_fen)
    context = {
        "found": found,
        "lines": found.charges.all(),
        "name": mask_name(found.bill.patient.name),
        "tone": TONES[RequestStatus(found.status)],
        "asked_by": names[found.asked_by],
        "decided_by": names.get(found.decided_by, ""),
        "parts": parts if is_waiting else [],
        "refunds": queries.refunds_of(bill_id=found.bill_id) if not is_waiting else [],
        "is_waiting": is_waiting,
        "is_mine": found.asked_by == str(request.actor),
        "may_approve": identity.may(request.user, APPROVE_REFUND),
        "problem": problem,
        "errors": errors,
        "note": request.POST.get("note", "")[:200],
    }
    return render(request, "payments/staff/refund_request.html", context, status=status)


def _seen(request: StaffRequest, patient_id: int) -> None:
    record_view(patient_id=patient_id, what="退款申请", by=request.actor, at=clock.now())
