"""默认比例: how new sessions are shared out among the channels, and the rounding (M2.2)."""

from http import HTTPStatus

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from hospital.catalogue import queries as catalogue
from hospital.identity.access import StaffRequest, note_refusal, staff_page
from hospital.kernel import clock, settings_rows
from hospital.kernel.errors import Invalid, Refusal
from hospital.kernel.settings_rows import HOSPITAL, Scope, Standing
from hospital.organisation import queries as organisation
from hospital.scheduling import actions, forms, quotas, thresholds
from hospital.scheduling.actions.defaults import SHARES, version
from hospital.scheduling.permissions import MANAGE_NUMBERS
from hospital.ui.typed import typed, typed_id

_EXAMPLES = (30, 16, 7)
_KINDS = {"department": "科室", "service_type": "号别", "practitioner": "医生"}


@staff_page(MANAGE_NUMBERS)
@require_http_methods(["GET", "HEAD", "POST"])
def shares(request: StaffRequest) -> HttpResponse:
    """What is in force for whom, and the form to change it."""
    if request.method != "POST":
        return _page(request)
    try:
        changed = _save(request)
    except Refusal as refusal:
        note_refusal(request, refusal)
        return _page(request, refusal=refusal)
    messages.success(
        request, "默认比例已修改，从下一批生成的出诊起。" if changed else "没有要改的。"
    )
    return redirect("scheduling-shares")


def _save(request: StaffRequest) -> int:
    is_back = request.POST.get("way") == "back"
    return actions.set_default_shares(
        scope=_scope(request),
        percents=None if is_back else {pool: forms.percent(request.POST, pool) for pool in SHARES},
        add_on_percent=None if is_back else forms.percent(request.POST, "add_on"),
        seen=forms.whole(request.POST, "seen"),
        reason=forms.reason(request.POST),
        by=request.actor,
        at=clock.now(),
    )


def _scope(request: StaffRequest) -> Scope:
    """Whom the form is about. Raises Invalid."""
    kind, _, number = typed(request.POST, "scope", most=40).partition(":")
    scope_id = typed_id(number)
    if (kind, scope_id) == (HOSPITAL.kind, HOSPITAL.id):
        return HOSPITAL
    known = {one for _, group in _choices() for one, _ in group}
    if scope_id is None or f"{kind}:{scope_id}" not in known:
        raise Invalid.of("scope", "请选择范围。")
    return Scope(kind, scope_id)


def _page(request: StaffRequest, *, refusal: Refusal | None = None) -> HttpResponse:
    names = {"hospital:0": "全院"} | {
        value: f"{group}：{label}" for group, options in _choices() for value, label in options
    }
    lines = _lines(names)
    hospital = {pool: setting.value() for pool, setting in SHARES.items()}
    told = request.POST if refusal else request.GET
    scope = told.get("scope", "")
    own = next((line["values"] for line in lines if line["scope"] == scope), lines[0]["values"])
    context = {
        "lines": lines,
        "version": version(settings_rows.standings(at=clock.now())),
        "examples": [quotas.explain(size, hospital) for size in _EXAMPLES],
        "groups": _choices(),
        "scope": scope,
        "typed": request.POST if refusal else {},
        "values": own,
        "merge_time": thresholds.MERGE_TIME.value(),
        "kept": thresholds.WINDOW_KEPT.value(),
        "kept_until": thresholds.WINDOW_KEPT_UNTIL.value(),
        "release_time": thresholds.RELEASE_TIME.value(),
        "horizon": thresholds.HORIZON_DAYS.value(),
        "refusal": refusal,
        "may_manage": True,
    }
    status = HTTPStatus.OK
    if refusal is not None:
        is_invalid = isinstance(refusal, Invalid)
        status = HTTPStatus.UNPROCESSABLE_ENTITY if is_invalid else HTTPStatus.CONFLICT
    return render(request, "scheduling/staff/shares.html", context, status=status)


def _choices() -> list[tuple[str, list[tuple[str, str]]]]:
    """The scopes by kind, as the form posts them, with their names."""
    kinds = {
        "department": organisation.department_labels(active_only=True),
        "service_type": {one.id: one.name for one in catalogue.service_types()},
        "practitioner": organisation.practitioner_labels(),
    }
    return [
        (_KINDS[kind], [(f"{kind}:{pk}", name) for pk, name in labels.items()])
        for kind, labels in kinds.items()
    ]


def _lines(names: dict[str, str]) -> list[dict[str, object]]:
    """Every scope with a value of its own, the hospital first; what it does not set is shown as
    the hospital's."""
    standings = settings_rows.standings(at=clock.now())
    settings = {**{str(pool): one for pool, one in SHARES.items()}}
    settings["add_on"] = thresholds.ADD_ON_PERCENT
    by_scope: dict[Scope, dict[str, Standing]] = {HOSPITAL: {}}
    for name, setting in settings.items():
        for standing in standings[setting.key]:
            if standing.row is not None:
                by_scope.setdefault(standing.scope, {})[name] = standing
    lines: list[dict[str, object]] = []
    for scope, own in by_scope.items():
        values = {name: _held(own.get(name), setting.value()) for name, setting in settings.items()}
        taken = sum(values[str(pool)] for pool in SHARES)
        rows = [one.row for one in own.values() if one.row]
        latest = max(rows, key=lambda row: row.set_at) if rows else None
        lines.append(
            {
                "name": names.get(str(scope), "已停用的范围"),
                "scope": str(scope),
                "can_change": str(scope) in names,
                "values": values,
                "window": max(0, 100 - taken),
                "own": set(own),
                "latest": latest,
                "is_everywhere": scope == HOSPITAL,
            }
        )
    return lines


def _held(standing: Standing | None, wider: int) -> int:
    if standing is None or standing.row is None:
        return wider
    value = standing.row.value
    assert isinstance(value, int)
    return value
