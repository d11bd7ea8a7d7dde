"""Importing: all or nothing, the same again changes nothing, an edit changes just that."""

import datetime as dt

import pytest
from django.contrib.auth.hashers import check_password

from hospital.catalogue import queries as catalogue
from hospital.catalogue.models import Price
from hospital.identity import queries as identity
from hospital.identity.models import StaffAccount
from hospital.kernel.actors import SYSTEM
from hospital.kernel.models import AuditEntry
from hospital.onboarding.actions import import_base
from hospital.onboarding.saving import Change, FieldChange, Outcome
from hospital.onboarding.tests.conftest import AT, SINCE, Desk
from hospital.organisation import queries as organisation
from hospital.organisation.models import Department, Practitioner
from hospital.scheduling.models import ScheduleTemplate

pytestmark = pytest.mark.django_db

TODAY = dt.date(2026, 11, 23)


def tallies(outcome: Outcome) -> dict[str, tuple[int, int, int]]:
    return {tally.sheet: (tally.rows, tally.created, tally.changed) for tally in outcome.tallies}


def test_a_whole_hospital_arrives(desk: Desk) -> None:
    outcome = desk.import_it()

    assert outcome.problems == []
    assert tallies(outcome) == {
        "院区": (1, 1, 0),
        "科室": (3, 3, 0),
        "诊室": (3, 3, 0),
        "医生": (2, 2, 0),
        "任职": (0, 0, 0),
        "收费项目": (2, 2, 0),
        "号别": (1, 1, 0),
        "挂号费": (2, 2, 0),
        "登录账号": (2, 2, 0),
        "排班模板": (2, 2, 0),
    }
    department = organisation.department("PWB")
    assert (department.parent, department.min_age_months) == (organisation.department("NK"), 168)
    assert organisation.department("FK").min_age_days == 29
    assert organisation.location("M201").parent == organisation.location("M2")
    person = organisation.practitioner("0102")
    on = [row.code for row in organisation.departments_of(person.pk, on=TODAY)]
    assert on == ["FK", "PWB"]
    kind = catalogue.service_type("ZJ")
    assert catalogue.registration_fees(on=TODAY)[kind.id, "chief"].total_fen == 4050
    template = ScheduleTemplate.objects.get(code="PWB-2")
    assert (template.practitioner, template.room.code) == (person, "M202")
    account = identity.staff_account(username="doctor")
    assert account is not None
    assert account.practitioner == organisation.practitioner("0101")


def test_the_same_again_changes_nothing(desk: Desk) -> None:
    desk.import_it()
    entries = AuditEntry.objects.count()

    outcome = desk.import_it(at=AT + dt.timedelta(days=30))

    assert (outcome.problems, outcome.changes) == ([], [])
    assert AuditEntry.objects.count() == entries


def test_an_edit_changes_just_that_and_keeps_history(desk: Desk) -> None:
    desk.import_it()
    entries = AuditEntry.objects.count()
    desk.fill("医生", "职称", 3, "副主任医师")

    outcome = desk.import_it()

    assert outcome.changes == [
        Change("医生", 3, "0102 沈若溪", False, (FieldChange("职称", "主治医师", "副主任医师"),))
    ]
    assert AuditEntry.objects.count() == entries + 1
    entry = AuditEntry.objects.latest("id")
    assert (entry.before, entry.after) == ({"title": "attending"}, {"title": "associate_chief"})
    assert organisation.practitioner("0102").title == "associate_chief"


def test_a_new_price_keeps_the_old_one(desk: Desk) -> None:
    desk.import_it()
    desk.fill("收费项目", "单价(元)", 2, "35元")
    desk.fill("收费项目", "生效日期", 2, dt.date(2026, 12, 1))

    outcome = desk.import_it()

    assert [change.fields for change in outcome.changes] == [
        (FieldChange("单价(元)", "30.00", "35.00"), FieldChange("生效日期", "", "2026-12-01"))
    ]
    assert list(
        Price.objects.filter(price_item__code="ZC1").values_list(
            "price_fen", "valid_from", "valid_to"
        )
    ) == [
        (3000, SINCE, dt.date(2026, 12, 1)),
        (3500, dt.date(2026, 12, 1), None),
    ]


def test_a_fee_is_changed_by_title(desk: Desk) -> None:
    desk.import_it()
    desk.fill("挂号费", "收费项目", 2, "ZC1")
    desk.fill("挂号费", "生效日期", 2, None)

    outcome = desk.import_it()

    assert len(outcome.changes) == 1
    kind = catalogue.service_type("ZJ")
    assert catalogue.registration_fees(on=TODAY)[kind.id, "chief"].total_fen == 3000
    assert catalogue.registration_fees(on=SINCE)[kind.id, "chief"].total_fen == 4050


def test_a_dry_run_tells_everything_and_saves_nothing(desk: Desk) -> None:
    wet = desk.import_it(dry_run=True)

    assert len(wet.changes) == 18
    assert not Department.objects.exists()
    assert not AuditEntry.objects.exists()
    assert tallies(wet) == tallies(desk.import_it())


def test_one_problem_anywhere_saves_nothing(desk: Desk) -> None:
    desk.fill("排班模板", "诊室", 3, "没有的诊室")

    outcome = desk.import_it()

    assert len(outcome.problems) == 1
    assert not Department.objects.exists()
    assert not AuditEntry.objects.exists()


def test_a_refusal_of_an_action_is_a_problem_of_its_row(desk: Desk) -> None:
    desk.fill("登录账号", "初始密码", 2, "1234567890")

    outcome = desk.import_it()

    problem = outcome.problems[0]
    assert (problem.sheet, problem.row, problem.column) == ("登录账号", 2, "初始密码")
    assert problem.value == "******"
    assert not Department.objects.exists()


def test_first_passwords_count_once(desk: Desk) -> None:
    desk.import_it()
    account = StaffAccount.objects.get(username="guahao")
    assert account.password.startswith("argon2")
    assert check_password("first-password-1", account.password)
    desk.fill("登录账号", "初始密码", 2, "another-password-1")
    desk.fill("登录账号", "初始密码", 3, None)

    outcome = desk.import_it()

    assert (outcome.problems, outcome.changes) == ([], [])
    account.refresh_from_db()
    assert check_password("first-password-1", account.password)


def test_roles_of_a_log_in_change(desk: Desk) -> None:
    desk.import_it()
    desk.fill("登录账号", "角色", 2, "挂号员，门诊办")

    outcome = desk.import_it()

    assert [change.fields for change in outcome.changes] == [
        (FieldChange("角色", "收费员、挂号员", "门诊办、挂号员"),)
    ]


def test_names_and_codes_of_saved_rows_can_be_referred_to(desk: Desk) -> None:
    desk.import_it()

    for sheet in ("院区", "科室", "诊室", "收费项目", "号别", "挂号费", "登录账号"):
        desk.page(sheet).delete_rows(2, 10)
    desk.fill("医生", "所属科室", 2, "妇科、脾胃病科")

    outcome = desk.import_it()

    assert outcome.problems == []
    assert [(change.sheet, change.row) for change in outcome.changes] == [("医生", 2)]


def test_doctors_may_trade_rooms(desk: Desk) -> None:
    """Either row alone clashes with what is saved of the other."""
    desk.fill("排班模板", "星期", 3, "周一")
    desk.import_it()
    desk.fill("排班模板", "诊室", 2, "202诊室")
    desk.fill("排班模板", "诊室", 3, "201诊室")

    outcome = desk.import_it()

    assert outcome.problems == []
    assert [change.fields for change in outcome.changes] == [
        (FieldChange("诊室", "M201", "M202"),),
        (FieldChange("诊室", "M202", "M201"),),
    ]
    assert ScheduleTemplate.objects.filter(is_active=True).count() == 2


def test_a_session_may_move_into_a_place_that_a_later_row_leaves(desk: Desk) -> None:
    desk.import_it()
    desk.fill("排班模板", "星期", 2, "周二")
    desk.fill("排班模板", "诊室", 2, "202诊室")
    desk.fill("排班模板", "星期", 3, "周三")

    outcome = desk.import_it()

    assert outcome.problems == []
    assert len(outcome.changes) == 2


def test_a_clash_with_a_saved_session_outside_the_file_is_a_problem(desk: Desk) -> None:
    desk.import_it()

    desk.page("排班模板").delete_rows(3)
    desk.put("排班模板", "A2", "NEW")

    assert [(row, column) for _, row, column, _ in desk.problems()] == [(2, "诊室")]


def test_a_department_and_its_sessions_can_be_closed_together(desk: Desk) -> None:
    desk.import_it()
    desk.fill("科室", "启用", 3, "否")
    desk.fill("登录账号", "启用", 3, "否")
    desk.fill("排班模板", "启用", 2, "否")
    desk.fill("排班模板", "启用", 3, "否")

    outcome = desk.import_it()

    assert outcome.problems == []
    assert len(outcome.changes) == 4
    assert desk.import_it().changes == []
    assert not Department.objects.get(code="PWB").is_active


def test_columns_may_stand_in_any_order_beside_own_remarks(desk: Desk) -> None:
    page = desk.page("医生")
    page.insert_cols(1)
    page["A1"].value = "备注（内部）"
    page["A2"].value = "=1+1"
    page.move_range("B1:B3", cols=20)

    outcome = desk.import_it()

    assert outcome.problems == []
    assert Practitioner.objects.count() == 2


def test_blank_lines_and_blanks_around_cells_do_not_matter(desk: Desk) -> None:
    desk.import_it()
    page = desk.page("科室")
    page.insert_rows(2, 3)
    page["A30"].value = "  \u3000"
    page["B5"].value = " 内科\u200b "

    outcome = desk.import_it()

    assert (outcome.problems, outcome.changes) == ([], [])


def test_progress_is_told_row_by_row(desk: Desk) -> None:
    told: list[tuple[int, int, str]] = []
    import_base(path=desk.path, by=SYSTEM, at=AT, progress=lambda *step: told.append(step))

    assert [done for done, _, _ in told] == list(range(1, 19))
    assert {total for _, total, _ in told} == {18}
    assert told[-1][2] == "排班模板"


def test_a_workbook_of_earlier_years_keeps_what_it_does_not_know(desk: Desk) -> None:
    desk.import_it()
    Department.objects.filter(code="PWB").update(valid_to=dt.date(2099, 1, 1))
    page = desk.page("科室")
    for heading in ("失效日期", "生效日期"):
        place = [str(cell.value) for cell in page[1]].index(heading) + 1
        page.delete_cols(place)
    desk.fill("科室", "位置说明", 3, "门诊楼 5 楼")
    desk.workbook.remove(desk.workbook["任职"])

    outcome = desk.import_it()

    assert outcome.problems == []
    row = Department.objects.get(code="PWB")
    assert (row.location_text, row.valid_to) == ("门诊楼 5 楼", dt.date(2099, 1, 1))


def test_what_is_only_planned_may_be_planned_otherwise(desk: Desk) -> None:
    desk.import_it()
    next_year = dt.date(2099, 1, 1)
    for heading, value in (("号别", "ZJ"), ("职称", "名中医"), ("生效日期", next_year)):
        desk.fill("挂号费", heading, 4, value)
    desk.fill("挂号费", "收费项目", 4, "ZC1")
    assert desk.import_it().problems == []
    desk.fill("挂号费", "收费项目", 4, "ZC1、ZC2")

    outcome = desk.import_it()

    assert outcome.problems == []
    kind = catalogue.service_type("ZJ")
    quote = catalogue.registration_fees(on=next_year)[kind.id, "eminent"]
    assert quote.total_fen == 4050


def test_a_saved_code_in_other_letters_is_no_new_row(desk: Desk) -> None:
    desk.import_it()
    desk.fill("院区", "院区编码", 2, "bb")
    desk.fill("医生", "工号", 2, "０１０１")

    assert desk.problems() == [("院区", 2, "院区编码", "已经有“BB”（院本部），只是大小写不同")]
    assert list(organisation.campus_names()) == ["BB"]
