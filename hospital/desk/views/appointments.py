"""Finding a booking, and everything that ever happened to it on one page."""

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from hospital.billing import queries as billing
from hospital.billing.states import PAYABLE
from hospital.desk import story
from hospital.identity import queries as identity
from hospital.identity.access import StaffRequest, staff_page
from hospital.identity.permissions import BREAK_GLASS
from hospital.kernel import clock
from hospital.messaging import queries as messaging
from hospital.patients import queries as patients
from hospital.patients.actions import record_view
from hospital.patients.permissions import UPGRADE_IDENTITY
from hospital.payments import queries as payments
from hospital.payments.permissions import COLLECT, VIEW_PAYMENTS
from hospital.registration import queries
from hospital.registration.permissions import (
    BEGIN_VISIT,
    CANCEL_ANY,
    CHECK_IN,
    LIFT_RESTRICTION,
    VIEW_APPOINTMENTS,
)
from hospital.registration.queries import AppointmentRow
from hospital.registration.states import (
    CORRECTED,
    VOIDABLE,
    AppointmentStatus,
    BookingKind,
    Consent,
)
from hospital.scheduling import queries as scheduling
from hospital.ui.masks import mask_name
from hospital.ui.typed import typed

TONES = {
    AppointmentStatus.PENDING: "warn",
    AppointmentStatus.BOOKED: "brand",
    AppointmentStatus.CHECKED_IN: "brand",
    AppointmentStatus.FULFILLED: "info",
    AppointmentStatus.CANCELLED: "",
    AppointmentStatus.NOSHOW: "danger",
    AppointmentStatus.LEFT_UNSEEN: "warn",
    AppointmentStatus.ENTERED_IN_ERROR: "",
}


@staff_page(VIEW_APPOINTMENTS)
@require_http_methods(["GET", "HEAD", "POST"])
def search(request: StaffRequest) -> HttpResponse:
    """Bookings by number, name, pinyin, phone, document or outpatient number.

    The search box posts: addresses of pages are written down in many places.
    """
    text = typed(request.POST if request.method == "POST" else request.GET, "q", most=60)
    within = identity.reach(request.user, VIEW_APPOINTMENTS)
    rows = queries.search(text=text, at=clock.now(), within=within)
    context = {
        "search_text": text,
        "rows": [listed(row) for row in rows],
        "is_cut": len(rows) >= queries.SEARCH_AT_MOST,
        "may_break_glass": identity.may(request.user, BREAK_GLASS),
    }
    return render(request, "desk/staff/search.html", context)


@staff_page(VIEW_APPOINTMENTS)
@require_safe
def appointment(request: StaffRequest, number: str) -> HttpResponse:
    """One booking: facts on the left, its whole history on the right."""
    within = identity.reach(request.user, VIEW_APPOINTMENTS)
    row = queries.appointment(number=number, at=clock.now(), within=within)
    record_view(patient_id=row.patient_id, what="预约全程", by=request.actor, at=clock.now())
    found = payments.payments_of(bill_id=row.bill_id)
    stories = [payments.payment_story(payment_id=payment.pk) for payment in found]
    about = [("registration.appointment", row.id)]
    about += [("payments.refund", refund.pk) for item in stories for refund in item.refunds]
    events = story.of_appointment(
        queries.history_of(appointment_id=row.id), stories, messaging.messages_about(about)
    )
    context = {
        "row": row,
        "tone": TONES[row.status],
        "masked_name": mask_name(row.patient_name),
        "payments": found,
        "may_view_payments": identity.may(request.user, VIEW_PAYMENTS),
        "collect": _collect(request, row),
        "visit": _visit(request, row),
        "upgrade": patients.upgrade_of(
            patient=patients.patient(patient_id=row.patient_id), at=clock.now()
        ),
        "may_prove": identity.may(request.user, UPGRADE_IDENTITY),
        "events": events,
        "topics": [f"appointment:{row.id}", f"bill:{row.bill_id}"],
        "here": request.path,
    }
    part = "#whole" if request.htmx else ""
    return render(request, f"desk/staff/appointment.html{part}", context)


def _collect(request: StaffRequest, row: AppointmentRow) -> str:
    """The address to collect an unpaid bill at, for those who may."""
    if row.bill_status not in PAYABLE or not identity.may(request.user, COLLECT):
        return ""
    bill = billing.bill(bill_id=row.bill_id)
    return reverse("payments-collect", args=[bill.number])


def _visit(request: StaffRequest, row: AppointmentRow) -> dict[str, object]:
    """What this member of staff may do to the visit now (SM3); a night's session goes on after
    midnight."""
    status, at = row.status, clock.now()
    has_come = row.visit_date <= clock.hospital_day(at)
    is_standing = status in (
        AppointmentStatus.PENDING,
        AppointmentStatus.BOOKED,
        AppointmentStatus.CHECKED_IN,
    )
    may_cancel = is_standing and identity.may(request.user, CANCEL_ANY)
    acts = {
        "cancel": may_cancel,
        "void": identity.may(request.user, CANCEL_ANY)
        and status in VOIDABLE
        and (status not in CORRECTED or identity.may(request.user, LIFT_RESTRICTION)),
        "answer": may_cancel and row.consent == Consent.ASKED,
        "check_in": status == AppointmentStatus.BOOKED
        and has_come
        and at < row.session_ends_at
        and identity.may(request.user, CHECK_IN),
        "undo": status == AppointmentStatus.CHECKED_IN
        and row.kind != BookingKind.EMERGENCY
        and identity.may(request.user, CHECK_IN),
        "begin": status in (AppointmentStatus.BOOKED, AppointmentStatus.CHECKED_IN)
        and has_come
        and identity.may(request.user, BEGIN_VISIT)
        and queries.may_begin(
            number=row.number,
            practitioner_id=request.user.practitioner_id,
            within=identity.reach(request.user, VIEW_APPOINTMENTS),
        ),
        "correct": status == AppointmentStatus.NOSHOW
        and identity.may(request.user, LIFT_RESTRICTION),
        "unseen": status == AppointmentStatus.LEFT_UNSEEN
        and identity.may(request.user, LIFT_RESTRICTION),
    }
    if not any(acts.values()):
        return {}
    session = scheduling.session_facts(schedule_id=row.schedule_id) if acts["answer"] else None
    return acts | {"session": session}


def listed(row: AppointmentRow) -> dict[str, object]:
    """A booking as a line of a list."""
    return {
        "row": row,
        "name": mask_name(row.patient_name),
        "tone": TONES[row.status],
        "url": reverse("desk-appointment", args=[row.number]),
    }
