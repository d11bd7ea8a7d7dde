"""The staff editor, the role editor, requests and the viewer over HTTP."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from hospital.identity import queries
from hospital.identity.models import AccessRequest, GrantChange, StaffAccount
from hospital.identity.states import ADMINISTRATORS, Role
from hospital.kernel.models import AuditEntry
from hospital.testing.organisation import a_department, a_practitioner
from hospital.testing.people import PASSWORD, a_staff, staff_client

pytestmark = pytest.mark.django_db
PEOPLE = "/staff/people/"


@pytest.fixture
def admin() -> Client:
    return staff_client(account=a_staff(Role.SYSTEM_ADMIN, display_name="周砚"))


@pytest.fixture
def guard() -> Client:
    return staff_client(account=a_staff(Role.SECURITY_ADMIN, display_name="沈安衡"))


def page(client: Client, address: str, **query: str) -> str:
    answer = client.get(address, query)
    assert answer.status_code == 200, address
    return answer.content.decode()


def shown_password(text: str) -> str:
    found = re.search(r'class="i-password">([^<]+)<', text)
    assert found
    return found[1].strip()


class TestPeople:
    def test_somebody_is_found_by_everything_known(self, admin: Client) -> None:
        department = a_department(name="骨伤科")
        a_staff(Role.DOCTOR, display_name="单知行", username="doctor7", department=department)
        a_staff(Role.FINANCE, display_name="陈令仪", username="caiwu7")

        for typed in ("单知行", "szx", "shanzhi", "doctor7", "医生", "骨伤"):
            shown = page(admin, PEOPLE, q=typed)
            assert ("单知行" in shown, "陈令仪" in shown) == (True, False), typed
        assert "没有找到" in page(admin, PEOPLE, q="没有这个人")

    def test_a_new_account_shows_its_password_once_and_must_change_it(self, admin: Client) -> None:
        doctor = a_practitioner(a_department(), name="关鹤年")
        typed = {
            "username": "GuanHN",
            "display_name": "关鹤年",
            "phone": "13800138000",
            "practitioner": doctor.code,
            "practitioner_text": "关鹤年",
        }

        answer = admin.post(f"{PEOPLE}new/", typed)

        account = StaffAccount.objects.get(username="guanhn")
        password = shown_password(answer.content.decode())
        assert account.check_password(password)
        assert (account.practitioner_id, account.must_change_password) == (doctor.pk, True)
        assert (account.phone, account.pinyin) == ("13800138000", "guan he nian")
        entry = AuditEntry.objects.get(act="identity.open_account")
        assert "13800138000" not in str(entry.after)
        assert queries.permissions_of(account) == frozenset()

    @pytest.mark.parametrize(
        ("changes", "sentence"),
        [
            ({"username": "何"}, "用户名用小写字母"),
            ({"username": "taken"}, "这个登录名已有人使用。"),
            ({"display_name": " "}, "请填写姓名。"),
            ({"phone": "110"}, "请填写 11 位手机号。"),
            ({"practitioner": "P404", "practitioner_text": "谁"}, "没有找到这位医生"),
        ],
    )
    def test_what_is_wrong_makes_nobody(
        self, admin: Client, changes: dict[str, str], sentence: str
    ) -> None:
        a_staff(Role.CASHIER, username="taken")
        count = StaffAccount.objects.count()
        typed = {"username": "newone", "display_name": "何新", "phone": ""}

        answer = admin.post(f"{PEOPLE}new/", typed | changes)

        assert answer.status_code == 422
        assert sentence in answer.content.decode()
        assert StaffAccount.objects.count() == count

    def test_a_changed_name_is_found_under_the_new_one(self, admin: Client) -> None:
        clerk = a_staff(Role.CASHIER, display_name="何婉清")

        answer = admin.post(f"{PEOPLE}{clerk.pk}/", {"display_name": "林若水", "phone": ""})

        assert answer.status_code == 302
        assert "林若水" in page(admin, PEOPLE, q="lrs")
        assert "姓名 何婉清 → 林若水" in page(admin, f"{PEOPLE}{clerk.pk}/")
        entry = AuditEntry.objects.get(act="identity.change_account")
        assert (entry.before["display_name"], entry.after["display_name"]) == ("何婉清", "林若水")

    def test_leaving_ends_the_open_page(self, admin: Client) -> None:
        clerk = a_staff(Role.CASHIER)
        browser = staff_client(account=clerk)
        assert browser.get("/staff/collect/").status_code == 200
        refused = admin.post(f"{PEOPLE}{clerk.pk}/off/", {"reason": " "})
        assert (refused.status_code, browser.get("/staff/collect/").status_code) == (422, 200)

        assert admin.post(f"{PEOPLE}{clerk.pk}/off/", {"reason": "离职"}).status_code == 302

        assert browser.get("/staff/collect/").headers["Location"].startswith("/staff/login/")
        assert "没有岗位" in page(admin, PEOPLE, state="off")
        admin.post(f"{PEOPLE}{clerk.pk}/on/")
        back = StaffAccount.objects.get(pk=clerk.pk)
        assert (back.is_active, queries.permissions_of(back)) == (True, frozenset())

    def test_a_reset_password_replaces_the_old_one(self, admin: Client) -> None:
        clerk = a_staff(Role.CASHIER)
        browser = staff_client(account=clerk)

        answer = admin.post(f"{PEOPLE}{clerk.pk}/password/")

        clerk.refresh_from_db()
        assert clerk.check_password(shown_password(answer.content.decode()))
        assert not clerk.check_password(PASSWORD)
        assert clerk.must_change_password
        assert browser.get("/staff/collect/").status_code == 302

    def test_the_own_password_is_not_reset_without_the_present_one(self) -> None:
        keeper = a_staff(Role.SYSTEM_ADMIN)
        browser = staff_client(account=keeper)
        assert f"{PEOPLE}{keeper.pk}/password/" not in page(browser, f"{PEOPLE}{keeper.pk}/")

        assert browser.post(f"{PEOPLE}{keeper.pk}/password/").status_code == 409

        keeper.refresh_from_db()
        assert keeper.check_password(PASSWORD)
        assert AuditEntry.objects.get(act="identity.refused").after["code"] == "OWN_PASSWORD"

    def test_a_temporary_password_opens_no_page(self) -> None:
        clerk = a_staff(Role.CASHIER)
        StaffAccount.objects.filter(pk=clerk.pk).update(must_change_password=True)
        browser = staff_client(account=StaffAccount.objects.get(pk=clerk.pk))

        answer = browser.get("/staff/collect/")
        first = "/staff/password/?next=%2Fstaff%2Fcollect%2F"
        assert (answer.status_code, answer.headers["Location"]) == (302, first)
        text = page(browser, first)
        assert "您现在的密码是别人给的" in text
        assert "x-topbar" not in text
        typed = {"current": PASSWORD, "new": "my-own-Choice-77", "again": "my-own-Choice-77"}
        same = {"current": PASSWORD, "new": PASSWORD, "again": PASSWORD}
        assert browser.post("/staff/password/", same).status_code == 422
        assert browser.post("/staff/loans/", {"reason": "x"}).status_code == 302
        assert StaffAccount.objects.get(pk=clerk.pk).must_change_password
        chosen = browser.post("/staff/password/", typed | {"next": "/staff/collect/"})

        assert (chosen.status_code, chosen.headers["Location"]) == (302, "/staff/collect/")
        assert not StaffAccount.objects.get(pk=clerk.pk).must_change_password
        assert page(browser, "/staff/collect/")
        away = browser.post(
            "/staff/password/",
            {
                "current": "my-own-Choice-77",
                "new": "my-own-Choice-78",
                "again": "my-own-Choice-78",
                "next": "//elsewhere.example/",
            },
        )
        assert away.headers["Location"] == "/staff/"

    def test_the_security_administrator_looks_and_changes_nothing(self, guard: Client) -> None:
        clerk = a_staff(Role.CASHIER, display_name="许晚棠")
        assert "许晚棠" in page(guard, f"{PEOPLE}{clerk.pk}/")

        for address in ("", "off/", "password/", "roles/"):
            answer = guard.post(f"{PEOPLE}{clerk.pk}/{address}", {"display_name": "x"})
            assert answer.status_code == 403

        clerk.refresh_from_db()
        assert (clerk.display_name, clerk.is_active) == ("许晚棠", True)
        assert not AccessRequest.objects.exists()


class TestRoles:
    def test_asked_shown_and_approved(self, admin: Client, guard: Client) -> None:
        department = a_department(name="妇科")
        clerk = a_staff(Role.CASHIER, display_name="许晚棠")
        typed = {
            "role-0": "cashier",
            "role-1": "department_head",
            "department-1": str(department.pk),
            "until-1": "2099-12-31",
            "reason": "代理主任",
        }
        answer = admin.post(f"{PEOPLE}{clerk.pk}/roles/", typed)
        assert answer.status_code == 302
        address = answer.headers["Location"]
        shown = page(guard, address)
        assert all(word in shown for word in ("科主任", "妇科", "2099-12-31", "代理主任"))
        assert admin.post(f"{address}decide/", {"answer": "yes"}).status_code == 403
        assert "待批准" in page(admin, PEOPLE)

        assert guard.post(f"{address}decide/", {"answer": "yes"}).status_code == 302

        held = queries.roles_held(account=clerk, on=clerk.created_at.date())
        assert {row.role for row in held} == {"cashier", "department_head"}
        assert guard.post(f"{address}decide/", {"answer": "yes"}).status_code == 409
        assert "批准记录" in page(admin, f"{PEOPLE}{clerk.pk}/")

    @pytest.mark.parametrize(
        "typed",
        [
            {"role-0": "cashier", "reason": "没有变"},
            {"role-0": "finance"},
            {"role-0": "queen", "reason": "x"},
            {"role-0": "finance", "since-0": "yesterday", "reason": "x"},
            {"role-0": "finance", "department-0": "妇科", "reason": "x"},
            {"role-0": "finance", "department-0": "987654321", "reason": "x"},
            {"role-0": "finance", "until-0": "9999-12-31", "reason": "x"},
            {"role-0": "system_admin", "role-1": "audit_admin", "reason": "x"},
        ],
    )
    def test_what_is_wrong_is_said_and_nothing_waits(
        self, admin: Client, typed: dict[str, str]
    ) -> None:
        clerk = a_staff(Role.CASHIER)

        answer = admin.post(f"{PEOPLE}{clerk.pk}/roles/", typed)

        assert answer.status_code == 422
        assert not AccessRequest.objects.exists()

    def test_somebody_with_more_roles_than_one_remembers_keeps_them(self, admin: Client) -> None:
        many = [role.value for role in Role if role not in ADMINISTRATORS]
        clerk = a_staff(*many)
        form = page(admin, f"{PEOPLE}{clerk.pk}/roles/")
        lines = [int(number) for number in re.findall(r'name="role-([0-9]+)"', form)]
        assert lines == list(range(len(many) + 2))
        same = {f"role-{at}": role for at, role in enumerate(sorted(many))} | {"reason": "整理"}

        assert admin.post(f"{PEOPLE}{clerk.pk}/roles/", same).status_code == 422
        assert not AccessRequest.objects.exists()
        fewer = same | {f"role-{len(many) - 1}": ""}
        assert admin.post(f"{PEOPLE}{clerk.pk}/roles/", fewer).status_code == 302

        wanted = [row["role"] for row in AccessRequest.objects.get().wanted]
        assert wanted == sorted(many)[:-1]

    def test_a_role_shows_the_difference_before_it_is_asked(
        self, admin: Client, guard: Client
    ) -> None:
        grants = {
            f"scope:{code}": scope for code, scope in queries.grants_of(role="cashier").items()
        }
        changed = grants | {"scope:patients.find_patient": "", "scope:master.view": "hospital"}

        preview = admin.post("/staff/roles/cashier/change/", changed).content.decode()
        assert all(word in preview for word in ("查找患者", "取消", "基础数据查看", "新增"))
        silent = admin.post("/staff/roles/cashier/change/", changed | {"ask": "1"})
        assert (silent.status_code, AccessRequest.objects.count()) == (422, 0)

        asked = admin.post("/staff/roles/cashier/change/", changed | {"ask": "1", "reason": "分工"})
        assert asked.status_code == 302
        assert not GrantChange.objects.exists()
        assert (
            guard.post(f"{asked.headers['Location']}decide/", {"answer": "yes"}).status_code == 302
        )

        assert "master.view" in queries.grants_of(role="cashier")
        assert "patients.find_patient" not in queries.grants_of(role="cashier")
        assert "与标准角色的不同" in page(admin, "/staff/roles/cashier/")
        assert "分工" in page(admin, "/staff/roles/cashier/")

    def test_a_new_role_begins_as_a_copy(self, admin: Client, guard: Client) -> None:
        shown = page(admin, "/staff/roles/new/", copy_of="cashier")
        assert 'value="hospital" selected' in shown
        typed = {"label": "体检前台", "scope:patients.find_patient": "hospital"}
        asked = admin.post("/staff/roles/new/", typed | {"ask": "1", "reason": "体检"})
        guard.post(f"{asked.headers['Location']}decide/", {"answer": "yes"})

        assert "体检前台" in page(admin, "/staff/roles/")
        assert "本院自建" in page(admin, "/staff/roles/custom_1/")
        assert admin.get("/staff/roles/new/?copy_of=system_admin").status_code == 404
        assert admin.get("/staff/roles/custom_9/").status_code == 404

    def test_administrators_roles_are_only_looked_at(self, admin: Client) -> None:
        shown = page(admin, "/staff/roles/audit_admin/")

        assert "固定的" in shown
        assert "<select" not in shown


def test_the_viewer_says_what_and_why_and_who(admin: Client) -> None:
    department = a_department(name="妇科")
    doctor = a_staff(Role.DOCTOR, display_name="袁静庵", department=department)

    shown = page(admin, f"{PEOPLE}{doctor.pk}/may/")
    assert all(word in shown for word in ("查询预约挂号", "医生", "妇科", "没有截止日期"))
    who = page(admin, "/staff/access/who/", permission="registration.view_appointments")
    assert "袁静庵" in who
    assert "袁静庵" not in page(admin, "/staff/access/who/", permission="payments.collect")
    assert admin.get("/staff/access/who/?permission=nobody.knows").status_code == 404
    nobody = a_staff(display_name="何新")
    assert "什么也不能做" in page(admin, f"{PEOPLE}{nobody.pk}/may/")
