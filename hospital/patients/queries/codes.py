"""Codes by SMS: the one that counts, and what is to be sent."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

from hospital.patients.models import PhoneCode
from hospital.patients.states import CodePurpose


@dataclass(frozen=True, slots=True)
class CodeToSend:
    """A code on its way to a phone; in clear, so never logged."""

    purpose: CodePurpose
    phone: str = field(repr=False)
    code: str = field(repr=False)
    expires_at: dt.datetime


def latest_code(*, wechat_user_id: int, purpose: CodePurpose) -> PhoneCode | None:
    """Return the only code of a user and purpose that may still count."""
    rows = PhoneCode.objects.filter(wechat_user=wechat_user_id, purpose=purpose)
    return rows.order_by("-pk").first()


def code_to_send(*, code_id: int, at: dt.datetime) -> CodeToSend | None:
    """Return what to send, None when it would come too late."""
    row = PhoneCode.objects.filter(pk=code_id, used_at__isnull=True, expires_at__gt=at).first()
    if row is None:
        return None
    return CodeToSend(CodePurpose(row.purpose), row.phone, row.code, row.expires_at)
