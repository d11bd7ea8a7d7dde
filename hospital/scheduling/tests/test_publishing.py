"""A roster handed over, returned, published and revised: patients have exactly what was published,
and a session with numbers given out is never taken from under them (SM1, M15.1)."""

import datetime as dt
from collections import Counter

import pytest

from hospital.kernel.actors import SYSTEM
from hospital.kernel.clock import at_local
from hospital.kernel.errors import Invalid, Stale
from hospital.kernel.models import AuditEntry
from hospital.kernel.states import history
from hospital.organisation.models import Location
from hospital.scheduling import actions
from hospital.scheduling.actions import publishing, rosters
from hospital.scheduling.actions.publishing import Published, RoomsExchanged
from hospital.scheduling.actions.roster_steps import (
    RosterConflict,
    RosterNotDraft,
    SessionStands,
)
from hospital.scheduling.conflicts import ConflictKind
from hospital.scheduling.models import Roster, RosterEntry, Schedule
from hospital.scheduling.queries import roster_changes, roster_grid
from hospital.scheduling.queries import rosters as reads
from hospital.scheduling.queries.duties import conflicts_of
from hospital.scheduling.states import RosterStatus, ScheduleStatus, SlotStatus
from hospital.scheduling.tests.roster_world import MONDAY, TUESDAY, Clinic, a_clinic
from hospital.testing.organisation import a_room
from hospital.testing.schedules import NOW, a_template, band_of, change_capacity, moment

pytestmark = pytest.mark.django_db
WEDNESDAY = TUESDAY + dt.timedelta(days=1)
#: The morning on which the week's Tuesday is released.
RELEASE = at_local(TUESDAY - dt.timedelta(days=7), dt.time(7))


def publish(clinic: Clinic, *, at: dt.datetime = NOW) -> Published:
    return publishing.publish_roster(
        roster_id=clinic.roster.pk, version=clinic.version, by=clinic.office, at=at
    )


def revise(clinic: Clinic) -> None:
    publishing.revise_roster(
        roster_id=clinic.roster.pk, version=clinic.version, by=clinic.head, at=NOW
    )


def remove(clinic: Clinic, entry_id: int, *, at: dt.datetime = NOW) -> None:
    rosters.remove_entries(
        roster_id=clinic.roster.pk,
        version=clinic.version,
        entry_ids=[entry_id],
        by=clinic.head,
        at=at,
    )


def statuses() -> dict[dt.date, str]:
    return dict(Schedule.objects.order_by("pk").values_list("visit_date", "status"))


def test_sm1_a_published_roster_is_sessions_with_bands_and_numbers_of_every_channel() -> None:
    clinic = a_clinic()
    entry = clinic.put(capacity=10)

    done = publish(clinic)

    schedule = Schedule.objects.get()
    entry.refresh_from_db()
    clinic.roster.refresh_from_db()
    assert done == Published(made=1, cancelled=0, moved=0, over=0)
    assert entry.schedule == schedule
    assert schedule.template is None
    assert (schedule.starts_at, schedule.ends_at) == (moment(TUESDAY, 8), moment(TUESDAY, 12))
    assert (schedule.practitioner, schedule.room) == (clinic.chief, clinic.room)
    assert schedule.release_at == RELEASE
    assert [band.capacity for band in schedule.bands.order_by("starts_at")] == [3, 3, 2, 2]
    assert Counter(schedule.slots.values_list("pool", flat=True)) == {
        "wechat": 6,
        "window": 2,
        "kiosk": 1,
        "reserved": 1,
    }
    assert (clinic.roster.status, clinic.roster.published_version) == (
        RosterStatus.PUBLISHED,
        clinic.roster.version,
    )
    assert [(one.from_status, one.to_status) for one in history(clinic.roster)] == [
        ("draft", "submitted"),
        ("submitted", "published"),
    ]
    published = AuditEntry.objects.get(act="scheduling.publish_roster")
    assert published.after == {"made": [schedule.pk], "cancelled": [], "moved": []}


def test_sm1_a_session_past_its_release_moment_comes_out_released() -> None:
    clinic = a_clinic()
    clinic.put()

    publish(clinic, at=RELEASE)

    assert statuses() == {TUESDAY: ScheduleStatus.RELEASED}


def test_m15_01_the_department_submits_and_the_office_returns_with_a_reason_or_publishes() -> None:
    clinic = a_clinic()
    clinic.put()
    publishing.submit_roster(
        roster_id=clinic.roster.pk, version=clinic.version, by=clinic.head, at=NOW
    )
    with pytest.raises(Invalid):
        publishing.return_roster(
            roster_id=clinic.roster.pk,
            version=clinic.version,
            reason="",
            by=clinic.office,
            at=NOW,
        )
    publishing.return_roster(
        roster_id=clinic.roster.pk,
        version=clinic.version,
        reason="周二下午没有人",
        by=clinic.office,
        at=NOW,
    )
    clinic.roster.refresh_from_db()
    assert (clinic.roster.status, clinic.roster.remark) == (RosterStatus.DRAFT, "周二下午没有人")
    assert reads.state_label(clinic.roster) == "已退回"

    seen = clinic.version
    publishing.submit_roster(roster_id=clinic.roster.pk, version=seen, by=clinic.head, at=NOW)
    with pytest.raises(Stale):
        publishing.publish_roster(
            roster_id=clinic.roster.pk, version=seen, by=clinic.office, at=NOW
        )
    assert not Schedule.objects.exists()
    publishing.withdraw_roster(
        roster_id=clinic.roster.pk, version=clinic.version, by=clinic.head, at=NOW
    )
    with pytest.raises(RosterNotDraft):
        publishing.withdraw_roster(
            roster_id=clinic.roster.pk, version=clinic.version, by=clinic.head, at=NOW
        )
    publish(clinic)
    with pytest.raises(RosterNotDraft):
        publish(clinic)
    assert Schedule.objects.count() == 1


def test_m15_02_a_roster_in_conflict_is_neither_submitted_nor_published() -> None:
    clinic = a_clinic()
    clinic.put()
    clinic.chief.roles.update(valid_to=TUESDAY)

    with pytest.raises(RosterConflict, match="1 处冲突"):
        publishing.submit_roster(
            roster_id=clinic.roster.pk, version=clinic.version, by=clinic.head, at=NOW
        )
    with pytest.raises(RosterConflict):
        publish(clinic)

    clinic.roster.refresh_from_db()
    assert clinic.roster.status == RosterStatus.DRAFT
    assert not Schedule.objects.exists()


def test_m15_02_what_patients_have_already_does_not_hold_up_the_rest() -> None:
    clinic = a_clinic()
    clinic.put()
    publish(clinic)
    clinic.chief.roles.update(valid_to=TUESDAY)
    revise(clinic)
    clinic.put(practitioner_id=clinic.other.pk, visit_date=WEDNESDAY)

    assert [one.kind for one in conflicts_of(clinic.roster)] == [ConflictKind.ROLE_OVER]
    assert publish(clinic) == Published(made=1, cancelled=0, moved=0, over=0)

    stopped = Schedule.objects.get(visit_date=TUESDAY)
    actions.suspend_schedule(schedule_id=stopped.pk, reason="调离", by=SYSTEM, at=NOW)
    assert conflicts_of(clinic.roster) == []
    revise(clinic)
    with pytest.raises(RosterConflict, match="排了两次出诊"):
        clinic.put(practitioner_id=clinic.other.pk)  # the room is the stopped session's still


def test_m15_01_a_revision_stands_only_when_it_is_published() -> None:
    clinic = a_clinic()
    gone, kept = clinic.put(), clinic.put(visit_date=WEDNESDAY)
    publish(clinic)
    revise(clinic)
    assert reads.state_label(Roster.objects.get()) == "修订中"
    remove(clinic, gone.pk)
    rosters.change_entry(
        roster_id=clinic.roster.pk,
        version=clinic.version,
        entry_id=kept.pk,
        wanted=clinic.wanted(visit_date=WEDNESDAY, room_id=clinic.spare.pk),
        by=clinic.head,
        at=NOW,
    )
    clinic.put(visit_date=MONDAY)
    assert statuses() == {TUESDAY: "published", WEDNESDAY: "published"}
    clinic.roster.refresh_from_db()
    changes = [(one.when, one.word) for one in roster_changes.against_published(clinic.roster)]
    assert changes == [("周一上午", "新"), ("周二上午", "撤"), ("周三上午", "改")]

    done = publish(clinic)

    assert done == Published(made=1, cancelled=1, moved=1, over=0)
    assert statuses() == {TUESDAY: "cancelled", WEDNESDAY: "published", MONDAY: "published"}
    assert Schedule.objects.get(visit_date=WEDNESDAY).room == clinic.spare
    assert roster_changes.against_published(clinic.roster) == []


def test_m15_01_what_the_office_changed_of_a_session_shows_and_begins_the_revision() -> None:
    clinic = a_clinic()
    entry = clinic.put()
    publish(clinic)
    schedule = Schedule.objects.get()
    actions.change_room(
        schedule_id=schedule.pk, room_id=clinic.spare.pk, reason="漏水", by=SYSTEM, at=NOW
    )
    change_capacity(band_of(schedule), 9, reason="加开")
    clinic.roster.refresh_from_db()

    shown = roster_grid.grid(roster=clinic.roster, at=NOW)
    (chip,) = [chip for row in shown.rows for cell in row.cells for chip in cell.chips]
    assert (chip.room, chip.capacity) == ("302诊室", 21)

    revise(clinic)
    entry.refresh_from_db()
    assert (entry.room, entry.capacity) == (clinic.spare, 21)
    assert roster_changes.against_published(clinic.roster) == []


def test_m15_01_a_published_session_of_another_doctor_is_a_new_one() -> None:
    clinic = a_clinic()
    entry = clinic.put()
    publish(clinic)
    revise(clinic)

    rosters.change_entry(
        roster_id=clinic.roster.pk,
        version=clinic.version,
        entry_id=entry.pk,
        wanted=clinic.wanted(practitioner_id=clinic.other.pk),
        by=clinic.head,
        at=NOW,
    )
    assert publish(clinic) == Published(made=1, cancelled=1, moved=0, over=0)

    assert list(Schedule.objects.order_by("pk").values_list("practitioner__name", "status")) == [
        ("陈知行", "cancelled"),
        ("林若水", "published"),
    ]


def test_m15_03_what_patients_may_have_is_not_taken_off_but_stopped() -> None:
    clinic = a_clinic()
    released, added = clinic.put(), clinic.put(visit_date=WEDNESDAY)
    publish(clinic)
    later = Schedule.objects.get(visit_date=WEDNESDAY)
    until = NOW + dt.timedelta(hours=2)
    actions.add_slot(band_id=band_of(later).pk, until=until, by=SYSTEM, at=NOW)
    actions.release_due(by=SYSTEM, at=RELEASE)
    revise(clinic)

    for entry, said in ((released, "已经放号"), (added, "已有 1 个号给了患者")):
        with pytest.raises(SessionStands, match=said) as no:
            remove(clinic, entry.pk)
        assert "停诊" in no.value.message
        with pytest.raises(SessionStands):
            rosters.change_entry(
                roster_id=clinic.roster.pk,
                version=clinic.version,
                entry_id=entry.pk,
                wanted=clinic.wanted(visit_date=entry.visit_date, capacity=3),
                by=clinic.head,
                at=NOW,
            )

    assert clinic.roster.entries.filter(is_removed=True).count() == 0
    assert statuses() == {TUESDAY: "released", WEDNESDAY: "published"}


def test_sm1_a_number_given_out_after_it_was_taken_off_stops_the_publishing() -> None:
    clinic = a_clinic()
    entry = clinic.put()
    publish(clinic)
    revise(clinic)
    remove(clinic, entry.pk)
    clinic.put(visit_date=WEDNESDAY)
    actions.release_due(by=SYSTEM, at=RELEASE)

    with pytest.raises(SessionStands):
        publish(clinic)

    assert statuses() == {TUESDAY: "released"}
    clinic.roster.refresh_from_db()
    assert clinic.roster.status == RosterStatus.DRAFT
    held = actions.hold_slot(
        schedule_id=Schedule.objects.get().pk,
        until=RELEASE + dt.timedelta(minutes=15),
        by=SYSTEM,
        at=RELEASE,
    )
    assert held.status == SlotStatus.HELD


def test_m15_01_rooms_follow_each_other_but_are_not_exchanged_in_one_go() -> None:
    clinic = a_clinic()
    third = a_room(name="303诊室", department=clinic.department)
    first = clinic.put()
    second = clinic.put(practitioner_id=clinic.other.pk, room_id=clinic.spare.pk)
    publish(clinic)
    revise(clinic)

    def change(entry: RosterEntry, room: Location) -> None:
        rosters.change_entry(
            roster_id=clinic.roster.pk,
            version=clinic.version,
            entry_id=entry.pk,
            wanted=clinic.wanted(practitioner_id=entry.practitioner_id, room_id=room.pk),
            by=clinic.head,
            at=NOW,
        )

    def rooms() -> list[str]:
        return list(Schedule.objects.order_by("pk").values_list("room__name", flat=True))

    change(second, third)
    change(first, clinic.spare)
    assert publish(clinic) == Published(made=0, cancelled=0, moved=2, over=0)
    assert rooms() == ["302诊室", "303诊室"]

    revise(clinic)
    change(first, clinic.room)
    change(second, clinic.spare)
    change(first, third)
    with pytest.raises(RoomsExchanged):
        publish(clinic)
    assert rooms() == ["302诊室", "303诊室"]


def test_m15_01_what_is_over_by_then_is_left_out() -> None:
    clinic = a_clinic()
    clinic.put()
    clinic.put(visit_date=WEDNESDAY)

    done = publish(clinic, at=moment(TUESDAY, 13))

    assert done == Published(made=1, cancelled=0, moved=0, over=1)
    assert statuses() == {WEDNESDAY: ScheduleStatus.RELEASED}


def test_m15_01_a_week_not_published_the_day_before_its_release_is_late() -> None:
    clinic = a_clinic()
    clinic.put()
    a_template(department=clinic.department)
    # Monday the 14th is released on the 7th: the roster is due on Sunday the 6th.

    def cell(day: dt.date) -> tuple[str, bool, bool]:
        found = reads.department_weeks(department_ids=[clinic.department.pk], today=day, weeks=4)
        one = next(week for week in found[0].weeks if week.monday == MONDAY)
        return one.label, one.is_pressing, one.is_late

    assert cell(dt.date(2026, 12, 4)) == ("草稿", False, False)
    assert cell(dt.date(2026, 12, 5)) == ("草稿", True, False)
    assert cell(dt.date(2026, 12, 6)) == ("草稿", True, False)
    assert cell(dt.date(2026, 12, 7)) == ("草稿", True, True)
    publish(clinic)
    assert cell(dt.date(2026, 12, 7)) == ("已发布", False, False)


def test_m15_01_the_difference_to_last_week_and_the_history_name_everything() -> None:
    clinic = a_clinic()
    clinic.put()
    publish(clinic)
    later = rosters.open_week(
        department_id=clinic.department.pk,
        monday=MONDAY + dt.timedelta(days=7),
        by=clinic.head,
        at=NOW,
    )
    rosters.put_entry(
        roster_id=later.pk,
        version=later.version,
        wanted=clinic.wanted(visit_date=TUESDAY + dt.timedelta(days=7), capacity=20),
        by=clinic.head,
        at=NOW,
    )

    (change,) = roster_changes.against_last_week(later)
    lines = roster_changes.history(later)

    service, room = clinic.service.name, clinic.room.name
    assert (change.when, change.who, change.word) == ("周二上午", "陈知行", "改")
    assert change.before == f"{service} {room} 08:00–12:00 限16"
    assert change.after == f"{service} {room} 08:00–12:00 限20"
    assert [(line.what, line.who) for line in lines] == [
        ("打开本周", "梁主任"),
        ("放入", "梁主任"),
    ]
    assert lines[1].details == (f"放入 周二上午 陈知行 {change.after}",)


def test_m15_01_a_published_week_shows_what_patients_have_and_nothing_more_to_come() -> None:
    clinic = a_clinic()
    clinic.put(practitioner_id=None)
    clinic.put(practitioner_id=None, room_id=clinic.spare.pk)
    publish(clinic)
    Schedule.objects.filter(room=clinic.spare).update(
        room=a_room(name="309诊室", department=clinic.department)
    )
    clinic.roster.refresh_from_db()

    found = roster_changes.against_last_week(clinic.roster)

    assert roster_changes.against_published(clinic.roster) == []
    assert [(one.word, one.after.split()[1]) for one in found] == [
        ("新", "301诊室"),
        ("新", "309诊室"),
    ]


def test_m15_01_the_history_says_who_gave_back_and_who_took_back() -> None:
    clinic = a_clinic()
    clinic.put()
    for act in (publishing.withdraw_roster, None):
        publishing.submit_roster(
            roster_id=clinic.roster.pk, version=clinic.version, by=clinic.head, at=NOW
        )
        if act is not None:
            act(roster_id=clinic.roster.pk, version=clinic.version, by=clinic.head, at=NOW)
    publishing.return_roster(
        roster_id=clinic.roster.pk,
        version=clinic.version,
        reason="周三少一人",
        by=clinic.office,
        at=NOW,
    )

    words = [(line.what, line.who) for line in roster_changes.history(clinic.roster)]

    assert ("撤回修改", "梁主任") in words
    assert ("退回科室", "何主管") in words
