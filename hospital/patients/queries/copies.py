"""Copies of a patient's data: those of a user, and the one behind a link."""

from __future__ import annotations

import datetime as dt

from hospital.kernel.errors import NotFound
from hospital.patients.models import DataCopy, Patient


def copies_for(*, wechat_user_id: int, patient: Patient, at: dt.datetime) -> list[DataCopy]:
    """Return the copies a user asked for that are being made or can be opened, newest first."""
    rows = DataCopy.objects.filter(wechat_user=wechat_user_id, patient=patient).defer("content")
    return [row for row in rows.order_by("-pk") if row.expires_at is None or row.expires_at > at]


def copy_to_make(*, copy_id: int) -> DataCopy | None:
    """Return a copy that is still to be made, with its patient."""
    rows = DataCopy.objects.select_related("patient").filter(pk=copy_id, made_at__isnull=True)
    return rows.first()


def copy_for(*, wechat_user_id: int, token: str, at: dt.datetime) -> DataCopy:
    """Return the made copy behind a link of this user's.

    Raises NotFound, also for somebody else's, one that is over, or a user no longer bound.
    """
    rows = DataCopy.objects.filter(
        token=token,
        wechat_user=wechat_user_id,
        expires_at__gt=at,
        patient__bindings__wechat_user=wechat_user_id,
        patient__bindings__ended_at__isnull=True,
    )
    found = rows.first() if "\0" not in token else None
    if found is None:
        raise NotFound("没有找到这份数据副本，或链接已过期。")
    return found
