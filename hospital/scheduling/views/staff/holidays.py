"""节假日: the year with its days off and exchanged working days, each changed after a preview."""

import calendar
import datetime as dt
from http import HTTPStatus

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from hospital.identity.access import StaffRequest, note_refusal, staff_page
from hospital.kernel import clock
from hospital.kernel.errors import Invalid, Refusal
from hospital.scheduling import actions, holidays, planning_forms, queries, state_council
from hospital.scheduling.holidays import Calendar, SpecialDay
from hospital.scheduling.permissions import EDIT_CALENDAR
from hospital.scheduling.states import DayKind
from hospital.ui.typed import typed_id
from hospital.ui.wording import day_text, weekday_text


@staff_page(EDIT_CALENDAR)
@require_safe
def year(request: StaffRequest) -> HttpResponse:
    """A year; with a day chosen its form, with a wish typed what that would change."""
    return _page(request)


@staff_page(EDIT_CALENDAR)
@require_POST
def change(request: StaffRequest) -> HttpResponse:
    """Keep a day as typed: a holiday, a working day, or as usual again."""
    day = planning_forms.day_of(request.POST, "day")
    try:
        if day is None:
            raise Invalid.of("date", "请选择日期。")
        touched = actions.set_day(
            day=day,
            special=planning_forms.special_day(request.POST),
            by=request.actor,
            at=clock.now(),
        )
    except Refusal as refusal:
        note_refusal(request, refusal)
        return _page(request, refusal=refusal)
    words = [f"{day_text(day)}已保存。"]
    if touched.removable:
        words.append(f"{touched.removable} 个还没放号的出诊已撤下。")
    if touched.to_stop:
        words.append(f"还有 {touched.to_stop} 个出诊要由您停诊或在排班表里撤下。")
    if touched.drafts:
        names = "、".join(one.department for one in touched.drafts)
        words.append(f"{names}已打开的排班表要自己改。")
    messages.success(request, "".join(words))
    return redirect(f"{reverse('scheduling-holidays')}?year={day.year}&day={day.isoformat()}")


@staff_page(EDIT_CALENDAR)
@require_POST
def fill(request: StaffRequest) -> HttpResponse:
    """Enter the State Council's arrangement of a year."""
    wanted = _year(request.POST.get("year", ""))
    try:
        entered = actions.fill_year(year=wanted, by=request.actor, at=clock.now())
    except Refusal as refusal:
        note_refusal(request, refusal)
        return _page(request, refusal=refusal)
    messages.success(request, f"已填入 {entered} 天，您自己填过的没有改动。")
    return redirect(f"{reverse('scheduling-holidays')}?year={wanted}")


def _page(request: StaffRequest, *, refusal: Refusal | None = None) -> HttpResponse:
    data = request.POST if request.method == "POST" else request.GET
    shown = _year(data.get("year", ""))
    day = planning_forms.day_of(data, "day")
    special = queries.special_days(dt.date(shown, 1, 1), dt.date(shown, 12, 31))
    context = {
        "year": shown,
        "years": [
            {
                "label": f"{number}年",
                "url": f"{reverse('scheduling-holidays')}?year={number}",
                "active": number == shown,
            }
            for number in range(clock.today().year - 1, clock.today().year + 3)
        ],
        "months": [_month(shown, number, special, day) for number in range(1, 13)],
        "rows": [_row(one, special[one]) for one in special],
        "is_known": shown in state_council.years(),
        "is_over": shown < clock.today().year,
        "refusal": refusal,
        "weekdays": [(number, name) for number, name in enumerate("一二三四五六日", start=1)],
        **_chosen(request, day),
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if refusal else HTTPStatus.OK
    return render(request, "scheduling/staff/holidays.html", context, status=status)


def _chosen(request: StaffRequest, day: dt.date | None) -> dict[str, object]:
    """The form of the day that was clicked, and the preview of what was typed into it."""
    if day is None:
        return {"day": None}
    data = request.POST if request.method == "POST" else request.GET
    now = queries.special_days(day, day).get(day)
    wish: SpecialDay | None = now
    is_asked = "kind" in data
    if is_asked:
        try:
            wish = planning_forms.special_day(data)
        except Invalid:
            is_asked = False
    change = queries.day_change(day=day, special=wish, at=clock.now()) if is_asked else None
    return {
        "day": day,
        "weekday": weekday_text(day),
        "now": _words(day, now),
        "wish": wish,
        "wish_kind": wish.kind if wish else planning_forms.USUAL,
        "is_editable": day >= clock.today(),
        "change": change,
        "is_same": is_asked and wish == now,
    }


def _month(shown: int, number: int, special: Calendar, chosen: dt.date | None) -> dict[str, object]:
    weeks = calendar.Calendar().monthdatescalendar(shown, number)
    return {
        "number": number,
        "weeks": [
            [_day(day, special.get(day), chosen) if day.month == number else None for day in week]
            for week in weeks
        ],
    }


def _day(day: dt.date, special: SpecialDay | None, chosen: dt.date | None) -> dict[str, object]:
    query = f"?year={day.year}&day={day.isoformat()}#day"
    if special is None:
        kind = "rest" if holidays.is_rest_day(day, None) else ""
    else:
        kind = "off" if special.kind == DayKind.HOLIDAY else "work"
    return {
        "number": day.day,
        "url": reverse("scheduling-holidays") + query,
        "kind": kind,
        "mark": {"off": "休", "work": "班"}.get(kind, ""),
        "label": f"{day_text(day)} {weekday_text(day)} {_words(day, special)}",
        "is_chosen": day == chosen,
        "is_today": day == clock.today(),
    }


def _row(day: dt.date, special: SpecialDay) -> dict[str, object]:
    query = f"?year={day.year}&day={day.isoformat()}#day"
    return {
        "day": day,
        "weekday": weekday_text(day),
        "name": special.name,
        "is_off": special.kind == DayKind.HOLIDAY,
        "words": _words(day, special),
        "url": reverse("scheduling-holidays") + query,
    }


def _words(day: dt.date, special: SpecialDay | None) -> str:
    if special is None:
        return "周末" if holidays.is_rest_day(day, None) else "平日"
    if special.kind == DayKind.HOLIDAY:
        return f"放假：{special.name}"
    name = "一二三四五六日"[holidays.weekday_of(day, special) - 1]
    return f"上班：{special.name}，按周{name}出诊"


def _year(text: str) -> int:
    number = typed_id(text) or 0
    return number if number in planning_forms.YEARS else clock.today().year
