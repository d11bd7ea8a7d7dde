"""退款申请: staff ask that lines of a paid bill be given back (SM11's first half).

Small sums on the day they were paid need no second person; everything else is approved by somebody
else. Approval reverses the charges, and what the ledger then owes goes back by itself.
"""

import datetime as dt
from collections.abc import Collection

from django.db import transaction
from django.db.models import Sum

from hospital.billing import actions as billing
from hospital.billing import queries as bills
from hospital.billing.states import PAID
from hospital.kernel import audit, request_keys
from hospital.kernel.actors import SYSTEM, Actor
from hospital.kernel.clock import hospital_day
from hospital.kernel.errors import NotFound, Refusal
from hospital.kernel.four_eyes import AlreadyAsked, check_may_decide, decide
from hospital.payments import thresholds
from hospital.payments.actions.refunds import NothingToRefund
from hospital.payments.models import RefundRequest
from hospital.payments.states import RequestStatus


class RequestChanged(Refusal):
    """What was asked for is not what stands now."""

    code = "REQUEST_CHANGED"
    default_message = "账单内容已变化，请刷新后重新申请。"


def propose_refund(
    *,
    bill_id: int,
    charge_ids: Collection[int] | None = None,
    shown_fen: int,
    reason: str,
    key: str,
    by: Actor,
    at: dt.datetime,
) -> RefundRequest:
    """Ask that these lines of a paid bill (default: all that stand) be given back.

    `shown_fen` is the sum the asker saw, `key` the page's request key: the same key with other
    input is refused. On the hospital day the bill was paid it is approved at once, as long as all
    that nobody else has seen of this bill is at or below `payments.approval_above_fen`. Raises
    NotFound, NothingToRefund, RequestChanged, AlreadyAsked, KeyReused.
    """
    with transaction.atomic():
        wanted = sorted(set(charge_ids)) if charge_ids is not None else None
        claim = request_keys.claim(
            key=key,
            scope=f"payments.propose_refund:{by}",
            inputs={"bill": bill_id, "charges": wanted, "fen": shown_fen, "reason": reason},
            at=at,
        )
        if claim.answer is not None:
            return RefundRequest.objects.get(pk=claim.answer["request"])
        bill = billing.lock_bill(bill_id=bill_id)
        if bill.status not in PAID or bill.settled_at is None:
            raise NothingToRefund("该账单尚未支付，没有可退的费用。")
        if RefundRequest.objects.filter(bill=bill, status=RequestStatus.REQUESTED).exists():
            raise AlreadyAsked
        standing = _standing(bill_id)
        chosen = list(standing) if wanted is None else wanted
        if not set(chosen) <= set(standing):
            raise RequestChanged
        amount_fen = sum(standing[charge_id] for charge_id in chosen)
        if amount_fen <= 0:
            raise NothingToRefund("所选项目没有可退的金额。")
        if amount_fen != shown_fen:
            raise RequestChanged
        request = RefundRequest.objects.create(
            bill=bill, amount_fen=amount_fen, reason=reason[:80], asked_by=str(by), asked_at=at
        )
        request.charges.set(chosen)
        _note(request, "requested", note=request.reason, by=by, at=at)
        is_same_day = hospital_day(bill.settled_at) == hospital_day(at)
        all_fen = amount_fen + _unseen_fen(bill_id)
        if is_same_day and all_fen <= thresholds.APPROVAL_ABOVE_FEN.value():
            _approve(request, note="限额内自动批准", by=SYSTEM, at=at)
        claim.finish({"request": request.pk})
        return request


def approve_refund(*, request_id: int, note: str = "", by: Actor, at: dt.datetime) -> RefundRequest:
    """Let it happen: the charges are reversed and the money goes back. Raises NotFound,
    OwnRequest, AlreadyDecided, RequestChanged when a line was reversed otherwise meanwhile."""
    with transaction.atomic():
        request = _lock(request_id, by)
        standing = _standing(request.bill_id)
        chosen = set(request.charges.values_list("pk", flat=True))
        if not chosen <= set(standing):
            raise RequestChanged
        _approve(request, note=note, by=by, at=at)
        return request


def reject_refund(*, request_id: int, note: str, by: Actor, at: dt.datetime) -> RefundRequest:
    """Say no, with a reason. Raises NotFound, OwnRequest, AlreadyDecided."""
    with transaction.atomic():
        request = _lock(request_id, by)
        _decide(request, RequestStatus.REJECTED, note=note, by=by, at=at)
        return request


def _approve(request: RefundRequest, *, note: str, by: Actor, at: dt.datetime) -> None:
    _decide(request, RequestStatus.APPROVED, note=note, by=by, at=at)
    billing.reverse_charges(
        bill_id=request.bill_id,
        charge_ids=list(request.charges.values_list("pk", flat=True)),
        reason=request.reason,
        by=by,
        at=at,
    )


def _decide(
    request: RefundRequest, to: RequestStatus, *, note: str, by: Actor, at: dt.datetime
) -> None:
    decide(request, to, note=note, by=by, at=at)
    _note(request, to.value, note=note, by=by, at=at)


def _note(request: RefundRequest, act: str, *, note: str, by: Actor, at: dt.datetime) -> None:
    audit.record(
        act=f"payments.refund_request.{act}",
        subject=request,
        by=by,
        at=at,
        after={"bill": request.bill_id, "fen": request.amount_fen, "asked_by": request.asked_by},
        reason=note[:200],
    )


def _lock(request_id: int, by: Actor) -> RefundRequest:
    """The request, its bill locked first."""
    known = RefundRequest.objects.filter(pk=request_id).first()
    if known is None:
        raise NotFound
    billing.lock_bill(bill_id=known.bill_id)
    request = RefundRequest.objects.select_for_update(no_key=True).get(pk=request_id)
    check_may_decide(request, waiting=RequestStatus.REQUESTED, by=by)
    return request


def _unseen_fen(bill_id: int) -> int:
    """What of a bill went back without a second person: a large sum in small requests is large."""
    alone = RefundRequest.objects.filter(
        bill_id=bill_id, status=RequestStatus.APPROVED, decided_by=str(SYSTEM)
    )
    return alone.aggregate(fen=Sum("amount_fen"))["fen"] or 0


def _standing(bill_id: int) -> dict[int, int]:
    """The lines of a bill that were not reversed, with their fen."""
    return bills.standing_fen(bill_id=bill_id)
