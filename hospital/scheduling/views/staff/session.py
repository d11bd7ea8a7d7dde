"""One session as the office works on it: bands, channels, single numbers, room, what was changed.

A refused form shows the page again with what was typed, the refusal, and who is in the way.
"""

from collections.abc import Callable, Mapping
from http import HTTPStatus

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from hospital.identity import queries as identity
from hospital.identity.access import StaffRequest, note_refusal, staff_page
from hospital.kernel import clock
from hospital.kernel.errors import Invalid, NotFound, Refusal
from hospital.organisation import queries as organisation
from hospital.scheduling import actions, change_words, forms, queries, quotas, thresholds
from hospital.scheduling.permissions import ASK_STOP, MANAGE_NUMBERS, VIEW_SOLD
from hospital.scheduling.queries import numbers
from hospital.scheduling.queries.numbers import OfficeSheet
from hospital.scheduling.states import ACTIVE, Pool
from hospital.scheduling.views.staff import calendar
from hospital.ui.typed import typed_id


@staff_page(VIEW_SOLD)
@require_safe
def session(request: StaffRequest, schedule_id: int) -> HttpResponse:
    """One session within reach. Raises NotFound."""
    sheet = numbers.office_sheet(schedule_id=schedule_id)
    facts = sheet.row.session
    within = identity.reach(request.user, VIEW_SOLD)
    if not within.covers(department_id=facts.department_id, practitioner_id=facts.practitioner_id):
        raise NotFound("没有找到这次出诊。")
    return _page(request, sheet)


@staff_page(MANAGE_NUMBERS)
@require_POST
def change_bands(request: StaffRequest, schedule_id: int) -> HttpResponse:
    """Other sizes or ends of bands, together (M2.3)."""

    def work(sheet: OfficeSheet) -> str:
        changed = actions.change_bands(
            schedule_id=schedule_id,
            wishes=forms.band_wishes(request.POST, sheet.bands),
            reason=forms.reason(request.POST),
            by=request.actor,
            at=clock.now(),
        )
        return f"已修改 {changed} 个时段。" if changed else "没有要改的。"

    return _done(request, schedule_id, "bands", work)


@staff_page(MANAGE_NUMBERS)
@require_POST
def share(request: StaffRequest, schedule_id: int) -> HttpResponse:
    """The numbers nobody has, dealt out anew: as typed, or by the percentages in force (M2.2)."""

    def work(sheet: OfficeSheet) -> str:
        is_default = request.POST.get("how") == "default"
        got = actions.share_numbers(
            schedule_id=schedule_id,
            shares=None if is_default else _typed_shares(request, sheet),
            percents=_percents(sheet) if is_default else None,
            seen=forms.pool_counts(request.POST, "seen"),
            reason=forms.reason(request.POST),
            by=request.actor,
            at=clock.now(),
        )
        words = "、".join(f"{pool.label} {count}" for pool, count in got.items())
        return f"未约的 {sum(got.values())} 个号已重新分配：{words or '没有'}。"

    return _done(request, schedule_id, "shares", work)


@staff_page(MANAGE_NUMBERS)
@require_POST
def withhold(request: StaffRequest, schedule_id: int) -> HttpResponse:
    """停号 or its end, for single numbers or whole bands."""

    def work(sheet: OfficeSheet) -> str:
        is_back = request.POST.get("act") == "unblock"
        ticked = set(forms.ids(request.POST, "number"))
        whole = set(forms.ids(request.POST, "band"))
        chosen = {
            one.id
            for row in sheet.bands
            for one in row.numbers
            if one.id in ticked
            or (row.band.id in whole and (one.can_unblock if is_back else one.can_block))
        }
        if ticked - chosen:
            raise NotFound("没有找到这些号。")
        if not chosen:
            raise Invalid({"number": ["请先勾选号。"]}, "请先勾选要处理的号或时段。")
        act = actions.unblock_numbers if is_back else actions.block_numbers
        done = act(
            schedule_id=schedule_id,
            slot_ids=chosen,
            reason=forms.reason(request.POST),
            by=request.actor,
            at=clock.now(),
        )
        missed = len(chosen) - done
        rest = f"，{missed} 个已被约走或不能改，没有动" if missed else ""
        return f"已{'恢复' if is_back else '停'} {done} 个号{rest}。"

    return _done(request, schedule_id, "numbers", work)


@staff_page(MANAGE_NUMBERS)
@require_POST
def move_room(request: StaffRequest, schedule_id: int) -> HttpResponse:
    """Another room for the session."""

    def work(_: OfficeSheet) -> str:
        room_id = typed_id(request.POST.get("room", ""))
        if room_id is None:
            raise Invalid.of("room", "请选择诊室。")
        actions.change_room(
            schedule_id=schedule_id,
            room_id=room_id,
            seen=typed_id(request.POST.get("seen-room", "")),
            reason=forms.reason(request.POST),
            by=request.actor,
            at=clock.now(),
        )
        return "诊室已更换。"

    return _done(request, schedule_id, "room", work)


def _done(
    request: StaffRequest, schedule_id: int, form: str, work: Callable[[OfficeSheet], str]
) -> HttpResponse:
    """Do it and say so, or show the page again with the refusal."""
    sheet = numbers.office_sheet(schedule_id=schedule_id)
    try:
        sentence = work(sheet)
    except Refusal as refusal:
        if isinstance(refusal, NotFound):
            raise
        note_refusal(request, refusal)
        return _page(
            request, numbers.office_sheet(schedule_id=schedule_id), form=form, refusal=refusal
        )
    messages.success(request, sentence)
    return redirect("scheduling-session", schedule_id)


def _page(
    request: StaffRequest,
    sheet: OfficeSheet,
    *,
    form: str = "",
    refusal: Refusal | None = None,
) -> HttpResponse:
    at = clock.now()
    facts = sheet.row.session
    rooms = organisation.room_labels()
    entries = numbers.changes_of(schedule_id=facts.id)
    names = identity.staff_names(actors={entry.by for entry in entries})
    starts = {row.band.id: row.band.starts_at for row in sheet.bands}
    typed_in: Mapping[str, str] = request.POST if refusal else {}
    bands_short = refusal.details.get("bands", {}) if refusal else {}
    may_manage = identity.may(request.user, MANAGE_NUMBERS)
    may_change = may_manage and facts.status in ACTIVE
    asking = identity.reach(request.user, ASK_STOP)
    is_merged = queries.is_merged(facts.visit_date, at=at)
    context = {
        "sheet": sheet,
        "session": facts,
        **calendar.shown(sheet.row, at),
        "bands": [
            {
                "row": row,
                "bar": calendar.bar(row.all),
                "capacity": typed_in.get(f"capacity-{row.band.id}", str(row.band.capacity)),
                "ends": typed_in.get(
                    f"ends-{row.band.id}", f"{clock.local(row.band.ends_at):%H:%M}"
                ),
                "is_short": isinstance(bands_short, dict) and row.band.id in bands_short,
            }
            for row in sheet.bands
        ],
        "pools": _pool_lines(sheet, typed_in),
        "percents": _percent_words(sheet),
        "release_s": max(0, int((facts.release_at - at).total_seconds())),
        "rooms": rooms,
        "reason": typed_in.get("reason", ""),
        "changes": [
            {
                "title": change_words.sentence(entry, bands=starts, rooms=rooms),
                "at": entry.at,
                "by": names.get(entry.by, "系统"),
                "note": entry.reason,
            }
            for entry in entries
        ],
        "form": form,
        "refusal": refusal,
        "may_manage": may_manage,
        "may_change": may_change,
        "may_ask_stop": facts.status in ACTIVE
        and facts.ends_at > at
        and asking.covers(department_id=facts.department_id, practitioner_id=facts.practitioner_id),
        "may_share": may_change and not is_merged,
        "ticked": forms.ids(request.POST, "number"),
        "ticked_bands": forms.ids(request.POST, "band"),
        "room": typed_id(typed_in.get("room", "")),
        "is_merged": is_merged,
        "merge_time": thresholds.MERGE_TIME.value(),
        "kept_until": thresholds.WINDOW_KEPT_UNTIL.value(),
        "kept": thresholds.WINDOW_KEPT.value(),
    }
    return render(request, "scheduling/staff/session.html", context, status=_status(refusal))


def _status(refusal: Refusal | None) -> int:
    if refusal is None:
        return HTTPStatus.OK
    return HTTPStatus.UNPROCESSABLE_ENTITY if isinstance(refusal, Invalid) else HTTPStatus.CONFLICT


def _percents(sheet: OfficeSheet) -> dict[Pool, int]:
    return thresholds.quota_percents(*queries.scopes_of(sheet.row.session))


def _typed_shares(request: StaffRequest, sheet: OfficeSheet) -> dict[Pool, int]:
    wanted = forms.pool_counts(request.POST, "left")
    wanted.pop(Pool.WINDOW, None)  # the window has what the others leave (M2.2)
    if sum(wanted.values()) > sheet.row.all.left:
        raise Invalid(
            {"shares": ["超过了未约的号数。"]},
            f"还没有约出的号只有 {sheet.row.all.left} 个，各渠道合计不能超过它。",
        )
    return wanted


def _pool_lines(sheet: OfficeSheet, typed_in: Mapping[str, str]) -> list[dict[str, object]]:
    """Every pool with what it has; a pool without numbers may still be given some."""
    default = quotas.share(sheet.row.session.capacity, _percents(sheet))
    known = {one.pool: one.tally for one in sheet.row.pools}
    lines: list[dict[str, object]] = []
    for pool in Pool:
        tally = known.get(pool)
        if tally is None and pool == Pool.PUBLIC:
            continue
        left = tally.left if tally else 0
        lines.append(
            {
                "pool": pool,
                "label": pool.label,
                "tally": tally,
                "bar": calendar.bar(tally) if tally else [],
                "left": typed_in.get(f"left-{pool}", str(left)),
                "default": default.get(pool, 0),
                "is_rest": pool == Pool.WINDOW,
            }
        )
    return lines


def _percent_words(sheet: OfficeSheet) -> str:
    """M2.2's rounding, worked out for this session."""
    return quotas.explain(sheet.row.session.capacity, _percents(sheet))
