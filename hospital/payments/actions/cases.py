"""Opening and closing what a person must look at. A case is opened once a kind and number."""

import datetime as dt
from collections.abc import Callable, Sequence

from django.db import connection, transaction
from django.db.models import F, QuerySet, Value
from django.db.models.functions import Greatest

from hospital.kernel import audit
from hospital.kernel.actors import SYSTEM, Actor
from hospital.kernel.errors import NotFound, Refusal
from hospital.payments import queries
from hospital.payments.models import Payment, PaymentCase, Refund
from hospital.payments.states import CaseKind

# What closes a case whose notice said one thing and WeChat, asked, another.
AGREES = "微信的回答与系统一致"
_OPEN = """
    INSERT INTO payments_paymentcase (kind, number, payment_id, refund_id, bill_id, expected_fen,
        found_fen, detail, opened_at, closed_by, closing_note)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, '', '')
    ON CONFLICT (kind, number) WHERE closed_at IS NULL DO UPDATE SET
        payment_id = coalesce(payments_paymentcase.payment_id, excluded.payment_id),
        refund_id = coalesce(payments_paymentcase.refund_id, excluded.refund_id),
        expected_fen = coalesce(excluded.expected_fen, payments_paymentcase.expected_fen),
        found_fen = coalesce(excluded.found_fen, payments_paymentcase.found_fen)
"""


class CaseAlreadyClosed(Refusal):
    code = "CASE_CLOSED"
    default_message = "该异常已由其他人处理。"


class MoneyStillOpen(Refusal):
    code = "MONEY_STILL_OPEN"
    default_message = "这笔款还没有处理完，不能直接关闭，请按页面上的处理方式办理。"


def open_case(
    *,
    kind: CaseKind,
    number: str,
    at: dt.datetime,
    payment: Payment | None = None,
    refund: Refund | None = None,
    bill_id: int | None = None,
    expected_fen: int | None = None,
    found_fen: int | None = None,
    detail: str = "",
) -> None:
    """Ask for a person within the caller's transaction; an open one of this kind and number
    already does, and learns what is known now."""
    with connection.cursor() as cursor:
        cursor.execute(
            _OPEN,
            [
                kind,
                number,
                payment.pk if payment else None,
                refund.pk if refund else None,
                bill_id,
                expected_fen,
                found_fen,
                detail[:200],
                at,
            ],
        )


def cure_cases(*, number: str, kinds: Sequence[CaseKind], note: str, at: dt.datetime) -> None:
    """Close cases that the course of things has answered, within the caller's transaction."""
    cure_all(PaymentCase.objects.filter(number=number, kind__in=kinds), note=note, at=at)


def cure_all(cases: QuerySet[PaymentCase], *, note: str, at: dt.datetime) -> None:
    """Close whichever of these are open: never before they were opened, though the clock of the
    server that opened them may be ahead of ours."""
    cases.filter(closed_at__isnull=True).update(
        closed_at=Greatest(F("opened_at"), Value(at)), closed_by=str(SYSTEM), closing_note=note
    )


def cure_case(case: PaymentCase, *, note: str, by: Actor, at: dt.datetime) -> None:
    """Close one locked case that somebody's decision has answered."""
    case.closed_at = max(at, case.opened_at)
    case.closed_by, case.closing_note = str(by), note[:200]
    case.save(update_fields=["closed_at", "closed_by", "closing_note"])


def lock_case(case_id: int, *, before: Callable[[PaymentCase], None]) -> PaymentCase:
    """An open case, locked, after `before` has locked what it is about. Raises NotFound,
    CaseAlreadyClosed."""
    known = PaymentCase.objects.select_related("payment", "refund").filter(pk=case_id).first()
    if known is None:
        raise NotFound
    before(known)
    case = PaymentCase.objects.select_for_update(no_key=True).get(pk=case_id)
    if case.closed_at is not None:
        raise CaseAlreadyClosed
    case.payment, case.refund = known.payment, known.refund
    return case


def close_case(*, case_id: int, note: str, by: Actor, at: dt.datetime) -> PaymentCase:
    """A person has dealt with it. Raises NotFound, CaseAlreadyClosed, MoneyStillOpen while its
    money is neither where it belongs nor on its way back."""
    with transaction.atomic():
        case = lock_case(case_id, before=lambda known: None)
        if queries.money_is_open(case):
            raise MoneyStillOpen
        cure_case(case, note=note, by=by, at=at)
        audit.record(
            act="payments.close_case",
            subject=case,
            by=by,
            at=at,
            after={"kind": case.kind, "number": case.number},
            reason=note[:200],
        )
        return case
