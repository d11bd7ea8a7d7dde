"""Break-glass: a doctor looks at a patient of another department, and somebody reviews it."""

from __future__ import annotations

import datetime as dt
from typing import ClassVar, Final

from django.db import transaction

from hospital.identity import queries
from hospital.identity.models import BreakGlass, StaffAccount
from hospital.identity.states import Verdict
from hospital.kernel import audit
from hospital.kernel.actors import Actor
from hospital.kernel.errors import Invalid, NotAllowed, NotFound, Refusal
from hospital.kernel.settings_rows import Setting

BREAK_GLASS_MINUTES = Setting(
    key="identity.break_glass_minutes",
    label="紧急查阅的时长",
    default=120,
    unit="分钟",
    minimum=10,
    maximum=120,
    rule="第 7 章",
)
_SHORTEST_REASON: Final = 6


class AlreadyReviewed(Refusal):
    code: ClassVar[str] = "ALREADY_REVIEWED"
    default_message: ClassVar[str] = "这次查阅已有审核意见，请刷新页面。"


class OwnEmergency(Refusal):
    """Nobody reviews their own emergency access."""

    code: ClassVar[str] = "OWN_EMERGENCY"
    default_message: ClassVar[str] = "不能审核自己的紧急查阅，请由另一位同事处理。"
    is_audited: ClassVar[bool] = True


@transaction.atomic
def break_glass(
    *, account: StaffAccount, patient_id: int, reason: str, by: Actor, at: dt.datetime
) -> BreakGlass:
    """Open one patient's record to one doctor for a while; an open one is not opened twice.

    Raises Invalid without a reason somebody could review.
    """
    if by != Actor("staff", account.pk):
        raise NotAllowed
    reason = reason.strip()
    if len(reason) < _SHORTEST_REASON:
        sentence = f"请写明紧急查阅的原因，至少 {_SHORTEST_REASON} 个字，医务科会逐条审核。"
        raise Invalid.of("reason", sentence)
    StaffAccount.objects.select_for_update().get(pk=account.pk)
    known = queries.break_glass_of(account=account, patient_id=patient_id, at=at)
    if known is not None:
        return known
    found = BreakGlass.objects.create(
        account=account,
        patient_id=patient_id,
        reason=reason[:200],
        begins_at=at,
        ends_at=at + dt.timedelta(minutes=BREAK_GLASS_MINUTES.value()),
    )
    audit.record(
        act="identity.break_glass",
        subject=found,
        by=by,
        at=at,
        after={"patient_id": patient_id, "ends_at": found.ends_at.isoformat()},
        reason=found.reason,
        person_id=patient_id,
    )
    return found


@transaction.atomic
def review_break_glass(
    *,
    break_glass_id: int,
    verdict: Verdict,
    note: str,
    reviewer: StaffAccount,
    by: Actor,
    at: dt.datetime,
) -> BreakGlass:
    """Write what medical affairs found. Raises OwnEmergency, AlreadyReviewed, Invalid, NotFound."""
    found = BreakGlass.objects.select_for_update().filter(pk=break_glass_id).first()
    if found is None:
        raise NotFound("没有这次紧急查阅。")
    if queries.is_one_person(str(Actor("staff", found.account_id)), str(by)):
        raise OwnEmergency
    if found.verdict:
        raise AlreadyReviewed
    if not note.strip():
        raise Invalid.of("note", "请填写审核意见。")
    found.verdict, found.review_note = verdict, note.strip()[:200]
    found.reviewed_by, found.reviewed_at = reviewer, at
    found.save(update_fields=["verdict", "review_note", "reviewed_by", "reviewed_at"])
    audit.record(
        act="identity.review_break_glass",
        subject=found,
        by=by,
        at=at,
        after={"verdict": verdict},
        reason=found.review_note,
        person_id=found.patient_id,
    )
    return found
