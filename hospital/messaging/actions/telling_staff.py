"""Telling members of staff something, once per event, by SMS to the phone of their account."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping

from django.db import models, transaction

from hospital.kernel.actors import Actor
from hospital.kernel.events import later
from hospital.kernel.states import subject_type
from hospital.messaging.models import Message
from hospital.messaging.registry import KINDS


def send_to_staff(
    *,
    kind: str,
    to: Iterable[int],
    event_key: str,
    subject: models.Model,
    fields: Mapping[str, str],
    path: str,
    by: Actor,
    at: dt.datetime,
) -> list[int]:
    """Tell staff accounts something of a kind for staff; return the ids of the new messages.

    As `send` for patients: written and deferred in the caller's transaction, once per event and
    person, `fields` exactly those of the kind, `path` opens the exact thing. Whoever has no phone
    is told by the page alone.
    """
    about = KINDS[kind]
    assert about.audience == "staff", f"{kind} is for patients"
    assert fields.keys() == about.fields.keys(), f"{kind} wants {list(about.fields)}"
    assert path.startswith("/"), "a message links to a path of our own"
    new: list[int] = []
    with transaction.atomic():
        for account_id in dict.fromkeys(to):
            message, created = Message.objects.get_or_create(
                event_key=event_key,
                kind=kind,
                staff_id=account_id,
                defaults={
                    "subject_type": subject_type(subject),
                    "subject_id": subject.pk,
                    "fields": {name: fields[name] for name in about.fields},
                    "path": path,
                    "created_at": at,
                },
            )
            if created:
                new.append(message.pk)
                later("messaging.jobs.deliver", message_id=message.pk)
    return new
