"""A copy of one's own data (M11.5): asked for, made by a job, opened for a day, forgotten."""

from __future__ import annotations

import datetime as dt
from typing import ClassVar

from django.db import transaction

from hospital.kernel import audit, events
from hospital.kernel.actors import Actor
from hospital.kernel.clock import hospital_day
from hospital.kernel.errors import NotFound, Refusal
from hospital.patients import queries
from hospital.patients.actions import persons
from hospital.patients.events import CopyAsked
from hospital.patients.models import DataCopy
from hospital.patients.thresholds import COPIES_PER_DAY, COPY_HOURS


class TooManyCopies(Refusal):
    """As many copies as allowed were asked for lately."""

    code: ClassVar[str] = "TOO_MANY_COPIES"
    default_message: ClassVar[str] = "近 24 小时内申请数据副本的次数过多，请明天再试。"


def ask_copy(*, wechat_user_id: int, number: str, by: Actor, at: dt.datetime) -> DataCopy:
    """Have a copy made of what is kept about a patient; one under way is not asked for twice.

    For the patient itself and the guardian of a child under 14. Raises NotFound, TooManyCopies.
    """
    binding = queries.own_binding(wechat_user_id=wechat_user_id, number=number)
    if not queries.may_manage(binding, on=hospital_day(at)):
        raise NotFound("数据副本只能由就诊人本人或未满 14 周岁儿童的监护人申请。")
    with transaction.atomic():
        persons.lock(binding.patient_id)
        rows = DataCopy.objects.filter(wechat_user=wechat_user_id, patient=binding.patient)
        under_way = rows.filter(made_at__isnull=True).first()
        if under_way is not None:
            return under_way
        lately = rows.filter(asked_at__gt=at - dt.timedelta(days=1)).count()
        if lately >= COPIES_PER_DAY.value():
            raise TooManyCopies
        copy = DataCopy.objects.create(
            wechat_user_id=wechat_user_id, patient=binding.patient, asked_at=at
        )
        audit.record(act="patients.ask_copy", subject=copy, by=by, at=at)
        events.emit(CopyAsked(copy.pk))
    return copy


def keep_copy(*, copy_id: int, content: bytes, by: Actor, at: dt.datetime) -> None:
    """Keep a made copy sealed until its link is over; the second time changes nothing."""
    rows = DataCopy.objects.filter(pk=copy_id, made_at__isnull=True)
    hours = dt.timedelta(hours=COPY_HOURS.value())
    rows.update(content=content, made_at=at, expires_at=at + hours)


def open_copy(*, wechat_user_id: int, token: str, by: Actor, at: dt.datetime) -> bytes:
    """Return the content of a copy to who asked for it (audited), while that user still decides
    for the patient. Raises NotFound."""
    copy = queries.copy_for(wechat_user_id=wechat_user_id, token=token, at=at)
    number = copy.patient.outpatient_no
    binding = queries.own_binding(wechat_user_id=wechat_user_id, number=number)
    if not queries.may_manage(binding, on=hospital_day(at)):
        raise NotFound("没有找到这份数据副本，或链接已过期。")
    audit.record(act="patients.open_copy", subject=copy, by=by, at=at)
    return bytes(copy.content or b"")
