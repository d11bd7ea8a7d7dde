"""待退现金: notes that wait for their payers, and a supervisor who hands them back (H9.3).

Today's small sums are a cashier's, and the registration window's on its own page. 我的收款: what
went through one's own hands today.
"""

from http import HTTPStatus

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from hospital.billing import queries as bills
from hospital.identity import queries as identity
from hospital.identity.access import StaffRequest, note_refusal, staff_page
from hospital.kernel import clock, serials
from hospital.kernel.clock import day_period, hospital_day
from hospital.kernel.errors import NotAllowed, NotFound, Refusal
from hospital.payments import actions, forms, queries
from hospital.payments.permissions import APPROVE_REFUND, COLLECT, VIEW_PAYMENTS
from hospital.payments.views.named import people
from hospital.ui.masks import mask_name
from hospital.ui.typed import typed


@staff_page(VIEW_PAYMENTS)
@require_safe
def owed(request: StaffRequest) -> HttpResponse:
    """Whose notes wait, since when, and who took them."""
    return _page(request)


@staff_page(APPROVE_REFUND)
@require_POST
def hand_back(request: StaffRequest, number: str) -> HttpResponse:
    """Note that the cash of a bill was handed back by a supervisor, whatever its day (H9.3)."""
    return _hand_back(request, number, is_supervisor=True)


@staff_page(COLLECT)
@require_POST
def hand_back_today(request: StaffRequest, number: str) -> HttpResponse:
    """The same by a cashier: of today, and no large sum."""
    return _hand_back(request, number, is_supervisor=False)


@staff_page(COLLECT)
@require_safe
def mine(request: StaffRequest) -> HttpResponse:
    """What the reader took and gave today so far, entry by entry (H9.1, H9.6)."""
    return _mine(request)


@staff_page(APPROVE_REFUND)
@require_safe
def given(request: StaffRequest) -> HttpResponse:
    """The same for a supervisor, who hands cash back and takes none (H9.3)."""
    return _mine(request)


def _mine(request: StaffRequest) -> HttpResponse:
    at, cashier = clock.now(), str(request.actor)
    period = day_period(hospital_day(at))
    entries = queries.cash_entries(cashier=cashier, period=period)
    context = {
        "day": hospital_day(at),
        "at": at,
        "money": queries.shift_money(cashier=cashier, period=period),
        "rows": [{"entry": row, "name": mask_name(row.bill.patient.name)} for row in entries],
        "may_collect": identity.may(request.user, COLLECT),
    }
    return render(request, "payments/staff/cash_mine.html", context)


def _hand_back(request: StaffRequest, number: str, *, is_supervisor: bool) -> HttpResponse:
    bill = bills.bill_by_number(number=number)
    if bill is None:
        raise NotFound("没有找到这张账单。")
    try:
        entry = actions.hand_back_cash(
            bill_id=bill.pk,
            shown_fen=forms.shown_fen(request.POST),
            key=typed(request.POST, "key", most=80),
            is_supervisor=is_supervisor,
            by=request.actor,
            at=clock.now(),
        )
    except (NotFound, NotAllowed):
        raise
    except Refusal as refusal:
        note_refusal(request, refusal)
        return _page(request, problem=refusal.message, status=HTTPStatus.CONFLICT)
    messages.success(request, f"已记录：退现金，单号 {entry.number}。")
    return redirect("payments-cash-owed")


def _page(request: StaffRequest, *, problem: str = "", status: int = HTTPStatus.OK) -> HttpResponse:
    rows, at = queries.cash_owed(), clock.now()
    is_supervisor = identity.may(request.user, APPROVE_REFUND)
    may_collect = identity.may(request.user, COLLECT)
    names = people(row.taken.cashier for row in rows)
    context = {
        "rows": [
            {
                "row": row,
                "name": mask_name(row.bill.patient.name),
                "cashier": names[row.taken.cashier],
                "door": "payments-cash-back"
                if is_supervisor
                else "payments-collect-back"
                if may_collect and not row.is_supervisors(at)
                else "",
            }
            for row in rows
        ],
        "key": serials.opaque(),
        "problem": problem,
        "mine": "payments-cash-mine"
        if may_collect
        else "payments-cash-given"
        if is_supervisor
        else "",
    }
    return render(request, "payments/staff/cash_owed.html", context, status=status)
