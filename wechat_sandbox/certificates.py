"""The platform certificate, sealed under the APIv3 key: the old way to trust signatures."""

from __future__ import annotations

from typing import Any

from cryptography import x509

from wechat_sandbox.clock import rfc3339
from wechat_sandbox.keys import Platform
from wechat_sandbox.sandbox import Sandbox
from wechat_sandbox.signing import encrypt
from wechat_sandbox.v3 import Answer, Call, Refused, route


def listed(sandbox: Sandbox, call: Call) -> Answer:
    """GET /v3/certificates"""
    del call
    if not sandbox.keys.listed:
        raise Refused(
            404, "RESOURCE_NOT_EXISTS", "无可用的平台证书，请在商户平台申请或使用微信支付公钥"
        )
    return Answer({"data": [_shown(sandbox, one) for one in sandbox.keys.listed]})


def _shown(sandbox: Sandbox, platform: Platform) -> dict[str, Any]:
    certificate = x509.load_pem_x509_certificate(platform.certificate)
    return {
        "serial_no": platform.serial,
        "effective_time": rfc3339(certificate.not_valid_before_utc.timestamp()),
        "expire_time": rfc3339(certificate.not_valid_after_utc.timestamp()),
        "encrypt_certificate": encrypt(sandbox.keys, platform.certificate, "certificate"),
    }


routes = [route("/v3/certificates", listed, method="GET")]
