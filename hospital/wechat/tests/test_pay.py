"""The pay client against the stand-in: every outcome, every way an answer can go missing."""

import dataclasses
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from pytest_django.fixtures import Settings

from hospital.kernel import clock
from hospital.testing.wechat import StandIn
from hospital.wechat import clients, signing
from hospital.wechat.config import WeChatConfig
from hospital.wechat.http import NoAnswer, Wire
from hospital.wechat.notices import InvalidNotice, PaymentNotice, RefundNotice
from hospital.wechat.outcomes import (
    Closed,
    NativePrepaid,
    NotFound,
    Paid,
    Prepaid,
    RefundProgress,
    RefundState,
    Refused,
    Unknown,
    Unpaid,
)
from hospital.wechat.pay import AbnormalRefund, BankCard, JsapiOrder, NativeOrder, Pay, RefundOrder

OPENID = "oWireTestPayer0000000000001"


def order(wechat: StandIn, number: str = "W000000001", **changes: object) -> JsapiOrder:
    made = JsapiOrder(
        out_trade_no=number,
        openid=OPENID,
        total_fen=2500,
        description="挂号费 针灸推拿科😀",
        notify_url=f"{wechat.letters.address}/callback/wechat/pay",
        expires_at=(clock.now() + timedelta(minutes=15)).replace(microsecond=0),
    )
    return dataclasses.replace(made, **changes)  # type: ignore[arg-type]


def refund_order(number: str = "W000000001", **changes: object) -> RefundOrder:
    made = RefundOrder(
        out_trade_no=number,
        out_refund_no=f"{number}R01",
        refund_fen=2500,
        total_fen=2500,
        reason="挂号退费",
        notify_url="",
    )
    return dataclasses.replace(made, **changes)  # type: ignore[arg-type]


def paid(wechat: StandIn, number: str = "W000000001") -> Pay:
    client = clients.pay()
    assert isinstance(client.prepay_jsapi(order(wechat, number)), Prepaid)
    wechat.pay(number, openid=OPENID)
    return client


def test_from_order_to_refund(wechat: StandIn) -> None:
    client = clients.pay()
    assert client.query(out_trade_no="W000000001") == NotFound()
    prepaid = client.prepay_jsapi(order(wechat))
    assert isinstance(prepaid, Prepaid)
    assert client.query(out_trade_no="W000000001") == Unpaid(state="NOTPAY")
    wechat.pay("W000000001", openid=OPENID)
    outcome = client.query(out_trade_no="W000000001")
    assert isinstance(outcome, Paid)
    assert (outcome.total_fen, outcome.openid) == (2500, OPENID)
    assert outcome.succeeded_at.tzinfo == UTC
    refund = dataclasses.replace(
        refund_order(), notify_url=f"{wechat.letters.address}/callback/wechat/refund"
    )
    state = client.refund(refund)
    assert isinstance(state, RefundState)
    assert state.progress is RefundProgress.PROCESSING
    wechat.refund_state(refund.out_refund_no, "SUCCESS")
    state = client.query_refund(out_refund_no=refund.out_refund_no)
    assert isinstance(state, RefundState)
    assert state.progress is RefundProgress.SUCCESS
    assert state.succeeded_at is not None
    outcome = client.query(out_trade_no="W000000001")
    assert isinstance(outcome, Paid)
    assert outcome.has_refunds


def test_pay_sheet_is_signed_with_the_prepaid_app(wechat: StandIn) -> None:
    client = clients.pay()
    prepaid = client.prepay_jsapi(order(wechat))
    assert isinstance(prepaid, Prepaid)
    fields = client.sheet(prepay_id=prepaid.prepay_id, at=clock.now()).as_bridge()
    config = clients.config()
    assert fields["appId"] == config.appid
    text = signing.lines(
        fields["appId"], fields["timeStamp"], fields["nonceStr"], fields["package"]
    )
    assert signing.verify(
        key=config.merchant_key.public_key(), text=text, signature=fields["paySign"]
    )


def test_a_native_order_shows_a_code_that_anybody_may_pay(wechat: StandIn) -> None:
    client = clients.pay()
    shown = order(wechat)
    native = NativeOrder(
        out_trade_no=shown.out_trade_no,
        total_fen=shown.total_fen,
        description=shown.description,
        notify_url=shown.notify_url,
        expires_at=shown.expires_at,
    )
    first = client.prepay_native(native)
    assert isinstance(first, NativePrepaid)
    assert first.code_url.startswith("weixin://wxpay/bizpayurl?pr=")
    again = client.prepay_native(native)
    assert isinstance(again, NativePrepaid)
    assert again != first
    other = client.prepay_native(dataclasses.replace(native, total_fen=1))
    assert isinstance(other, Refused)
    assert len(wechat.state()["orders"]) == 1
    wechat.pay(native.out_trade_no, openid=OPENID)
    outcome = client.query(out_trade_no=native.out_trade_no)
    assert isinstance(outcome, Paid)
    assert (outcome.total_fen, outcome.openid) == (2500, OPENID)


def test_the_same_order_again_is_a_safe_repeat(wechat: StandIn) -> None:
    client = clients.pay()
    same = order(wechat)
    assert isinstance(client.prepay_jsapi(same), Prepaid)
    assert isinstance(client.prepay_jsapi(same), Prepaid)
    other = client.prepay_jsapi(dataclasses.replace(same, total_fen=2600))
    assert isinstance(other, Refused)
    assert len(wechat.state()["orders"]) == 1


def test_a_paid_order_refuses_prepay_and_close(wechat: StandIn) -> None:
    client = clients.pay()
    same = order(wechat)
    client.prepay_jsapi(same)
    wechat.pay(same.out_trade_no, openid=OPENID)
    assert isinstance(client.prepay_jsapi(same), Refused)
    assert isinstance(client.close(out_trade_no=same.out_trade_no), Refused)
    assert isinstance(client.query(out_trade_no=same.out_trade_no), Paid)


def test_close_is_repeatable(wechat: StandIn) -> None:
    client = clients.pay()
    client.prepay_jsapi(order(wechat))
    assert client.close(out_trade_no="W000000001") == Closed()
    assert client.close(out_trade_no="W000000001") == Closed()
    assert client.query(out_trade_no="W000000001") == Closed(state="CLOSED")


def test_an_answer_lost_after_success_is_found_by_repeating(wechat: StandIn) -> None:
    wechat.fault("timeout_after_success", times=1, match="jsapi")
    assert isinstance(clients.pay().prepay_jsapi(order(wechat)), Prepaid)
    assert len(wechat.state()["orders"]) == 1


def test_answers_lost_twice_leave_the_state_unknown(wechat: StandIn) -> None:
    wechat.fault("timeout_after_success", times=2, match="jsapi")
    outcome = clients.pay().prepay_jsapi(order(wechat))
    assert outcome == Unknown(reason="no_answer:ReadTimeout")
    assert clients.pay().query(out_trade_no="W000000001") == Unpaid(state="NOTPAY")


def test_server_errors_are_repeated_then_unknown(wechat: StandIn) -> None:
    client = clients.pay()
    wechat.fault("http_500", times=1)
    assert isinstance(client.prepay_jsapi(order(wechat)), Prepaid)
    wechat.fault("http_500", times=2)
    assert client.query(out_trade_no="W000000001") == Unknown(reason="http_500")


def test_a_forged_answer_is_unknown(wechat: StandIn) -> None:
    client = paid(wechat)
    wechat.fault("response_bad_signature", times=1)
    outcome = client.query(out_trade_no="W000000001")
    assert outcome == Unknown(reason="untrusted:bad_signature")
    assert isinstance(client.query(out_trade_no="W000000001"), Paid)


def test_a_refund_without_balance_is_retried_with_the_same_number(wechat: StandIn) -> None:
    client = paid(wechat)
    wechat.fault("refund_not_enough", times=1)
    first = client.refund(refund_order(notify_url=wechat.letters.address))
    assert isinstance(first, Refused)
    assert first.code == "NOT_ENOUGH"
    assert client.query_refund(out_refund_no="W000000001R01") == NotFound()
    again = client.refund(refund_order(notify_url=wechat.letters.address))
    assert isinstance(again, RefundState)
    repeated = client.refund(refund_order(notify_url=wechat.letters.address))
    assert isinstance(repeated, RefundState)
    assert len(wechat.state()["refunds"]) == 1


def test_too_much_is_refused(wechat: StandIn) -> None:
    client = paid(wechat)
    outcome = client.refund(refund_order(refund_fen=2600, notify_url=wechat.letters.address))
    assert isinstance(outcome, Refused)
    assert wechat.state()["refunds"] == []


def test_a_refund_whose_answer_is_lost(wechat: StandIn) -> None:
    client = paid(wechat)
    wechat.fault("timeout_after_success", times=2, match="refunds")
    outcome = client.refund(refund_order(notify_url=wechat.letters.address))
    assert isinstance(outcome, Unknown)
    assert isinstance(client.query_refund(out_refund_no="W000000001R01"), RefundState)


@pytest.mark.parametrize("mode", ["public_key", "certificate"])
def test_notices_of_both_kinds_of_key(wechat: StandIn, mode: str) -> None:
    wechat.notify_mode(mode)
    paid(wechat)
    letter = wechat.letters.wait()[0]
    read = clients.notices().payment(headers=letter.headers, body=letter.body, at=clock.now())
    assert isinstance(read, PaymentNotice)
    assert isinstance(read.order, Paid)
    assert read.event_type == "TRANSACTION.SUCCESS"


def test_a_forged_notice(wechat: StandIn) -> None:
    wechat.fault("notify_bad_signature", times=1)
    paid(wechat)
    letter = wechat.letters.wait()[0]
    read = clients.notices().payment(headers=letter.headers, body=letter.body, at=clock.now())
    assert read == InvalidNotice(reason="bad_signature", is_from_wechat=False)


def test_refund_notices(wechat: StandIn) -> None:
    client = paid(wechat)
    client.refund(refund_order(notify_url=f"{wechat.letters.address}/callback/wechat/refund"))
    wechat.refund_state("W000000001R01", "ABNORMAL")
    # The payment's own notice may come before it or after.
    letter = next(one for one in wechat.letters.wait(2) if one.path.endswith("/refund"))
    read = clients.notices().refund(headers=letter.headers, body=letter.body, at=clock.now())
    assert isinstance(read, RefundNotice)
    assert read.refund.progress is RefundProgress.ABNORMAL
    assert read.refund.mchid == clients.config().mchid


def certificate_mode(config: WeChatConfig) -> WeChatConfig:
    return dataclasses.replace(config, public_key_id="", public_key=None)


def test_certificate_mode_end_to_end(wechat: StandIn, settings: Settings) -> None:
    settings.WECHAT = certificate_mode(settings.WECHAT)
    client = paid(wechat)
    assert isinstance(client.query(out_trade_no="W000000001"), Paid)


def test_a_rotated_certificate_is_fetched(wechat: StandIn, settings: Settings) -> None:
    """The only certificate we know is another one: the right one comes from /v3/certificates."""
    known = settings.WECHAT.platform_certificates
    wechat.notify_mode("certificate")
    settings.WECHAT = dataclasses.replace(settings.WECHAT, platform_certificates=())
    paid(wechat)
    letter = wechat.letters.wait()[0]
    read = clients.notices().payment(headers=letter.headers, body=letter.body, at=clock.now())
    assert isinstance(read, PaymentNotice)
    assert known


def test_a_wrong_merchant_key_is_refused(wechat: StandIn, settings: Settings) -> None:
    other = generate_private_key(public_exponent=65537, key_size=2048)
    settings.WECHAT = dataclasses.replace(settings.WECHAT, merchant_key=other, merchant_cert=None)
    outcome = clients.pay().prepay_jsapi(order(wechat))
    assert isinstance(outcome, Refused)
    assert outcome.status == 401


def test_nobody_there(wechat: StandIn, settings: Settings) -> None:
    settings.WECHAT = dataclasses.replace(settings.WECHAT, pay_base="http://127.0.0.1:9")
    outcome = clients.pay().query(out_trade_no="W000000001")
    assert outcome == Unknown(reason="no_answer:ConnectError")


def test_the_standby_host_takes_over(wechat: StandIn, settings: Settings) -> None:
    settings.WECHAT = dataclasses.replace(
        settings.WECHAT, pay_base="http://127.0.0.1:9", pay_standby=wechat.base
    )
    assert clients.pay().query(out_trade_no="W000000001") == NotFound()


def test_no_account_refuses_politely(settings: Settings) -> None:
    settings.WECHAT = None
    with pytest.raises(clients.WeChatNotConnected):
        clients.pay()


def test_a_wire_without_hosts_says_so() -> None:
    wire = Wire(hosts=["http://127.0.0.1:9"], connect_seconds=0.2, read_seconds=0.2)
    outcome = wire.send(call="query", method="GET", target="/", repeats=1)
    assert outcome == NoAnswer(reason="ConnectError", may_have_arrived=False)


def test_logs_hold_no_secrets(wechat: StandIn, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("DEBUG"):
        paid(wechat)
        letter = wechat.letters.wait()[0]
        clients.notices().payment(headers=letter.headers, body=letter.body, at=clock.now())
    config = clients.config()
    text = "\n".join(f"{record.getMessage()} {vars(record)}" for record in caplog.records)
    assert "wechat call" in text
    for secret in (OPENID, config.secret, config.apiv3_key.decode(), "Authorization"):
        assert secret not in text


def test_moments_are_utc(wechat: StandIn) -> None:
    before = datetime.now(UTC) - timedelta(seconds=2)
    client = paid(wechat)
    outcome = client.query(out_trade_no="W000000001")
    assert isinstance(outcome, Paid)
    assert before <= outcome.succeeded_at <= datetime.now(UTC) + timedelta(seconds=2)


@pytest.mark.parametrize("mode", ["public_key", "certificate"])
def test_an_abnormal_refund_goes_to_a_card(wechat: StandIn, settings: Settings, mode: str) -> None:
    if mode == "certificate":
        settings.WECHAT = certificate_mode(settings.WECHAT)
    client = paid(wechat)
    state = client.refund(refund_order())
    assert isinstance(state, RefundState)
    to_card = AbnormalRefund(
        refund_id=state.refund_id,
        out_refund_no=state.out_refund_no,
        to=BankCard.USER,
        bank_type="ICBC_DEBIT",
        bank_account="6222020000000000000",
        real_name="欧阳针灸",
    )
    assert "6222020000000000000" not in repr(to_card)
    assert "欧阳针灸" not in repr(to_card)
    # Only a refund that came back can go another way.
    assert isinstance(client.abnormal_refund(to_card), Refused)
    wechat.refund_state(state.out_refund_no, "ABNORMAL")
    sent = client.abnormal_refund(to_card)
    assert isinstance(sent, RefundState)
    assert sent.progress is RefundProgress.PROCESSING
    wechat.refund_state(state.out_refund_no, "SUCCESS")
    asked = client.query_refund(out_refund_no=state.out_refund_no)
    assert isinstance(asked, RefundState)
    assert asked.progress is RefundProgress.SUCCESS


def test_an_abnormal_refund_goes_to_the_merchant(wechat: StandIn) -> None:
    client = paid(wechat)
    state = client.refund(refund_order())
    assert isinstance(state, RefundState)
    wechat.refund_state(state.out_refund_no, "ABNORMAL")
    sent = client.abnormal_refund(
        AbnormalRefund(
            refund_id=state.refund_id, out_refund_no=state.out_refund_no, to=BankCard.MERCHANT
        )
    )
    assert isinstance(sent, RefundState)
    assert sent.refund_id == state.refund_id


def test_nothing_to_seal_with_is_unknown(wechat: StandIn, settings: Settings) -> None:
    client = paid(wechat)
    settings.WECHAT = dataclasses.replace(
        certificate_mode(settings.WECHAT), pay_base="http://127.0.0.1:9"
    )
    object.__setattr__(settings.WECHAT, "platform_certificates", ())
    order_back = AbnormalRefund(
        refund_id="50000", out_refund_no="W000000001R01", to=BankCard.USER, real_name="欧阳"
    )
    assert clients.pay().abnormal_refund(order_back) == Unknown(reason="no_key_to_seal_with")
    assert isinstance(client.query(out_trade_no="W000000001"), Paid)
