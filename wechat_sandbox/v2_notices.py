"""The notice of a v2 refund: XML whose `req_info` is sealed under the APIv2 key.

AES-256 in ECB mode with PKCS7, the key being the lower-case MD5 of the APIv2 key. It carries no
signature; the merchant answers with XML, `return_code` SUCCESS.
"""

from __future__ import annotations

import base64
import hashlib

from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from wechat_sandbox import xml
from wechat_sandbox.clock import digits
from wechat_sandbox.keys import Keys
from wechat_sandbox.records import Order, Refund
from wechat_sandbox.signing import nonce

MEDIA_TYPE = "text/xml"
STATUS = {
    "SUCCESS": "SUCCESS",
    "PROCESSING": "PROCESSING",
    "ABNORMAL": "CHANGE",
    "CLOSED": "REFUNDCLOSE",
}


def body(keys: Keys, order: Order, refund: Refund, account: str) -> str:
    """The whole notice of a refund that has ended."""
    said = {
        "out_refund_no": refund.out_refund_no,
        "out_trade_no": order.out_trade_no,
        "refund_account": "REFUND_SOURCE_UNSETTLED_FUNDS",
        "refund_fee": str(refund.amount_fen),
        "refund_id": refund.refund_id,
        "refund_recv_accout": account,
        "refund_request_source": "API",
        "refund_status": STATUS[refund.status],
        "settlement_refund_fee": str(refund.amount_fen),
        "settlement_total_fee": str(order.total_fen),
        "total_fee": str(order.total_fen),
        "transaction_id": refund.transaction_id,
    }
    if refund.success_at is not None:
        said["success_time"] = digits(refund.success_at, "%Y-%m-%d %H:%M:%S")
    inner = xml.write(said, root="root")
    return xml.write(
        {
            "return_code": "SUCCESS",
            "appid": order.appid,
            "mch_id": order.mchid,
            "nonce_str": nonce(),
            "req_info": seal(keys.v2_key, inner),
        }
    ).decode()


def seal(v2_key: str, plain: bytes) -> str:
    """AES-256-ECB under the digest of the APIv2 key, base64."""
    key = hashlib.md5(v2_key.encode(), usedforsecurity=False).hexdigest().encode()
    padder = padding.PKCS7(128).padder()
    padded = padder.update(plain) + padder.finalize()
    cipher = Cipher(algorithms.AES(key), modes.ECB()).encryptor()  # noqa: S305 - WeChat's choice
    return base64.b64encode(cipher.update(padded) + cipher.finalize()).decode()


def is_one(text: str) -> bool:
    """Whether a notice's body is of this kind."""
    return text.startswith("<xml>")


def heard(answer: str) -> bool:
    """Whether the merchant's answer says SUCCESS."""
    try:
        return xml.read_flat(answer.encode()).get("return_code") == "SUCCESS"
    except xml.BadXml:
        return False
