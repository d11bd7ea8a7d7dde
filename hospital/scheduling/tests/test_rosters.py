"""Drafting a roster: opened from templates, changed step by step, undone (M15.1), conflicts refused
at once (M15.2), two people at once told apart."""

import datetime as dt
from typing import Any

import pytest

from hospital.kernel import settings_rows
from hospital.kernel.actors import SYSTEM
from hospital.kernel.errors import Invalid, Stale
from hospital.kernel.models import AuditEntry
from hospital.kernel.settings_rows import Scope
from hospital.organisation.models import Practitioner
from hospital.scheduling import actions, thresholds
from hospital.scheduling.actions import publishing, rosters
from hospital.scheduling.actions.roster_steps import (
    DayOver,
    NothingToUndo,
    RosterConflict,
    RosterNotDraft,
)
from hospital.scheduling.actions.rosters import Place
from hospital.scheduling.conflicts import ConflictKind
from hospital.scheduling.models import CalendarDay, Leave, Roster, RosterEdit, Schedule
from hospital.scheduling.queries import roster_grid
from hospital.scheduling.queries.duties import conflicts_of, week_of
from hospital.scheduling.states import (
    DayKind,
    EditKind,
    LeaveStatus,
    SessionPeriod,
    StopReason,
)
from hospital.scheduling.tests.roster_world import MONDAY, TUESDAY, Clinic, a_clinic
from hospital.testing.organisation import LONG_AGO, a_department, a_practitioner
from hospital.testing.schedules import NOW, a_template, moment

pytestmark = pytest.mark.django_db
NEXT_MONDAY = dt.date(2026, 11, 30)
WEDNESDAY = TUESDAY + dt.timedelta(days=1)
CHIEF_AT_301 = (TUESDAY, "am", "陈知行", "301诊室")


def refused(clinic: Clinic, **changes: Any) -> RosterConflict:
    """Put a session that collides: refused, and nothing on the roster changed."""
    before, version = clinic.standing(), clinic.version
    with pytest.raises(RosterConflict) as no:
        clinic.put(**changes)
    assert clinic.standing() == before
    assert clinic.version == version
    return no.value


def kinds(refusal: RosterConflict) -> list[str]:
    return [one.kind for one in refusal.details["conflicts"]]  # type: ignore[attr-defined]


def on_leave(doctor: Practitioner, day: dt.date) -> None:
    Leave.objects.create(
        practitioner=doctor,
        starts_at=moment(day, 0),
        ends_at=moment(day, 23),
        reason=StopReason.STUDY,
        status=LeaveStatus.APPROVED,
        asked_by="system",
        asked_at=NOW,
        decided_by="system",
        decided_at=NOW,
    )


def test_m15_01_a_week_opens_with_what_the_templates_have_and_what_is_made() -> None:
    template = a_template(weekday=2)
    a_template(weekday=3, department=template.department, is_active=False)
    CalendarDay.objects.create(date=WEDNESDAY, kind=DayKind.HOLIDAY, name="院庆")
    a_template(weekday=3, department=template.department)
    made = MONDAY - dt.timedelta(days=7)
    actions.generate_schedules(through=made + dt.timedelta(days=6), by=SYSTEM, at=NOW)

    ahead = rosters.open_week(
        department_id=template.department_id, monday=MONDAY, by=SYSTEM, at=NOW
    )
    near = rosters.open_week(department_id=template.department_id, monday=made, by=SYSTEM, at=NOW)
    again = rosters.open_week(department_id=template.department_id, monday=made, by=SYSTEM, at=NOW)

    assert again == near
    assert [(e.visit_date, e.template, e.schedule) for e in ahead.entries.all()] == [
        (TUESDAY, template, None)
    ]
    assert {e.schedule for e in near.entries.all()} == set(
        Schedule.objects.filter(visit_date__gte=made)
    )
    # From now on the night leaves the opened weeks alone.
    actions.generate_schedules(through=MONDAY + dt.timedelta(days=6), by=SYSTEM, at=NOW)
    assert not Schedule.objects.filter(visit_date__gte=MONDAY).exists()


def test_m15_01_a_session_is_put_changed_moved_copied_and_taken_off() -> None:
    clinic = a_clinic()
    entry = clinic.put()
    assert clinic.standing() == [CHIEF_AT_301]

    rosters.change_entry(
        roster_id=clinic.roster.pk,
        version=clinic.version,
        entry_id=entry.pk,
        wanted=clinic.wanted(capacity=20, room_id=clinic.spare.pk),
        by=clinic.head,
        at=NOW,
    )
    entry.refresh_from_db()
    assert (entry.capacity, entry.room) == (20, clinic.spare)

    rosters.move_entry(
        roster_id=clinic.roster.pk,
        version=clinic.version,
        entry_id=entry.pk,
        to=Place(WEDNESDAY, SessionPeriod.PM, clinic.other.pk),
        by=clinic.head,
        at=NOW,
    )
    entry.refresh_from_db()
    assert (entry.starts, entry.ends) == (dt.time(14, 30), dt.time(17, 30))
    assert clinic.standing() == [(WEDNESDAY, "pm", "林若水", "302诊室")]

    rosters.copy_entries(
        roster_id=clinic.roster.pk,
        version=clinic.version,
        copies=[(entry.pk, Place(TUESDAY, SessionPeriod.PM, clinic.chief.pk))],
        by=clinic.head,
        at=NOW,
    )
    rosters.remove_entries(
        roster_id=clinic.roster.pk,
        version=clinic.version,
        entry_ids=[entry.pk],
        by=clinic.head,
        at=NOW,
    )
    assert clinic.standing() == [(TUESDAY, "pm", "陈知行", "302诊室")]
    assert [one.kind for one in RosterEdit.objects.order_by("pk")] == [
        *(EditKind.OPEN, EditKind.PUT, EditKind.CHANGE, EditKind.MOVE),
        *(EditKind.COPY, EditKind.REMOVE),
    ]


def test_m15_01_steps_are_undone_and_done_again_one_by_one() -> None:
    clinic = a_clinic()
    entry = clinic.put()
    rosters.move_entry(
        roster_id=clinic.roster.pk,
        version=clinic.version,
        entry_id=entry.pk,
        to=Place(WEDNESDAY, SessionPeriod.AM, clinic.chief.pk),
        by=clinic.head,
        at=NOW,
    )
    moved = (WEDNESDAY, "am", "陈知行", "301诊室")

    def back() -> None:
        rosters.undo(roster_id=clinic.roster.pk, version=clinic.version, by=clinic.head, at=NOW)

    def forth() -> None:
        rosters.redo(roster_id=clinic.roster.pk, version=clinic.version, by=clinic.head, at=NOW)

    back()
    assert clinic.standing() == [CHIEF_AT_301]
    back()
    assert clinic.standing() == []
    with pytest.raises(NothingToUndo):
        back()
    forth()
    forth()
    assert clinic.standing() == [moved]
    with pytest.raises(NothingToUndo):
        forth()

    back()
    clinic.put(visit_date=MONDAY)
    with pytest.raises(NothingToUndo):
        forth()  # something else was done instead


def test_m15_01_nobody_undoes_a_colleagues_step() -> None:
    clinic = a_clinic()
    clinic.put()

    with pytest.raises(NothingToUndo, match="梁主任"):
        rosters.undo(roster_id=clinic.roster.pk, version=clinic.version, by=clinic.office, at=NOW)

    assert clinic.standing() == [CHIEF_AT_301]


def test_m2_06_a_copied_week_leaves_out_holidays_and_what_collides_and_says_so() -> None:
    clinic = a_clinic()
    clinic.put()
    clinic.put(visit_date=WEDNESDAY)
    later = MONDAY + dt.timedelta(days=7)
    target = rosters.open_week(
        department_id=clinic.department.pk, monday=later, by=clinic.head, at=NOW
    )
    holiday = WEDNESDAY + dt.timedelta(days=7)
    CalendarDay.objects.create(date=holiday, kind=DayKind.HOLIDAY, name="院庆")
    clinic.put(visit_date=MONDAY)
    elsewhere = a_clinic(monday=later, department=a_department(name="骨伤科"))
    elsewhere.put(visit_date=later, room_id=clinic.room.pk, practitioner_id=None, at=NOW)

    def copied(*, is_preview: bool) -> tuple[list[dt.date], list[str]]:
        target.refresh_from_db()
        filled = rosters.copy_week(
            roster_id=target.pk,
            version=target.version,
            from_monday=MONDAY,
            is_preview=is_preview,
            by=clinic.head,
            at=NOW,
        )
        return [one.visit_date for one in filled.put], [one.sentence for one in filled.left]

    put, left = copied(is_preview=True)
    assert target.entries.count() == 0
    assert copied(is_preview=False) == (put, left)

    assert put == [TUESDAY + dt.timedelta(days=7)]
    assert [one.visit_date for one in target.entries.all()] == put
    assert "301诊室 12月21日（周一）上午排了两次出诊" in left[0]
    assert left[1] == "院庆放假，没有复制。"


def test_m15_01_the_templates_fill_only_what_is_missing() -> None:
    template = a_template(weekday=2)
    roster = rosters.open_week(
        department_id=template.department_id, monday=MONDAY, by=SYSTEM, at=NOW
    )
    a_template(weekday=4, department=template.department)

    filled = rosters.fill_from_templates(
        roster_id=roster.pk, version=roster.version, by=SYSTEM, at=NOW
    )

    assert [one.visit_date for one in filled.put] == [MONDAY + dt.timedelta(days=3)]
    assert filled.left == []
    assert roster.entries.count() == 2


def test_m15_02_nobody_sits_twice_at_a_time_not_even_in_two_departments() -> None:
    clinic = a_clinic()
    clinic.put()
    elsewhere = a_department(name="骨伤科")
    organised = a_clinic(department=elsewhere)
    here = a_practitioner(clinic.department, elsewhere, name="两科大夫")
    organised.put(practitioner_id=here.pk)

    twice = refused(clinic, room_id=clinic.spare.pk, starts=dt.time(11), ends=dt.time(13))
    both = refused(clinic, practitioner_id=here.pk, room_id=clinic.spare.pk)

    assert kinds(twice) == [ConflictKind.PRACTITIONER_TWICE]
    assert "陈知行 12月15日（周二）上午排了两次出诊，时间重叠" in twice.message
    assert kinds(both) == [ConflictKind.PRACTITIONER_TWICE]
    assert "骨伤科" in both.message


def test_m15_02_a_room_is_not_given_twice_and_a_session_already_made_counts() -> None:
    clinic = a_clinic()
    template = a_template(weekday=2, room=clinic.spare)
    actions.generate_schedules(through=TUESDAY, by=SYSTEM, at=NOW)
    assert template.schedules.filter(visit_date=TUESDAY).exists()
    clinic.put()

    own = refused(clinic, practitioner_id=clinic.other.pk)
    others = refused(clinic, practitioner_id=clinic.other.pk, room_id=clinic.spare.pk)

    assert kinds(own) == kinds(others) == [ConflictKind.ROOM_TWICE]


def test_m15_02_leave_licence_and_role_stand_in_the_way_and_say_why() -> None:
    clinic = a_clinic()
    on_leave(clinic.chief, TUESDAY)
    unlicensed = a_practitioner(clinic.department, name="到期大夫", licence_end_date=MONDAY)
    gone = a_practitioner(clinic.department, name="调走大夫")
    gone.roles.update(valid_to=TUESDAY)

    away = refused(clinic)
    late = refused(clinic, practitioner_id=unlicensed.pk)
    left = refused(clinic, practitioner_id=gone.pk)

    assert kinds(away) == [ConflictKind.ON_LEAVE]
    assert away.message == "陈知行 12月15日（周二）上午请假（学习），不能排班。"
    assert kinds(late) == [ConflictKind.LICENCE_OVER]
    assert "执业证 2026-12-14 到期" in late.message
    assert kinds(left) == [ConflictKind.ROLE_OVER]
    clinic.put(practitioner_id=unlicensed.pk, visit_date=MONDAY)


def test_m15_02_the_weekly_cap_is_the_doctors_own() -> None:
    clinic = a_clinic()
    settings_rows.set_value(
        setting=thresholds.WEEK_CAP,
        value=1,
        scope=Scope("practitioner", clinic.chief.pk),
        by=SYSTEM,
        at=LONG_AGO,
    )
    clinic.put()

    no = refused(clinic, visit_date=WEDNESDAY)

    assert kinds(no) == [ConflictKind.WEEK_CAP]
    assert no.message == "陈知行 本周排了 2 次，最多 1 次。"
    clinic.put(practitioner_id=clinic.other.pk, visit_date=WEDNESDAY)


def test_m15_02_a_night_before_a_morning_only_warns() -> None:
    clinic = a_clinic()
    clinic.put(session_period=SessionPeriod.NIGHT, starts=dt.time(20), ends=dt.time(7, 30))
    clinic.put(visit_date=WEDNESDAY)

    found = conflicts_of(clinic.roster)

    assert [(one.kind, one.is_refused) for one in found] == [
        (ConflictKind.NIGHT_THEN_MORNING, False)
    ]
    rows = roster_grid.grid(roster=clinic.roster, at=NOW).rows
    tones = [chip.tone for row in rows for cell in row.cells for chip in cell.chips]
    assert tones == ["warned", "warned"]


def test_m15_02_what_is_past_unknown_or_elsewhere_cannot_be_put() -> None:
    clinic = a_clinic()
    stranger = a_practitioner(a_department(name="骨伤科"))

    for changes in (
        {"visit_date": MONDAY - dt.timedelta(days=1)},
        {"practitioner_id": stranger.pk},
        {"practitioner_id": 999_999},
        {"room_id": 999_999},
        {"service_type_id": 999_999},
        {"capacity": 0},
        {"band_minutes": 1},
        {"ends": dt.time(8)},
        {"session_period": "dawn"},
    ):
        with pytest.raises(Invalid):
            clinic.put(**changes)
    with pytest.raises(DayOver):
        clinic.put(at=moment(TUESDAY, 9))
    with pytest.raises(DayOver):
        rosters.open_week(
            department_id=clinic.department.pk,
            monday=dt.date(2026, 11, 16),
            by=SYSTEM,
            at=NOW,
        )

    assert clinic.standing() == []


def test_m15_01_two_people_at_once_are_told_who_and_when() -> None:
    clinic = a_clinic()
    seen = clinic.version
    clinic.put(at=moment(dt.date(2026, 11, 23), 15, 7))

    with pytest.raises(Stale, match="梁主任 15:07 改过这份排班表"):
        rosters.put_entry(
            roster_id=clinic.roster.pk,
            version=seen,
            wanted=clinic.wanted(visit_date=WEDNESDAY),
            by=clinic.office,
            at=NOW,
        )

    assert clinic.standing() == [CHIEF_AT_301]


def test_m15_01_only_a_draft_is_changed() -> None:
    clinic = a_clinic()
    clinic.put()
    publishing.submit_roster(
        roster_id=clinic.roster.pk, version=clinic.version, by=clinic.head, at=NOW
    )

    with pytest.raises(RosterNotDraft):
        clinic.put(visit_date=WEDNESDAY)
    with pytest.raises(RosterNotDraft):
        rosters.undo(roster_id=clinic.roster.pk, version=clinic.version, by=clinic.head, at=NOW)

    assert clinic.standing() == [CHIEF_AT_301]


def test_m15_02_only_what_shares_a_doctor_or_a_room_is_looked_at() -> None:
    clinic, strangers = a_clinic(), a_clinic(department=a_department(name="骨伤科"))
    clinic.put()
    strangers.put()
    elsewhere = a_department(name="内科")
    a_template(department=elsewhere, weekday=1)
    a_template(department=elsewhere, practitioner=clinic.chief, weekday=1)
    actions.generate_schedules(through=TUESDAY, by=SYSTEM, at=NOW)

    others = week_of(clinic.roster).others

    assert Schedule.objects.filter(visit_date=MONDAY).count() == 2
    assert [(one.practitioner_id, one.department, one.day) for one in others] == [
        (clinic.chief.pk, "内科", MONDAY)
    ]


def test_m15_01_a_week_opened_by_mistake_goes_back_to_the_templates() -> None:
    monday = NEXT_MONDAY
    template = a_template(weekday=2)
    roster = rosters.open_week(
        department_id=template.department_id, monday=monday, by=SYSTEM, at=NOW
    )
    clinic = a_clinic()
    clinic.put()
    publishing.publish_roster(
        roster_id=clinic.roster.pk, version=clinic.version, by=clinic.office, at=NOW
    )
    publishing.revise_roster(
        roster_id=clinic.roster.pk, version=clinic.version, by=clinic.head, at=NOW
    )

    def close(roster: Roster, version: int) -> None:
        rosters.close_week(roster_id=roster.pk, version=version, by=SYSTEM, at=NOW)

    with pytest.raises(Stale):
        close(roster, roster.version + 1)
    with pytest.raises(RosterNotDraft):
        close(clinic.roster, clinic.version)
    assert not Schedule.objects.filter(template=template).exists()
    close(roster, roster.version)

    assert list(Roster.objects.all()) == [clinic.roster]
    made = Schedule.objects.filter(template=template).values_list("visit_date", flat=True)
    assert monday + dt.timedelta(days=1) in made
    assert AuditEntry.objects.get(act="scheduling.close_roster").before["entries"] == 1
