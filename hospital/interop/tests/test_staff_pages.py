"""外部平台: the system administrator takes platforms in, gives and ends secrets, sees calls."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from django.urls import reverse

from hospital.identity.states import Role
from hospital.interop.models import Partner, PartnerSecret
from hospital.interop.states import Scope
from hospital.kernel.models import AuditEntry
from hospital.testing.partners import Program, a_partner, a_secret
from hospital.testing.people import staff_client
from hospital.testing.schedules import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]
TERMS = {
    "name": "健康之路",
    "contact": "张工",
    "daily_quota": "50",
    "session_percent": "30",
    "per_minute": "60",
    "scopes": [Scope.SLOTS.value, Scope.BOOK.value],
}


@pytest.fixture
def admin() -> Client:
    return staff_client(Role.SYSTEM_ADMIN)


def test_a_platform_is_taken_in_and_changed(admin: Client) -> None:
    answer = admin.post(reverse("interop-partner-new"), TERMS | {"code": "jkzl"}, follow=True)

    made = Partner.objects.get(code="jkzl")
    assert (made.daily_quota, made.session_percent, made.per_minute) == (50, 30, 60)
    assert made.scopes == ["system/Slot.rs", "system/Appointment.cu"]
    assert "平台已登记，请发放密钥。" in answer.content.decode()

    admin.post(reverse("interop-partner", args=[made.pk]), TERMS | {"daily_quota": "80"})

    made.refresh_from_db()
    assert made.daily_quota == 80
    entry = AuditEntry.objects.get(act="interop.change_partner")
    assert (entry.before, entry.after) == ({"daily_quota": 50}, {"daily_quota": 80})


def test_two_administrators_do_not_overwrite_each_other(admin: Client) -> None:
    partner = a_partner(daily_quota=50, session_percent=30, per_minute=60)
    address = reverse("interop-partner", args=[partner.pk])

    def seen(page: str) -> str:
        return str(re.findall(r'name="seen" value="(\w{16})"', page)[0])

    mine = seen(admin.get(address).content.decode())
    staff_client(Role.SYSTEM_ADMIN).post(address, TERMS | {"daily_quota": "80", "seen": mine})

    late = admin.post(address, TERMS | {"per_minute": "90", "seen": mine})

    page = late.content.decode()
    assert late.status_code == 422
    assert "另一位管理员刚刚改过：每日预约额度现为 80，每分钟调用上限现为 60。" in page
    assert 'value="90"' in page, "what was typed is still there"
    partner.refresh_from_db()
    assert (partner.daily_quota, partner.per_minute) == (80, 60)
    admin.post(address, TERMS | {"per_minute": "90", "daily_quota": "80", "seen": seen(page)})
    partner.refresh_from_db()
    assert (partner.daily_quota, partner.per_minute) == (80, 90)


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"code": "大写"}, "客户端编号为 3 到 30 位小写字母、数字和连字符，以字母或数字开头。"),
        ({"code": "taken"}, "这个客户端编号已被使用。"),
        ({"session_percent": "101"}, "请填写 0 到 100 之间的整数。"),
        ({"scopes": []}, "请至少选择一项。"),
        ({"name": " "}, "请填写平台名称。"),
    ],
)
def test_a_wrong_platform_is_refused(
    admin: Client, wrong: dict[str, object], sentence: str
) -> None:
    a_partner(code="taken")

    answer = admin.post(reverse("interop-partner-new"), TERMS | {"code": "jkzl"} | wrong)

    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    assert list(Partner.objects.values_list("code", flat=True)) == ["taken"]


def test_a_secret_is_shown_once_and_two_live_side_by_side(admin: Client) -> None:
    partner = a_partner()
    page = admin.post(reverse("interop-secret", args=[partner.pk]), {"days": "30"})

    shown = re.search(r'class="t-secret">(\w{43})<', page.content.decode())
    assert shown is not None
    again = admin.get(reverse("interop-partner", args=[partner.pk])).content.decode()
    assert shown[1] not in again
    assert f"…{shown[1][-4:]}" in again
    stored = PartnerSecret.objects.get()
    assert shown[1] not in str(PartnerSecret.objects.values().get())
    assert page.headers["Cache-Control"].startswith("max-age=0, no-cache, no-store")

    admin.post(reverse("interop-secret", args=[partner.pk]), {"days": "30"})
    third = admin.post(reverse("interop-secret", args=[partner.pk]), {"days": "30"})

    assert third.status_code == 422
    assert "已有两个有效密钥" in third.content.decode()
    assert PartnerSecret.objects.count() == 2

    admin.post(reverse("interop-secret-end", args=[partner.pk, stored.pk]))
    admin.post(reverse("interop-secret-end", args=[partner.pk, stored.pk]))
    stored.refresh_from_db()
    assert stored.ended_at == NOW
    assert AuditEntry.objects.filter(act="interop.end_secret").count() == 1


def test_days_beyond_the_policy_are_refused(admin: Client) -> None:
    partner = a_partner()
    for days in ("0", "366", "x", ""):
        answer = admin.post(reverse("interop-secret", args=[partner.pk]), {"days": days})
        assert answer.status_code == 422
        page = answer.content.decode()
        assert "有效天数应在 1 到 365 之间。" in page.partition('id="days"')[2]
        assert f'value="{days or 365}"' in page, "what was typed is still there"
    assert not PartnerSecret.objects.exists()


def test_a_platform_is_switched_off_for_a_reason(admin: Client) -> None:
    program = Program(a_partner())
    address = reverse("interop-partner-switch", args=[program.partner.pk])

    refused = admin.post(address, {"is_active": "0", "reason": " "})
    assert (refused.status_code, program.get("/Slot").status) == (422, 200)

    admin.post(address, {"is_active": "0", "reason": "合同到期"})
    assert program.get("/Slot").status == 401

    admin.post(address, {"is_active": "1", "reason": "续签"})
    assert program.get("/Slot").status == 200


def test_another_platforms_secret_is_not_found(admin: Client) -> None:
    mine, theirs = a_partner(), a_partner()
    a_secret(theirs)
    secret = PartnerSecret.objects.get()

    answer = admin.post(reverse("interop-secret-end", args=[mine.pk, secret.pk]))

    assert answer.status_code == 404
    secret.refresh_from_db()
    assert secret.ended_at is None


def test_the_calls_of_a_day_are_listed(admin: Client) -> None:
    program = Program(a_partner(name="<b>平台</b>"))
    program.get("/Slot")
    program.get("/Slot", {"_count": "0"})
    address = reverse("interop-calls", args=[program.partner.pk])

    page = admin.get(address).content.decode()
    assert page.count("查询号源") == 2
    assert "查询条件不正确" in page
    assert "400 BAD_PARAMETER" in page
    assert "<b>平台" not in page
    assert admin.get(address, {"only": "refused"}).content.decode().count("查询号源") == 1
    assert "这一天没有调用" in admin.get(address, {"day": "2026-11-22"}).content.decode()

    assert "没有通过身份验证" not in admin.get(reverse("interop-partners")).content.decode()
    program.token = "x"
    program.get("/Slot")
    board = admin.get(reverse("interop-partners")).content.decode()
    assert "使用中" in board
    assert re.search(r"没有通过身份验证.*127\.0\.0\.1</td>\s*<td[^>]*>1</td>", board, re.DOTALL)
