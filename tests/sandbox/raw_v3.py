"""Raw requests against a running stand-in: signatures, refusals, headers, notices, retry schedule.

    python -m tests.sandbox.raw_v3 FACTS.json SCALE

No client library and nothing of this project: httpx, cryptography, and WeChat's published rules.
FACTS.json is what the stand-in exported, SCALE its --notify-scale. Prints one line a check; the
exit code is the number of failed ones.
"""

from __future__ import annotations

import base64
import json
import secrets
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

RETRY_AFTER_S = (
    15, 15, 30, 180, 600, 1200, 1800, 1800, 1800, 3600, 10800, 10800, 10800, 21600, 21600,
)  # fmt: skip
FIVE = {"timestamp", "nonce", "signature", "serial", "signature-type"}
ORDERS = "/v3/pay/transactions"
REFUNDS = "/v3/refund/domestic/refunds"
Check = Callable[["Raw"], None]
CHECKS: list[tuple[str, Check]] = []


def check(says: str) -> Callable[[Check], Check]:
    """Put a check on the list."""

    def listed(one: Check) -> Check:
        CHECKS.append((says, one))
        return one

    return listed


class Raw:
    """The merchant's keys and a door for notices."""

    def __init__(self, facts: dict[str, Any], scale: float) -> None:
        self.facts, self.scale = facts, scale
        files = {name: Path(path).read_bytes() for name, path in facts["files"].items()}
        self.key: Any = serialization.load_pem_private_key(files["mch_key"], None)
        certificate = x509.load_pem_x509_certificate(files["plat_cert"])
        self.platform: dict[str, Any] = {
            facts["pub_key_id"]: serialization.load_pem_public_key(files["wxp_pub"]),
            facts["plat_serial"]: certificate.public_key(),
        }
        self.http = httpx.Client(base_url=facts["base"], trust_env=False, timeout=10)
        self.came: list[tuple[dict[str, str], bytes]] = []
        self.answer = 204
        self.door = self._open_door()

    def _open_door(self) -> ThreadingHTTPServer:
        raw = self

        class Door(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                raw.came.append(({k.lower(): v for k, v in self.headers.items()}, body))
                self.send_response(raw.answer)
                self.end_headers()

            def log_message(self, format: str, *arguments: object) -> None:
                """Quiet."""

        door = ThreadingHTTPServer(("127.0.0.1", 0), Door)
        threading.Thread(target=door.serve_forever, args=(0.01,), daemon=True).start()
        return door

    def sign(self, text: str) -> str:
        """RSA-SHA256, base64."""
        return base64.b64encode(
            self.key.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())
        ).decode()

    def headers(self, method: str, target: str, body: str, **change: str) -> dict[str, str]:
        """The request's headers; `change` replaces parts of Authorization after signing."""
        stamp, nonce = str(int(time.time())), secrets.token_hex(16)
        stamp = change.pop("at", stamp)
        said = {
            "mchid": str(self.facts["mchid"]),
            "nonce_str": nonce,
            "signature": self.sign(f"{method}\n{target}\n{stamp}\n{nonce}\n{body}\n"),
            "timestamp": stamp,
            "serial_no": str(self.facts["mch_serial"]),
        } | change
        pairs = ",".join(f'{name}="{value}"' for name, value in said.items())
        return {
            "Authorization": f"WECHATPAY2-SHA256-RSA2048 {pairs}",
            "Accept": "application/json",
            "User-Agent": "raw/1",
            "Content-Type": "application/json",
            "Wechatpay-Serial": str(self.facts["pub_key_id"]),
        }

    def call(self, method: str, target: str, document: Any = None) -> httpx.Response:
        """A call with a good signature."""
        body = "" if document is None else json.dumps(document, ensure_ascii=False)
        headers = self.headers(method, target, body)
        return self.http.request(method, target, content=body.encode(), headers=headers)

    def verify(self, headers: Any, body: bytes) -> str:
        """Check a signature of the platform; the serial that made it."""
        get = {name.lower(): value for name, value in headers.items()}
        stamp, nonce = get["wechatpay-timestamp"], get["wechatpay-nonce"]
        assert abs(time.time() - int(stamp)) < 300
        self.platform[get["wechatpay-serial"]].verify(
            base64.b64decode(get["wechatpay-signature"]),
            f"{stamp}\n{nonce}\n".encode() + body + b"\n",
            padding.PKCS1v15(),
            hashes.SHA256(),
        )
        return str(get["wechatpay-serial"])

    def opened(self, body: bytes) -> dict[str, Any]:
        """The sealed content of a notice."""
        sealed = json.loads(body)["resource"]
        plain = AESGCM(self.facts["apiv3_key"].encode()).decrypt(
            sealed["nonce"].encode(),
            base64.b64decode(sealed["ciphertext"]),
            sealed["associated_data"].encode(),
        )
        document: dict[str, Any] = json.loads(plain)
        return document

    def order(self, **more: Any) -> dict[str, Any]:
        """A prepay body with a fresh number."""
        return {
            "appid": self.facts["appid"],
            "mchid": self.facts["mchid"],
            "description": "门诊挂号费",
            "out_trade_no": f"RAW{secrets.token_hex(8)}",
            "notify_url": f"http://127.0.0.1:{self.door.server_address[1]}/n",
            "amount": {"total": 2500, "currency": "CNY"},
            "payer": {"openid": "oRawPayer000000000000000001"},
        } | more

    def placed(self, **more: Any) -> str:
        """The number of an order that was accepted."""
        body = self.order(**more)
        assert self.call("POST", f"{ORDERS}/jsapi", body).status_code == 200
        return str(body["out_trade_no"])

    def paid(self) -> str:
        """The number of a paid order; its notice has come."""
        number, before = self.placed(), len(self.came)
        self.lever("pay", out_trade_no=number)
        self.until(lambda: len(self.came) > before)
        return number

    def query(self, number: str) -> httpx.Response:
        """Ask for an order."""
        target = f"{ORDERS}/out-trade-no/{number}?mchid={self.facts['mchid']}"
        return self.call("GET", target)

    def refund(self, number: str, out_refund_no: str, fen: int, total: int = 2500) -> Any:
        """Ask for a refund."""
        amount = {"refund": fen, "total": total, "currency": "CNY"}
        body = {"out_trade_no": number, "out_refund_no": out_refund_no, "amount": amount}
        return self.call("POST", REFUNDS, body)

    def lever(self, name: str, **said: Any) -> dict[str, Any]:
        """Pull a lever of the stand-in."""
        answer = self.http.post(f"/_ctl/{name}", json=said)
        assert answer.is_success, answer.text
        document: dict[str, Any] = answer.json()
        return document

    def state(self, number: str) -> dict[str, Any]:
        """What the stand-in knows of an order."""
        document: dict[str, Any] = self.http.get(f"/_ctl/state?out_trade_no={number}").json()
        return document

    def until(self, what: Callable[[], bool]) -> None:
        """Wait ten seconds at most."""
        deadline = time.monotonic() + 10
        while not what():
            assert time.monotonic() < deadline, "it did not happen"
            time.sleep(0.01)


def refused(answer: httpx.Response, status: int, code: str) -> None:
    """The error answer is this one, with its Request-ID."""
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert int(answer.headers["Request-ID"].rpartition("-")[2]) > 0


@check("a 200 carries five headers, Request-ID, compact JSON, and verifies")
def _ok(raw: Raw) -> None:
    answer = raw.call("POST", f"{ORDERS}/jsapi", raw.order())
    assert {f"wechatpay-{name}" for name in FIVE} <= set(answer.headers)
    assert answer.headers["Wechatpay-Signature-Type"] == "WECHATPAY2-SHA256-RSA2048"
    assert answer.headers["Request-ID"].endswith("-0")
    assert answer.headers["Content-Type"] == "application/json; charset=utf-8"
    assert b'": ' not in answer.content
    assert answer.json()["prepay_id"].startswith("wx")
    assert raw.verify(answer.headers, answer.content) == raw.facts["pub_key_id"]


@check("a 204 is signed over an empty body")
def _no_content(raw: Raw) -> None:
    number = raw.placed()
    target = f"{ORDERS}/out-trade-no/{number}/close"
    for _ in range(2):
        answer = raw.call("POST", target, {"mchid": raw.facts["mchid"]})
        assert (answer.status_code, answer.content) == (204, b"")
        raw.verify(answer.headers, b"")
    assert raw.query(number).json()["trade_state"] == "CLOSED"


@check("the request's serial chooses the answering key; an unknown one is 400")
def _modes(raw: Raw) -> None:
    number = raw.placed()
    target = f"{ORDERS}/out-trade-no/{number}?mchid={raw.facts['mchid']}"
    for named, serial in (
        (raw.facts["pub_key_id"], raw.facts["pub_key_id"]),
        (raw.facts["plat_serial"], raw.facts["plat_serial"]),
        ("", raw.facts["plat_serial"]),
    ):
        headers = raw.headers("GET", target, "") | {"Wechatpay-Serial": named}
        headers = {name: value for name, value in headers.items() if value}
        answer = raw.http.get(target, headers=headers)
        assert raw.verify(answer.headers, answer.content) == serial
    headers = raw.headers("GET", target, "") | {"Wechatpay-Serial": "PUB_KEY_ID_0"}
    refused(raw.http.get(target, headers=headers), 400, "PARAM_ERROR")


@check("/v3/certificates opens with the APIv3 key and holds the key that signed it")
def _certificates(raw: Raw) -> None:
    answer = raw.call("GET", "/v3/certificates")
    (entry,) = answer.json()["data"]
    assert entry["serial_no"] == raw.facts["plat_serial"]
    sealed = entry["encrypt_certificate"]
    plain = AESGCM(raw.facts["apiv3_key"].encode()).decrypt(
        sealed["nonce"].encode(), base64.b64decode(sealed["ciphertext"]), b"certificate"
    )
    assert f"{x509.load_pem_x509_certificate(plain).serial_number:040X}" == entry["serial_no"]


@check("every flaw of the request's signature is 401 SIGN_ERROR")
def _unsigned(raw: Raw) -> None:
    target = f"{ORDERS}/out-trade-no/RAW00000000?mchid={raw.facts['mchid']}"
    now = int(time.time())
    for change in (
        {"at": str(now - 302)},
        {"at": str(now + 305)},
        {"signature": raw.sign("something else")},
        {"signature": "!"},
        {"mchid": "1900000109"},
        {"serial_no": "0" * 40},
        {"nonce_str": "x" * 33},
        {"timestamp": "soon"},
    ):
        answer = raw.http.get(target, headers=raw.headers("GET", target, "", **change))
        refused(answer, 401, "SIGN_ERROR")
    good = raw.headers("GET", target, "")
    refused(raw.http.get(f"{target}&x=1", headers=good), 401, "SIGN_ERROR")
    moved = good | {"Authorization": good["Authorization"].replace("WECHATPAY2", "WECHATPAY1")}
    refused(raw.http.get(target, headers=moved), 401, "SIGN_ERROR")
    small = good | {
        "Authorization": good["Authorization"].replace(
            raw.facts["mch_serial"], raw.facts["mch_serial"].lower()
        )
    }
    refused(raw.http.get(target, headers=small), 404, "ORDER_NOT_EXIST")


@check("a body other than the signed bytes is 401; good bytes in any JSON form are heard")
def _bytes(raw: Raw) -> None:
    body = json.dumps(raw.order(), ensure_ascii=False, indent=2)
    headers = raw.headers("POST", f"{ORDERS}/jsapi", body)
    spoilt = body.replace("2500", "2501")
    target = f"{ORDERS}/jsapi"
    refused(raw.http.post(target, content=spoilt.encode(), headers=headers), 401, "SIGN_ERROR")
    assert raw.http.post(target, content=body.encode(), headers=headers).status_code == 200


@check("missing or wrong headers: 403, 406, 415")
def _headers(raw: Raw) -> None:
    body = json.dumps(raw.order())
    target = f"{ORDERS}/jsapi"
    for change, status in (
        ({"User-Agent": ""}, 403),
        ({"Accept": "text/html"}, 406),
        ({"Content-Type": "text/plain"}, 415),
    ):
        headers = raw.headers("POST", target, body) | change
        answer = raw.http.post(target, content=body.encode(), headers=headers)
        assert answer.status_code == status, (change, answer.text)


@check("wrong bodies are 400 PARAM_ERROR and name the field")
def _shapes(raw: Raw) -> None:
    for field, wrong in (
        ("/amount/total", {"amount": {"total": 0}}),
        ("/amount/total", {"amount": {"total": 25.0}}),
        ("/amount/currency", {"amount": {"total": 1, "currency": "USD"}}),
        ("/out_trade_no", {"out_trade_no": "short"}),
        ("/out_trade_no", {"out_trade_no": "with space"}),
        ("/description", {"description": "x" * 128}),
        ("/description", {"description": "表情\U0001f600"}),
        ("/notify_url", {"notify_url": "http://127.0.0.1/n?x=1"}),
        ("/payer/openid", {"payer": {"openid": "not-one"}}),
        ("/colour", {"colour": "red"}),
        ("/time_expire", {"time_expire": "2020-01-01T00:00:00+08:00"}),
    ):
        answer = raw.call("POST", f"{ORDERS}/jsapi", raw.order(**wrong))
        refused(answer, 400, "PARAM_ERROR")
        assert answer.json()["detail"]["field"] == field, answer.text
    unknown = raw.call("POST", f"{ORDERS}/jsapi", raw.order(colour="red"))
    assert unknown.headers["Request-ID"].endswith("-270924358")


@check("the repeat rule of prepay")
def _repeats(raw: Raw) -> None:
    body = raw.order()
    answers = [raw.call("POST", f"{ORDERS}/jsapi", body) for _ in range(2)]
    assert len({answer.json()["prepay_id"] for answer in answers}) == 2
    other = raw.call("POST", f"{ORDERS}/jsapi", body | {"description": "检查费"})
    refused(other, 403, "OUT_TRADE_NO_USED")
    before = len(raw.came)
    raw.lever("pay", out_trade_no=body["out_trade_no"])
    refused(raw.call("POST", f"{ORDERS}/jsapi", body), 400, "ORDERPAID")
    raw.until(lambda: len(raw.came) > before)


@check("an unknown address is 404 in WeChat's form")
def _nowhere(raw: Raw) -> None:
    answer = raw.call("GET", "/v3/nothing/here")
    assert (answer.status_code, answer.json()["code"]) == (404, "RESOURCE_NOT_EXISTS")


@check("numbers and moments have WeChat's shapes; nothing of a payment before it")
def _numbers(raw: Raw) -> None:
    number = raw.placed()
    unpaid = raw.query(number).json()
    assert set(unpaid) == {
        "appid", "mchid", "out_trade_no", "trade_state", "trade_state_desc", "amount",
    }  # fmt: skip
    raw.lever("pay", out_trade_no=number)
    paid = raw.query(number).json()
    assert len(paid["transaction_id"]) == 28
    assert paid["transaction_id"].startswith("4200")
    assert paid["success_time"].endswith("+08:00")
    by_id = raw.call(
        "GET", f"{ORDERS}/id/{paid['transaction_id']}?mchid={raw.facts['mchid']}"
    ).json()
    assert by_id == paid


@check("a notice verifies, opens, equals the query, and is not repeated after 204")
def _notice(raw: Raw) -> None:
    number = raw.paid()
    headers, body = raw.came[-1]
    assert {f"wechatpay-{name}" for name in FIVE} <= set(headers)
    raw.verify(headers, body)
    document = json.loads(body)
    assert document["event_type"] == "TRANSACTION.SUCCESS"
    assert document["resource"]["original_type"] == "transaction"
    assert document["resource"]["nonce"] != headers["wechatpay-nonce"]
    assert raw.opened(body) == raw.query(number).json()
    count = len(raw.came)
    time.sleep(30 * raw.scale)
    assert len(raw.came) == count


@check("notices are signed with the key the merchant's setting names")
def _notice_mode(raw: Raw) -> None:
    for mode, name in (("certificate", "plat_serial"), ("public_key", "pub_key_id")):
        raw.lever("notify_mode", mode=mode)
        raw.paid()
        headers, body = raw.came[-1]
        assert raw.verify(headers, body) == raw.facts[name]


def _attempted(raw: Raw, number: str, attempts: int) -> bool:
    return bool(raw.state(number)["notices"][0]["attempts"] == attempts)


@check("fifteen repeats after WeChat's waits: same id and body, fresh signature, then never again")
def _schedule(raw: Raw) -> None:
    raw.answer, raw.came = 500, []
    number = raw.placed()
    raw.lever("pay", out_trade_no=number)
    offset = 0.0
    for attempt, wait in enumerate(RETRY_AFTER_S, start=1):
        raw.until(partial(_attempted, raw, number, attempt))
        notice = raw.state(number)["notices"][0]
        sent_at = raw.http.get(f"/_ctl/deliveries?out_trade_no={number}").json()["deliveries"][-1]
        gap = notice["next_at"] - sent_at["sent_at"]
        assert wait * raw.scale <= gap < wait * raw.scale + 1, (attempt, gap)
        offset += wait * raw.scale
        raw.lever("clock", offset_s=offset)
    raw.until(lambda: raw.state(number)["notices"][0]["status"] == "given_up")
    raw.lever("clock", offset_s=0)
    raw.answer = 204
    assert len(raw.came) == len(RETRY_AFTER_S) + 1
    assert len({body for _, body in raw.came}) == 1
    assert len({headers["wechatpay-signature"] for headers, _ in raw.came}) == len(raw.came)
    for headers, body in raw.came:
        raw.verify(headers, body)


@check("refunds: accepted, repeated, limited, ended, told")
def _refunds(raw: Raw) -> None:
    number, out_refund_no = raw.paid(), f"R{secrets.token_hex(8)}"
    first = raw.refund(number, out_refund_no, 1000)
    assert (first.status_code, first.json()["status"]) == (200, "PROCESSING")
    raw.verify(first.headers, first.content)
    again = raw.refund(number, out_refund_no, 1000).json()
    assert again["refund_id"] == first.json()["refund_id"]
    refused(raw.refund(number, out_refund_no, 999), 400, "INVALID_REQUEST")
    refused(raw.refund(number, "R-other", 1501), 400, "INVALID_REQUEST")
    refused(raw.refund(number, "R-other", 100, total=2501), 400, "INVALID_REQUEST")
    refused(raw.refund("RAW00000000", "R-other", 1), 404, "RESOURCE_NOT_EXISTS")
    raw.until(lambda: raw.call("GET", f"{REFUNDS}/{out_refund_no}").json()["status"] == "SUCCESS")
    assert raw.query(number).json()["trade_state"] == "REFUND"


@check("a forged answer fails where an honest client looks")
def _forged(raw: Raw) -> None:
    number = raw.placed()
    for kind in ("response_bad_signature", "response_swapped_key", "response_changed_amount"):
        raw.lever("fault", kind=kind)
        answer = raw.query(number)
        try:
            raw.verify(answer.headers, answer.content)
        except InvalidSignature:
            continue
        raise AssertionError(kind)


def run(facts: dict[str, Any], scale: float) -> list[tuple[str, str]]:
    """Every check and what went wrong in it (empty: nothing)."""
    raw = Raw(facts, scale)
    found = []
    for says, one in CHECKS:
        raw.lever("reset")
        raw.lever("notify_mode", mode="public_key")
        raw.answer, raw.came = 204, []
        try:
            one(raw)
        except (AssertionError, httpx.HTTPError, InvalidSignature, KeyError, ValueError) as wrong:
            found.append((says, repr(wrong) or "failed"))
        else:
            found.append((says, ""))
    raw.door.shutdown()
    raw.door.server_close()
    raw.http.close()
    return found


def main() -> int:
    """The number of failed checks."""
    facts = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    found = run(facts, float(sys.argv[2]))
    for says, wrong in found:
        sys.stdout.write(f"{'FAIL' if wrong else 'ok  '} {says}{': ' if wrong else ''}{wrong}\n")
    return sum(1 for _, wrong in found if wrong)


if __name__ == "__main__":
    raise SystemExit(main())
