"""Cashier scan against the stand-in, both products: a clerk never sees "failed" while charged."""

import dataclasses
from datetime import UTC

import pytest
from pytest_django.fixtures import Settings

from hospital.testing.wechat import StandIn
from hospital.wechat import clients, scan_codes
from hospital.wechat.outcomes import (
    Closed,
    NotFound,
    Paid,
    Paying,
    RefundProgress,
    RefundState,
    Refused,
    ReverseAgain,
    Reversed,
    ScanRefused,
    Unknown,
    Unpaid,
)
from hospital.wechat.pay import RefundOrder
from hospital.wechat.scan import ScanOrder, ScanPay

OPENID = "oScanTestPayer0000000000001"
NUMBER = "30W00000001"


@pytest.fixture(params=["v2 HMAC-SHA256", "v2 MD5", "v3"])
def scan(request: pytest.FixtureRequest, wechat: StandIn, settings: Settings) -> ScanPay:
    product, _, sign_type = str(request.param).partition(" ")
    settings.WECHAT = dataclasses.replace(
        settings.WECHAT,
        scan_product=product,
        v2_sign_type=sign_type or "MD5",
    )
    return clients.scan()


def order(wechat: StandIn, *, code: str = "", number: str = NUMBER) -> ScanOrder:
    return ScanOrder(
        out_trade_no=number,
        auth_code=code or wechat.scan_code(OPENID),
        total_fen=2500,
        description="挂号费, 针灸 <推拿> & 拔罐😀",
        client_ip="10.1.2.3",
        device_id="W01",
    )


def test_a_code_is_charged(wechat: StandIn, scan: ScanPay) -> None:
    outcome = scan.pay(order(wechat))
    assert isinstance(outcome, Paid)
    config = clients.config()
    assert (outcome.mchid, outcome.appid) == (config.mchid, config.appid)
    assert (outcome.out_trade_no, outcome.openid) == (NUMBER, OPENID)
    assert (outcome.total_fen, outcome.payer_fen) == (2500, 2500)
    assert outcome.succeeded_at.tzinfo == UTC
    asked = scan.query(out_trade_no=NUMBER)
    assert isinstance(asked, Paid)
    assert asked.transaction_id == outcome.transaction_id
    assert abs((asked.succeeded_at - outcome.succeeded_at).total_seconds()) <= 1


def test_a_used_code_is_a_definite_no(wechat: StandIn, scan: ScanPay) -> None:
    code = wechat.scan_code(OPENID)
    assert isinstance(scan.pay(order(wechat, code=code)), Paid)
    outcome = scan.pay(order(wechat, code=code, number="30W00000002"))
    assert isinstance(outcome, ScanRefused)
    assert scan_codes.word(outcome.code) == "AUTHCODEINVALID"
    assert len(wechat.state()["orders"]) == 1


@pytest.mark.parametrize(
    ("fault", "code"), [("scan_code_expired", "AUTHCODEEXPIRE"), ("scan_not_enough", "NOTENOUGH")]
)
def test_definite_refusals_charge_nothing(
    wechat: StandIn, scan: ScanPay, fault: str, code: str
) -> None:
    wechat.fault(fault, times=1)
    outcome = scan.pay(order(wechat))
    assert isinstance(outcome, ScanRefused)
    assert scan_codes.word(outcome.code) == code
    assert not isinstance(scan.query(out_trade_no=NUMBER), Paid)


def test_a_password_is_waited_for(wechat: StandIn, scan: ScanPay) -> None:
    wechat.fault("userpaying", times=1)
    outcome = scan.pay(order(wechat))
    assert isinstance(outcome, Paying)
    assert outcome.reason == "USERPAYING"
    assert scan.query(out_trade_no=NUMBER) == Unpaid(state="USERPAYING")
    wechat.micropay_password(NUMBER, "enter")
    assert isinstance(scan.query(out_trade_no=NUMBER), Paid)


def test_an_error_that_was_a_payment_is_found_by_asking(wechat: StandIn, scan: ScanPay) -> None:
    wechat.fault("scan_error_then_paid", times=1, seconds=0)
    outcome = scan.pay(order(wechat))
    assert isinstance(outcome, Paying | Unknown)
    assert isinstance(scan.query(out_trade_no=NUMBER), Paid)


def test_an_answer_that_never_comes_is_found_by_asking(wechat: StandIn, scan: ScanPay) -> None:
    wechat.fault("timeout_after_success", times=1)
    assert scan.pay(order(wechat)) == Unknown(reason="no_answer:ReadTimeout")
    assert isinstance(scan.query(out_trade_no=NUMBER), Paid)
    assert len(wechat.state()["orders"]) == 1


def test_the_same_number_again_is_never_a_no(wechat: StandIn, scan: ScanPay) -> None:
    assert isinstance(scan.pay(order(wechat)), Paid)
    assert isinstance(scan.pay(order(wechat)), Unknown)


def test_a_forged_answer_is_unknown(wechat: StandIn, scan: ScanPay) -> None:
    wechat.fault("response_bad_signature", times=1)
    assert scan.pay(order(wechat)) == Unknown(reason="untrusted:bad_signature")


def test_nobody_there_is_a_definite_no(wechat: StandIn, settings: Settings) -> None:
    settings.WECHAT = dataclasses.replace(settings.WECHAT, pay_base="http://127.0.0.1:9")
    outcome = clients.scan().pay(order(wechat))
    assert outcome == scan_codes.NOT_CONNECTED
    assert wechat.state()["orders"] == []


def test_reversing_ends_a_charge_in_any_state(wechat: StandIn, scan: ScanPay) -> None:
    wechat.fault("userpaying", times=1)
    scan.pay(order(wechat))
    assert scan.reverse(out_trade_no=NUMBER) == Reversed()
    assert scan.query(out_trade_no=NUMBER) == Closed(state="REVOKED")
    paid = order(wechat, number="30W00000002")
    assert isinstance(scan.pay(paid), Paid)
    assert scan.reverse(out_trade_no=paid.out_trade_no) == Reversed()
    assert scan.reverse(out_trade_no=paid.out_trade_no) == Reversed()
    assert scan.query(out_trade_no=paid.out_trade_no) == Closed(state="REVOKED")


def test_a_payment_that_lands_during_the_reversal_goes_back(wechat: StandIn, scan: ScanPay) -> None:
    wechat.fault("userpaying_late_success", times=1)
    assert isinstance(scan.pay(order(wechat)), Paying)
    wechat.fault("reverse_again", times=2)
    # v2 asks for the same call again; v3 answers 500, which the wire itself repeats once.
    assert isinstance(scan.reverse(out_trade_no=NUMBER), ReverseAgain | Unknown)
    scan.reverse(out_trade_no=NUMBER)
    assert scan.reverse(out_trade_no=NUMBER) == Reversed()
    assert scan.query(out_trade_no=NUMBER) == Closed(state="REVOKED")


def test_an_order_nobody_knows(wechat: StandIn, scan: ScanPay) -> None:
    assert scan.query(out_trade_no=NUMBER) == NotFound()
    assert isinstance(scan.reverse(out_trade_no=NUMBER), Refused)


def test_a_refund_of_a_charge(wechat: StandIn, scan: ScanPay) -> None:
    assert isinstance(scan.pay(order(wechat)), Paid)
    back = RefundOrder(
        out_trade_no=NUMBER,
        out_refund_no=f"{NUMBER}R01",
        refund_fen=1000,
        total_fen=2500,
        reason="部分退费",
        notify_url=f"{wechat.letters.address}/callback/wechat/refund",
    )
    assert scan.query_refund(out_refund_no=back.out_refund_no) == NotFound()
    state = scan.refund(back)
    assert isinstance(state, RefundState)
    assert state.progress is RefundProgress.PROCESSING
    assert (state.refund_fen, state.total_fen, state.out_trade_no) == (1000, 2500, NUMBER)
    wechat.refund_state(back.out_refund_no, "SUCCESS")
    asked = scan.query_refund(out_refund_no=back.out_refund_no)
    assert isinstance(asked, RefundState)
    assert asked.progress is RefundProgress.SUCCESS
    assert asked.succeeded_at is not None
    assert asked.refund_id == state.refund_id
    order_now = scan.query(out_trade_no=NUMBER)
    assert isinstance(order_now, Paid)
    assert order_now.has_refunds
    too_much = dataclasses.replace(back, out_refund_no=f"{NUMBER}R02", refund_fen=2000)
    assert isinstance(scan.refund(too_much), Refused)


def test_an_account_without_the_key_refuses(wechat: StandIn, settings: Settings) -> None:
    settings.WECHAT = dataclasses.replace(settings.WECHAT, v2_key="")
    with pytest.raises(clients.ScansNotTaken):
        clients.scan()


def test_what_looks_like_a_payment_code() -> None:
    good = ["134567890123456789", "104567890123456789", "154567890123456789"]
    bad = [
        "164567890123456789",
        "13456789012345678",
        "1345678901234567890",
        "１3456789012345678",
        "",
    ]
    assert [text for text in good + bad if scan_codes.is_pay_code(text)] == good


def test_the_code_is_not_shown(wechat: StandIn) -> None:
    shown = order(wechat, code="134567890123456789")
    assert "134567890123456789" not in repr(shown)
