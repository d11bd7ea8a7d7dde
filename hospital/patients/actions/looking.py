"""Noting that somebody of the staff looked at a patient's record (X13)."""

from __future__ import annotations

import datetime as dt
from typing import Final

from hospital.kernel import audit
from hospital.kernel.actors import Actor

_ACT: Final = "patients.view"


def record_view(*, patient_id: int, what: str, by: Actor, at: dt.datetime) -> None:
    """Record a look of staff at a patient's record; `what` is a word for the page ("缴费记录").

    Pages ask for themselves again and again: the same reader, patient and page within ten minutes
    is one look. Whoever looks as a patient or as the system is not recorded.
    """
    if by.kind != "staff":
        return
    if audit.seen_lately(act=_ACT, person_id=patient_id, what=what, by=by, at=at):
        return
    after = {"what": what}
    audit.record(act=_ACT, subject=None, by=by, at=at, after=after, person_id=patient_id)
