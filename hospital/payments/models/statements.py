"""The channel's own books, day by day, as they came: what reconciliation compares ours with."""

import pgtrigger
from django.db import models
from django.db.models import Q

from hospital.kernel.sealed import SealedBinaryField
from hospital.kernel.states import StatefulModel, guard, one_of
from hospital.payments.statement_states import (
    STATEMENT_MOVES,
    LineKind,
    StatementKind,
    StatementStatus,
)


class ChannelStatement(StatefulModel):
    """One bill of one hospital day (= the channel's day) and merchant number. `packed` is the gzip
    file as it came, sealed at rest because openids are in it; `sha1` is the channel's, over the
    uncompressed file. `problem` says why there is none yet."""

    MOVES = STATEMENT_MOVES

    status = models.CharField(
        max_length=10, choices=StatementStatus.choices, default=StatementStatus.WAITING
    )
    mchid = models.CharField(max_length=32)
    day = models.DateField()
    kind = models.CharField(max_length=10, choices=StatementKind.choices)
    created_at = models.DateTimeField()
    asked_at = models.DateTimeField(null=True)
    fetched_at = models.DateTimeField(null=True)
    problem = models.CharField(max_length=64, blank=True)
    sha1 = models.CharField(max_length=40, blank=True)
    packed = SealedBinaryField(null=True)
    line_count = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            one_of(StatementStatus.values, name="statement_status_known"),
            models.UniqueConstraint(fields=["mchid", "day", "kind"], name="statement_once_a_day"),
            models.CheckConstraint(
                condition=Q(status=StatementStatus.FETCHED, packed__isnull=False)
                & Q(fetched_at__isnull=False)
                & ~Q(sha1="")
                | ~Q(status=StatementStatus.FETCHED) & Q(packed__isnull=True, line_count=0),
                name="statement_fetched_has_file",
            ),
        ]
        triggers = [
            guard(STATEMENT_MOVES, name="statement_moves"),
            pgtrigger.Protect(name="statement_kept", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def number(self) -> str:
        """What a case about it is filed under."""
        return f"{self.day:%Y%m%d}-{self.kind}"


class StatementLine(models.Model):
    """A line of a statement. Amounts are fen and positive, fees thousandths of a fen and signed.

    Payments, refunds and reversals carry the order's numbers (a reversal's `out_refund_no` is what
    the channel gave); movements of funds the channel's, with `voucher` our number as booked there.
    No openid is kept in clear.
    """

    statement = models.ForeignKey(ChannelStatement, on_delete=models.PROTECT, related_name="lines")
    number = models.PositiveIntegerField()
    kind = models.CharField(max_length=10, choices=LineKind.choices)
    happened_at = models.DateTimeField()
    amount_fen = models.BigIntegerField()
    fee_milli_fen = models.BigIntegerField(default=0)
    out_trade_no = models.CharField(max_length=64, blank=True)
    transaction_id = models.CharField(max_length=64, blank=True)
    out_refund_no = models.CharField(max_length=64, blank=True)
    refund_id = models.CharField(max_length=64, blank=True)
    state = models.CharField(max_length=32, blank=True)
    trade_type = models.CharField(max_length=32, blank=True)
    flow_number = models.CharField(max_length=64, blank=True)
    business = models.CharField(max_length=64, blank=True)
    voucher = models.CharField(max_length=64, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=LineKind.values), name="statement_line_kind_known"
            ),
            models.UniqueConstraint(fields=["statement", "number"], name="statement_line_once"),
        ]
        indexes = [
            models.Index(fields=["out_trade_no"], name="statement_line_order"),
            models.Index(fields=["out_refund_no"], name="statement_line_refund"),
        ]
        triggers = [
            pgtrigger.Protect(
                name="statement_line_kept", operation=pgtrigger.Update | pgtrigger.Delete
            )
        ]

    def __str__(self) -> str:
        return f"line {self.number} of {self.statement_id}"
