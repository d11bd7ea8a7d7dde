"""Tables of billing. Amounts are fen; a charge and a posting are never edited (law 4).

One deferred check ties a bill's charges, postings and status together at every commit, so the
ledger balances whoever wrote to it: see `ledger_check`.
"""

import pgtrigger
from django.db import models
from django.db.models import F, Q

from hospital.billing.states import (
    BILL_MOVES,
    CHARGE_MOVES,
    PAID,
    PAYABLE,
    SUSPENSE,
    SUSPENSE_KINDS,
    BillStatus,
    ChargeStatus,
    PostingKind,
)
from hospital.kernel.models import append_only
from hospital.kernel.states import StatefulModel, guard, one_of

_ACCOUNT = r"^(cash:[a-z]+|revenue:[a-z_]+|refund_due|suspense)$"
_CASH = r"^cash:[a-z]+$"

# No more suspended money goes back than came.
_SUSPENSE_CHECK = """
    SELECT amount_fen INTO held FROM billing_posting
        WHERE id = NEW.suspended_id AND kind = 'suspend';
    SELECT sum(amount_fen) INTO gone FROM billing_posting WHERE suspended_id = NEW.suspended_id;
    IF held IS NULL OR gone > held THEN
        RAISE EXCEPTION 'suspended money %: % came and % went back', NEW.suspended_id, held, gone;
    END IF;
    RETURN NULL;
"""

# Of one line no more goes back than it charged, in however many parts.
_REVERSAL_CHECK = """
    SELECT amount_fen INTO charged FROM billing_charge
        WHERE id = NEW.reversal_of_id AND bill_id = NEW.bill_id AND reversal_of_id IS NULL;
    SELECT sum(amount_fen) INTO gone FROM billing_charge WHERE reversal_of_id = NEW.reversal_of_id;
    IF charged IS NULL OR charged + gone < 0 THEN
        RAISE EXCEPTION 'charge %: % charged and % reversed', NEW.reversal_of_id, charged, gone;
    END IF;
    RETURN NULL;
"""

_CHECK = """
    SELECT * INTO bill FROM billing_bill WHERE id = {bill_id};
    IF NOT FOUND THEN
        RETURN NULL;  -- suspended money belongs to no bill
    END IF;
    SELECT coalesce(sum(amount_fen) FILTER (WHERE reversal_of_id IS NULL), 0),
        coalesce(sum(amount_fen), 0)
        INTO gross, net FROM billing_charge WHERE bill_id = bill.id;
    SELECT coalesce(sum(CASE WHEN debit LIKE 'cash:%' THEN amount_fen
            WHEN credit LIKE 'cash:%' THEN -amount_fen END), 0),
        coalesce(sum(CASE WHEN credit LIKE 'revenue:%' THEN amount_fen
            WHEN debit LIKE 'revenue:%' THEN -amount_fen END), 0),
        coalesce(sum(CASE WHEN credit = 'refund_due' THEN amount_fen
            WHEN debit = 'refund_due' THEN -amount_fen END), 0)
        INTO cash, revenue, due FROM billing_posting WHERE bill_id = bill.id;
    IF gross <> bill.total_fen THEN
        RAISE EXCEPTION 'bill %: charges % are not its total %', bill.id, gross, bill.total_fen;
    ELSIF revenue <> (CASE WHEN bill.settled_at IS NULL THEN 0 ELSE net END) THEN
        RAISE EXCEPTION 'bill %: revenue % is not its charges %', bill.id, revenue, net;
    ELSIF cash <> revenue + due OR cash < 0 OR due < 0 THEN
        RAISE EXCEPTION 'bill %: cash %, revenue %, due %', bill.id, cash, revenue, due;
    ELSIF bill.settled_at IS NULL AND (cash <> 0 OR net <> gross) THEN
        RAISE EXCEPTION 'bill %: money or reversals before it was settled', bill.id;
    ELSIF bill.status = 'settled' AND cash < bill.total_fen THEN
        RAISE EXCEPTION 'bill %: settled with % of %', bill.id, cash, bill.total_fen;
    ELSIF bill.status = 'refunded' AND (net <> 0 OR cash <> due) THEN
        RAISE EXCEPTION 'bill %: refunded, yet charges % and cash % stand', bill.id, net, cash;
    END IF;
    RETURN NULL;
"""


def ledger_check(name: str, operation: pgtrigger.Operation, *, bill_id: str) -> pgtrigger.Trigger:
    """The check at commit that the bill a row belongs to balances.

    Charges add up to the total; once settled, revenue is what is charged net of reversals, and
    cash is revenue plus what is due back; before, no money has moved at all.
    """
    return pgtrigger.Trigger(
        name=name,
        when=pgtrigger.After,
        operation=operation,
        timing=pgtrigger.Deferred,
        declare=[
            ("bill", "billing_bill%ROWTYPE"),
            *((amount, "BIGINT") for amount in ("gross", "net", "cash", "revenue", "due")),
        ],
        func=_CHECK.replace("{bill_id}", bill_id),
    )


def _exactly_when(when: Q, then: Q, otherwise: Q, *, name: str) -> models.CheckConstraint:
    return models.CheckConstraint(condition=(when & then) | (~when & otherwise), name=name)


class Bill(StatefulModel):
    """账单: what a patient is asked to pay, `total_fen`, for one thing.

    `token` is its address, `number` its gap-free name on paper, `receipt_no` its receipt's. `path`
    is the page that shows what was paid for, `wechat_user` who is asked to pay. With
    `credit_guarantee` the treatment goes on although it is unpaid (M1.17). Moments in UTC.
    """

    MOVES = BILL_MOVES

    number = models.CharField(max_length=20, unique=True)
    token = models.CharField(max_length=40, unique=True)
    patient = models.ForeignKey("patients.Patient", models.PROTECT, related_name="bills")
    wechat_user = models.ForeignKey(
        "identity.WeChatUser", models.PROTECT, null=True, related_name="bills"
    )
    title = models.CharField(max_length=100)
    path = models.CharField(max_length=200)
    total_fen = models.PositiveBigIntegerField()
    status = models.CharField(max_length=20, choices=BillStatus)
    issued_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True)
    settled_at = models.DateTimeField(null=True)
    receipt_no = models.CharField(max_length=20, blank=True)
    credit_guarantee = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["receipt_no"], condition=~Q(receipt_no=""), name="bill_receipt_once"
            ),
            _exactly_when(
                Q(status__in=PAID),
                ~Q(receipt_no="") & Q(settled_at__isnull=False),
                Q(receipt_no="", settled_at__isnull=True),
                name="bill_receipt_when_settled",
            ),
            one_of(BillStatus.values, name="bill_status"),
        ]
        indexes = [
            # 欠费: what was guaranteed and is still to be paid.
            models.Index(
                fields=["issued_at"],
                condition=Q(credit_guarantee=True, status__in=PAYABLE),
                name="bill_arrears",
            ),
        ]
        triggers = [
            guard(BILL_MOVES, name="bill_moves"),
            pgtrigger.ReadOnly(
                name="bill_fixed",
                fields=[
                    "number",
                    "token",
                    "patient",
                    "wechat_user",
                    "total_fen",
                    "issued_at",
                    "credit_guarantee",
                ],
            ),
            pgtrigger.Protect(name="bill_kept", operation=pgtrigger.Delete),
            ledger_check("bill_balances", pgtrigger.Insert | pgtrigger.Update, bill_id="NEW.id"),
        ]

    def __str__(self) -> str:
        return f"bill {self.pk}"


class Charge(StatefulModel):
    """费用明细: one line of a bill, a copy of the price item as it was on that day.

    A reversal is a charge of its own with the negative amount (law 4). `waiver` says why a line
    costs nothing (M1.14).
    """

    MOVES = CHARGE_MOVES

    bill = models.ForeignKey(Bill, models.PROTECT, related_name="charges")
    patient = models.ForeignKey("patients.Patient", models.PROTECT, related_name="charges")
    price_item = models.ForeignKey("catalogue.PriceItem", models.PROTECT, related_name="+")
    item_code = models.CharField(max_length=20)
    item_name = models.CharField(max_length=80)
    category = models.CharField(max_length=20)
    quantity = models.PositiveIntegerField()
    amount_fen = models.BigIntegerField()
    source_kind = models.CharField(max_length=30)
    source_id = models.BigIntegerField()
    waiver = models.CharField(max_length=40, blank=True, default="")
    reversal_of = models.ForeignKey("self", models.PROTECT, null=True, related_name="reversed_by")
    status = models.CharField(max_length=10, choices=ChargeStatus)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(reversal_of__isnull=True, amount_fen__gte=0)
                | Q(reversal_of__isnull=False, amount_fen__lte=0),
                name="charge_sign",
            ),
            models.CheckConstraint(condition=Q(quantity__gte=1), name="charge_quantity"),
            models.CheckConstraint(
                condition=Q(waiver="") | Q(amount_fen=0), name="charge_waived_costs_nothing"
            ),
            one_of(ChargeStatus.values, name="charge_status"),
        ]
        indexes = [models.Index(fields=["source_kind", "source_id"], name="charge_source")]
        triggers = [
            guard(CHARGE_MOVES, name="charge_moves"),
            pgtrigger.ReadOnly(name="charge_fixed", exclude=["status"]),
            pgtrigger.Protect(name="charge_kept", operation=pgtrigger.Delete),
            ledger_check("charge_balances", pgtrigger.Insert, bill_id="NEW.bill_id"),
            pgtrigger.Trigger(
                name="charge_reversals_fit",
                when=pgtrigger.After,
                operation=pgtrigger.Insert,
                timing=pgtrigger.Deferred,
                condition=pgtrigger.Q(new__reversal_of_id__isnull=False),
                declare=[("charged", "BIGINT"), ("gone", "BIGINT")],
                func=_REVERSAL_CHECK,
            ),
        ]

    def __str__(self) -> str:
        return f"charge {self.pk}"


class Posting(models.Model):
    """分录: `amount_fen` moved from the credited to the debited account. Append-only.

    `charge` is the line a settlement earns or a reversal gives up; `reference` is the channel's
    number of the payment or refund. Only suspended money has no bill; its way back points at it.
    """

    debit = models.CharField(max_length=40)
    credit = models.CharField(max_length=40)
    amount_fen = models.PositiveBigIntegerField()
    bill = models.ForeignKey(Bill, models.PROTECT, null=True, related_name="postings")
    charge = models.OneToOneField(Charge, models.PROTECT, null=True, related_name="posting")
    suspended = models.ForeignKey("self", models.PROTECT, null=True, related_name="returns")
    kind = models.CharField(max_length=10, choices=PostingKind)
    reference = models.CharField(max_length=64, blank=True)
    by = models.CharField(max_length=40)
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(amount_fen__gte=1) & ~Q(debit=F("credit")), name="posting_amount"
            ),
            models.CheckConstraint(
                condition=Q(debit__regex=_ACCOUNT, credit__regex=_ACCOUNT),
                name="posting_accounts",
            ),
            models.CheckConstraint(condition=Q(kind__in=PostingKind.values), name="posting_kind"),
            models.CheckConstraint(
                condition=Q(
                    kind__in=[PostingKind.SETTLE, PostingKind.REVERSE], charge__isnull=False
                )
                | Q(charge__isnull=True) & ~Q(kind__in=[PostingKind.SETTLE, PostingKind.REVERSE]),
                name="posting_of_a_charge",
            ),
            models.CheckConstraint(
                condition=Q(kind__in=SUSPENSE_KINDS, bill__isnull=True)
                | ~Q(kind__in=SUSPENSE_KINDS) & Q(bill__isnull=False),
                name="posting_of_a_bill",
            ),
            models.CheckConstraint(
                condition=Q(
                    kind=PostingKind.SUSPEND,
                    debit__regex=_CASH,
                    credit=SUSPENSE,
                    suspended__isnull=True,
                )
                | Q(
                    kind=PostingKind.RETURN,
                    debit=SUSPENSE,
                    credit__regex=_CASH,
                    suspended__isnull=False,
                )
                | ~Q(kind__in=SUSPENSE_KINDS)
                & ~Q(debit=SUSPENSE)
                & ~Q(credit=SUSPENSE)
                & Q(suspended__isnull=True),
                name="posting_suspense",
            ),
            # The same payment or refund is booked once, however often it is told; one payment may
            # be too much for several bills.
            models.UniqueConstraint(
                fields=["bill", "reference"],
                condition=Q(kind=PostingKind.SURPLUS),
                name="posting_surplus_once",
            ),
            models.UniqueConstraint(
                fields=["kind", "reference"],
                condition=Q(kind__in=[PostingKind.REFUND, *SUSPENSE_KINDS]),
                name="posting_reference_once",
            ),
        ]
        indexes = [models.Index(fields=["at"], name="posting_at")]
        triggers = [
            append_only("posting_append_only"),
            ledger_check("posting_balances", pgtrigger.Insert, bill_id="NEW.bill_id"),
            pgtrigger.Trigger(
                name="posting_returns_fit",
                when=pgtrigger.After,
                operation=pgtrigger.Insert,
                timing=pgtrigger.Deferred,
                condition=pgtrigger.Q(new__suspended_id__isnull=False),
                declare=[("held", "BIGINT"), ("gone", "BIGINT")],
                func=_SUSPENSE_CHECK,
            ),
        ]

    def __str__(self) -> str:
        return f"posting {self.pk}"
