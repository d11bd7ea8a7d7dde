"""Reading the organisation: browsing by category, searching as people type, looking up by code."""

import datetime as dt

import pytest
from pytest_django import DjangoAssertNumQueries

from hospital.kernel.errors import NotFound
from hospital.organisation import queries
from hospital.organisation.states import Title
from hospital.testing.organisation import a_campus, a_department, a_practitioner, a_room

pytestmark = pytest.mark.django_db

TODAY = dt.date(2026, 11, 23)


@pytest.fixture
def tree() -> None:
    inner = a_department(code="NK", name="内科", is_bookable=False, sort_order=1)
    surgery = a_department(code="WK", name="外科", is_bookable=False, sort_order=2)
    group = a_department(code="NX", name="内科一组", parent=inner, is_bookable=False)
    a_department(code="PW", name="脾胃病科", parent=group, hint="胃痛、腹泻", sort_order=2)
    a_department(code="XB", name="心病科", parent=inner, hint="胸闷、心悸", sort_order=1)
    a_department(code="FB", name="肺病科", parent=inner, hint="咳嗽", sort_order=1)
    a_department(code="GS", name="骨伤科", parent=surgery, hint="骨折、腰痛")
    a_department(code="ZT", name="针灸推拿科", hint="颈椎病、腰痛", sort_order=3)
    a_department(code="JZ", name="急诊科", walk_in_only=True, sort_order=9)
    a_department(code="XX", name="旧科室", is_active=False)


def codes(rows: list[queries.DepartmentRow]) -> list[str]:
    return [row.code for row in rows]


@pytest.mark.usefixtures("tree")
def test_departments_come_by_category_then_order_then_pinyin() -> None:
    rows = queries.bookable_departments()

    assert [(row.category, row.code) for row in rows] == [
        ("内科", "FB"),
        ("内科", "XB"),
        ("内科", "PW"),
        ("外科", "GS"),
        ("针灸推拿科", "ZT"),
        ("急诊科", "JZ"),
    ]
    assert [row.code for row in rows if row.walk_in_only] == ["JZ"]


@pytest.mark.usefixtures("tree")
def test_browsing_takes_one_statement(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    with django_assert_num_queries(1):
        queries.bookable_departments()


@pytest.mark.usefixtures("tree")
@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("针灸", ["ZT"]),
        ("zhenjiu", ["ZT"]),
        ("zhen jiu", ["ZT"]),
        ("ＺＨＥＮ", ["ZT", "JZ"]),
        ("zj", ["ZT"]),
        ("ZJTNK", ["ZT"]),
        ("tuina", ["ZT"]),
        ("腰痛", ["GS", "ZT"]),
        ("咳", ["FB"]),
        ("xbk", ["XB"]),
        ("科", ["FB", "XB", "PW", "GS", "ZT", "JZ"]),
        ("", ["FB", "XB", "PW", "GS", "ZT", "JZ"]),
        ("不存在", []),
        ("旧", []),
    ],
)
def test_searching(typed: str, found: list[str]) -> None:
    assert codes(queries.search_departments(typed)) == found


@pytest.mark.usefixtures("tree")
def test_a_name_beats_a_hint() -> None:
    a_department(code="HINT", name="全科", hint="骨伤")

    assert codes(queries.search_departments("骨伤")) == ["GS", "HINT"]


def test_latin_letters_match_whatever_their_case() -> None:
    a_department(code="CT", name="CT室", hint="PET检查")

    assert codes(queries.search_departments("ct")) == ["CT"]
    assert codes(queries.search_departments("pet")) == ["CT"]


def test_practitioners_are_found_by_name_pinyin_initials_and_specialty() -> None:
    acupuncture = a_department(name="针灸推拿科")
    a_practitioner(acupuncture, code="P1", name="曾敬修", title=Title.EMINENT)
    a_practitioner(code="P2", name="张若川", specialty="小儿咳嗽")
    a_practitioner(code="P3", name="张离职", is_active=False)

    def found(text: str) -> list[str]:
        return [row.code for row in queries.search_practitioners(text, on=TODAY)]

    assert found("zeng") == ["P1"]
    assert found("zjx") == ["P1"]
    assert found("张") == ["P2"]
    assert found("敬修") == ["P1"]
    assert found("咳嗽") == ["P2"]
    assert found("z") == ["P1", "P2"]
    assert found(" ") == []
    row = queries.search_practitioners("曾", on=TODAY)[0]
    assert (row.title_label, row.departments) == ("名中医", ("针灸推拿科",))


def test_a_department_has_the_practitioners_of_the_day_by_pinyin() -> None:
    department = a_department()
    other = a_department()
    a_practitioner(department, code="P1", name="周一")
    a_practitioner(department, other, code="P2", name="安宁")
    a_practitioner(other, code="P3", name="丁当")
    a_practitioner(department, code="P4", name="李去", is_active=False)

    people = queries.practitioners_of(department.pk, on=TODAY)

    assert [person.code for person in people] == ["P2", "P1"]
    assert queries.practitioners_of(department.pk, on=dt.date(2019, 1, 1)) == []


def test_looking_up_by_code() -> None:
    department = a_department(code="ZT")
    a_practitioner(department, code="P1")
    a_room(code="R1", department=department)

    assert queries.department("ZT") == department
    assert queries.practitioner("P1").name == "陈知行"
    assert queries.location("R1").campus == a_campus()


def test_what_is_switched_off_or_unknown_is_not_found() -> None:
    a_department(code="OFF", is_active=False)
    a_practitioner(code="OFF", is_active=False)

    assert queries.department("OFF", active_only=False).code == "OFF"
    assert queries.practitioner("OFF", active_only=False).code == "OFF"
    for lookup in (queries.department, queries.practitioner, queries.location):
        for code in ("OFF", "??"):
            with pytest.raises(NotFound):
                lookup(code)


def test_names_and_parents_by_code() -> None:
    above = a_department(code="A", name="内科")
    a_department(code="B", name="心病科", parent=above, is_active=False)
    a_room(code="R", name="301")
    a_practitioner(code="P")

    assert queries.department_names() == {"A": "内科", "B": "心病科"}
    assert queries.department_parents() == {"B": "A"}
    assert queries.location_names() == {"R": "301"}
    assert queries.location_parents() == {}
    assert queries.practitioner_names() == {"P": "陈知行"}
    assert queries.campus_names() == {"C1": "院本部"}
