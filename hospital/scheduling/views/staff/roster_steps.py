"""The steps of drafting a roster, as the grid's keys, mouse and forms ask for them. Every answer is
the grid as it is now; a refused step is shown in the cell it was about (M15.2)."""

import datetime as dt
from collections.abc import Callable
from http import HTTPStatus

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from hospital.identity.access import StaffRequest, note_refusal, staff_page
from hospital.kernel import clock
from hospital.kernel.errors import NotFound, Refusal
from hospital.scheduling import roster_input
from hospital.scheduling.actions import rosters
from hospital.scheduling.actions.roster_steps import Filled
from hospital.scheduling.actions.rosters import Place
from hospital.scheduling.models import Roster, RosterEntry
from hospital.scheduling.permissions import DRAFT_ROSTER
from hospital.scheduling.queries import roster_forms, roster_grid
from hospital.scheduling.queries import rosters as found
from hospital.scheduling.roster_words import line_text, what_text
from hospital.scheduling.states import SessionPeriod
from hospital.scheduling.views.staff.rosters import (
    FARTHEST,
    address_of,
    grid_context,
    own_roster,
    shown_periods,
)
from hospital.scheduling.weeks import DAYS, week_days
from hospital.ui.typed import typed, typed_id
from hospital.ui.wording import day_text, weekday_text

Doing = Callable[[StaffRequest, Roster, int, dt.datetime], None]


@staff_page(DRAFT_ROSTER)
@require_safe
def cell(request: StaffRequest, roster_id: int) -> HttpResponse:
    """The form of a cell: of its session, or of a new one."""
    roster = own_roster(request, roster_id)
    return _form(request, roster)


@staff_page(DRAFT_ROSTER)
@require_POST
def step(request: StaffRequest, roster_id: int) -> HttpResponse:
    """One step on the draft."""
    roster = own_roster(request, roster_id)
    act = _ACTS.get(request.POST.get("do", ""))
    if act is None:
        raise NotFound
    try:
        act(request, roster, typed_id(request.POST.get("version", "")) or 0, clock.now())
    except Refusal as refusal:
        note_refusal(request, refusal)
        return _refused(request, roster, refusal)
    if request.htmx:
        answer = render(request, "scheduling/staff/roster.html#grid", _now(request, roster))
        answer["HX-Trigger"] = "roster:saved"
        return answer
    return redirect(address_of(roster))


@staff_page(DRAFT_ROSTER)
@require_http_methods(["GET", "HEAD", "POST"])
def bulk(request: StaffRequest, roster_id: int) -> HttpResponse:
    """Many sessions at once, from another week or from the templates: told first, then done."""
    roster = own_roster(request, roster_id)
    data = request.POST if request.method == "POST" else request.GET
    source = data.get("from", "")
    week = _week(source, near=roster.monday)
    is_chosen = source == "templates" or week is not None
    version = typed_id(data.get("version", "")) or roster.version
    is_preview = request.method != "POST"
    refusal, filled = None, Filled([], [])
    try:
        if source == "templates":
            filled = rosters.fill_from_templates(
                roster_id=roster.pk,
                version=version,
                is_preview=is_preview,
                by=request.actor,
                at=clock.now(),
            )
        elif week is not None:
            filled = rosters.copy_week(
                roster_id=roster.pk,
                version=version,
                from_monday=week,
                is_preview=is_preview,
                by=request.actor,
                at=clock.now(),
            )
    except Refusal as no:
        note_refusal(request, no)
        refusal = no
    if is_chosen and not is_preview and refusal is None:
        against = sum(not one.is_there for one in filled.left)
        left = f"，{against} 次有冲突没有放入" if against else ""
        messages.success(request, f"已放入 {len(filled.put)} 次出诊{left}。")
        return redirect(address_of(roster))
    return _preview(request, roster, source if is_chosen else "", filled, refusal)


def _preview(
    request: StaffRequest, roster: Roster, source: str, filled: Filled, refusal: Refusal | None
) -> HttpResponse:
    mondays = [roster.monday - number * dt.timedelta(days=DAYS) for number in (1, 2, 3, 4)]
    choices = [("templates", "本科室的出诊模板")]
    choices += [
        (monday.isoformat(), f"{day_text(monday)}—{day_text(week_days(monday)[-1])}这一周")
        for monday in mondays
    ]
    context = {
        "roster": found.roster(roster_id=roster.pk),
        "here": address_of(roster),
        "sunday": week_days(roster.monday)[-1],
        "choices": [
            {"value": value, "label": label, "is_on": value == source} for value, label in choices
        ],
        "source": source,
        "put": [line_text(one) for one in filled.put],
        "left": [
            {"text": line_text(one.entry), "why": one.sentence}
            for one in filled.left
            if not one.is_there
        ],
        "there": sum(one.is_there for one in filled.left),
        "refusal": refusal,
    }
    status = HTTPStatus.CONFLICT if refusal else HTTPStatus.OK
    return render(request, "scheduling/staff/roster_bulk.html", context, status=status)


def _put(request: StaffRequest, roster: Roster, version: int, at: dt.datetime) -> None:
    """By words typed into a cell, or by its form; into a session that is there, or a new one."""
    entry = _entry(roster, typed_id(request.POST.get("entry", "")))
    if "text" in request.POST:
        place = roster_input.place(request.POST.get("cell", ""))
        wanted = roster_input.wanted_from_words(
            typed(request.POST, "text", most=80),
            place=place,
            entry=entry,
            like=roster_forms.suggestion(
                roster, practitioner_id=place.practitioner_id, period=place.session_period
            ),
            options=roster_forms.options(roster),
        )
    else:
        wanted = roster_input.wanted_from_form(request.POST)
    if entry is None:
        rosters.put_entry(
            roster_id=roster.pk, version=version, wanted=wanted, by=request.actor, at=at
        )
    else:
        rosters.change_entry(
            roster_id=roster.pk,
            version=version,
            entry_id=entry.pk,
            wanted=wanted,
            by=request.actor,
            at=at,
        )


def _remove(request: StaffRequest, roster: Roster, version: int, at: dt.datetime) -> None:
    rosters.remove_entries(
        roster_id=roster.pk, version=version, entry_ids=_ids(request), by=request.actor, at=at
    )


def _move(request: StaffRequest, roster: Roster, version: int, at: dt.datetime) -> None:
    for entry_id in _ids(request)[:1]:
        rosters.move_entry(
            roster_id=roster.pk,
            version=version,
            entry_id=entry_id,
            to=roster_input.place(request.POST.get("cell", "")),
            by=request.actor,
            at=at,
        )


def _copy(request: StaffRequest, roster: Roster, version: int, at: dt.datetime) -> None:
    """Sessions into a cell; with `day` each into its own doctor's and period's cell of that day."""
    ids = _ids(request)
    if "day" in request.POST:
        day = roster_input.place(f"{request.POST['day']}_am_0").visit_date
        rows = RosterEntry.objects.filter(pk__in=ids)
        copies = [
            (one.pk, Place(day, one.session_period, one.practitioner_id))
            for one in rows.order_by("pk")
        ]
    else:
        place = roster_input.place(request.POST.get("cell", ""))
        copies = [(entry_id, place) for entry_id in ids]
    rosters.copy_entries(
        roster_id=roster.pk, version=version, copies=copies, by=request.actor, at=at
    )


def _undo(request: StaffRequest, roster: Roster, version: int, at: dt.datetime) -> None:
    rosters.undo(roster_id=roster.pk, version=version, by=request.actor, at=at)


def _redo(request: StaffRequest, roster: Roster, version: int, at: dt.datetime) -> None:
    rosters.redo(roster_id=roster.pk, version=version, by=request.actor, at=at)


_ACTS: dict[str, Doing] = {
    "put": _put,
    "remove": _remove,
    "move": _move,
    "copy": _copy,
    "undo": _undo,
    "redo": _redo,
}


def _refused(request: StaffRequest, roster: Roster, refusal: Refusal) -> HttpResponse:
    """The form again where it came from one; else the grid, with the sentence in the cell."""
    if request.POST.get("do") == "put" and "text" not in request.POST:
        return _form(request, roster, refusal=refusal)
    context = _now(request, roster, refusal=refusal, refused=_about(request))
    part = "#grid" if request.htmx else ""
    return render(
        request,
        f"scheduling/staff/roster.html{part}",
        context,
        status=HTTPStatus.UNPROCESSABLE_ENTITY,
    )


def _about(request: StaffRequest) -> str:
    """The cell a step was about."""
    if "cell" in request.POST:
        return typed(request.POST, "cell", most=60)
    for entry in RosterEntry.objects.filter(pk__in=_ids(request)[:1]):
        return roster_input.key_of(
            Place(entry.visit_date, entry.session_period, entry.practitioner_id)
        )
    return ""


def _now(
    request: StaffRequest, roster: Roster, *, refusal: Refusal | None = None, refused: str = ""
) -> dict[str, object]:
    now = found.roster(roster_id=roster.pk)
    return grid_context(request, now, refusal=refusal, refused=refused)


def _form(request: StaffRequest, roster: Roster, *, refusal: Refusal | None = None) -> HttpResponse:
    data = request.POST if request.method == "POST" else request.GET
    entry = _entry(roster, typed_id(data.get("entry", "")))
    if entry is not None:
        place = Place(entry.visit_date, entry.session_period, entry.practitioner_id)
    else:
        first = Place(roster.monday, SessionPeriod.AM, None)
        place = roster_input.place(data.get("cell") or roster_input.key_of(first))
    like = entry or roster_forms.suggestion(
        roster, practitioner_id=place.practitioner_id, period=place.session_period
    )
    chosen = {
        "day": place.visit_date.isoformat(),
        "period": place.session_period,
        "practitioner": str(place.practitioner_id or 0),
        "service_type": str(like.service_type_id or ""),
        "room": str(like.room_id or ""),
        "starts": f"{like.starts:%H:%M}",
        "ends": f"{like.ends:%H:%M}",
        "capacity": str(like.capacity),
        "band_minutes": str(like.band_minutes),
    }
    suffix = shown_periods(request)
    if refusal is not None:
        chosen |= {name: data[name] for name in chosen if name in data}
    context = {
        "roster": roster,
        "entry": entry,
        "chip": roster_grid.chip(entry) if entry else None,
        "others": _others(roster, place, but=entry) if entry else [],
        "ask": reverse("scheduling-roster-cell", args=[roster.pk])
        + (f"{suffix}&" if suffix else "?"),
        "cell": roster_input.key_of(place),
        "chosen": chosen,
        "options": roster_forms.options(roster),
        "days": [
            {"value": day.isoformat(), "label": f"{weekday_text(day)} {day_text(day)}"}
            for day in week_days(roster.monday)
        ],
        "periods": SessionPeriod.choices,
        "errors": getattr(refusal, "errors", {}),
        "refusal": refusal,
        "here": address_of(roster),
        "is_htmx": bool(request.htmx),
        "suffix": suffix,
    }
    name = "roster_cell.html#form" if request.htmx else "roster_cell.html"
    status = HTTPStatus.UNPROCESSABLE_ENTITY if refusal else HTTPStatus.OK
    answer = render(request, f"scheduling/staff/{name}", context, status=status)
    if request.htmx and refusal:
        # The form was aimed at the grid, which stays as it is.
        answer["HX-Retarget"], answer["HX-Reswap"] = "#sheet", "innerHTML"
    return answer


def _others(roster: Roster, place: Place, *, but: RosterEntry) -> list[tuple[int, str]]:
    """What else stands in a session's cell: id and words."""
    rows = roster.entries.filter(
        is_removed=False,
        visit_date=place.visit_date,
        session_period=place.session_period,
        practitioner=place.practitioner_id,
    ).exclude(pk=but.pk)
    found = rows.select_related("service_type", "room", "schedule__room").order_by("starts", "pk")
    return [(one.pk, what_text(one)) for one in found]


def _entry(roster: Roster, entry_id: int | None) -> RosterEntry | None:
    """A session of this roster. Raises NotFound for another's."""
    if entry_id is None:
        return None
    entry = (
        roster.entries.filter(pk=entry_id, is_removed=False)
        .select_related("practitioner", "service_type", "room", "schedule__practitioner")
        .first()
    )
    if entry is None:
        raise NotFound("这次出诊已不在排班表上。")
    return entry


def _ids(request: StaffRequest) -> list[int]:
    ids = (typed_id(text) for text in request.POST.getlist("entry")[:100])
    return [one for one in ids if one is not None]


def _week(text: str, *, near: dt.date) -> dt.date | None:
    """The Monday of another week, None for what is none within reach."""
    try:
        day = dt.date.fromisoformat(text)
    except ValueError:
        return None
    return day if day.isoweekday() == 1 and 0 < abs((day - near).days) <= FARTHEST else None
