"""Connection facts of one WeChat account: who we are, our keys, WeChat's keys, where it answers.

Read from a JSON file (the shape the sandbox exports) and checked once at start. `check_production`
is the guard that no real hospital ever pays through a stand-in.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

PAY_HOST = "https://api.mch.weixin.qq.com"
PAY_STANDBY_HOST = "https://api2.mch.weixin.qq.com"
API_HOST = "https://api.weixin.qq.com"
OPEN_HOST = "https://open.weixin.qq.com"
JS_URL = "https://res.wx.qq.com/open/js/jweixin-1.6.0.js"

TENCENT_HOSTS = {
    "pay_base": {"api.mch.weixin.qq.com", "api2.mch.weixin.qq.com"},
    "pay_standby": {"api.mch.weixin.qq.com", "api2.mch.weixin.qq.com"},
    "api_base": {
        "api.weixin.qq.com",
        "api2.weixin.qq.com",
        "sh.api.weixin.qq.com",
        "sz.api.weixin.qq.com",
        "hk.api.weixin.qq.com",
    },
    "open_base": {"open.weixin.qq.com"},
    "js_url": {"res.wx.qq.com", "res2.wx.qq.com"},
}
APIV3_KEY_BYTES = 32
PUBLIC_KEY_PREFIX = "PUB_KEY_ID_"


class BadWeChatConfig(Exception):
    """The connection facts cannot be used; the process must not start with them."""


@dataclass(frozen=True, eq=False, kw_only=True)
class WeChatConfig:
    """One merchant number with one Official Account. Secrets stay out of its repr.

    Raises BadWeChatConfig when a fact cannot be right, whatever the environment.
    """

    appid: str
    secret: str = field(repr=False)
    mchid: str
    merchant_serial: str
    merchant_key: RSAPrivateKey = field(repr=False)
    apiv3_key: bytes = field(repr=False)
    public_key_id: str = ""
    public_key: RSAPublicKey | None = field(default=None, repr=False)
    platform_certificates: tuple[x509.Certificate, ...] = field(default=(), repr=False)
    mini_appid: str = ""
    pay_base: str = PAY_HOST
    pay_standby: str = ""
    api_base: str = API_HOST
    open_base: str = OPEN_HOST
    js_url: str = JS_URL
    connect_seconds: float = 3.0
    read_seconds: float = 10.0

    def __post_init__(self) -> None:
        if len(self.apiv3_key) != APIV3_KEY_BYTES:
            raise BadWeChatConfig(f"The APIv3 key must be exactly {APIV3_KEY_BYTES} bytes.")
        if bool(self.public_key_id) != (self.public_key is not None):
            raise BadWeChatConfig("The WeChat Pay public key and its id come together.")
        if not self.public_key_id and not self.platform_certificates:
            raise BadWeChatConfig("Neither a WeChat Pay public key nor a platform certificate.")
        if self.public_key_id and not self.public_key_id.startswith(PUBLIC_KEY_PREFIX):
            raise BadWeChatConfig(
                f"The id of a WeChat Pay public key starts with {PUBLIC_KEY_PREFIX}."
            )
        if plain_serial(self.merchant_serial) in self.platform_serials:
            # The classic mix-up: our own certificate given as WeChat's, so that we would
            # "verify" with a key we hold ourselves.
            raise BadWeChatConfig("The merchant certificate was given as WeChat's certificate.")

    @property
    def platform_serials(self) -> set[str]:
        return {serial_of(certificate) for certificate in self.platform_certificates}

    @property
    def pay_hosts(self) -> list[str]:
        """The pay host, then its standby where there is one."""
        return [base for base in (self.pay_base, self.pay_standby) if base]

    def check_production(self) -> None:
        """Refuse every address that is not https at one of Tencent's own hosts."""
        wrong = [
            f"{name}={value}"
            for name, hosts in TENCENT_HOSTS.items()
            if (value := getattr(self, name)) and not _is_tencent(value, hosts)
        ]
        if wrong:
            raise BadWeChatConfig(f"Not Tencent's https address: {', '.join(wrong)}")


def _is_tencent(address: str, hosts: set[str]) -> bool:
    parts = urlsplit(address)
    # netloc, not hostname: neither a port nor user:password@ has any business here.
    return parts.scheme == "https" and parts.netloc in hosts


def from_file(path: Path) -> WeChatConfig:
    """Read the JSON connection file: the stand-in's export, or one written for a real account.

    Keys: mchid, appid, secret, apiv3_key, mch_serial, files{mch_key, and plat_cert, or wxp_pub with
    its pub_key_id, or both}; optional mp_appid and the addresses base, standby_base, api_base,
    open_base, js_url, which are Tencent's own unless given. Paths in `files` are relative to the
    file itself. Raises BadWeChatConfig.
    """
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadWeChatConfig(f"Cannot read the WeChat connection file {path}: {error}") from error
    files = facts.get("files", {})
    try:
        texts = {
            name: (path.parent / files[name]).read_bytes()
            for name in ("mch_key", "plat_cert", "wxp_pub")
            if files.get(name)
        }
    except OSError as error:
        raise BadWeChatConfig(f"Cannot read a WeChat key file: {error}") from error
    return _build(facts, texts=texts)


def _build(facts: dict[str, Any], *, texts: dict[str, bytes]) -> WeChatConfig:
    missing = [
        name
        for name in ("mchid", "appid", "secret", "apiv3_key", "mch_serial")
        if not facts.get(name)
    ]
    if missing or "mch_key" not in texts:
        wanted = ", ".join(missing or ["the merchant's private key"])
        raise BadWeChatConfig(f"Missing in the WeChat connection facts: {wanted}")
    pay_base = facts.get("base", PAY_HOST).rstrip("/")
    api_base = facts.get("api_base", API_HOST).rstrip("/")
    is_real_pay, is_real_api = pay_base == PAY_HOST, api_base == API_HOST
    return WeChatConfig(
        appid=facts["appid"],
        secret=facts["secret"],
        mchid=facts["mchid"],
        mini_appid=facts.get("mp_appid", ""),
        merchant_serial=facts["mch_serial"].upper(),
        merchant_key=_private_key(texts["mch_key"]),
        apiv3_key=facts["apiv3_key"].encode(),
        # The export names both kinds of key; an id without its file means "not used".
        public_key_id=facts.get("pub_key_id", "") if "wxp_pub" in texts else "",
        public_key=_public_key(texts["wxp_pub"]) if "wxp_pub" in texts else None,
        platform_certificates=_certificates(texts.get("plat_cert", b"")),
        pay_base=pay_base,
        pay_standby=facts.get("standby_base", PAY_STANDBY_HOST if is_real_pay else "").rstrip("/"),
        api_base=api_base,
        open_base=facts.get("open_base", OPEN_HOST if is_real_api else api_base).rstrip("/"),
        js_url=facts.get("js_url", JS_URL if is_real_api else f"{api_base}/open/js/jweixin.js"),
    )


def _private_key(pem: bytes) -> RSAPrivateKey:
    try:
        key = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError) as error:
        raise BadWeChatConfig("The merchant's private key is not a readable PEM.") from error
    if not isinstance(key, RSAPrivateKey):
        raise BadWeChatConfig("The merchant's private key is not an RSA key.")
    return key


def _public_key(pem: bytes) -> RSAPublicKey:
    try:
        key = load_pem_public_key(pem)
    except ValueError as error:
        raise BadWeChatConfig("The WeChat Pay public key is not a readable PEM.") from error
    if not isinstance(key, RSAPublicKey):
        raise BadWeChatConfig("The WeChat Pay public key is not an RSA key.")
    return key


def _certificates(pem: bytes) -> tuple[x509.Certificate, ...]:
    if not pem.strip():
        return ()
    try:
        return tuple(x509.load_pem_x509_certificates(pem))
    except ValueError as error:
        raise BadWeChatConfig("The platform certificate is not a readable PEM.") from error


def serial_of(certificate: x509.Certificate) -> str:
    return plain_serial(f"{certificate.serial_number:X}")


def plain_serial(serial: str) -> str:
    """One spelling per certificate serial: upper-case hex without leading zeros."""
    return serial.upper().lstrip("0")
