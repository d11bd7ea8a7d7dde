"""What a scanned QR of ours opens: what its bills ask for now, and what a scanner may see."""

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hospital.billing import queries as billing
from hospital.billing.states import PAID, BillStatus, is_payable
from hospital.catalogue.states import FeeCategory
from hospital.kernel.errors import NotFound
from hospital.patients import queries as patients
from hospital.payments.models import PayCode
from hospital.payments.queries.collecting import may_end
from hospital.payments.queries.desk import live_payments
from hospital.payments.states import CodeState
from hospital.payments.thresholds import CODE_DAYS

if TYPE_CHECKING:
    from hospital.billing.models import Bill, Charge


@dataclass(frozen=True, slots=True, kw_only=True)
class PayCodePage:
    """Ready for the page; the patient's name is still to be masked. `total_fen` is what is unpaid
    now; `lines` only for somebody bound to the patient (M5.2). A revoked code tells nothing, one
    that was done with long ago only that (X16)."""

    token: str
    state: CodeState
    bill_ids: tuple[int, ...]
    patient_name: str
    titles: tuple[str, ...]
    categories: tuple[str, ...]
    total_fen: int
    paid_fen: int
    payment_id: int | None
    lines: tuple["Charge", ...]

    @property
    def can_pay(self) -> bool:
        return self.state in {CodeState.UNPAID, CodeState.PAYING}


def pay_code_page(*, token: str, wechat_user_id: int, at: dt.datetime) -> PayCodePage:
    """What this user sees of a code. Raises NotFound."""
    code = _code(token)
    if code.revoked_at is not None:
        return _silent(token, CodeState.REVOKED)
    bills = _bills(code)
    payable = _payable(bills, at)
    if not payable and _ended_at(bills) < at - dt.timedelta(days=CODE_DAYS.value()):
        return _silent(token, _state(bills, payable, is_mine=False, is_blocked=False))
    live = live_payments(bill_ids=[bill.pk for bill in payable])
    mine = next((row for row in live if row.payer_id == wechat_user_id), None)
    blocking = [row for row in live if not may_end(row, wechat_user_id, at)]
    shown = payable or bills
    charges = [
        charge
        for bill in shown
        for charge in billing.charges_of(bill_id=bill.pk)
        if charge.reversal_of_id is None
    ]
    bound = {row.patient.pk for row in patients.patients_for(wechat_user_id=wechat_user_id)}
    is_known = all(bill.patient_id in bound for bill in shown)
    return PayCodePage(
        token=token,
        state=_state(bills, payable, is_mine=mine is not None, is_blocked=bool(blocking)),
        bill_ids=tuple(bill.pk for bill in payable),
        patient_name=shown[0].patient.name,
        titles=tuple(dict.fromkeys(bill.title for bill in shown)),
        categories=tuple(dict.fromkeys(_category(charge.category) for charge in charges)),
        total_fen=sum(bill.total_fen for bill in payable),
        paid_fen=sum(bill.total_fen for bill in bills if bill.status in PAID),
        payment_id=mine.pk if mine else None,
        lines=tuple(charges) if is_known else (),
    )


def payable_by_code(*, token: str, at: dt.datetime) -> list[int]:
    """The bills a code pays now; none when it is revoked. Raises NotFound."""
    code = _code(token)
    if code.revoked_at is not None:
        return []
    return [bill.pk for bill in _payable(_bills(code), at)]


def pay_codes_of(*, bill_id: int) -> list[PayCode]:
    """The codes of a bill, newest first, for the desk."""
    return list(PayCode.objects.filter(bills=bill_id).order_by("-pk"))


def _code(token: str) -> PayCode:
    found = PayCode.objects.filter(token=token).first()
    if found is None:
        raise NotFound("没有找到这个收款码。")
    return found


def _bills(code: PayCode) -> list["Bill"]:
    return list(code.bills.select_related("patient").order_by("pk"))


def _payable(bills: list["Bill"], at: dt.datetime) -> list["Bill"]:
    return [bill for bill in bills if is_payable(bill.status, bill.expires_at, at)]


def _state(
    bills: list["Bill"], payable: list["Bill"], *, is_mine: bool, is_blocked: bool
) -> CodeState:
    if payable:
        if is_blocked and not is_mine:
            return CodeState.ELSEWHERE
        return CodeState.PAYING if is_mine else CodeState.UNPAID
    if any(bill.status in PAID for bill in bills):
        return CodeState.PAID
    if all(bill.status == BillStatus.CANCELLED for bill in bills):
        return CodeState.CANCELLED
    return CodeState.EXPIRED


def _category(category: str) -> str:
    return FeeCategory(category).label if category in FeeCategory.values else category


def _ended_at(bills: list["Bill"]) -> dt.datetime:
    """When the last of them was paid or ran out; one given up counts from its first day."""
    return max(bill.settled_at or bill.expires_at or bill.issued_at for bill in bills)


def _silent(token: str, state: CodeState) -> PayCodePage:
    """How it stands, and nothing of whom and what it was for."""
    return PayCodePage(
        token=token,
        state=state,
        bill_ids=(),
        patient_name="",
        titles=(),
        categories=(),
        total_fen=0,
        paid_fen=0,
        payment_id=None,
        lines=(),
    )
