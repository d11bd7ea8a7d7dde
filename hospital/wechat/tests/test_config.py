"""Connection facts: what is refused before anything is sent."""

import dataclasses
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from hospital.wechat.config import (
    API_HOST,
    JS_URL,
    OPEN_HOST,
    PAY_HOST,
    PAY_STANDBY_HOST,
    BadWeChatConfig,
    WeChatConfig,
    from_file,
)
from hospital.wechat.tests import vectors

MERCHANT_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
WECHAT_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
FACTS: dict[str, Any] = {
    "mchid": "1600000001",
    "appid": "wx0123456789abcdef",
    "secret": "s" * 32,
    "apiv3_key": "k" * 32,
    "mch_serial": "5157f09efdc096de15ebe81a47057a7232f1b8e1",
    "pub_key_id": "PUB_KEY_ID_0116000000012024",
    "files": {"mch_key": "key.pem", "wxp_pub": "pub.pem"},
}


def write(folder: Path, **changes: object) -> Path:
    (folder / "key.pem").write_bytes(
        MERCHANT_KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    (folder / "pub.pem").write_bytes(
        WECHAT_KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    )
    (folder / "plat.pem").write_bytes(vectors.V7_CERTIFICATE)
    path = folder / "wechat.json"
    path.write_text(json.dumps({**FACTS, **changes}), "utf-8")
    return path


def test_a_real_account_needs_no_addresses(tmp_path: Path) -> None:
    config = from_file(write(tmp_path))
    assert config.pay_hosts == [PAY_HOST, PAY_STANDBY_HOST]
    assert (config.api_base, config.open_base, config.js_url) == (API_HOST, OPEN_HOST, JS_URL)
    config.check_production()


def test_a_stand_in_serves_everything_from_its_own_address(tmp_path: Path) -> None:
    base = "http://127.0.0.1:9000"
    config = from_file(write(tmp_path, base=base, api_base=f"{base}/"))
    assert config.pay_hosts == [base]
    assert config.open_base == base
    assert config.js_url == f"{base}/open/js/jweixin.js"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("pay_base", "http://api.mch.weixin.qq.com"),
        ("pay_base", "https://127.0.0.1:9000"),
        ("pay_base", "https://api.mch.weixin.qq.com:8443"),
        ("pay_base", "https://api.mch.weixin.qq.com@evil.example"),
        ("pay_standby", "https://api2.mch.weixin.qq.com.evil.example"),
        ("api_base", "https://api.mch.weixin.qq.com"),
        ("open_base", "https://open.weixin.qq.com.cn"),
        ("js_url", "https://cdn.example/jweixin.js"),
    ],
)
def test_production_refuses_other_addresses(tmp_path: Path, name: str, value: str) -> None:
    address: dict[str, Any] = {name: value}
    config = dataclasses.replace(from_file(write(tmp_path)), **address)
    with pytest.raises(BadWeChatConfig, match=name):
        config.check_production()


@pytest.mark.parametrize(
    "changes",
    [{"message_mode": "plain", "aes_key": "a" * 43}, {"message_mode": "safe", "aes_key": ""}],
)
def test_production_refuses_callbacks_anybody_can_forge(
    tmp_path: Path, changes: dict[str, object]
) -> None:
    config = from_file(write(tmp_path, token="hospital", **changes))
    with pytest.raises(BadWeChatConfig, match="aes_key"):
        config.check_production()


def test_what_is_optional_is_read(tmp_path: Path) -> None:
    config = from_file(
        write(
            tmp_path,
            v2_key="2" * 32,
            v2_sign_type="MD5",
            scan_product="v3",
            token="hospital",
            aes_key="a" * 43,
            message_mode="compatible",
            mp_appid="wxmini",
            mp_secret="m" * 32,
        )
    )
    assert (config.v2_key, config.v2_sign_type, config.scan_product) == ("2" * 32, "MD5", "v3")
    assert (config.token, config.aes_key, config.message_mode) == (
        "hospital",
        "a" * 43,
        "compatible",
    )
    assert (config.mini_appid, config.mini_secret) == ("wxmini", "m" * 32)
    for secret in (config.v2_key, config.aes_key, config.mini_secret):
        assert secret not in repr(config)


def test_scans_need_a_key_or_the_new_product(tmp_path: Path) -> None:
    assert not from_file(write(tmp_path)).takes_scans
    assert from_file(write(tmp_path, v2_key="2" * 32, base="http://127.0.0.1:1")).takes_scans
    # At WeChat itself reversing needs the merchant's certificate.
    assert not from_file(write(tmp_path, v2_key="2" * 32)).takes_scans
    assert from_file(write(tmp_path, scan_product="v3")).takes_scans


@pytest.mark.parametrize(
    ("whose", "serial", "words"),
    [
        ("other", FACTS["mch_serial"], "does not belong"),
        ("ours", "0123456789abcdef", "another serial"),
        ("nobody", FACTS["mch_serial"], "not a readable PEM"),
    ],
)
def test_a_merchant_certificate_that_does_not_fit(
    tmp_path: Path, whose: str, serial: str, words: str
) -> None:
    key = {"ours": MERCHANT_KEY}.get(whose, WECHAT_KEY)
    path = write(tmp_path, files={**FACTS["files"], "mch_cert": "cert.pem"})
    pem = certificate(key, int(serial, 16)) if whose != "nobody" else b"nothing"
    (tmp_path / "cert.pem").write_bytes(pem)
    with pytest.raises(BadWeChatConfig, match=words):
        from_file(path)


def test_a_merchant_certificate_that_fits(tmp_path: Path) -> None:
    path = write(tmp_path, files={**FACTS["files"], "mch_cert": "cert.pem"})
    (tmp_path / "cert.pem").write_bytes(certificate(MERCHANT_KEY, int(FACTS["mch_serial"], 16)))
    config = from_file(path)
    assert config.merchant_cert == tmp_path / "cert.pem"
    assert config.merchant_key_file == tmp_path / "key.pem"


def certificate(key: rsa.RSAPrivateKey, serial: int) -> bytes:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "merchant")])
    made = x509.CertificateBuilder(
        issuer_name=name,
        subject_name=name,
        public_key=key.public_key(),
        serial_number=serial,
        not_valid_before=datetime(2026, 1, 1, tzinfo=UTC),
        not_valid_after=datetime(2031, 1, 1, tzinfo=UTC),
    ).sign(key, SHA256())
    return made.public_bytes(Encoding.PEM)


@pytest.mark.parametrize(
    "changes",
    [
        {"apiv3_key": "k" * 16},
        {"v2_key": "k" * 31},
        {"v2_sign_type": "SHA256"},
        {"scan_product": "v1"},
        {"message_mode": "loud"},
        {"aes_key": "a" * 42},
        {"aes_key": "a" * 42 + "="},
        {"apiv3_key": "k" * 33},
        {"mchid": ""},
        {"mch_serial": ""},
        {"files": {}},
        {"files": {"mch_key": "key.pem"}},
        {"files": {"mch_key": "absent.pem", "wxp_pub": "pub.pem"}},
        {"files": {"mch_key": "pub.pem", "wxp_pub": "pub.pem"}},
        {"files": {"mch_key": "key.pem", "wxp_pub": "key.pem"}},
        {"files": {"mch_key": "key.pem", "plat_cert": "pub.pem"}},
        {"pub_key_id": "0116000000012024"},
        {"pub_key_id": ""},
        # Our own certificate given as WeChat's.
        {
            "mch_serial": vectors.V7_SERIAL.lower(),
            "files": {"mch_key": "key.pem", "plat_cert": "plat.pem"},
        },
    ],
)
def test_facts_that_cannot_be_right_are_refused(tmp_path: Path, changes: dict[str, object]) -> None:
    with pytest.raises(BadWeChatConfig):
        from_file(write(tmp_path, **changes))


@pytest.mark.parametrize("text", ["", "[", "nonsense"])
def test_an_unreadable_file_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "wechat.json"
    path.write_text(text, "utf-8")
    with pytest.raises(BadWeChatConfig):
        from_file(path)


def test_certificate_mode(tmp_path: Path) -> None:
    config = from_file(write(tmp_path, files={"mch_key": "key.pem", "plat_cert": "plat.pem"}))
    assert config.platform_serials == {vectors.V7_SERIAL}
    assert config.public_key is None
    assert config.public_key_id == ""


def test_secrets_stay_out_of_the_repr(tmp_path: Path) -> None:
    text = repr(from_file(write(tmp_path)))
    assert FACTS["secret"] not in text
    assert FACTS["apiv3_key"] not in text
    assert isinstance(from_file(write(tmp_path)), WeChatConfig)
