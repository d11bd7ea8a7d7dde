"""The kinds of message (chapter 4 of the domain handbook): title, fields and their labels.

A message must be understood from at most five short fields (M8.2) and names no diagnosis, drug
or full ID (M8.3). How long a field may be depends on the account's approved template; see
`approved` and `fitting`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

MOST_FIELDS: Final = 5


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of message; `fields` maps the names callers use to the labels people read."""

    code: str
    title: str
    fields: dict[str, str]

    def __post_init__(self) -> None:
        assert len(self.fields) <= MOST_FIELDS, f"{self.code} has more than five fields"


_ALL: Final = (
    Kind(
        code="N01",
        title="挂号成功",
        fields={
            "patient": "就诊人",
            "department": "科室",
            "doctor": "医生",
            "time": "就诊时间",
            "number": "就诊序号",
        },
    ),
    Kind(
        code="N02",
        title="挂号待支付",
        fields={
            "department": "科室",
            "doctor": "医生",
            "pay_before": "最晚支付",
            "amount": "应付金额",
        },
    ),
    Kind(
        code="N03",
        title="号源已释放",
        fields={"department": "科室", "date": "就诊日期", "reason": "原因"},
    ),
    Kind(
        code="N05",
        title="退号成功",
        fields={
            "department": "科室",
            "date": "就诊日期",
            "refund": "退款金额",
            "arrival": "到账时间",
        },
    ),
    Kind(
        code="N26",
        title="退费通知",
        fields={"amount": "退款金额", "route": "退回账户", "state": "退款状态"},
    ),
)
KINDS: Final = {kind.code: kind for kind in _ALL}
