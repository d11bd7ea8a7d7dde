"""What staff do to one booking on the day of the visit and after it (SM3); each act goes back to
the booking's page."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from hospital.identity import queries as identity
from hospital.identity.access import StaffRequest, staff_page
from hospital.kernel import clock
from hospital.kernel.errors import Invalid, NotFound
from hospital.registration import actions, forms, queries
from hospital.registration.permissions import (
    BEGIN_VISIT,
    CANCEL_ANY,
    CHECK_IN,
    LIFT_RESTRICTION,
    VIEW_APPOINTMENTS,
)
from hospital.registration.states import CORRECTED, AppointmentStatus
from hospital.registration.views.saying import given_back
from hospital.ui.typed import typed


@staff_page(CHECK_IN)
@require_POST
def check_in(request: StaffRequest, number: str) -> HttpResponse:
    """The patient is here."""
    actions.check_in(number=number, by=request.actor, at=clock.now())
    messages.success(request, "已签到。")
    return redirect("desk-appointment", number)


@staff_page(CHECK_IN)
@require_POST
def undo_check_in(request: StaffRequest, number: str) -> HttpResponse:
    """The wrong one was checked in."""
    actions.undo_check_in(
        number=number, reason=_why(request, number), by=request.actor, at=clock.now()
    )
    messages.success(request, "已撤销签到。")
    return redirect("desk-appointment", number)


@staff_page(BEGIN_VISIT)
@require_POST
def begin(request: StaffRequest, number: str) -> HttpResponse:
    """The doctor begins with a patient of the own session, or of one that names no doctor."""
    own, within = request.user.practitioner_id, identity.reach(request.user, VIEW_APPOINTMENTS)
    if not queries.may_begin(number=number, practitioner_id=own, within=within):
        raise NotFound("没有找到这个预约。")
    actions.start_visit(number=number, by=request.actor, at=clock.now())
    messages.success(request, "已开始就诊。")
    return redirect("desk-appointment", number)


@staff_page(CANCEL_ANY)
@require_POST
def cancel(request: StaffRequest, number: str) -> HttpResponse:
    """A clerk gives the number back, with a reason; after check-in that is approved here (M1.7)."""
    at = clock.now()
    row = queries.appointment(number=number, at=at)
    reason = _why(request, number)
    if row.status == AppointmentStatus.CHECKED_IN:
        actions.cancel_after_check_in(number=number, reason=reason, by=request.actor, at=at)
    else:
        actions.cancel(number=number, reason=reason, by=request.actor, at=at)
    messages.success(request, given_back(row))
    return redirect("desk-appointment", number)


@staff_page(CANCEL_ANY)
@require_POST
def void(request: StaffRequest, number: str) -> HttpResponse:
    """It was never meant: the wrong patient, the wrong doctor. After the session that is a
    correction, the office's alone."""
    at = clock.now()
    row = queries.appointment(number=number, at=at)
    reason = _why(request, number)
    if row.status in CORRECTED and not identity.may(request.user, LIFT_RESTRICTION):
        raise actions.CannotVoid("爽约、未就诊的预约由门诊办公室更正。")
    actions.enter_in_error(number=number, reason=reason, by=request.actor, at=at)
    back = [] if row.status == AppointmentStatus.PENDING else [str(row.way_back.label)]
    messages.success(request, "，".join(["已按登记有误作废", *filter(None, back)]) + "。")
    return redirect("desk-appointment", number)


@staff_page(CANCEL_ANY)
@require_POST
def answer(request: StaffRequest, number: str) -> HttpResponse:
    """What a patient said on the telephone to a substitute of a lower title (M1.9)."""
    _check_known(number)
    agrees, doctor_id = forms.answer(request.POST)
    actions.answer_substitution(
        number=number, agrees=agrees, doctor_id=doctor_id, by=request.actor, at=clock.now()
    )
    messages.success(request, "已登记：同意替诊。" if agrees else "已登记：不同意，已退号退款。")
    return redirect("desk-appointment", number)


@staff_page(LIFT_RESTRICTION)
@require_POST
def correct(request: StaffRequest, number: str) -> HttpResponse:
    """The no-show was none."""
    _check_known(number)
    outcome = typed(request.POST, "outcome", most=10)
    if outcome not in {"there", "excused"}:
        raise Invalid.of("outcome", "请选择更正的结果。")
    actions.correct_noshow(
        number=number,
        was_there=outcome == "there",
        reason=_why(request, number),
        by=request.actor,
        at=clock.now(),
    )
    messages.success(request, "已更正，爽约次数已重新计算。")
    return redirect("desk-appointment", number)


@staff_page(LIFT_RESTRICTION)
@require_POST
def refund_unseen(request: StaffRequest, number: str) -> HttpResponse:
    """Checked in and never seen: cancelled, and the money back."""
    at = clock.now()
    row = queries.appointment(number=number, at=at)
    actions.refund_unseen(number=number, reason=_why(request, number), by=request.actor, at=at)
    messages.success(request, given_back(row))
    return redirect("desk-appointment", number)


def _why(request: StaffRequest, number: str) -> str:
    """The reason, which every one of these asks for; of a booking there is."""
    _check_known(number)
    reason = typed(request.POST, "reason", most=100)
    if not reason:
        raise Invalid.of("reason", "请写明原因。")
    return reason


def _check_known(number: str) -> None:
    if not queries.is_known(number=number):
        raise NotFound("没有找到这个预约。")
