"""A cashier scans a payment code: v2 and v3, waiting for a password, taking the money back."""

from __future__ import annotations

import base64
import hashlib
import re

import pytest

from hospital.testing.sandbox import SandboxControl
from tests.sandbox.merchant import Merchant, number, openid
from tests.sandbox.v2_merchant import V2Merchant
from wechat_sandbox import v2, v2_notices, xml


@pytest.fixture(params=["MD5", "HMAC-SHA256"])
def both(request: pytest.FixtureRequest, control: SandboxControl) -> V2Merchant:
    """v2 with either signature."""
    return V2Merchant(control.facts, str(request.param))


@pytest.fixture
def cashier(control: SandboxControl) -> V2Merchant:
    return V2Merchant(control.facts)


def balance(control: SandboxControl, person: str) -> int:
    """What is left in somebody's pocket, in fen."""
    return int(control.user(openid=person)["balance_fen"])


def test_the_published_v2_signatures() -> None:
    fields = {
        "appid": "wxd930ea5d5a258f4f",
        "body": "test",
        "device_info": "1000",
        "mch_id": "10000100",
        "nonce_str": "ibuaiVcKdpRxkhJA",
    }
    key = "192006250b4c09247ec02edce69f6a2d"
    assert v2.sign(fields, key, v2.MD5) == "9A0A8659F005D6984697E2CA0A9CF3B7"
    assert v2.sign(fields, key, v2.HMAC) == (
        "6A9AE1657590FD6257D693A078E1C3E4BB6BA4DC30B23E0EE2496E54170DACD6"
    )


def test_a_code_is_charged_queried_refunded(control: SandboxControl, both: V2Merchant) -> None:
    person, out_trade_no, out_refund_no = openid(), number(), number("R")
    shown = control.scan_code(person)
    assert re.fullmatch(r"1[0-5]\d{16}", shown)
    before = balance(control, person)
    paid = both.micropay(out_trade_no, shown)
    assert (paid["result_code"], paid["trade_type"]) == ("SUCCESS", "MICROPAY")
    assert (paid["openid"], paid["total_fee"]) == (person, "2500")
    assert re.fullmatch(r"4200\d{24}", paid["transaction_id"])
    assert re.fullmatch(r"\d{14}", paid["time_end"])
    assert balance(control, person) == before - 2500
    found = both.call("/pay/orderquery", transaction_id=paid["transaction_id"])
    assert (found["trade_state"], found["out_trade_no"]) == ("SUCCESS", out_trade_no)
    assert both.refund(out_trade_no, out_refund_no, 1000)["refund_fee"] == "1000"
    control.until(
        lambda: both.query_refund(out_refund_no=out_refund_no)["refund_status_0"] == "SUCCESS"
    )
    listed = both.query_refund(out_trade_no=out_trade_no)
    assert (listed["refund_count"], listed["out_refund_no_0"]) == ("1", out_refund_no)
    assert both.state(out_trade_no) == "REFUND"
    assert balance(control, person) == before - 1500
    assert control.state(out_trade_no)["notices"] == []


def test_v3_charges_and_reverses(control: SandboxControl, merchant: Merchant) -> None:
    person, out_trade_no = openid(), number()
    paid = merchant.codepay(out_trade_no, control.scan_code(person))
    assert (paid.status_code, paid.json()["trade_state"]) == (200, "SUCCESS")
    assert paid.json()["trade_type"] == "MICROPAY"
    assert paid.json()["scene_info"] == {"device_id": "窗口3"}
    assert merchant.query(out_trade_no).json() == paid.json()
    closed = merchant.close(out_trade_no)
    assert closed.headers["Request-ID"].endswith("-268449641")
    for _ in range(2):
        assert merchant.reverse(out_trade_no).json()["trade_state"] == "REVOKED"
    assert balance(control, person) == 1_000_000
    assert [entry["amount_fen"] for entry in control.state(out_trade_no)["wallet"]] == [-2500, 2500]
    refused = merchant.refund(out_trade_no, number("R"), 2500)
    assert (refused.status_code, refused.json()["code"]) == (400, "INVALID_REQUEST")


def test_v3_says_202_while_the_password_is_wanted(
    control: SandboxControl, merchant: Merchant
) -> None:
    out_trade_no = number()
    code = control.scan_code()
    control.fault("userpaying")
    answer = merchant.codepay(out_trade_no, code)
    assert (answer.status_code, answer.json()["code"]) == (202, "USERPAYING")
    assert merchant.codepay(out_trade_no, code).status_code == 202
    assert merchant.query(out_trade_no).json()["trade_state"] == "USERPAYING"
    control.micropay_password(out_trade_no, "enter")
    assert merchant.query(out_trade_no).json()["trade_state"] == "SUCCESS"
    unknown = merchant.reverse("T00000000")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "ORDER_NOT_EXIST")
    error = control.fault("scan_error_then_paid")["kind"]
    assert error == "scan_error_then_paid"
    failed = merchant.codepay(number(), control.scan_code())
    assert (failed.status_code, failed.json()["code"]) == (500, "SYSTEM_ERROR")


def test_a_code_lives_a_minute_and_is_spent_once(
    control: SandboxControl, cashier: V2Merchant
) -> None:
    code, late = control.scan_code(), number()
    control.clock(61)
    assert cashier.micropay(late, code)["err_code"] == "AUTHCODEEXPIRE"
    assert cashier.state(late) == "ORDERNOTEXIST"
    control.clock(0)
    assert cashier.micropay(late, code)["result_code"] == "SUCCESS"
    assert cashier.micropay(number(), code)["err_code"] == "AUTH_CODE_INVALID"
    assert cashier.micropay(number(), "134567890123456789")["err_code"] == "AUTH_CODE_INVALID"
    for malformed in ("163456789012345678", "13456789012345678", "abc"):
        assert cashier.micropay(number(), malformed)["err_code"] == "AUTH_CODE_ERROR"


def test_the_repeat_rule_of_a_scan(control: SandboxControl, cashier: V2Merchant) -> None:
    out_trade_no, code = number(), control.scan_code()
    cashier.micropay(out_trade_no, code)
    assert cashier.micropay(out_trade_no, code)["err_code"] == "ORDERPAID"
    assert cashier.micropay(out_trade_no, code, 2501)["err_code"] == "OUT_TRADE_NO_USED"
    cashier.reverse(out_trade_no)
    assert cashier.micropay(out_trade_no, code)["err_code"] == "ORDERREVERSED"
    assert len(control.state()["orders"]) == 1


def test_a_large_amount_wants_the_password(control: SandboxControl, cashier: V2Merchant) -> None:
    paid, cancelled = number(), number()
    for out_trade_no in (paid, cancelled):
        answer = cashier.micropay(out_trade_no, control.scan_code(), 100_001)
        assert answer["err_code"] == "USERPAYING"
        assert cashier.state(out_trade_no) == "USERPAYING"
    wrong = control.micropay_password(paid, "wrong")
    assert wrong == {"outcome": "wrong_password", "trade_state": "USERPAYING"}
    assert control.micropay_password(paid, "enter")["trade_state"] == "SUCCESS"
    assert control.micropay_password(cancelled, "cancel")["trade_state"] == "PAYERROR"
    assert (cashier.state(paid), cashier.state(cancelled)) == ("SUCCESS", "PAYERROR")
    with pytest.raises(AssertionError, match="409"):
        control.micropay_password(paid, "enter")
    with pytest.raises(AssertionError, match="404"):
        control.micropay_password("T00000000")
    with pytest.raises(AssertionError, match="400"):
        control.micropay_password(paid, "shout")


def test_nobody_enters_it_and_the_order_ends(control: SandboxControl, cashier: V2Merchant) -> None:
    out_trade_no = number()
    control.fault("userpaying")
    cashier.micropay(out_trade_no, control.scan_code())
    control.clock(601)
    assert cashier.state(out_trade_no) == "CLOSED"


def test_reversal_of_what_never_was_paid(control: SandboxControl, cashier: V2Merchant) -> None:
    out_trade_no, person = number(), openid()
    control.fault("userpaying")
    cashier.micropay(out_trade_no, control.scan_code(person))
    answer = cashier.reverse(out_trade_no)
    assert (answer["result_code"], answer["recall"]) == ("SUCCESS", "N")
    assert cashier.state(out_trade_no) == "REVOKED"
    assert balance(control, person) == 1_000_000
    with pytest.raises(AssertionError, match="409"):
        control.micropay_password(out_trade_no, "enter")
    unknown = cashier.reverse("T00000000")
    assert (unknown["err_code"], unknown["recall"]) == ("ORDERNOTEXIST", "N")


def test_only_a_scan_of_the_last_days_is_reversed(
    control: SandboxControl, cashier: V2Merchant, merchant: Merchant, paid: str
) -> None:
    assert cashier.reverse(paid)["err_code"] == "TRADE_ERROR"
    out_trade_no = number()
    cashier.micropay(out_trade_no, control.scan_code())
    control.clock(8 * 86400)
    assert cashier.reverse(out_trade_no)["err_code"] == "REVERSE_EXPIRE"
    assert merchant.query(out_trade_no).json()["trade_state"] == "SUCCESS"


def test_v2_refunds_keep_the_same_rules(
    control: SandboxControl, cashier: V2Merchant, paid: str
) -> None:
    """Also over an order made with v3."""
    refund = number("R")
    assert cashier.refund(paid, refund, 2501)["err_code"] == "PARAM_ERROR"
    assert cashier.refund("T00000000", refund, 1)["err_code"] == "ORDERNOTEXIST"
    control.fault("refund_not_enough")
    assert cashier.refund(paid, refund, 2000)["err_code"] == "NOTENOUGH"
    assert cashier.refund(paid, refund, 2000)["result_code"] == "SUCCESS"
    assert cashier.refund(paid, refund, 2000)["result_code"] == "SUCCESS"
    assert cashier.refund(paid, number("R"), 501)["err_code"] == "INVALID_REQUEST"
    assert len(control.state(paid)["refunds"]) == 1
    assert cashier.query_refund(out_refund_no="R0000")["err_code"] == "REFUNDNOTEXIST"


def test_v2_hears_only_the_merchant(control: SandboxControl, cashier: V2Merchant) -> None:
    said = {"out_trade_no": number(), "total_fee": 1}
    for body, why in (
        (cashier.body(sign="0" * 32, **said), "签名错误"),
        (cashier.body(mch_id="1900000000", **said), "mch_id"),
        (cashier.body(appid="wx0000000000000000", **said), "appid"),
        (b"<xml><a>", "XML"),
        (b'<!DOCTYPE x [<!ENTITY a "b">]><xml><a>&a;</a></xml>', "XML"),
        (b"<xml>" + b"<a>b</a>" * 40_000 + b"</xml>", "XML"),
    ):
        answer = cashier.post("/pay/micropay", body)
        assert answer["return_code"] == "FAIL"
        assert why in answer["return_msg"]
        assert "sign" not in answer
    missing = cashier.call("/pay/micropay", **said)
    assert missing["err_code"] == "PARAM_ERROR"
    assert control.state()["orders"] == []


def test_xml_survives_every_text() -> None:
    fields = {"a": "x]]>y", "b": "<&\"'>", "c": "骨伤科"}
    assert xml.read_flat(xml.write(fields)) == fields
    with pytest.raises(ValueError, match="a b"):
        xml.write({"a b": "c"})


def test_the_scan_faults(control: SandboxControl, cashier: V2Merchant) -> None:
    control.fault("scan_code_expired")
    code = control.scan_code()
    assert cashier.micropay(number(), code)["err_code"] == "AUTHCODEEXPIRE"
    control.fault("scan_not_enough")
    poor = number()
    assert cashier.micropay(poor, code)["err_code"] == "NOTENOUGH"
    assert cashier.state(poor) == "PAYERROR"
    assert control.state()["wallet"] == []


def test_the_password_comes_after_a_while(control: SandboxControl, cashier: V2Merchant) -> None:
    out_trade_no = number()
    control.fault("userpaying_then_success")
    assert cashier.micropay(out_trade_no, control.scan_code())["err_code"] == "USERPAYING"
    control.clock(24)
    assert cashier.state(out_trade_no) == "USERPAYING"
    control.clock(25.5)
    assert cashier.state(out_trade_no) == "SUCCESS"


def test_the_payment_arrives_during_the_reversal(
    control: SandboxControl, cashier: V2Merchant
) -> None:
    """The money leaves and comes back; the merchant hears that the scan is undone."""
    out_trade_no, person = number(), openid()
    control.fault("userpaying_late_success")
    cashier.micropay(out_trade_no, control.scan_code(person))
    control.clock(30)
    assert cashier.state(out_trade_no) == "USERPAYING"
    assert cashier.reverse(out_trade_no)["recall"] == "N"
    assert cashier.state(out_trade_no) == "REVOKED"
    assert control.state(out_trade_no)["orders"][0]["refunded_fen"] == 2500
    assert [entry["amount_fen"] for entry in control.state(out_trade_no)["wallet"]] == [-2500, 2500]
    assert balance(control, person) == 1_000_000


def test_a_late_payment_lands_when_nobody_reverses(
    control: SandboxControl, cashier: V2Merchant
) -> None:
    out_trade_no = number()
    control.fault("userpaying_late_success")
    cashier.micropay(out_trade_no, control.scan_code())
    control.clock(36)
    assert cashier.state(out_trade_no) == "SUCCESS"


def test_an_error_that_was_paid(control: SandboxControl, cashier: V2Merchant) -> None:
    out_trade_no = number()
    control.fault("scan_error_then_paid")
    assert cashier.micropay(out_trade_no, control.scan_code())["err_code"] == "SYSTEMERROR"
    control.clock(6)
    assert cashier.state(out_trade_no) == "SUCCESS"


def test_recall_until_it_is_done(
    control: SandboxControl, cashier: V2Merchant, merchant: Merchant
) -> None:
    out_trade_no = number()
    cashier.micropay(out_trade_no, control.scan_code())
    control.fault("reverse_again", times=3)
    for _ in range(2):
        answer = cashier.reverse(out_trade_no)
        assert (answer["err_code"], answer["recall"]) == ("SYSTEMERROR", "Y")
    assert merchant.reverse(out_trade_no).status_code == 500
    assert cashier.state(out_trade_no) == "SUCCESS"
    assert cashier.reverse(out_trade_no)["recall"] == "N"
    assert cashier.state(out_trade_no) == "REVOKED"


def test_a_forged_v2_answer(control: SandboxControl, cashier: V2Merchant) -> None:
    control.fault("response_bad_signature")
    answer = cashier.post("/pay/orderquery", cashier.body(out_trade_no="T00000000"))
    signature = answer.pop("sign")
    assert signature != cashier.sign(answer)


def test_calm_drops_every_waiting_fault(control: SandboxControl, cashier: V2Merchant) -> None:
    control.fault("scan_not_enough", times=-1)
    control.fault("http_500", times=3)
    control.calm()
    assert control.state()["faults"] == []
    assert cashier.micropay(number(), control.scan_code())["result_code"] == "SUCCESS"


def test_moments_tell_what_could_have_struck(control: SandboxControl, cashier: V2Merchant) -> None:
    cashier.micropay(number(), control.scan_code())
    assert control.moments("/pay/micropay") == ["answer", "request", "scan", "signature"]
    assert control.moments("/pay/orderquery") == []
    control.reset()
    assert control.moments() == []


def test_refund_notices_are_sealed_as_published() -> None:
    """AES-256-ECB: what the key 0123…cdef makes of `hello` is known."""
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    key = b"0123456789abcdef0123456789abcdef"
    open_known = Cipher(algorithms.AES(key), modes.ECB()).decryptor()
    sealed = base64.b64decode("pZwJZBLuy3mDACEQT4YTBw==")
    assert open_known.update(sealed) + open_known.finalize() == b"hello" + bytes([11]) * 11
    digest = hashlib.md5(b"k").hexdigest().encode()
    opener = Cipher(algorithms.AES(digest), modes.ECB()).decryptor()
    plain = opener.update(base64.b64decode(v2_notices.seal("k", b"hello"))) + opener.finalize()
    assert plain == b"hello" + bytes([11]) * 11
