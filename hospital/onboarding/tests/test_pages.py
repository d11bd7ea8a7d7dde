"""The master-data pages through HTTP: lists, forms, versions, switching off; who may."""

import datetime as dt
from typing import Any

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext

from hospital.catalogue.models import Price, PriceChange, ServiceFee
from hospital.identity.states import Role
from hospital.kernel import clock
from hospital.kernel.actors import SYSTEM
from hospital.kernel.models import AuditEntry
from hospital.organisation import queries as organisation
from hospital.organisation.models import Department, Practitioner, PractitionerRole
from hospital.organisation.states import Title
from hospital.scheduling import actions as scheduling
from hospital.scheduling.models import Schedule, ScheduleTemplate
from hospital.testing.organisation import (
    a_department,
    a_practitioner,
    a_price_item,
    a_room,
    a_service_type,
)
from hospital.testing.people import a_staff, staff_client
from hospital.testing.schedules import a_released_schedule, a_template

pytestmark = pytest.mark.django_db
MASTER = "/staff/master"


@pytest.fixture
def client() -> Client:
    return staff_client(account=a_staff(Role.SYSTEM_ADMIN, display_name="周慎行"))


def text(answer: object) -> str:
    assert isinstance(answer, HttpResponse)
    return answer.content.decode()


def names(shown: str) -> list[str]:
    """The addresses of the rows a list shows, in order."""
    parts = shown.split("/row/")[1:]
    return [part.split("/")[0] for part in parts]


def form(client: Client, slug: str, address: str) -> dict[str, object]:
    """What a browser would send back of a row's form, nothing changed."""
    context: Any = client.get(f"{MASTER}/{slug}/row/{address}/").context
    sent: dict[str, object] = {"seen": str(context["filled"].seen)}
    for field in context["fields"]:
        if field.control == "many":
            sent[field.name] = [option.value for option in field.options]
        else:
            sent[field.name] = field.value
    return sent


def save(client: Client, slug: str, address: str, **typed: object) -> Any:
    sent = {**form(client, slug, address), **typed}
    return client.post(f"{MASTER}/{slug}/row/{address}/save/", sent)


def test_a_list_is_searched_by_name_code_and_letters(client: Client) -> None:
    a_department(code="PWB", name="脾胃病科")
    a_department(code="FBK", name="肺病科", is_active=False)

    assert names(text(client.get(f"{MASTER}/departments/"))) == ["FBK", "PWB"]
    for typed in ("脾胃", "pw", "piwei", "PWB", "pwbk"):
        assert names(text(client.get(f"{MASTER}/departments/", {"q": typed}))) == ["PWB"], typed
    assert names(text(client.get(f"{MASTER}/departments/", {"q": "骨伤"}))) == []
    assert names(text(client.get(f"{MASTER}/departments/?state=off"))) == ["FBK"]
    assert names(text(client.get(f"{MASTER}/departments/?state=active"))) == ["PWB"]
    assert names(text(client.get(f"{MASTER}/departments/?sort=-code"))) == ["PWB", "FBK"]
    assert names(text(client.get(f"{MASTER}/departments/?sort=name"))) == ["FBK", "PWB"]
    part = text(client.get(f"{MASTER}/departments/", {"q": "pw"}, headers={"HX-Request": "true"}))
    assert "<html" not in part
    assert names(part) == ["PWB"]


def test_a_long_list_has_pages_and_costs_no_more_statements(client: Client) -> None:
    above = a_department(code="A", name="内科")
    client.get(f"{MASTER}/departments/")
    with CaptureQueriesContext(
        connection,
    ) as few:
        client.get(f"{MASTER}/departments/")
    for number in range(60):
        a_department(code=f"D{number:02}", name=f"科室{number:02}", parent=above)
    with CaptureQueriesContext(connection) as many:
        shown = names(text(client.get(f"{MASTER}/departments/")))

    assert shown == ["A", *(f"D{number:02}" for number in range(49))]
    assert names(text(client.get(f"{MASTER}/departments/?page=2"))) == [
        f"D{number:02}" for number in range(49, 60)
    ]
    assert len(many) == len(few)


def test_every_kind_has_a_list_a_form_and_a_history(client: Client) -> None:
    a_template(code="T1")
    places = {
        "campuses": "C1",
        "departments": Department.objects.get().code,
        "locations": ScheduleTemplate.objects.get().room.code,
        "practitioners": Practitioner.objects.get().code,
        "price-items": ServiceFee.objects.get().price_item.code,
        "service-types": ServiceFee.objects.get().service_type.code,
        "fees": f"{ServiceFee.objects.get().service_type.code}~",
        "templates": "T1",
    }
    person, place = Practitioner.objects.get().code, Department.objects.get().code
    role = {"practitioner": person, "department": place, "valid_from": "2019-01-01"}
    client.post(f"{MASTER}/roles/new/", {**role, "valid_to": "2019-07-01"})
    places["roles"] = f"{person}~{place}~2019-01-01"
    for slug, address in places.items():
        assert address in names(text(client.get(f"{MASTER}/{slug}/"))), slug
        assert client.get(f"{MASTER}/{slug}/row/{address}/").status_code == 200
        assert "第 1 版" in text(client.get(f"{MASTER}/{slug}/row/{address}/history/")), slug
        entries = AuditEntry.objects.count()
        assert save(client, slug, address).status_code == 302, slug
        assert AuditEntry.objects.count() == entries, f"{slug}: saving unchanged changed something"
    assert client.get(f"{MASTER}/").headers["Location"] == f"{MASTER}/departments/"
    assert client.get(f"{MASTER}/departments/row/NONE/").status_code == 404
    assert client.get(f"{MASTER}/nothing/").status_code == 404


def test_a_department_is_created_changed_and_remembers_it(client: Client) -> None:
    answer = client.post(
        f"{MASTER}/departments/new/",
        {"code": "PWB", "name": "脾胃病科", "is_bookable": "是", "min_age_months": "14岁"},
    )
    assert answer.headers["Location"] == f"{MASTER}/departments/row/PWB/"
    row = Department.objects.get(code="PWB")
    assert (row.initials, row.min_age_months, row.is_active) == ("pwbk", 168, True)

    save(client, "departments", "PWB", name="脾胃肝病科", min_age_months="")

    row.refresh_from_db()
    assert (row.name, row.initials, row.min_age_months) == ("脾胃肝病科", "pwgbk", None)
    history = text(client.get(f"{MASTER}/departments/row/PWB/history/"))
    assert "第 2 版" in history
    assert "<del>脾胃病科</del>" in history
    assert "<del>14岁</del>" in history
    assert "周慎行" in history
    assert "第 2 版" in text(client.get(f"{MASTER}/departments/row/PWB/"))


def test_a_wrong_form_says_so_at_the_field_and_keeps_what_was_typed(client: Client) -> None:
    a_department(code="NK", name="内科")
    sent = {
        "code": "骨伤",
        "name": "",
        "parent_text": "外科",
        "floor": "顶楼",
        "is_bookable": "是",
        "walk_in_only": "是",
    }

    answer = client.post(f"{MASTER}/departments/new/", sent)

    assert answer.status_code == 422
    errors = {field.name: field.errors for field in answer.context["fields"] if field.errors}
    assert errors == {
        "code": ("编码只能用字母、数字、点、短横和下划线，并以字母或数字开头。",),
        "name": ("必填，不能为空。",),
        "parent": ("“科室”表中没有“外科”。",),
        "floor": ("应填楼层，如 3楼、负1楼。",),
        "walk_in_only": ("仅现场就诊的科室，“开放预约”应填“否”。",),
    }
    kept = text(answer)
    for typed in ("骨伤", "外科", "顶楼"):
        assert f'value="{typed}"' in kept
    assert Department.objects.count() == 1
    for code, sentence in (("NK", "已经有了：内科"), ("nk", "已经有“NK”（内科）")):
        again = client.post(f"{MASTER}/departments/new/", {"code": code, "name": "新内科"})
        assert again.status_code == 422
        assert sentence in text(again)
    assert [row.name for row in Department.objects.all()] == ["内科"]


def test_what_names_a_row_cannot_be_changed(client: Client) -> None:
    a_department(code="NK", name="内科")

    save(client, "departments", "NK", code="WK", name="大内科")

    assert list(Department.objects.values_list("code", "name")) == [("NK", "大内科")]


def test_the_second_of_two_clerks_is_told_and_loses_nothing(client: Client) -> None:
    a_department(code="PWB", name="脾胃病科", floor="3楼")
    mine = form(client, "departments", "PWB")
    other = staff_client(account=a_staff(Role.SYSTEM_ADMIN, display_name="陈同时"))
    save(other, "departments", "PWB", name="脾胃科", floor="4楼")
    entries = AuditEntry.objects.count()

    sent: dict[str, Any] = {**mine, "name": "脾胃肝胆科", "telephone": "0750-1"}
    answer = client.post(f"{MASTER}/departments/row/PWB/save/", sent)

    assert answer.status_code == 422
    shown = {field.name: (field.value, field.notes) for field in answer.context["fields"]}
    assert shown["name"] == ("脾胃肝胆科", ("对方改成了“脾胃科”，这里保留了您填的内容",))
    assert shown["floor"] == ("4楼", ("已换成对方的修改：原来是“3楼”",))
    assert shown["telephone"] == ("0750-1", ())
    assert "陈同时" in text(answer)
    assert AuditEntry.objects.count() == entries
    merged = {**sent, "floor": "4楼", "seen": str(answer.context["filled"].seen)}
    assert client.post(f"{MASTER}/departments/row/PWB/save/", merged).status_code == 302
    row = Department.objects.get()
    assert (row.name, row.floor, row.telephone) == ("脾胃肝胆科", "4楼", "0750-1")


def test_a_price_finance_agreed_to_today_keeps_yesterdays(client: Client) -> None:
    a_price_item(code="Z1", name="诊察费", price_fen=2500)

    save(client, "price-items", "Z1", price_fen="30")
    assert "财务批准后生效" in text(client.get(f"{MASTER}/price-items/row/Z1/"))
    finance = staff_client("finance")
    asked = PriceChange.objects.get().pk
    finance.post("/staff/prices/decide/", {"change": asked, "answer": "yes"})

    today = clock.today()
    assert list(Price.objects.order_by("valid_from").values_list("price_fen", "valid_to")) == [
        (2500, today),
        (3000, None),
    ]
    assert "<del>25.00</del>" in text(client.get(f"{MASTER}/price-items/row/Z1/history/"))


def test_a_fee_is_composed_of_chosen_items(client: Client) -> None:
    a_price_item(code="Z2", name="挂号费", price_fen=100)
    kind = a_service_type(code="ZJ")
    item = ServiceFee.objects.get().price_item.code

    save(client, "fees", "ZJ~", price_items=[item], price_items_text="挂号费")

    held = ServiceFee.objects.filter(service_type=kind, valid_to=None)
    assert {fee.price_item.code for fee in held} == {item, "Z2"}
    shown = text(client.get(f"{MASTER}/fees/row/ZJ~/history/"))
    assert "专家诊察费、挂号费" in shown


def test_a_template_that_got_another_kind_says_so_by_name(client: Client) -> None:
    template = a_template(code="T1")
    a_service_type(code="PT", name="普通门诊")

    save(client, "templates", "T1", service_type="PT")

    assert "<del>专家门诊</del> →" in text(client.get(f"{MASTER}/templates/row/T1/history/"))
    template.refresh_from_db()
    assert template.service_type.name == "普通门诊"


def test_choosing_offers_active_rows(client: Client) -> None:
    a_department(code="PWB", name="脾胃病科")
    a_department(code="PFK", name="皮肤科", is_active=False)

    shown = text(client.get(f"{MASTER}/departments/options/", {"parent_text": "p"}))

    assert 'data-value="PWB"' in shown
    assert "皮肤科" not in shown


def off(client: Client, slug: str, address: str) -> list[str]:
    """The refusal's reasons; none when it was switched off."""
    answer = client.post(f"{MASTER}/{slug}/row/{address}/off/")
    if answer.status_code == 302:
        return []
    assert answer.status_code == 422
    return [need.text for need in answer.context["filled"].needs]


def test_what_is_needed_is_not_switched_off(client: Client) -> None:
    above = a_department(code="NK", name="内科", is_bookable=False)
    department = a_department(code="PWB", name="脾胃病科", parent=above)
    doctor = a_practitioner(department, code="0101", name="陈知行")
    room = a_room(code="M201", department=department)
    schedule = a_released_schedule(
        department=department,
        practitioner=doctor,
        room=room,
        day=clock.today() + dt.timedelta(days=1),
        at=clock.now(),
    )
    assert schedule.template is not None
    template, kind = schedule.template.code, schedule.service_type
    item = ServiceFee.objects.get(service_type=kind).price_item.code
    a_staff(Role.DOCTOR, display_name="陈医生", practitioner=doctor, department=department)
    held = f"未结束的出诊 1 场（{schedule.visit_date:%m月%d日}—{schedule.visit_date:%m月%d日}）"
    planned = f"启用中的排班模板 1 个：{template}"

    assert off(client, "departments", "NK") == ["下级科室 1 个：脾胃病科"]
    assert off(client, "departments", "PWB") == [
        planned,
        held,
        "账号的科室范围 1 个：陈医生",
    ]
    assert off(client, "practitioners", "0101") == [planned, held, "登录账号 1 个：陈医生"]
    assert off(client, "locations", "M201") == [planned, held]
    assert off(client, "service-types", kind.code) == [planned, held]
    assert off(client, "price-items", item) == [f"挂号费 1 个：{kind.name}"]
    assert not Department.objects.filter(is_active=False).exists()
    assert Practitioner.objects.get().is_active

    assert off(client, "templates", template) == []
    assert "已生成的 1 场出诊照常进行" in text(client.get(f"{MASTER}/templates/"))
    assert off(client, "locations", "M201") == [held]


def test_what_nothing_needs_is_switched_off_and_on_again(client: Client) -> None:
    a_department(code="PWB", name="脾胃病科")

    assert off(client, "departments", "PWB") == []
    assert organisation.bookable_departments() == []
    assert client.post(f"{MASTER}/departments/row/PWB/on/").status_code == 302
    assert [row.code for row in organisation.bookable_departments()] == ["PWB"]
    assert client.post(f"{MASTER}/fees/row/NONE~/off/").status_code == 404


def test_switching_off_inside_the_form_asks_the_same(client: Client) -> None:
    above = a_department(code="NK", name="内科")
    a_department(code="PWB", name="脾胃病科", parent=above)

    answer = save(client, "departments", "NK", name="大内科", is_active="否")

    assert answer.status_code == 422
    assert "下级科室 1 个：脾胃病科" in text(answer)
    for kept in ('value="大内科"', 'value="NK"'):
        assert kept in text(answer)
    assert list(Department.objects.filter(code="NK").values_list("name", "is_active")) == [
        ("内科", True)
    ]


def test_a_template_alone_is_judged_by_what_is_saved(client: Client) -> None:
    department, other = a_department(code="PWB"), a_department(code="FBK")
    doctor = a_practitioner(department, code="0101", title=Title.ATTENDING)
    kind = a_service_type(code="ZJ", fee_fen=None, fees=[(Title.ATTENDING, 2000)])
    a_template(code="T1", department=department, practitioner=doctor, service_type=kind)

    assert save(client, "templates", "T1", capacity="20").status_code == 302
    assert ScheduleTemplate.objects.get().capacity == 20
    answer = save(client, "templates", "T1", department=other.code)

    errors = {field.name: field.errors for field in answer.context["fields"] if field.errors}
    assert errors == {"practitioner": ("医生的“所属科室”里没有这个科室。",)}
    assert ScheduleTemplate.objects.get().department == department


def test_a_department_that_will_close_holds_no_session_from_that_day(client: Client) -> None:
    today = clock.today()
    department = a_department(code="PWB", name="脾胃病科")
    for ahead in (1, 2, 3):
        day = today + dt.timedelta(days=ahead)
        a_released_schedule(department=department, day=day, at=clock.now())
    closing = today + dt.timedelta(days=3)

    answer = save(client, "departments", "PWB", valid_to=closing.isoformat())

    assert [need.text for need in answer.context["filled"].needs] == [
        f"未结束的出诊 1 场（{closing:%m月%d日}—{closing:%m月%d日}）"
    ]
    assert Department.objects.get().valid_to is None
    later = closing + dt.timedelta(days=1)
    assert save(client, "departments", "PWB", valid_to=later.isoformat()).status_code == 302
    ScheduleTemplate.objects.update(valid_to=None)
    through = today + dt.timedelta(days=20)
    scheduling.generate_schedules(through=through, by=SYSTEM, at=clock.now())
    assert Schedule.objects.count() == 3
    Department.objects.update(valid_to=None)
    scheduling.generate_schedules(through=through, by=SYSTEM, at=clock.now())
    assert Schedule.objects.count() > 3


def test_a_department_shows_from_when_its_first_day_can_be_booked(client: Client) -> None:
    opening = clock.today() + dt.timedelta(days=10)
    a_department(code="PWB", name="脾胃病科")
    save(client, "departments", "PWB", valid_from=opening.isoformat())

    shown = organisation.bookable_departments
    assert shown(through=opening - dt.timedelta(days=1)) == []
    assert [row.code for row in shown(through=opening)] == ["PWB"]
    answer = save(client, "departments", "PWB", valid_to=opening.isoformat())
    errors = {field.name: field.errors for field in answer.context["fields"] if field.errors}
    assert errors == {"valid_to": ("失效日期应晚于生效日期。",)}
    Department.objects.update(valid_from=None, valid_to=clock.today())
    assert shown(through=opening) == []


def test_a_doctor_does_not_leave_a_department_with_sessions_there(client: Client) -> None:
    here, there = a_department(code="PWB", name="脾胃病科"), a_department(code="FBK", name="肺病科")
    doctor = a_practitioner(here, there, code="0101")
    day = clock.today() + dt.timedelta(days=2)
    schedule = a_released_schedule(department=here, practitioner=doctor, day=day, at=clock.now())
    held = f"未结束的出诊 1 场（{day:%m月%d日}—{day:%m月%d日}）"

    assert schedule.template is not None
    answer = save(client, "practitioners", "0101", departments=["FBK"])
    assert [need.text for need in answer.context["filled"].needs] == [
        f"启用中的排班模板 1 个：{schedule.template.code}",
        held,
    ]
    began = PractitionerRole.objects.filter(department=here).get().valid_from
    answer = save(client, "roles", f"0101~PWB~{began}", valid_to=day.isoformat())
    assert [need.text for need in answer.context["filled"].needs] == [
        held,
        f"启用中的排班模板 1 个：{schedule.template.code}",
    ]
    assert PractitionerRole.objects.filter(valid_to=None).count() == 2

    assert save(client, "practitioners", "0101", departments=["PWB"]).status_code == 302
    after = (day + dt.timedelta(days=1)).isoformat()
    ScheduleTemplate.objects.update(valid_to=after)
    assert save(client, "roles", f"0101~PWB~{began}", valid_to=after).status_code == 302


def test_roles_are_planned_by_department_and_period(client: Client) -> None:
    one, other = a_department(code="PWB", name="脾胃病科"), a_department(code="FBK", name="肺病科")
    doctor = a_practitioner(one, code="0101")
    today = clock.today()
    soon = today + dt.timedelta(days=30)
    began = PractitionerRole.objects.get().valid_from
    planned = {"practitioner": "0101", "department": "FBK", "valid_from": soon.isoformat()}

    save(client, "roles", f"0101~PWB~{began}", valid_to=soon.isoformat())
    assert client.post(f"{MASTER}/roles/new/", planned).status_code == 302

    on = organisation.departments_of
    assert on(doctor.pk, on=today) == [one]
    assert on(doctor.pk, on=soon) == [other]
    overlapping = {**planned, "department": "PWB", "valid_from": today.isoformat()}
    again = client.post(f"{MASTER}/roles/new/", overlapping)
    assert f"与从 {began} 开始的任职时间重叠" in text(again)
    assert save(client, "practitioners", "0101", specialty="胃痛").status_code == 302
    assert on(doctor.pk, on=soon) == [other]
    assert "第 1 版" in text(client.get(f"{MASTER}/roles/row/0101~FBK~{soon}/history/"))


def test_a_role_that_was_never_held_leaves_for_the_list(client: Client) -> None:
    stomach, _ = a_department(code="PWB"), a_department(code="FBK")
    a_practitioner(stomach, code="0101")
    planned = {"practitioner": "0101", "department": "FBK", "valid_from": "2027-01-01"}
    client.post(f"{MASTER}/roles/new/", planned)

    answer = save(client, "roles", "0101~FBK~2027-01-01", valid_to="2027-01-01")

    assert answer.status_code == 302
    shown = client.get(answer.headers["Location"])
    assert shown.status_code == 200
    assert "已保存" in text(shown)
    assert "0101~FBK~2027-01-01" not in names(text(shown))


READERS = [Role.OUTPATIENT_OFFICE, Role.FINANCE]
STRANGERS = [Role.DOCTOR, Role.REGISTRATION_CLERK, Role.CASHIER]


@pytest.mark.parametrize("role", READERS)
def test_readers_look_and_change_nothing(role: Role) -> None:
    a_department(code="PWB", name="脾胃病科")
    client = staff_client(role)

    shown = client.get(f"{MASTER}/departments/row/PWB/")
    assert shown.status_code == 200
    assert "保存" not in text(shown)
    sent = {"code": "PWB", "name": "改名科", "seen": "999"}
    for path in ("row/PWB/save/", "row/PWB/off/", "row/PWB/on/", "new/"):
        assert client.post(f"{MASTER}/departments/{path}", sent).status_code == 403
    assert list(Department.objects.values_list("name", "is_active")) == [("脾胃病科", True)]


@pytest.mark.parametrize("role", STRANGERS)
def test_others_do_not_come_in(role: Role) -> None:
    a_department(code="PWB", name="脾胃病科")
    client = staff_client(role)

    for path in ("", "departments/", "departments/row/PWB/", "departments/options/"):
        assert client.get(f"{MASTER}/{path}").status_code == 403, path
