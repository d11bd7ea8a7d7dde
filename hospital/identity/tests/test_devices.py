"""Kiosks are let in by a code typed once, and shut out at a press (H1, X10)."""

from __future__ import annotations

import datetime as dt

import pytest
from django.test import Client
from django.urls import reverse

from hospital.identity import actions, queries
from hospital.identity.access import KIOSK_COOKIE
from hospital.identity.actions import PairingOver
from hospital.identity.models import Device
from hospital.identity.states import Role
from hospital.kernel.actors import Actor
from hospital.kernel.errors import Invalid, NotFound
from hospital.kernel.models import AuditEntry
from hospital.testing.people import staff_client
from hospital.testing.schedules import NOW

pytestmark = pytest.mark.django_db
ADMIN = Actor("staff", 1)


def a_device(name: str = "大厅1号机") -> tuple[Device, str]:
    return actions.add_device(name=name, place="门诊楼1楼", by=ADMIN, at=NOW)


def test_a_code_opens_once_and_only_for_ten_minutes() -> None:
    """X10: the secret is the machine's alone; what was paired before opens nothing more."""
    device, code = a_device()
    with pytest.raises(PairingOver):
        actions.pair_device(code=code, at=NOW + actions.CODE_FOR)
    with pytest.raises(PairingOver):
        actions.pair_device(code="", at=NOW)
    paired, secret = actions.pair_device(code=code.lower(), at=NOW)
    assert paired == device
    with pytest.raises(PairingOver):
        actions.pair_device(code=code, at=NOW)
    assert queries.device_of(secret=secret) == device
    _, another = actions.renew_pairing(device_id=device.pk, by=ADMIN, at=NOW)
    assert queries.device_of(secret=secret) == device
    _, fresh = actions.pair_device(code=another, at=NOW)
    assert queries.device_of(secret=secret) is None
    assert queries.device_of(secret=fresh) == device
    stored = str(Device.objects.values().get())
    assert fresh not in stored
    assert code.replace("-", "") not in stored


def test_a_machine_switched_off_opens_nothing() -> None:
    """X10: at once, for good, with a reason that is audited."""
    device, code = a_device()
    _, secret = actions.pair_device(code=code, at=NOW)
    with pytest.raises(Invalid):
        actions.revoke_device(device_id=device.pk, reason=" ", by=ADMIN, at=NOW)
    assert queries.device_of(secret=secret) == device
    actions.revoke_device(device_id=device.pk, reason="搬走", by=ADMIN, at=NOW)
    assert queries.device_of(secret=secret) is None
    with pytest.raises(NotFound):
        actions.renew_pairing(device_id=device.pk, by=ADMIN, at=NOW)
    acts = list(AuditEntry.objects.order_by("pk").values_list("act", "by"))
    assert acts[-3:] == [
        ("identity.add_device", "staff:1"),
        ("identity.pair_device", f"device:{device.pk}"),
        ("identity.revoke_device", "staff:1"),
    ]


def test_the_security_administrator_pairs_and_the_machine_keeps_its_cookie() -> None:
    """X10: the code is shown once; the cookie goes no further than /kiosk/."""
    admin, machine = staff_client(Role.SECURITY_ADMIN), Client()
    page = reverse("identity-devices")
    assert admin.post(page, {"name": "", "place": ""}).status_code == 422
    shown = admin.post(page, {"name": "大厅1号机", "place": "1楼"}).content.decode()
    code = shown.split('配对码 <strong class="x-num">')[1][:9]
    assert code not in admin.get(page).content.decode()
    assert admin.post(page, {"name": "大厅1号机", "place": "1楼"}).status_code == 422
    wrong = machine.post("/kiosk/pair/", {"code": "AAAA-AAAA"})
    assert (wrong.status_code, KIOSK_COOKIE in wrong.cookies) == (422, False)
    assert 'value="AAAA-AAAA"' in wrong.content.decode(), "what was typed is still there"
    paired = machine.post("/kiosk/pair/", {"code": code})
    cookie = paired.cookies[KIOSK_COOKIE]
    assert (paired["Location"], cookie["path"], cookie["httponly"]) == ("/kiosk/", "/kiosk/", True)
    assert cookie["samesite"] == "Strict"
    device = Device.objects.get()
    assert admin.post(reverse("identity-device-renew", args=[device.pk])).status_code == 200
    revoke = reverse("identity-device-revoke", args=[device.pk])
    assert admin.post(revoke, {"reason": ""}).status_code == 422
    assert admin.post(revoke, {"reason": "坏了"}).status_code == 302
    assert "已停用" in admin.get(page).content.decode()
    for role in (Role.SYSTEM_ADMIN, Role.REGISTRATION_CLERK):
        assert staff_client(role).get(page).status_code == 403


def test_being_seen_is_written_once_a_minute() -> None:
    device, code = a_device()
    actions.pair_device(code=code, at=NOW)
    device.refresh_from_db()
    actions.note_device_seen(device=device, at=NOW + dt.timedelta(seconds=59))
    device.refresh_from_db()
    assert device.seen_at == NOW
    later = NOW + dt.timedelta(minutes=1)
    actions.note_device_seen(device=device, at=later)
    device.refresh_from_db()
    assert device.seen_at == later
