"""The numbers of this area a hospital may change (configuration rows, law 14)."""

from typing import Final

from hospital.kernel.settings_rows import Setting

APPROVAL_ABOVE_FEN: Final = Setting(
    key="payments.approval_above_fen",
    label="退款超过多少须另一人审批",
    default=100_000,
    unit="元",
    minimum=0,
    maximum=100_000_000,
    rule="SM11",
    is_money=True,
)
CODE_DAYS: Final = Setting(
    key="payments.code_days",
    label="缴费码办结多少天后不再显示内容",
    default=30,
    unit="天",
    minimum=1,
    maximum=3650,
    rule="X16",
    is_policy=True,
)
