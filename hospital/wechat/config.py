"""Connection facts of one WeChat account: who we are, our keys, WeChat's keys, where it answers.

Read from a JSON file (the shape the sandbox exports) and checked once at start. `check_production`
is the guard that no real hospital ever pays through a stand-in.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args
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
V2_KEY_LENGTH = 32
AES_KEY_LENGTH = 43
PUBLIC_KEY_PREFIX = "PUB_KEY_ID_"

ScanProduct = Literal["v2", "v3"]
V2SignType = Literal["HMAC-SHA256", "MD5"]
MessageMode = Literal["plain", "compatible", "safe"]


class BadWeChatConfig(Exception):
    """The connection facts cannot be used; the process must not start with them."""


@dataclass(frozen=True, eq=False, kw_only=True)
class WeChatConfig:
    """One merchant number with one Official Account. Secrets stay out of its repr.

    Cashier scan: `scan_product` chooses the product; v2 signs with `v2_key` and shows
    `merchant_cert` (a PEM file, its key in `merchant_key_file`) inside the connection.
    Official Account callbacks: `token`, and `aes_key` for the modes that encrypt.

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
    merchant_cert: Path | None = None
    merchant_key_file: Path | None = None
    v2_key: str = field(default="", repr=False)
    v2_sign_type: V2SignType = "HMAC-SHA256"
    scan_product: ScanProduct = "v2"
    token: str = field(default="", repr=False)
    aes_key: str = field(default="", repr=False)
    message_mode: MessageMode = "safe"
    mini_appid: str = ""
    mini_secret: str = field(default="", repr=False)
    pay_base: str = PAY_HOST
    pay_standby: str = ""
    api_base: str = API_HOST
    open_base: str = OPEN_HOST
    js_url: str = JS_URL
    connect_seconds: float = 3.0
    read_seconds: float = 10.0
    scan_read_seconds: float = 30.0

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
        self._check_scan()
        self._check_messages()

    def _check_scan(self) -> None:
        if self.v2_key and len(self.v2_key) != V2_KEY_LENGTH:
            raise BadWeChatConfig(f"The APIv2 key must be exactly {V2_KEY_LENGTH} characters.")
        _one_of("scan_product", self.scan_product, ScanProduct)
        _one_of("v2_sign_type", self.v2_sign_type, V2SignType)
        if self.merchant_cert is None:
            return
        try:
            certificate = x509.load_pem_x509_certificate(self.merchant_cert.read_bytes())
        except (OSError, ValueError) as error:
            raise BadWeChatConfig("The merchant certificate is not a readable PEM.") from error
        if certificate.public_key() != self.merchant_key.public_key():
            raise BadWeChatConfig("The merchant certificate does not belong to the merchant's key.")
        if serial_of(certificate) != plain_serial(self.merchant_serial):
            raise BadWeChatConfig("The merchant certificate has another serial than mch_serial.")

    def _check_messages(self) -> None:
        _one_of("message_mode", self.message_mode, MessageMode)
        if self.aes_key and (
            len(self.aes_key) != AES_KEY_LENGTH
            or not (self.aes_key.isascii() and self.aes_key.isalnum())
        ):
            raise BadWeChatConfig(
                f"The EncodingAESKey has exactly {AES_KEY_LENGTH} letters and digits."
            )

    @property
    def takes_scans(self) -> bool:
        """Whether a cashier may scan a patient's code. v2 needs its key and, except at a stand-in
        without TLS, the merchant's certificate: without it a charge could not be reversed."""
        if self.scan_product == "v3":
            return True
        can_reverse = self.merchant_cert is not None or not self.pay_base.startswith("https:")
        return bool(self.v2_key) and can_reverse

    @property
    def platform_serials(self) -> set[str]:
        return {serial_of(certificate) for certificate in self.platform_certificates}

    @property
    def pay_hosts(self) -> list[str]:
        """The pay host, then its standby where there is one."""
        return [base for base in (self.pay_base, self.pay_standby) if base]

    def check_production(self) -> None:
        """Refuse every address that is not https at one of Tencent's own hosts, and callbacks that
        anybody can forge: the signature of a plain message does not cover what it says."""
        wrong = [
            f"{name}={value}"
            for name, hosts in TENCENT_HOSTS.items()
            if (value := getattr(self, name)) and not _is_tencent(value, hosts)
        ]
        if wrong:
            raise BadWeChatConfig(f"Not Tencent's https address: {', '.join(wrong)}")
        if self.token and (self.message_mode == "plain" or not self.aes_key):
            raise BadWeChatConfig("Callbacks need message_mode safe or compatible, and aes_key.")


def _one_of(name: str, value: str, words: Any) -> None:
    if value not in get_args(words):
        raise BadWeChatConfig(f"{name} is one of {', '.join(get_args(words))}.")


def _is_tencent(address: str, hosts: set[str]) -> bool:
    parts = urlsplit(address)
    # netloc, not hostname: neither a port nor user:password@ has any business here.
    return parts.scheme == "https" and parts.netloc in hosts


def from_file(path: Path) -> WeChatConfig:
    """Read the JSON connection file: the stand-in's export, or one written for a real account.

    Keys: mchid, appid, secret, apiv3_key, mch_serial, files{mch_key, and plat_cert, or wxp_pub with
    its pub_key_id, or both}; optional files{mch_cert}, v2_key, v2_sign_type and scan_product for
    cashier scan; token, aes_key and message_mode for callbacks; mp_appid and mp_secret; and the
    addresses base, standby_base, api_base, open_base, js_url, which are Tencent's own unless given.
    Paths in `files` are relative to the file itself. Raises BadWeChatConfig.
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
    paths = {name: path.parent / files[name] for name in ("mch_key", "mch_cert") if files.get(name)}
    return _build(facts, texts=texts, paths=paths)


def _build(
    facts: dict[str, Any], *, texts: dict[str, bytes], paths: dict[str, Path]
) -> WeChatConfig:
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
        mini_secret=facts.get("mp_secret", ""),
        merchant_cert=paths.get("mch_cert"),
        merchant_key_file=paths.get("mch_key"),
        v2_key=facts.get("v2_key", ""),
        v2_sign_type=facts.get("v2_sign_type", "HMAC-SHA256"),
        scan_product=facts.get("scan_product", "v2"),
        token=facts.get("token", ""),
        aes_key=facts.get("aes_key", ""),
        message_mode=facts.get("message_mode", "safe"),
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
