"""Every published vector this wire touches that needs no private key."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from hospital.wechat import signing, v2_calls
from hospital.wechat.config import plain_serial, serial_of
from hospital.wechat.notices import open_notice
from hospital.wechat.tests import vectors


def public_key(pem: bytes) -> RSAPublicKey:
    key = load_pem_public_key(pem)
    assert isinstance(key, RSAPublicKey)
    return key


def certificate_key() -> RSAPublicKey:
    key = x509.load_pem_x509_certificate(vectors.V7_CERTIFICATE).public_key()
    assert isinstance(key, RSAPublicKey)
    return key


def v4_headers() -> dict[str, str]:
    return {
        "Wechatpay-Timestamp": vectors.V4_TIMESTAMP,
        "Wechatpay-Nonce": vectors.V4_NONCE,
        "Wechatpay-Signature": vectors.V4_SIGNATURE,
        "Wechatpay-Serial": "PUB_KEY_ID_1",
    }


V4_AT = datetime.fromtimestamp(int(vectors.V4_TIMESTAMP), UTC)


def test_v1_request_text_of_a_post() -> None:
    text = signing.request_text(
        method="POST",
        target="/v3/pay/transactions/jsapi",
        timestamp=vectors.DOCUMENTED_TIMESTAMP,
        nonce=vectors.DOCUMENTED_NONCE,
        body=vectors.V1_BODY,
    )
    key = public_key(vectors.DOCUMENTED_MERCHANT_KEY)
    assert signing.verify(key=key, text=text, signature=vectors.V1_SIGNATURE)
    assert not signing.verify(key=key, text=text[:-1], signature=vectors.V1_SIGNATURE)


def test_v1_request_text_of_a_get() -> None:
    text = signing.request_text(
        method="GET",
        target=vectors.V1_GET_TARGET,
        timestamp=vectors.DOCUMENTED_TIMESTAMP,
        nonce=vectors.DOCUMENTED_NONCE,
        body=b"",
    )
    key = public_key(vectors.DOCUMENTED_MERCHANT_KEY)
    assert signing.verify(key=key, text=text, signature=vectors.V1_GET_SIGNATURE)


def test_v2_pay_sheet_text() -> None:
    text = signing.lines(
        vectors.V2_APP_ID,
        vectors.DOCUMENTED_TIMESTAMP,
        vectors.DOCUMENTED_NONCE,
        f"prepay_id={vectors.V2_PREPAY_ID}",
    )
    key = public_key(vectors.DOCUMENTED_MERCHANT_KEY)
    assert signing.verify(key=key, text=text, signature=vectors.V2_SIGNATURE)


def test_v4_answer_signed_with_the_public_key() -> None:
    key = public_key(vectors.V4_KEY)
    signing.check_message(
        headers=v4_headers(), body=vectors.V4_BODY, key_of=lambda _: key, at=V4_AT
    )


@pytest.mark.parametrize("skew_seconds", [-301, 301])
def test_v4_answer_is_stale_after_five_minutes(skew_seconds: int) -> None:
    key = public_key(vectors.V4_KEY)
    with pytest.raises(signing.Untrusted, match="stale"):
        signing.check_message(
            headers=v4_headers(),
            body=vectors.V4_BODY,
            key_of=lambda _: key,
            at=V4_AT + timedelta(seconds=skew_seconds),
        )


def test_v5_sealed_resource() -> None:
    assert signing.open_sealed(key=vectors.V5_KEY, **vectors.V5) == b"message"


def test_v6_sealed_resource_with_a_short_key() -> None:
    """AES itself takes 16 bytes; WeChatConfig is what insists on 32 (see test_config)."""
    assert signing.open_sealed(key=vectors.V6_KEY, **vectors.V6) == b"Hello World"


def test_v7_notice_signed_with_a_platform_certificate() -> None:
    signing.check_message(
        headers=vectors.V7_HEADERS,
        body=vectors.V7_BODY,
        key_of=lambda serial: certificate_key() if serial == vectors.V7_SERIAL else None,
        at=datetime.fromtimestamp(vectors.V7_MOMENT, UTC),
    )


def test_v7_serial_of_the_certificate() -> None:
    certificate = x509.load_pem_x509_certificate(vectors.V7_CERTIFICATE)
    assert serial_of(certificate) == plain_serial(vectors.V7_SERIAL.lower())


def test_v8_notice_opened() -> None:
    notice_id, event_type, facts = open_notice(body=vectors.V7_BODY, apiv3_key=vectors.V8_KEY)
    assert notice_id == "3119dfba-e649-5eec-ab1e-3412bc4d2e17"
    assert event_type == "PAYSCORE.USER_OPEN_SERVICE"
    assert facts == vectors.V8_OPENED


def test_v9_signature_of_a_plain_text() -> None:
    key = certificate_key()
    assert signing.verify(key=key, text=b"source", signature=vectors.V9_SIGNATURE)
    assert not signing.verify(key=key, text=b"sauce", signature=vectors.V9_SIGNATURE)


def test_platform_certificate_opened() -> None:
    pem = signing.open_sealed(key=vectors.CERTIFICATES_KEY, **vectors.CERTIFICATES_SEALED)
    assert serial_of(x509.load_pem_x509_certificate(pem)) == vectors.V7_SERIAL


def test_v12_v2_signature() -> None:
    fields = {**vectors.V12_FIELDS, "attach": "", "sign": "not part of it"}
    assert v2_calls.sign(fields, key=vectors.V12_KEY, kind="MD5") == vectors.V12_MD5
    assert v2_calls.sign(fields, key=vectors.V12_KEY, kind="HMAC-SHA256") == vectors.V12_HMAC


def test_v13_page_signature() -> None:
    for url in (vectors.V13_URL, f"{vectors.V13_URL}#top"):
        signature = signing.page_signature(
            ticket=vectors.V13_TICKET,
            nonce=vectors.V13_NONCE,
            timestamp=vectors.V13_TIMESTAMP,
            url=url,
        )
        assert signature == vectors.V13_SIGNATURE


def test_vectors_hold_no_private_key() -> None:
    texts = [str(value) for name, value in vars(vectors).items() if name.isupper()]
    assert not any("PRIVATE" in text for text in texts)
    assert json.loads(vectors.V7_BODY)["resource"]["algorithm"] == "AEAD_AES_256_GCM"
