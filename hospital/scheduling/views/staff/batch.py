"""批量: one change for many sessions, shown session by session before it is made (M2.6)."""

import datetime as dt
from http import HTTPStatus

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from hospital.identity.access import StaffRequest, note_refusal, staff_page
from hospital.kernel import clock, serials
from hospital.kernel.errors import Invalid, Refusal
from hospital.organisation import queries as organisation
from hospital.scheduling import actions, batch_form, forms
from hospital.scheduling.permissions import MANAGE_NUMBERS
from hospital.scheduling.queries import batches
from hospital.scheduling.queries.batches import BatchPlan
from hospital.scheduling.states import BatchKind, Pool, SessionPeriod
from hospital.ui.typed import typed

_WEEK = dt.timedelta(days=6)


@staff_page(MANAGE_NUMBERS)
@require_http_methods(["GET", "HEAD", "POST"])
def batch(request: StaffRequest) -> HttpResponse:
    """The form, then its preview; the same form with step=save does what was shown."""
    if request.method != "POST":
        return _page(request, QueryDict())
    at = clock.now()
    try:
        wish = batch_form.wish(request.POST)
        if request.POST.get("step") != "save":
            return _page(request, request.POST, plan=batches.plan_batch(wish=wish, at=at))
        done = actions.run_batch(
            wish=wish,
            digest=typed(request.POST, "digest", most=64),
            only_possible=request.POST.get("way") == "possible",
            reason=forms.reason(request.POST),
            key=typed(request.POST, "key", most=64),
            by=request.actor,
            at=at,
        )
    except Refusal as refusal:
        note_refusal(request, refusal)
        return _refused(request, refusal, at)
    messages.success(request, f"已处理 {done} 个出诊。")
    return redirect("scheduling-batch")


def _refused(request: StaffRequest, refusal: Refusal, at: dt.datetime) -> HttpResponse:
    """The form again; when only the act was refused, with the preview as it is now."""
    try:
        plan = batches.plan_batch(wish=batch_form.wish(request.POST), at=at)
    except Invalid:  # the form itself is what was refused
        plan = None
    is_asked = request.POST.get("step") == "save"
    return _page(
        request,
        request.POST,
        plan=plan if is_asked else None,
        refusal=refusal,
        status=(
            HTTPStatus.UNPROCESSABLE_ENTITY if isinstance(refusal, Invalid) else HTTPStatus.CONFLICT
        ),
    )


def _page(
    request: StaffRequest,
    data: QueryDict,
    *,
    plan: BatchPlan | None = None,
    refusal: Refusal | None = None,
    status: int = HTTPStatus.OK,
) -> HttpResponse:
    tomorrow = clock.today() + dt.timedelta(days=1)
    kind = data.get("kind", BatchKind.CAPACITY)
    chosen = {name: data.getlist(name) for name in ("department", "weekday", "period")}
    # A key that was used for another preview would be refused: a new preview is a new act.
    key = serials.opaque()
    context = {
        "kinds": [
            {"value": one.value, "label": one.label, "is_chosen": one == kind} for one in BatchKind
        ],
        "typed": {
            **{name: data.get(name, "") for name in batch_form.FIELDS},
            "first": data.get("first", tomorrow.isoformat()),
            "latest": data.get("latest", (tomorrow + _WEEK).isoformat()),
        },
        "departments": _options(
            organisation.department_labels(active_only=True), chosen, "department"
        ),
        "weekdays": _options(dict(batch_form.WEEKDAYS), chosen, "weekday"),
        "periods": _options(dict(SessionPeriod.choices), chosen, "period"),
        "pools": Pool.choices,
        "rooms": organisation.room_labels().items(),
        "plan": plan,
        "kind_label": BatchKind(kind).label if kind in BatchKind.values else "",
        "kept": batch_form.kept_fields(data),
        "key": key,
        "reason": data.get("reason", ""),
        "refusal": refusal,
        "is_loose": kind in {BatchKind.BLOCK, BatchKind.SHARES},
        "may_manage": True,
    }
    return render(request, "scheduling/staff/batch.html", context, status=status)


def _options(
    labels: dict[int, str] | dict[str, str], chosen: dict[str, list[str]], name: str
) -> list[dict[str, object]]:
    return [
        {"value": value, "label": label, "is_chosen": str(value) in chosen[name]}
        for value, label in labels.items()
    ]
