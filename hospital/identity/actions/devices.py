"""Letting a machine of the hospital in: a code typed at it once, a secret it keeps (kiosks).

The code has forty bits and lives ten minutes, so nobody guesses it; it works once. Everything is
audited with the member of staff, and the pairing with the machine itself.
"""

from __future__ import annotations

import datetime as dt
import secrets
from typing import ClassVar, Final

from django.db import transaction

from hospital.identity.models import Device
from hospital.kernel import audit, serials
from hospital.kernel.actors import Actor
from hospital.kernel.errors import Invalid, NotFound, Refusal
from hospital.kernel.sealed import blind_index

_LETTERS: Final = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
_CODE_LENGTH: Final = 8
CODE_FOR: Final = dt.timedelta(minutes=10)
_SECRET_LENGTH: Final = 43
# A machine asks all day: when it was last seen is written this often and no more.
_SEEN_EVERY: Final = dt.timedelta(minutes=1)


class PairingOver(Refusal):
    code: ClassVar[str] = "PAIRING_OVER"
    default_message: ClassVar[str] = "配对码不对、已用过或已过时，请让管理员重新生成。"


@transaction.atomic
def add_device(*, name: str, place: str, by: Actor, at: dt.datetime) -> tuple[Device, str]:
    """Enter a machine; the code to type at it. Raises Invalid."""
    errors = {}
    if not name.strip():
        errors["name"] = ["请填写自助机的名称，如“门诊大厅1号机”。"]
    elif Device.objects.filter(name=name.strip()).exists():
        errors["name"] = ["已经有同名的自助机。"]
    if not place.strip():
        errors["place"] = ["请填写摆放位置。"]
    if errors:
        raise Invalid(errors)
    device = Device.objects.create(
        name=name.strip(), place=place.strip(), created_by=str(by), created_at=at
    )
    after = {"name": device.name, "place": device.place}
    audit.record(act="identity.add_device", subject=device, by=by, at=at, after=after)
    return device, _new_code(device, at)


@transaction.atomic
def renew_pairing(*, device_id: int, by: Actor, at: dt.datetime) -> tuple[Device, str]:
    """Another code for a machine; what it has works until the code is typed. Raises NotFound."""
    device = _lock(device_id)
    audit.record(act="identity.renew_pairing", subject=device, by=by, at=at)
    return device, _new_code(device, at)


@transaction.atomic
def pair_device(*, code: str, at: dt.datetime) -> tuple[Device, str]:
    """Whoever stands at the machine has typed the code: its secret, for the machine alone to keep.

    Raises PairingOver.
    """
    typed = "".join(code.split()).replace("-", "").upper()
    index = blind_index(typed, "identity.device_code") if typed else ""
    device = Device.objects.select_for_update().filter(code_index=index).first() if index else None
    if device is None or device.code_until is None or at >= device.code_until:
        raise PairingOver
    secret = serials.opaque(length=_SECRET_LENGTH)
    device.code_index, device.code_until = "", None
    device.secret_index = blind_index(secret, "identity.device")
    device.paired_at = device.seen_at = at
    device.save()
    audit.record(act="identity.pair_device", subject=device, by=Actor("device", device.pk), at=at)
    return device, secret


@transaction.atomic
def revoke_device(*, device_id: int, reason: str, by: Actor, at: dt.datetime) -> Device:
    """The machine opens nothing from now on: broken or moved out. Raises NotFound, Invalid."""
    device = _lock(device_id)
    if not reason.strip():
        raise Invalid({"reason": ["请填写停用的原因。"]})
    device.code_index, device.code_until, device.secret_index = "", None, ""
    device.revoked_at, device.revoked_by = at, str(by)
    device.save()
    audit.record(
        act="identity.revoke_device", subject=device, by=by, at=at, reason=reason.strip()[:200]
    )
    return device


def note_device_seen(*, device: Device, at: dt.datetime) -> None:
    """Write down that the machine is alive, once a minute."""
    if device.seen_at is None or at - device.seen_at >= _SEEN_EVERY:
        Device.objects.filter(pk=device.pk).update(seen_at=at)


def _new_code(device: Device, at: dt.datetime) -> str:
    code = "".join(secrets.choice(_LETTERS) for _ in range(_CODE_LENGTH))
    device.code_index = blind_index(code, "identity.device_code")
    device.code_until = at + CODE_FOR
    device.save(update_fields=["code_index", "code_until"])
    return f"{code[:4]}-{code[4:]}"


def _lock(device_id: int) -> Device:
    device = (
        Device.objects.select_for_update().filter(pk=device_id, revoked_at__isnull=True).first()
    )
    if device is None:
        raise NotFound("没有找到这台自助机，或已停用。")
    return device
