"""Rotation of WeChat's certificates: found in time, several at once, never asked for at will."""

import json
from base64 import b64encode
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from hospital.kernel import clock
from hospital.testing.wechat import StandIn
from hospital.wechat import clients, signing
from hospital.wechat.certificates import Keyring
from hospital.wechat.config import WeChatConfig, serial_of
from hospital.wechat.http import CALLS, Answer, NoAnswer
from hospital.wechat.notices import InvalidNotice, NoticeReader

START = datetime(2026, 11, 23, tzinfo=UTC)
KEYS = [generate_private_key(public_exponent=65537, key_size=2048) for _ in range(3)]
APIV3_KEY = b"k" * 32


def certificate(
    key: RSAPrivateKey, *, since: datetime = START, days: int = 365
) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "platform")])
    return x509.CertificateBuilder(
        issuer_name=name,
        subject_name=name,
        public_key=key.public_key(),
        serial_number=x509.random_serial_number(),
        not_valid_before=since - timedelta(days=1),
        not_valid_after=since + timedelta(days=days),
    ).sign(key, SHA256())


OLD, NEW = certificate(KEYS[0], days=10), certificate(KEYS[1])


class Source:
    """What `/v3/certificates` would answer, and how often it was asked."""

    def __init__(self, *listed: x509.Certificate, signer: RSAPrivateKey = KEYS[0]) -> None:
        self.listed = list(listed)
        self.signer = signer
        self.asked = 0
        self.is_up = True

    def __call__(self) -> Answer | NoAnswer:
        self.asked += 1
        if not self.is_up:
            return NoAnswer(reason="ConnectError", may_have_arrived=False)
        body = json.dumps({"data": [_sealed(each) for each in self.listed]}).encode()
        timestamp = str(int(clock.now().timestamp()))
        serial = next(
            serial_of(each) for each in (OLD, NEW) if each.public_key() == self.signer.public_key()
        )
        return Answer(
            status=200,
            headers={
                "Wechatpay-Timestamp": timestamp,
                "Wechatpay-Nonce": "n",
                "Wechatpay-Serial": serial,
                "Wechatpay-Signature": signing.sign(
                    key=self.signer, text=signing.lines(timestamp, "n", body)
                ),
            },
            body=body,
        )


def _sealed(made: x509.Certificate) -> dict[str, object]:
    sealed = AESGCM(APIV3_KEY).encrypt(
        b"123456789012", made.public_bytes(Encoding.PEM), b"certificate"
    )
    return {
        "serial_no": serial_of(made),
        "encrypt_certificate": {
            "algorithm": "AEAD_AES_256_GCM",
            "nonce": "123456789012",
            "associated_data": "certificate",
            "ciphertext": b64encode(sealed).decode(),
        },
    }


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[datetime]:
    """The moment it is: a list of one, to be changed."""
    moment = [START]
    monkeypatch.setattr(clock, "now", lambda: moment[0])
    return moment


def keyring(source: Source) -> Keyring:
    config = WeChatConfig(
        appid="wx1",
        secret="s",
        mchid="1600000001",
        merchant_serial="AB12",
        merchant_key=KEYS[2],
        apiv3_key=APIV3_KEY,
        platform_certificates=(OLD,),
    )
    return Keyring(config=config, fetch=source)


def test_a_new_certificate_is_found_by_its_serial(now: list[datetime]) -> None:
    source = Source(OLD, NEW)
    keys = keyring(source)
    assert keys.key_of(serial_of(NEW)) == NEW.public_key()
    assert keys.key_of(serial_of(OLD)) == OLD.public_key()
    assert source.asked == 1


def test_certificates_are_asked_for_every_twelve_hours(now: list[datetime]) -> None:
    source = Source(OLD)
    keys = keyring(source)
    for _ in range(3):
        assert keys.key_of(serial_of(OLD)) == OLD.public_key()
    assert source.asked == 1
    source.listed = [OLD, NEW]
    now[0] = START + timedelta(hours=12, seconds=1)
    assert keys.key_of(serial_of(OLD)) == OLD.public_key()
    assert source.asked == 2
    # Later the old one ends; the new one is there already, without a further question.
    now[0] = START + timedelta(hours=13)
    assert keys.key_of(serial_of(NEW)) == NEW.public_key()
    assert source.asked == 2


def test_a_certificate_that_ended_proves_nothing(now: list[datetime]) -> None:
    source = Source(NEW, signer=KEYS[1])
    keys = keyring(source)
    now[0] = START + timedelta(days=11)
    assert keys.key_of(serial_of(OLD)) is None
    assert keys.key_of(serial_of(NEW)) == NEW.public_key()


def test_the_old_ones_stay_when_nothing_comes(now: list[datetime]) -> None:
    source = Source(OLD)
    source.is_up = False
    keys = keyring(source)
    assert keys.key_of(serial_of(OLD)) == OLD.public_key()
    assert source.asked == 1


def test_a_list_that_others_signed_is_refused(now: list[datetime]) -> None:
    """Sealed with our key, yet not signed by any key we know or by one of the list itself."""
    source = Source(certificate(KEYS[2]), signer=KEYS[1])
    keys = keyring(source)
    assert keys.key_of(serial_of(source.listed[0])) is None
    assert keys.key_of(serial_of(OLD)) == OLD.public_key()


def test_the_key_to_seal_with_is_the_one_valid_longest(now: list[datetime]) -> None:
    assert keyring(Source(OLD, NEW)).sealing_key() == (serial_of(NEW), NEW.public_key())


def test_made_up_serials_are_rationed(now: list[datetime]) -> None:
    source = Source(OLD)
    keys = keyring(source)
    reader = NoticeReader(key_of=keys.key_of, apiv3_key=APIV3_KEY)
    minutes = 24 * 60
    for minute in range(minutes):
        now[0] = START + timedelta(minutes=minute)
        for number in range(3):
            forged = {
                "Wechatpay-Timestamp": str(int(now[0].timestamp())),
                "Wechatpay-Nonce": "n",
                "Wechatpay-Serial": f"{minute:036X}{number:04X}",
                "Wechatpay-Signature": "AAAA",
            }
            read = reader.payment(headers=forged, body=b"{}", at=now[0])
            assert read == InvalidNotice(reason="unknown_serial", is_from_wechat=False)
    # 4320 forged notices in a day: 1, 2, 4, … minutes apart, then every hour.
    assert source.asked <= 30
    # A rotation is still found, within the hour.
    source.listed = [OLD, NEW]
    now[0] += timedelta(hours=1)
    assert keys.key_of(serial_of(NEW)) == NEW.public_key()


@pytest.mark.parametrize(
    "serial", ["", "PUB_KEY_ID_01", "x" * 40, "12", "A" * 41, "1F\n", "𝟏" * 10]
)
def test_what_is_no_serial_asks_nobody(now: list[datetime], serial: str) -> None:
    source = Source(OLD)
    assert keyring(source).key_of(serial) is None
    assert source.asked == 0


def test_forged_notices_cost_one_question_at_the_stand_in(wechat: StandIn) -> None:
    reader = clients.notices()
    before = _asked()
    for number in range(50):
        forged = {
            "Wechatpay-Timestamp": str(int(clock.now().timestamp())),
            "Wechatpay-Nonce": "n",
            "Wechatpay-Serial": f"{number:040X}",
            "Wechatpay-Signature": "AAAA",
        }
        reader.payment(headers=forged, body=b"{}", at=clock.now())
    assert _asked() - before <= 1


def _asked() -> float:
    return sum(
        sample.value
        for metric in CALLS.collect()
        for sample in metric.samples
        if sample.name == "wechat_calls_total" and sample.labels["call"] == "certificates"
    )
