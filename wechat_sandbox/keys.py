"""Keys, certificates and account facts, made into the data folder at first start and then kept.

Nothing here is secret in earnest: the stand-in plays both WeChat (platform certificate, public
key) and the merchant console (merchant certificate, APIv3 key), and exports the merchant's half.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import string
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

FILES = {
    "mch_key": "apiclient_key.pem",
    "mch_cert": "apiclient_cert.pem",
    "plat_cert": "wechatpay_cert.pem",
    "wxp_pub": "pub_key.pem",
}
_LETTERS = string.ascii_letters + string.digits
# 43 letters spell 32 bytes; the last one has two bits to spare, which must be zero.
_LAST_OF_32_BYTES = "AEIMQUYcgkosw048"


@dataclass(frozen=True)
class Platform:
    """A platform certificate (PEM) with its key."""

    serial: str
    private: rsa.RSAPrivateKey
    certificate: bytes


@dataclass(frozen=True)
class Keys:
    """Everything the two sides sign and encrypt with. Serials are 40 upper-case hex digits.

    `platform` signs; `listed` is what `/v3/certificates` shows.
    """

    folder: Path
    mchid: str
    appid: str
    mp_appid: str
    secret: str
    mp_secret: str
    apiv3_key: str
    v2_key: str
    token: str
    aes_key: str
    sms_key: str
    mch_serial: str
    pub_key_id: str
    mch_public: rsa.RSAPublicKey
    pub_private: rsa.RSAPrivateKey
    platform: Platform
    listed: tuple[Platform, ...]

    @property
    def plat_serial(self) -> str:
        """The serial of the platform certificate that signs."""
        return self.platform.serial

    @property
    def plat_private(self) -> rsa.RSAPrivateKey:
        """The key of the platform certificate that signs."""
        return self.platform.private

    def platform_of(self, serial: str) -> Platform | None:
        """The platform certificate with this serial (upper case), the signing or an older one."""
        return next((one for one in (self.platform, *self.listed) if one.serial == serial), None)

    def files(self) -> dict[str, str]:
        """Paths of the files a merchant would download from the console."""
        return {name: str(self.folder / file) for name, file in FILES.items()}


def make_or_load(folder: Path) -> Keys:
    """The keys of this data folder; made when the folder has none."""
    folder.mkdir(parents=True, exist_ok=True)
    facts_path = folder / "account.json"
    if not facts_path.exists():
        facts_path.write_text(json.dumps(_make(folder), indent=2), "utf-8")
    facts: dict[str, str] = json.loads(facts_path.read_text("utf-8"))
    # Folders of older versions lack these; the same folder always gives the same ones.
    for name in ("mp_secret", "sms_key"):
        made = hashlib.sha256(f"{name}:{facts['secret']}".encode()).hexdigest()[:32]
        facts.setdefault(name, made)
    merchant = x509.load_pem_x509_certificate((folder / FILES["mch_cert"]).read_bytes())
    platform = _platform(
        _read_private(folder / "wechatpay_key.pem"), (folder / FILES["plat_cert"]).read_bytes()
    )
    merchant_key = merchant.public_key()
    if not isinstance(merchant_key, rsa.RSAPublicKey):
        raise TypeError("the merchant certificate holds no RSA key")
    return Keys(
        folder=folder,
        mch_serial=_serial(merchant),
        mch_public=merchant_key,
        pub_private=_read_private(folder / "pub_private_key.pem"),
        platform=platform,
        listed=(platform,),
        **facts,
    )


def new_platform(name: str) -> Platform:
    """A fresh platform certificate, in memory only."""
    private = _new_private()
    return _platform(private, _certificate(private, name))


def _platform(private: rsa.RSAPrivateKey, certificate: bytes) -> Platform:
    return Platform(_serial(x509.load_pem_x509_certificate(certificate)), private, certificate)


def _make(folder: Path) -> dict[str, str]:
    mchid = f"16{secrets.randbelow(10**8):08d}"
    merchant, platform, public = (_new_private() for _ in range(3))
    _write_private(folder / FILES["mch_key"], merchant)
    _write_private(folder / "wechatpay_key.pem", platform)
    _write_private(folder / "pub_private_key.pem", public)
    (folder / FILES["mch_cert"]).write_bytes(_certificate(merchant, mchid))
    (folder / FILES["plat_cert"]).write_bytes(_certificate(platform, "Tenpay.com sign (stand-in)"))
    (folder / FILES["wxp_pub"]).write_bytes(
        public.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    )
    return {
        "mchid": mchid,
        "appid": f"wx{secrets.token_hex(8)}",
        "mp_appid": f"wx{secrets.token_hex(8)}",
        "secret": secrets.token_hex(16),
        "apiv3_key": _letters(32),
        "v2_key": _letters(32),
        "token": _letters(16),
        "aes_key": _letters(42) + secrets.choice(_LAST_OF_32_BYTES),
        "pub_key_id": f"PUB_KEY_ID_01{mchid}{secrets.randbelow(10**20):020d}",
    }


def _letters(length: int) -> str:
    return "".join(secrets.choice(_LETTERS) for _ in range(length))


def _serial(certificate: x509.Certificate) -> str:
    return f"{certificate.serial_number:040X}"


def _new_private() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def _read_private(path: Path) -> rsa.RSAPrivateKey:
    key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise TypeError(f"{path} holds no RSA key")
    return key


def _write_private(path: Path, key: rsa.RSAPrivateKey) -> None:
    path.touch(mode=0o600)
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )


def _certificate(key: rsa.RSAPrivateKey, name: str) -> bytes:
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "CN"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "WeChat stand-in"),
            x509.NameAttribute(NameOID.COMMON_NAME, name),
        ]
    )
    start = datetime.now(UTC) - timedelta(days=1)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        # Bit 158 is set so that the serial always has WeChat's 40 hex digits, bit 159 stays clear
        # so that it fits the 20 octets X.509 allows.
        .serial_number((1 << 158) | secrets.randbits(158))
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=5 * 365))
        .sign(key, hashes.SHA256())
    )
    return certificate.public_bytes(serialization.Encoding.PEM)
