"""The platform certificate, sealed under the APIv3 key: the old way to trust signatures."""

from __future__ import annotations

from cryptography import x509

from wechat_sandbox.clock import rfc3339
from wechat_sandbox.sandbox import Sandbox
from wechat_sandbox.signing import encrypt
from wechat_sandbox.v3 import Answer, Call, route


def listed(sandbox: Sandbox, call: Call) -> Answer:
    """GET /v3/certificates"""
    del call
    certificate = x509.load_pem_x509_certificate(sandbox.keys.plat_certificate)
    return Answer(
        {
            "data": [
                {
                    "serial_no": sandbox.keys.plat_serial,
                    "effective_time": rfc3339(certificate.not_valid_before_utc.timestamp()),
                    "expire_time": rfc3339(certificate.not_valid_after_utc.timestamp()),
                    "encrypt_certificate": encrypt(
                        sandbox.keys, sandbox.keys.plat_certificate, "certificate"
                    ),
                }
            ]
        }
    )


routes = [route("/v3/certificates", listed, method="GET")]
