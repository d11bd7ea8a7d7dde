"""How a name is read where the dictionary is wrong: typed once, found and sorted by it."""

import pytest
from django.test import Client

from hospital.identity.states import Role
from hospital.kernel.actors import SYSTEM
from hospital.onboarding.actions import import_base
from hospital.onboarding.tests.conftest import AT, Desk
from hospital.onboarding.tests.test_pages import MASTER, names, save, text
from hospital.organisation import queries as organisation
from hospital.organisation.models import Department, Practitioner
from hospital.testing.organisation import a_department, a_practitioner
from hospital.testing.people import a_staff, staff_client

pytestmark = pytest.mark.django_db


@pytest.fixture
def client() -> Client:
    return staff_client(account=a_staff(Role.SYSTEM_ADMIN, display_name="周慎行"))


def errors(answer: object) -> dict[str, tuple[str, ...]]:
    fields = answer.context["fields"]  # type: ignore[attr-defined]
    return {field.name: field.errors for field in fields if field.errors}


def test_a_name_read_wrongly_is_corrected_and_found_by_it(client: Client) -> None:
    department = a_department(code="PWB")
    doctor = a_practitioner(department, code="0101", name="单乐行")
    assert doctor.pinyin == "shan le xing"

    assert save(client, "practitioners", "0101", reading="Shan Yue  HÁNG").status_code == 422
    assert save(client, "practitioners", "0101", reading=" Shan　Yue  Hang ").status_code == 302

    doctor.refresh_from_db()
    assert (doctor.reading, doctor.pinyin, doctor.initials) == (
        "shan yue hang",
        "shan yue hang",
        "syh",
    )
    assert names(text(client.get(f"{MASTER}/practitioners/", {"q": "syh"}))) == ["0101"]
    assert names(text(client.get(f"{MASTER}/practitioners/", {"q": "slx"}))) == []
    found = organisation.search_practitioners("syh", on=AT.date())
    assert [row.name for row in found] == ["单乐行"]
    assert "按填写的拼音" in text(client.get(f"{MASTER}/practitioners/row/0101/"))
    assert "shan yue hang" in text(client.get(f"{MASTER}/practitioners/row/0101/history/"))


def test_an_own_reading_fits_its_name(client: Client) -> None:
    a_department(code="PWB", name="𠮷𠮷科")

    for typed, sentence in (
        ("ji ke", "应有 3 个音节，用空格隔开，如“𠮷 𠮷 ke”。"),
        ("吉 吉 ke", "应填不带声调的拼音，音节之间空一格，如 chen zhi xing。"),
    ):
        answer = save(client, "departments", "PWB", reading=typed)
        assert answer.status_code == 422
        assert errors(answer) == {"reading": (sentence,)}
        assert Department.objects.get().reading == ""
    assert save(client, "departments", "PWB", reading="ji ji ke").status_code == 302
    assert Department.objects.get().initials == "jjk"

    renamed = save(client, "departments", "PWB", name="吉科")
    assert errors(renamed) == {"reading": ("应有 2 个音节，用空格隔开，如“ji ke”。",)}
    assert save(client, "departments", "PWB", name="吉科", reading="").status_code == 302
    assert Department.objects.get().pinyin == "ji ke"


def test_the_usual_reading_is_none_of_its_own(client: Client) -> None:
    a_department(code="PWB", name="脾胃病科")

    answer = save(client, "departments", "PWB", reading="pi wei bing ke")

    assert answer.status_code == 302
    assert Department.objects.get().reading == ""
    assert "第 2 版" not in text(client.get(f"{MASTER}/departments/row/PWB/history/"))


def test_a_workbook_without_the_column_keeps_what_was_corrected(desk: Desk) -> None:
    desk.fill("医生", "拼音", 2, "zeng zhi hang")
    assert desk.import_it().problems == []
    assert Practitioner.objects.get(code="0101").initials == "zzh"
    page = desk.page("医生")
    headings = [str(cell.value).rstrip("*") for cell in page[1]]
    page.delete_cols(headings.index("拼音") + 1)

    outcome = import_base(path=desk.save(), by=SYSTEM, at=AT)

    assert (outcome.problems, outcome.changes) == ([], [])
    assert Practitioner.objects.get(code="0101").pinyin == "zeng zhi hang"


def test_nothing_is_found_across_two_cells(client: Client) -> None:
    a_department(code="PWB", name="脾胃病科", floor="3楼")

    for typed, found in (("病科", ["PWB"]), ("楼", ["PWB"]), ("病科3", []), ("B脾", [])):
        assert names(text(client.get(f"{MASTER}/departments/", {"q": typed}))) == found, typed
