"""The patient's way to a number: departments, days, doctors, bands (M1's first four screens)."""

import datetime as dt

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse

from hospital.identity.access import OpenRequest, shared_page
from hospital.kernel import clock
from hospital.organisation import queries as organisation
from hospital.organisation.queries import DepartmentRow
from hospital.scheduling import queries, thresholds
from hospital.scheduling.queries import DayCell, DoctorCard, DoctorDay, SessionCell
from hospital.scheduling.states import Offer

_DAY_WORDS = {
    Offer.AVAILABLE: "有号",
    Offer.FULL: "约满",
    Offer.SUSPENDED: "停诊",
    Offer.NOT_RELEASED: "待放号",
    Offer.ENDED: "已结束",
}


@shared_page
def departments(request: OpenRequest) -> HttpResponse:
    """All departments by category, or those a search finds (pinyin, initials, symptoms).

    Everybody comes in here: like the page behind it, it says nothing of who looks.
    """
    text = request.GET.get("q", "").strip()[:40]
    context = {
        "text": text,
        "release_time": thresholds.release_time(),
        "horizon_days": thresholds.HORIZON_DAYS.value(),
        **_found(text, request.GET.get("category", "")[:40], at=clock.now()),
    }
    part = "#found" if request.htmx else ""
    return render(request, f"scheduling/patient/departments.html{part}", context)


def _found(text: str, wanted_category: str, *, at: dt.datetime) -> dict[str, object]:
    """A search's finds, or one category beside the others."""
    places = queries.places_left(at=at)
    through = queries.shown_days(clock.hospital_day(at))[-1]
    rows = (
        organisation.search_departments(text, through=through)
        if text
        else organisation.bookable_departments(through=through)
    )
    categories = list(dict.fromkeys(row.category for row in rows))
    chosen = wanted_category if wanted_category in categories else next(iter(categories), "")
    shown = rows if text else [row for row in rows if row.category == chosen]
    return {
        "categories": [
            {
                "name": name,
                "url": f"{reverse('scheduling-departments')}?category={name}",
                "active": name == chosen,
            }
            for name in categories
        ],
        "category": chosen,
        "cells": [_department_cell(row, places.get(row.id, {}), at) for row in shown],
    }


@shared_page
def sessions(request: OpenRequest, code: str) -> HttpResponse:
    """The doctors of one department on one day with what is left of each session.

    This page carries the rush.
    """
    department = organisation.department(code)
    at = clock.now()
    strip = queries.date_strip(department_id=department.pk, at=at)
    day = _chosen_day(request.GET.get("day", "")[:10], strip)
    here = reverse("scheduling-sessions", args=[code])
    next_day = queries.next_useful_day(strip, after=day)
    cell = next(cell for cell in strip if cell.day == day)
    context = {
        "department": department,
        "days": [_strip_day(cell, here, day) for cell in strip],
        "cards": [
            _card(card)
            for card in queries.open_sessions(department_id=department.pk, day=day, at=at)
        ],
        "release_at": cell.release_at if cell.state == Offer.NOT_RELEASED else None,
        "next_day": next_day,
        "next_url": f"{here}?day={next_day:%Y-%m-%d}" if next_day else "",
        "release_time": thresholds.release_time(),
        "horizon_days": thresholds.HORIZON_DAYS.value(),
    }
    part = "#doctors" if request.htmx else ""
    return render(request, f"scheduling/patient/sessions.html{part}", context)


@shared_page
def doctor(request: OpenRequest, code: str) -> HttpResponse:
    """One doctor: who, what for, and every coming session within the horizon."""
    practitioner = organisation.practitioner(code)
    at = clock.now()
    departments = organisation.departments_of(practitioner.pk, on=clock.hospital_day(at))
    days = queries.practitioner_days(practitioner_id=practitioner.pk, at=at)
    context = {
        "doctor": practitioner,
        "photo": _photo(practitioner.photo_id),
        "departments": "、".join(department.name for department in departments),
        "days": [_doctor_day(day) for day in days],
    }
    return render(request, "scheduling/patient/doctor.html", context)


@shared_page
def bands(request: OpenRequest, schedule_id: int) -> HttpResponse:
    """The times of one session to choose from: a sheet over the page, or a page of its own."""
    found = queries.bands(schedule_id=schedule_id, at=clock.now())
    context = {
        "session": found.session,
        "cell": found.cell,
        "state": _session_word(found.cell),
        "bands": [
            {
                "starts": band.starts_at,
                "left": band.left,
                "state": "已过" if band.is_over else "已满",
                "url": reverse("registration-confirm", args=[schedule_id, band.band_id]),
            }
            for band in found.bands
        ],
    }
    part = "#picker" if request.htmx else ""
    return render(request, f"scheduling/patient/bands.html{part}", context)


def _chosen_day(text: str, strip: list[DayCell]) -> dt.date:
    """The day asked for if it may be shown, else the first one with numbers, else today."""
    shown = {cell.day.isoformat(): cell.day for cell in strip}
    useful = (cell.day for cell in strip if cell.state == Offer.AVAILABLE)
    return shown.get(text) or next(useful, strip[0].day)


def _strip_day(cell: DayCell, here: str, chosen: dt.date) -> dict[str, object]:
    return {
        "day": cell.day,
        "url": f"{here}?day={cell.day:%Y-%m-%d}",
        "state": _DAY_WORDS[cell.state] if cell.state else "无号",
        "is_open": cell.state == Offer.AVAILABLE,
        "is_current": cell.day == chosen,
    }


def _department_cell(
    row: DepartmentRow, days: dict[dt.date, DayCell], at: dt.datetime
) -> dict[str, object]:
    """A line of the list; walk-in departments say so instead of leading nowhere (M1.11)."""
    today = days.get(clock.hospital_day(at))
    tag, tone = "", ""
    if row.walk_in_only:
        tag, tone = "仅现场挂号", "info"
    elif today is not None and today.state == Offer.SUSPENDED:
        tag = "今日停诊"
    elif days and all(cell.state == Offer.FULL for cell in days.values() if cell.state):
        tag = "近期约满"
    return {
        "title": row.name,
        "hint": row.hint,
        "tag": tag,
        "tone": tone,
        "url": reverse("scheduling-sessions", args=[row.code]) if row.is_bookable else "",
    }


def _card(card: DoctorCard) -> dict[str, object]:
    code = card.practitioner_code
    return {
        "card": card,
        "url": reverse("scheduling-doctor", args=[code]) if code else "",
        "photo": _photo(card.photo),
        "sessions": [_session(cell) for cell in card.sessions],
        "suspended": next((cell for cell in card.sessions if cell.state == Offer.SUSPENDED), None),
    }


def _photo(digest: str | None) -> str:
    return reverse("onboarding-photo", args=[digest]) if digest else ""


def _doctor_day(day: DoctorDay) -> dict[str, object]:
    return {"day": day.day, "sessions": [_session(cell) for cell in day.sessions]}


def _session(cell: SessionCell) -> dict[str, object]:
    return {
        "cell": cell,
        "left": cell.left if cell.can_book else 0,
        "url": reverse("scheduling-bands", args=[cell.schedule_id])
        if cell.can_book or cell.can_wait
        else "",
        "state": _session_word(cell),
    }


def _session_word(cell: SessionCell) -> str:
    """What stands where the count would be (M1.2): an unreleased session says when, a full one
    whether one may wait for it."""
    if cell.can_wait:
        return "候补"
    if cell.state == Offer.NOT_RELEASED:
        release = clock.local(cell.release_at)
        return f"{release:%H:%M} 放号" if release.date() == clock.today() else "未放号"
    if cell.state == Offer.AVAILABLE:
        return "现场挂号" if cell.walk_in_only else "暂不可约"
    return _DAY_WORDS[cell.state]
