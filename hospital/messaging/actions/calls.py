"""Working off the call list."""

from __future__ import annotations

import datetime as dt
from typing import ClassVar

from django.db import transaction

from hospital.kernel.actors import Actor
from hospital.kernel.errors import NotFound, Refusal
from hospital.kernel.states import move
from hospital.messaging.models import CallTask
from hospital.messaging.states import CallStatus


class CallClosed(Refusal):
    """Somebody else has written down how this call ended."""

    code: ClassVar[str] = "CALL_CLOSED"
    default_message: ClassVar[str] = "这个电话任务已经记录过了。"


def close_call(
    *,
    task_id: int,
    status: CallStatus,
    note: str,
    by: Actor,
    at: dt.datetime,
) -> CallTask:
    """Record how a call ended. Raises NotFound, CallClosed.

    Who was unreachable may still be reached later; who was told is told.
    """
    with transaction.atomic():
        task = CallTask.objects.select_for_update(no_key=True).filter(pk=task_id).first()
        if task is None:
            raise NotFound("没有找到这个电话任务。")
        if (task.status, status.value) not in CallTask.MOVES:
            raise CallClosed(f"这个电话任务已经记录为“{CallStatus(task.status).label}”。")
        return move(
            task, status, by=by, at=at, reason=note, note=note, closed_at=at, closed_by=str(by)
        )
