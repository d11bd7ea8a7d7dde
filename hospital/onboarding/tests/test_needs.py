"""What uses a row is named with the way there; what a row's end leaves behind is told."""

import datetime as dt

import pytest
from django.test import Client

from hospital.identity.states import Role
from hospital.kernel import clock
from hospital.onboarding.tests.test_pages import MASTER, names, save, text
from hospital.organisation.models import Department, Practitioner
from hospital.testing.organisation import a_department, a_practitioner, a_room
from hospital.testing.people import a_staff, staff_client
from hospital.testing.schedules import a_released_schedule

pytestmark = pytest.mark.django_db


@pytest.fixture
def client() -> Client:
    return staff_client(account=a_staff(Role.SYSTEM_ADMIN, display_name="周慎行"))


def test_what_uses_a_row_is_one_click_away(client: Client) -> None:
    department = a_department(code="PWB", name="脾胃病科")
    a_department(code="GBK", name="肝病科", parent=department)
    doctor = a_practitioner(department, code="0101", name="陈知行")
    room = a_room(code="M201", department=department)
    a_staff(Role.DOCTOR, display_name="陈医生", practitioner=doctor, department=department)
    now = clock.now()
    schedule = a_released_schedule(
        department=department,
        practitioner=doctor,
        room=room,
        day=clock.hospital_day(now) + dt.timedelta(days=1),
        at=now,
    )

    assert schedule.template is not None

    answer = client.post(f"{MASTER}/departments/row/PWB/off/")

    urls = [need.url for need in answer.context["filled"].needs if need.url]
    assert len(urls) == 3
    assert all(f'href="{url.replace("&", "&amp;")}"' in text(answer) for url in urls)
    below, templates, people = (text(client.get(url)) for url in urls)
    assert names(below) == ["GBK", "PWB"]
    assert names(templates) == [schedule.template.code]
    assert "陈医生" in people


def test_the_last_day_of_a_licence_counts_and_what_comes_after_is_told(client: Client) -> None:
    department = a_department(code="PWB")
    doctor = a_practitioner(department, code="0101")
    a_staff(Role.DOCTOR, display_name="陈医生", practitioner=doctor)
    day = clock.today() + dt.timedelta(days=2)
    a_released_schedule(department=department, practitioner=doctor, day=day, at=clock.now())
    held = f"执业证到期后还有未结束的出诊 1 场（{day:%m月%d日}—{day:%m月%d日}）"

    assert told(client, licence_end_date=day.isoformat()) == []
    assert told(client, licence_end_date=clock.today().isoformat()) == [f"{held}。"]
    assert Practitioner.objects.get().licence_end_date == clock.today()
    yesterday = clock.today() - dt.timedelta(days=1)
    refused = save(client, "practitioners", "0101", licence_end_date=yesterday.isoformat())
    assert refused.status_code == 422
    assert Practitioner.objects.get().licence_end_date == clock.today()


def test_who_leaves_on_a_day_keeps_a_log_in_and_that_is_told(client: Client) -> None:
    doctor = a_practitioner(a_department(code="PWB"), code="0101")
    a_staff(Role.DOCTOR, display_name="陈医生", practitioner=doctor)
    leaving = (clock.today() + dt.timedelta(days=30)).isoformat()

    assert told(client, valid_to=leaving) == ["不会随之停用的登录账号 1 个：陈医生。"]
    assert told(client, specialty="胃痛") == []


def test_what_is_over_or_not_yet_is_not_told_as_in_use(client: Client) -> None:
    today = clock.today()
    for code, begins, ends in (
        ("NOW", today, today + dt.timedelta(days=1)),
        ("OLD", None, today),
        ("SOON", today + dt.timedelta(days=1), None),
    ):
        a_department(code=code, name="脾胃病科")
        Department.objects.filter(code=code).update(valid_from=begins, valid_to=ends)
    here = f"{MASTER}/departments/"

    states = {line["row"].address: line["row"].period for line in client.get(here).context["lines"]}

    assert states == {"NOW": "", "OLD": "已失效", "SOON": "未生效"}
    assert "已失效" in text(client.get(here))
    assert "已失效" in text(client.get(f"{here}row/OLD/"))
    assert names(text(client.get(here, {"state": "active"}))) == ["NOW", "SOON"]
    assert names(text(client.get(here, {"state": "off"}))) == ["OLD"]
    offered = text(client.get(f"{here}options/", {"parent_text": "pw"}))
    assert 'data-value="OLD"' not in offered
    assert 'data-value="SOON"' in offered, "what begins later may be planned with"


def told(client: Client, **typed: str) -> list[str]:
    """Save the doctor's form; the warnings that follow."""
    answer = save(client, "practitioners", "0101", **typed)
    assert answer.status_code == 302
    shown = client.get(answer.headers["Location"])
    return [str(word) for word in shown.context["messages"] if word.level_tag == "warning"]
