"""待退现金: notes that wait for their payers, and a supervisor who hands them back (H9.3).

Today's small sums are given out where they were taken, at the registration window.
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
from hospital.kernel.errors import NotAllowed, NotFound, Refusal
from hospital.payments import actions, forms, queries
from hospital.payments.permissions import APPROVE_REFUND, VIEW_PAYMENTS
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
    bill = bills.bill_by_number(number=number)
    if bill is None:
        raise NotFound("没有找到这张账单。")
    try:
        entry = actions.hand_back_cash(
            bill_id=bill.pk,
            shown_fen=forms.shown_fen(request.POST),
            key=typed(request.POST, "key", most=80),
            is_supervisor=True,
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
    rows = queries.cash_owed()
    names = people(row.taken.cashier for row in rows)
    context = {
        "rows": [
            {
                "row": row,
                "name": mask_name(row.bill.patient.name),
                "cashier": names[row.taken.cashier],
            }
            for row in rows
        ],
        "may_hand_back": identity.may(request.user, APPROVE_REFUND),
        "key": serials.opaque(),
        "problem": problem,
    }
    return render(request, "payments/staff/cash_owed.html", context, status=status)
