"""Payment notices accepted end to end: WeChat's POST, our 204, the bill settled in one commit.

The account is made up here, with WeChat's half of its keys in our hands, so that signing notices
costs the measured machine nothing while they are posted.
"""

import base64
import json
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from benchmarks import limits, load, world
from benchmarks.limits import Limit, Written
from benchmarks.load import Answers, Request

if TYPE_CHECKING:
    from hospital.payments.models import Payment

NOTICES = 1500
WARM = 100
CLIENTS = 16
LIMIT_SECONDS = 8
ACCOUNT = ("1900000001", "wxbenchmark0000001")
KEY_ID = "PUB_KEY_ID_0119000000012026112300000000000001"
ADDRESS = "/callback/wechat/pay"
_SECTION = """## Payment notices

A notice is WeChat's signed and sealed POST about one payment: verify, open, keep it under its own
id, settle payment, bill and ledger, wake the booking's job, one commit with fsync, 204. The limit
is the same rows written by pgbench, as above.

| | notices/s | p50 ms | p95 ms | p99 ms | pgbench tps | ratio |
|---|---|---|---|---|---|---|
{row}

One notice writes (+ inserted, ~ updated): {rows}.
"""


@dataclass(frozen=True)
class Notices:
    """What was measured, and what one notice writes."""

    answers: Answers
    limit: Limit
    written: list[Written]


def measure(url: str, folder: Path) -> Notices:
    """Run it. Raises RuntimeError when a notice is not accepted or a bill not settled."""
    from hospital.billing.queries import ledger_totals

    account = _Account(folder)
    payments = _pending(NOTICES + WARM + 1)
    before_fen = ledger_totals()["cash_fen"]
    with world.server(WECHAT_CONFIG_FILE=str(account.file)) as port:
        posts = [account.notice(payment) for payment in payments[:-1]]
        _post(port, posts[:WARM])
        answers = _post(port, posts[WARM:])
    told_fen = sum(payment.amount_fen for payment in payments[:-1])
    if ledger_totals()["cash_fen"] - before_fen != told_fen:
        raise RuntimeError("the ledger does not hold what the notices told")
    written = _rows(payments[-1])
    with psycopg.connect(url) as connection:
        limits.copy_tables(connection, written, NOTICES)
        text = limits.script(connection, written, NOTICES)
    limit = limits.run_pgbench(url, text, clients=CLIENTS, seconds=LIMIT_SECONDS, folder=folder)
    return Notices(answers=answers, limit=limit, written=written)


def section(notices: Notices) -> str:
    """The figures as a part of docs/benchmarks.md."""
    answers, limit = notices.answers, notices.limit
    times = [f"{answers.percentile_ms(share):.1f}" for share in (0.5, 0.95, 0.99)]
    cells = [f"{CLIENTS} at once", f"{answers.per_second:.0f}", *times, f"{limit.per_second:.0f}"]
    ratio = f"**{answers.per_second / limit.per_second:.3f}**"
    row = f"| {' | '.join([*cells, ratio])} |"
    return _SECTION.format(row=row, rows=limits.described(notices.written))


class _Account:
    """A merchant number with WeChat's keys beside its own."""

    def __init__(self, folder: Path) -> None:
        self._wechat = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self._apiv3_key = secrets.token_hex(16)
        ours = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        (folder / "ours.pem").write_bytes(
            ours.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        (folder / "wechat.pem").write_bytes(
            self._wechat.public_key().public_bytes(
                serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
            )
        )
        mchid, appid = ACCOUNT
        facts = {
            "mchid": mchid,
            "appid": appid,
            "secret": "none",
            "apiv3_key": self._apiv3_key,
            "mch_serial": "5F" * 20,
            "pub_key_id": KEY_ID,
            "files": {"mch_key": "ours.pem", "wxp_pub": "wechat.pem"},
        }
        self.file = folder / "account.json"
        self.file.write_text(json.dumps(facts), "utf-8")

    def notice(self, payment: "Payment") -> Request:
        """The signed POST that tells of this payment."""
        from hospital.kernel import clock

        at = clock.now()
        nonce = secrets.token_hex(6)
        sealed = AESGCM(self._apiv3_key.encode()).encrypt(
            nonce.encode(), json.dumps(_order(payment, at)).encode(), b"transaction"
        )
        resource = {
            "original_type": "transaction",
            "algorithm": "AEAD_AES_256_GCM",
            "ciphertext": base64.b64encode(sealed).decode(),
            "associated_data": "transaction",
            "nonce": nonce,
        }
        envelope = {
            "id": secrets.token_hex(18),
            "create_time": clock.local(at).isoformat(timespec="seconds"),
            "resource_type": "encrypt-resource",
            "event_type": "TRANSACTION.SUCCESS",
            "summary": "支付成功",
            "resource": resource,
        }
        body = json.dumps(envelope).encode()
        return Request(ADDRESS, body=body, headers=self._signed(body, at))

    def _signed(self, body: bytes, at: datetime) -> dict[str, str]:
        stamp, random = str(int(at.timestamp())), secrets.token_hex(16)
        text = f"{stamp}\n{random}\n".encode() + body + b"\n"
        signature = self._wechat.sign(text, padding.PKCS1v15(), hashes.SHA256())
        return {
            "Wechatpay-Timestamp": stamp,
            "Wechatpay-Nonce": random,
            "Wechatpay-Serial": KEY_ID,
            "Wechatpay-Signature": base64.b64encode(signature).decode(),
            "Wechatpay-Signature-Type": "WECHATPAY2-SHA256-RSA2048",
        }


def _order(payment: "Payment", at: datetime) -> dict[str, object]:
    return {
        "mchid": payment.mchid,
        "appid": payment.appid,
        "out_trade_no": payment.out_trade_no,
        "transaction_id": f"42000000{payment.pk:020d}",
        "trade_type": "JSAPI",
        "trade_state": "SUCCESS",
        "trade_state_desc": "支付成功",
        "bank_type": "OTHERS",
        "success_time": at.isoformat(timespec="seconds"),
        "payer": {"openid": "oBenchmark"},
        "amount": {"total": payment.amount_fen, "payer_total": payment.amount_fen},
    }


def _pending(count: int) -> "list[Payment]":
    """Bills whose orders stand at WeChat, made by the product's own actions."""
    from django.db import transaction

    from hospital.billing import actions as billing
    from hospital.catalogue.queries import FeeLine
    from hospital.kernel import clock
    from hospital.kernel.actors import SYSTEM
    from hospital.payments import actions
    from hospital.testing.organisation import a_price_item
    from hospital.testing.people import a_patient, a_wechat_user

    at = clock.now()
    user, item = a_wechat_user(), a_price_item(price_fen=2500)
    patient = a_patient(user)
    line = FeeLine(
        price_item_id=item.pk,
        code=item.code,
        name=item.name,
        category=item.category,
        amount_fen=2500,
    )
    made = []
    for number in range(count):
        with transaction.atomic():
            bill = billing.add_charges(
                patient_id=patient.pk,
                wechat_user_id=user.pk,
                source=("benchmark", number),
                lines=[line],
                title="挂号费",
                expires_at=at + timedelta(hours=1),
                by=SYSTEM,
                at=at,
            )
            payment = actions.create_payment(
                bill_ids=[bill.pk],
                wechat_user_id=user.pk,
                shown_fen=2500,
                account=ACCOUNT,
                node=1,
                by=SYSTEM,
                at=at,
            )
            made.append(
                actions.record_prepay(payment_id=payment.pk, prepay_id="wx1", by=SYSTEM, at=at)
            )
    return made


def _post(port: int, posts: list[Request]) -> Answers:
    answers = load.run("127.0.0.1", port, posts, clients=CLIENTS)
    if answers.statuses != {load.NO_CONTENT: len(posts)}:
        raise RuntimeError(f"notices were answered {dict(answers.statuses)}")
    return answers


def _rows(payment: "Payment") -> list[Written]:
    """What one notice writes, read from the server's counters inside its own transaction."""
    from hospital.kernel import clock
    from hospital.kernel.actors import SYSTEM
    from hospital.payments import actions
    from hospital.payments.states import NoticeKind
    from hospital.wechat.outcomes import Paid
    from hospital.wechat.reading import read_order

    at = clock.now()
    paid = read_order(_order(payment, at))
    assert isinstance(paid, Paid)
    received = actions.Received(
        notice_id=secrets.token_hex(18),
        kind=NoticeKind.PAYMENT,
        event_type="TRANSACTION.SUCCESS",
        headers={},
        body=json.dumps({"resource": "x" * 600}).encode(),
    )
    return limits.rows_of(
        lambda: actions.record_result(paid=paid, received=received, by=SYSTEM, at=at)
    )
