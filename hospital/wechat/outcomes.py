"""What a call to WeChat Pay can end in, and how orders and refunds read. All frozen, all typed.

Money is fen. Moments are aware, UTC. A caller matches on these; `Unknown` always means "the state
at WeChat is not known": ask again, never assume.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


@dataclass(frozen=True, kw_only=True)
class Unknown:
    """No trustworthy answer: time-out, 5xx, forged or strange answer. `reason` is for logs."""

    reason: str


@dataclass(frozen=True, kw_only=True)
class Refused:
    """WeChat said no: `code` is WeChat's, `message` its Chinese sentence, `status` the HTTP one.

    The spelling of codes differs between products; on the state of an order, ask instead.
    """

    code: str
    message: str
    status: int


@dataclass(frozen=True, kw_only=True)
class NotFound:
    """WeChat has no such order or refund. Right after a create this means "not yet"."""


@dataclass(frozen=True, kw_only=True)
class Prepaid:
    prepay_id: str


@dataclass(frozen=True, kw_only=True)
class NativePrepaid:
    """`code_url` is the text of the code to show; only WeChat's camera reads it."""

    code_url: str


@dataclass(frozen=True, kw_only=True)
class Paid:
    """Money has arrived. `has_refunds` (trade_state REFUND): some of it may have gone back.

    Compare our amount with `total_fen`; `payer_fen` is less when coupons were used.
    """

    mchid: str
    appid: str
    out_trade_no: str
    transaction_id: str
    total_fen: int
    payer_fen: int
    openid: str
    succeeded_at: datetime
    has_refunds: bool = False


@dataclass(frozen=True, kw_only=True)
class Unpaid:
    """The order stands and may still be paid."""

    state: str


@dataclass(frozen=True, kw_only=True)
class Closed:
    """The order can never be paid any more."""

    state: str = "CLOSED"


class RefundProgress(StrEnum):
    PROCESSING = "PROCESSING"
    SUCCESS = "SUCCESS"
    ABNORMAL = "ABNORMAL"
    CLOSED = "CLOSED"


@dataclass(frozen=True, kw_only=True)
class RefundState:
    """A refund as WeChat sees it; only SUCCESS has a `succeeded_at`."""

    mchid: str
    out_trade_no: str
    out_refund_no: str
    refund_id: str
    progress: RefundProgress
    refund_fen: int
    total_fen: int
    received_account: str
    succeeded_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class Paying:
    """A scanned code is being charged, perhaps: the person may be entering the password. Ask every
    five seconds; not paid after half a minute, reverse. `reason` is WeChat's code."""

    reason: str


@dataclass(frozen=True, kw_only=True)
class ScanRefused:
    """A definite no to a scanned code: nothing was charged and nothing will be."""

    code: str
    message: str


@dataclass(frozen=True, kw_only=True)
class Reversed:
    """The scan order is dead, and money that had moved goes back."""


@dataclass(frozen=True, kw_only=True)
class ReverseAgain:
    """Not reversed yet, WeChat wants the same call again. `reason` is WeChat's code."""

    reason: str


PrepayOutcome = Prepaid | Refused | Unknown
NativeOutcome = NativePrepaid | Refused | Unknown
ScanOutcome = Paid | Paying | ScanRefused | Unknown
ReverseOutcome = Reversed | ReverseAgain | Refused | Unknown
OrderOutcome = Paid | Unpaid | Closed | NotFound | Refused | Unknown
CloseOutcome = Closed | Refused | Unknown
RefundOutcome = RefundState | NotFound | Refused | Unknown
