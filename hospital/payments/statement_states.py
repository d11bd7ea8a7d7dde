"""Lifecycle of a day's statement of the channel, and what its lines move."""

from django.db import models

from hospital.kernel.states import Moves


class StatementKind(models.TextChoices):
    TRADE = "trade", "交易账单"
    FUND = "fund", "资金账单"


class StatementStatus(models.TextChoices):
    WAITING = "waiting", "待取得"
    FETCHED = "fetched", "已取得"
    NONE = "none", "当日无交易"
    BROKEN = "broken", "账单有误"


S = StatementStatus

# Asked for again every morning.
WANTED = frozenset({S.WAITING, S.BROKEN})

STATEMENT_MOVES: Moves = frozenset(
    {
        (S.WAITING, S.FETCHED),
        (S.WAITING, S.NONE),
        (S.WAITING, S.BROKEN),  # it does not add up
        (S.BROKEN, S.FETCHED),  # the channel wrote it anew
        (S.BROKEN, S.NONE),
    }
)


class LineKind(models.TextChoices):
    """What a line moves; the first three stand in trade bills, the others in fund bills."""

    PAYMENT = "payment", "支付"
    REFUND = "refund", "退款"
    REVERSAL = "reversal", "撤销"
    INCOME = "income", "收入"
    EXPENSE = "expense", "支出"
