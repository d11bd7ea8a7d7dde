"""Numbers in the shapes WeChat gives them."""

from __future__ import annotations

import secrets
import uuid

from wechat_sandbox.clock import digits


def prepay_id(at: float) -> str:
    """`wx` + Beijing moment + 20 hex digits."""
    return f"wx{digits(at)}{secrets.token_hex(10)}"


def code_url() -> str:
    """What a Native order's QR holds."""
    return f"weixin://wxpay/bizpayurl?pr={secrets.token_urlsafe(12)[:11]}zz"


def transaction_id(at: float) -> str:
    """28 digits: 4200, six digits, the Beijing day, ten digits."""
    return f"4200{_random(6)}{digits(at, '%Y%m%d')}{_random(10)}"


def refund_id(at: float) -> str:
    """29 digits that start with 50 and hold the Beijing day."""
    return f"50{_random(9)}{digits(at, '%Y%m%d')}{_random(10)}"


def notice_id() -> str:
    """A notification's id."""
    return str(uuid.uuid4())


def request_id(reason: int = 0) -> str:
    """The `Request-ID` header; the number after the last hyphen is the reason code."""
    return f"08{secrets.token_hex(19).upper()}-{reason}"


def _random(length: int) -> str:
    return f"{secrets.randbelow(10**length):0{length}d}"
