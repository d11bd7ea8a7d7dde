"""Cashier scans the patient's code: one façade, two products of WeChat behind it.

Which one the account may use is a fact of its contract (`scan_product`); a caller sees the same
outcomes from both. No notice is ever sent for this product: after `Paying` or `Unknown` ask every
five seconds, and reverse what is not paid after half a minute, never before fifteen seconds after
the charge, and never by a refund.
"""

from typing import Protocol

from hospital.wechat.config import WeChatConfig
from hospital.wechat.outcomes import OrderOutcome, RefundOutcome, ReverseOutcome, ScanOutcome
from hospital.wechat.pay import Pay, RefundOrder
from hospital.wechat.scan_codes import ScanOrder as ScanOrder
from hospital.wechat.scan_codes import is_pay_code as is_pay_code
from hospital.wechat.scan_v2 import ScanV2
from hospital.wechat.scan_v3 import ScanV3
from hospital.wechat.v2_calls import V2Calls

ASK_EVERY_SECONDS = 5
REVERSE_AFTER_SECONDS = 30
REVERSE_NOT_WITHIN_SECONDS = 15


class _Product(Protocol):
    def pay(self, order: ScanOrder) -> ScanOutcome: ...
    def query(self, *, out_trade_no: str) -> OrderOutcome: ...
    def reverse(self, *, out_trade_no: str) -> ReverseOutcome: ...
    def refund(self, order: RefundOrder) -> RefundOutcome: ...
    def query_refund(self, *, out_refund_no: str) -> RefundOutcome: ...


class ScanPay:
    """The cashier-scan product of one merchant account. Safe for threads."""

    def __init__(self, config: WeChatConfig, merchant: Pay) -> None:
        self._v2 = V2Calls(config) if config.scan_product == "v2" else None
        self._product: _Product = ScanV2(self._v2) if self._v2 else ScanV3(merchant)

    def close_connections(self) -> None:
        if self._v2 is not None:
            self._v2.close_connections()

    def pay(self, order: ScanOrder) -> ScanOutcome:
        """Charge the code; may take half a minute. Never sent twice: on anything but Paid and
        ScanRefused, ask with `query`."""
        return self._product.pay(order)

    def query(self, *, out_trade_no: str) -> OrderOutcome:
        """Ask how the charge stands."""
        return self._product.query(out_trade_no=out_trade_no)

    def reverse(self, *, out_trade_no: str) -> ReverseOutcome:
        """End the charge: an unpaid one can never be paid any more, of a paid one the money goes
        back. Repeat it on ReverseAgain and Unknown."""
        return self._product.reverse(out_trade_no=out_trade_no)

    def refund(self, order: RefundOrder) -> RefundOutcome:
        """Money back on an ordinary day; the rules of `Pay.refund`. With v2 no notice comes."""
        return self._product.refund(order)

    def query_refund(self, *, out_refund_no: str) -> RefundOutcome:
        """Ask how a refund of `refund` stands."""
        return self._product.query_refund(out_refund_no=out_refund_no)
