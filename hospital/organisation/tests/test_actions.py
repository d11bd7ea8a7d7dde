"""Saving the organisation by code: creates, changes what differs, audits it, refuses nonsense."""

import datetime as dt
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from hospital.kernel import pinyin
from hospital.kernel.actors import SYSTEM
from hospital.kernel.errors import Invalid
from hospital.kernel.models import AuditEntry
from hospital.organisation import actions, queries
from hospital.organisation.models import Department, Practitioner, PractitionerRole
from hospital.organisation.states import LocationKind, Sex, Title
from hospital.testing.organisation import a_campus, a_department, a_practitioner, a_room

pytestmark = pytest.mark.django_db

MONDAY = dt.datetime(2026, 11, 23, 2, tzinfo=dt.UTC)
TUESDAY = MONDAY + dt.timedelta(days=1)


def save_department(code: str = "ZJ", name: str = "针灸推拿科", **fields: Any) -> bool:
    return actions.save_department(code=code, name=name, by=SYSTEM, at=MONDAY, **fields)


def test_saving_again_changes_nothing_and_audits_nothing() -> None:
    assert save_department(hint="腰痛")
    entries = AuditEntry.objects.count()

    assert not save_department(hint="腰痛")

    assert AuditEntry.objects.count() == entries
    assert Department.objects.get(code="ZJ").pinyin == "zhen jiu tui na ke"


def test_a_change_is_audited_with_just_what_changed() -> None:
    save_department(hint="腰痛", floor="3楼")

    assert save_department(hint="腰痛、颈痛", floor="3楼")

    entry = AuditEntry.objects.latest("id")
    assert entry.act == "organisation.save_department"
    assert (entry.before, entry.after) == ({"hint": "腰痛"}, {"hint": "腰痛、颈痛"})
    assert entry.by == "system:0"


def test_a_new_row_is_audited_with_an_empty_before() -> None:
    a_campus(code="B", name="北院区")

    entry = AuditEntry.objects.get(act="organisation.save_campus")
    assert entry.before == {}
    assert entry.after["name"] == "北院区"


def test_parents_are_given_and_audited_by_code() -> None:
    save_department("NK", "内科", is_bookable=False)
    save_department("WK", "外科", is_bookable=False)
    save_department("ZJ", parent="NK")

    assert save_department("ZJ", parent="WK")

    entry = AuditEntry.objects.latest("id")
    assert (entry.before, entry.after) == ({"parent": "NK"}, {"parent": "WK"})


def test_an_unknown_parent_is_refused() -> None:
    with pytest.raises(Invalid) as refusal:
        save_department(parent="??")

    assert refusal.value.errors == {"parent": ["没有编码为“??”的科室。"]}
    assert not Department.objects.exists()


def test_a_circle_in_the_tree_is_refused() -> None:
    save_department("A", "甲")
    save_department("B", "乙", parent="A")
    save_department("C", "丙", parent="B")

    for above in ("A", "B", "C"):
        with pytest.raises(Invalid):
            save_department("A", "甲", parent=above)

    assert Department.objects.get(code="A").parent is None


def test_a_circle_of_places_is_refused() -> None:
    room = a_room(code="R1")

    with pytest.raises(Invalid):
        actions.save_location(
            code="R1",
            name=room.name,
            kind=LocationKind.ROOM,
            campus="C1",
            parent="R1",
            by=SYSTEM,
            at=MONDAY,
        )


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"is_bookable": True, "walk_in_only": True}, "walk_in_only"),
        ({"min_age_months": 168, "max_age_months": 168}, "max_age_months"),
        ({"min_age_days": 29, "max_age_days": 28}, "max_age_days"),
        ({"min_age_months": 2, "max_age_days": 28}, "max_age_days"),
        ({"min_age_days": 31, "max_age_months": 1}, "min_age_days"),
    ],
)
def test_contradictions_are_refused(fields: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as refusal:
        save_department(**fields)

    assert list(refusal.value.errors) == [field]


def test_the_database_refuses_them_too() -> None:
    department = a_department()
    for values in (
        {"walk_in_only": True},
        {"min_age_months": 5, "max_age_months": 5},
        {"min_age_days": 29, "max_age_days": 28},
        {"sex_limit": "x"},
        {"parent": department},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            Department.objects.filter(pk=department.pk).update(**values)


def save_practitioner(at: dt.datetime, *departments: str) -> bool:
    return actions.save_practitioner(
        code="P1",
        name="单知行",
        sex=Sex.MALE,
        title=Title.CHIEF,
        departments=departments,
        licence_end_date=dt.date(2030, 1, 1),
        by=SYSTEM,
        at=at,
    )


def test_roles_follow_the_departments_by_period() -> None:
    a_department(code="A", name="骨伤科")
    a_department(code="B", name="康复科")
    assert save_practitioner(MONDAY, "A")
    assert not save_practitioner(TUESDAY, "A")

    assert save_practitioner(TUESDAY, "B")

    person = Practitioner.objects.get(code="P1")
    assert (person.pinyin, person.initials) == ("shan zhi xing", "szx")
    monday, tuesday = dt.date(2026, 11, 23), dt.date(2026, 11, 24)
    assert list(
        person.roles.order_by("id").values_list("department__code", "valid_from", "valid_to")
    ) == [("A", monday, tuesday), ("B", tuesday, None)]
    assert [row.code for row in queries.departments_of(person.pk, on=monday)] == ["A"]
    assert [row.code for row in queries.departments_of(person.pk, on=tuesday)] == ["B"]
    entry = AuditEntry.objects.latest("id")
    assert (entry.before, entry.after) == ({"departments": ["A"]}, {"departments": ["B"]})


def test_a_role_ended_on_its_first_day_can_begin_again() -> None:
    a_department(code="A")
    a_department(code="B")
    save_practitioner(MONDAY, "A")
    save_practitioner(MONDAY, "B")
    save_practitioner(MONDAY, "A")

    person = Practitioner.objects.get(code="P1")
    on = dt.date(2026, 11, 23)
    assert [row.code for row in queries.departments_of(person.pk, on=on)] == ["A"]
    assert person.roles.count() == 3


def test_an_unknown_department_of_a_practitioner_saves_nothing() -> None:
    a_department(code="A")

    with pytest.raises(Invalid):
        save_practitioner(MONDAY, "A", "??")

    assert not Practitioner.objects.exists()
    assert not AuditEntry.objects.filter(act__endswith="practitioner").exists()


def test_the_database_refuses_two_roles_at_a_time() -> None:
    person = a_practitioner(a_department())
    role = person.roles.get()

    with pytest.raises(IntegrityError), transaction.atomic():
        PractitionerRole.objects.create(
            practitioner=person, department=role.department, valid_from=dt.date(2026, 1, 1)
        )


@pytest.mark.parametrize("name", ["双" * 60, "㍿" * 60, "𠮷" * 60, "庄" * 60])
def test_the_longest_name_is_kept_whatever_its_reading(name: str) -> None:
    a_department(code="PWB", name=name)

    row = Department.objects.get()
    assert row.name == name
    assert pinyin.initials(name).startswith(row.initials)
    assert pinyin.pinyin(name).startswith(row.pinyin)
