"""What users want to get: consents they gave in WeChat, switches they turned on our page."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from django.db import transaction
from django.db.models import F

from hospital.identity import queries as identity
from hospital.kernel.actors import Actor
from hospital.messaging.models import Consent, MessagePreference
from hospital.messaging.states import Switch


def add_consent(
    *,
    wechat_user_id: int,
    template_id: str,
    count: int = 1,
    is_permanent: bool = False,
    at: dt.datetime,
) -> None:
    """Count so many more notifications of a template that a user allows."""
    with transaction.atomic():
        row, _ = Consent.objects.get_or_create(
            wechat_user_id=wechat_user_id, template_id=template_id, defaults={"changed_at": at}
        )
        rows = Consent.objects.filter(pk=row.pk)
        if is_permanent:
            rows.update(is_permanent=True, changed_at=at)
        else:
            rows.update(left=F("left") + count, changed_at=at)


def withdraw_consent(*, wechat_user_id: int, template_id: str, at: dt.datetime) -> None:
    """A user allows no more notifications of a template."""
    rows = Consent.objects.filter(wechat_user=wechat_user_id, template_id=template_id)
    rows.update(left=0, is_permanent=False, changed_at=at)


def turn_switches(
    *, wechat_user_id: int, wishes: Mapping[Switch, bool], by: Actor, at: dt.datetime
) -> None:
    """Put a user's switches where the user wants them; it holds for messages not yet sent.

    Raises NotFound when there is no such user.
    """
    with transaction.atomic():
        identity.lock_wechat_user(user_id=wechat_user_id)
        for switch, is_on in wishes.items():
            MessagePreference.objects.update_or_create(
                wechat_user_id=wechat_user_id,
                switch=switch,
                defaults={"is_on": is_on, "changed_at": at},
            )
