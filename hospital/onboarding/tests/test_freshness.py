"""A change of master data shows on the patient's pages within a minute, caches and all (H1.1)."""

import datetime as dt
import runpy
import time

import pytest
from django.test import Client

from hospital.identity.states import Role
from hospital.kernel import clock, moment_cache
from hospital.kernel.actors import SYSTEM
from hospital.onboarding.tests.test_pages import save
from hospital.organisation import actions as organisation
from hospital.organisation.states import Sex, Title
from hospital.testing.organisation import a_department, a_practitioner
from hospital.testing.people import a_wechat_user, patient_client, staff_client
from hospital.testing.schedules import a_released_schedule

pytestmark = pytest.mark.django_db
#: What the product runs with; the tests' own setting is none.
SECONDS: float = runpy.run_path(moment_cache.__file__)["SECONDS"]


def test_a_new_name_reaches_every_patient_page(monkeypatch: pytest.MonkeyPatch) -> None:
    now = clock.now()
    department = a_department(code="PWB", name="脾胃病科")
    doctor = a_practitioner(department, code="0101", name="陈知行")
    day = clock.hospital_day(now) + dt.timedelta(days=1)
    schedule = a_released_schedule(department=department, practitioner=doctor, day=day, at=now)
    phone, steward = patient_client(a_wechat_user()), staff_client(Role.SYSTEM_ADMIN)
    pages = {
        "/m/departments/": "脾胃病科",
        f"/m/departments/PWB/?day={day}": "脾胃病科",
        "/m/doctors/0101/": "脾胃病科",
        f"/m/sessions/{schedule.pk}/times/": "陈知行",
    }
    monkeypatch.setattr(moment_cache, "SECONDS", SECONDS)
    assert 0 < SECONDS < 60
    for page, name in pages.items():
        assert name in _shown(phone, page)

    cells = {"code": "PWB", "name": "消化中心", "is_bookable": "是", "seen": "9999999"}
    steward.post("/staff/master/departments/row/PWB/save/", cells)
    organisation.save_practitioner(
        code="0101",
        name="陈知行行",
        sex=Sex(doctor.sex),
        title=Title(doctor.title),
        departments=["PWB"],
        licence_end_date=doctor.licence_end_date,
        by=SYSTEM,
        at=now,
    )
    time.sleep(SECONDS + 0.05)

    new = {"脾胃病科": "消化中心", "陈知行": "陈知行行"}
    for page, name in pages.items():
        assert new[name] in _shown(phone, page), page


def _shown(phone: Client, page: str) -> str:
    answer = phone.get(page)
    assert answer.status_code == 200
    return answer.content.decode()


def test_introductions_reach_patients_line_by_line_and_as_words() -> None:
    department = a_department(code="PWB", name="脾胃病科")
    a_practitioner(department, code="0101", name="陈知行")
    phone, steward = patient_client(a_wechat_user()), staff_client(Role.SYSTEM_ADMIN)
    typed = "国家重点专科。\r\n<script>alert(1)</script>"
    shown = "国家重点专科。<br>&lt;script&gt;alert(1)&lt;/script&gt;"
    assert "科室介绍" not in _shown(phone, "/m/departments/PWB/")

    for slug, address in (("departments", "PWB"), ("practitioners", "0101")):
        save(steward, slug, address, introduction=typed)

    assert "科室介绍" in _shown(phone, "/m/departments/PWB/")
    for page in ("/m/departments/PWB/", "/m/doctors/0101/"):
        assert shown in _shown(phone, page), page
