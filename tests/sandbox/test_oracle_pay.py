"""The stand-in against a third party's client, wechatpayv3 2.x, in both verification modes.

The library has no setting for the host. In public-key mode its core is aimed after construction;
in certificate mode the constructor downloads `/v3/certificates` at once, so the core class itself
is replaced by one whose host cannot be assigned.
"""

from __future__ import annotations

import gzip
import hashlib
import json
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from wechatpayv3 import WeChatPay, WeChatPayType
from wechatpayv3 import core as library_core

from hospital.testing.sandbox import SandboxControl
from tests.sandbox.merchant import number, openid
from tests.sandbox.receiver import Receiver
from wechat_sandbox.signing import lines, verifies

MODES = ("public_key", "certificate")


def arguments(facts: dict[str, Any], mode: str, notify_url: str) -> dict[str, Any]:
    """What the library's client is made with."""
    files = {name: Path(path).read_text("utf-8") for name, path in facts["files"].items()}
    common = {
        "wechatpay_type": WeChatPayType.JSAPI,
        "mchid": facts["mchid"],
        "private_key": files["mch_key"],
        "cert_serial_no": facts["mch_serial"],
        "appid": facts["appid"],
        "apiv3_key": facts["apiv3_key"],
        "notify_url": notify_url,
        "timeout": (3, 10),
    }
    if mode == "certificate":
        return common
    return common | {"public_key": files["wxp_pub"], "public_key_id": facts["pub_key_id"]}


@pytest.fixture(params=MODES)
def mode(request: pytest.FixtureRequest, control: SandboxControl) -> str:
    """Answers and notices proven by public key, or by platform certificate."""
    chosen = str(request.param)
    control.notify_mode(chosen)
    return chosen


@pytest.fixture
def library(
    mode: str, control: SandboxControl, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> Any:
    """The library's client, aimed at the stand-in."""

    class Aimed(library_core.Core):  # type: ignore[misc]
        @property
        def _gate_way(self) -> str:
            return control.base

        @_gate_way.setter
        def _gate_way(self, _: str) -> None:
            """The library assigns Tencent's host here."""

    monkeypatch.setattr(library_core, "Core", Aimed)
    return WeChatPay(**arguments(control.facts, mode, receiver.url))


def asked(answer: tuple[int, str]) -> dict[str, Any]:
    """The document of a 200."""
    status, text = answer
    assert status == 200, text
    document: dict[str, Any] = json.loads(text)
    return document


def test_book_pay_refund_as_the_library_sees_it(
    library: Any, control: SandboxControl, receiver: Receiver
) -> None:
    payer, out_trade_no, out_refund_no = openid(), number(), number("R")
    prepaid = asked(
        library.pay(
            description="门诊挂号费 骨伤科",
            out_trade_no=out_trade_no,
            amount={"total": 2500},
            payer={"openid": payer},
            attach="中文附加数据",
        )
    )
    assert prepaid["prepay_id"].startswith("wx")
    assert asked(library.query(out_trade_no=out_trade_no))["trade_state"] == "NOTPAY"

    control.pay(out_trade_no)
    notice = receiver.wait()[0]
    told = library.callback(notice.headers, notice.body)
    assert told["event_type"] == "TRANSACTION.SUCCESS"
    assert told["resource"]["out_trade_no"] == out_trade_no
    assert told["resource"]["attach"] == "中文附加数据"
    transaction_id = told["resource"]["transaction_id"]
    assert asked(library.query(transaction_id=transaction_id))["payer"]["openid"] == payer

    refunded = asked(
        library.refund(
            out_refund_no=out_refund_no,
            out_trade_no=out_trade_no,
            reason="停诊退费",
            notify_url=receiver.url,
            amount={"refund": 2500, "total": 2500, "currency": "CNY"},
        )
    )
    assert refunded["status"] == "PROCESSING"
    notice = receiver.wait(2)[1]
    told = library.callback(notice.headers, notice.body)
    assert told["event_type"] == "REFUND.SUCCESS"
    assert told["resource"]["refund_status"] == "SUCCESS"
    assert asked(library.query_refund(out_refund_no))["status"] == "SUCCESS"


def test_close_and_its_empty_answer(library: Any) -> None:
    out_trade_no = number()
    order = {
        "description": "挂号",
        "out_trade_no": out_trade_no,
        "amount": {"total": 1},
        "payer": {"openid": openid()},
    }
    asked(library.pay(**order))
    asked(library.pay(**order))
    status, _ = library.close(out_trade_no)
    assert status == 204
    assert asked(library.query(out_trade_no=out_trade_no))["trade_state"] == "CLOSED"
    status, text = library.pay(**order)
    assert (status, json.loads(text)["code"]) == (400, "ORDER_CLOSED")


def test_errors_reach_the_library_with_their_status(library: Any) -> None:
    status, text = library.query(out_trade_no="T00000000")
    assert (status, json.loads(text)["code"]) == (404, "ORDER_NOT_EXIST")
    status, text = library.query_refund("R00000000")
    assert (status, json.loads(text)["code"]) == (404, "RESOURCE_NOT_EXISTS")
    status, text = library.pay(
        description="x", out_trade_no="short", amount={"total": 1}, payer={"openid": openid()}
    )
    assert (status, json.loads(text)["code"]) == (400, "PARAM_ERROR")


def test_the_library_notices_a_bad_signature(library: Any, control: SandboxControl) -> None:
    control.fault("response_bad_signature")
    order = {
        "description": "挂号",
        "out_trade_no": number(),
        "amount": {"total": 1},
        "payer": {"openid": openid()},
    }
    with pytest.raises(Exception, match="failed to verify the signature"):
        library.pay(**order)
    asked(library.pay(**order))


def test_the_library_refuses_a_badly_signed_notice(
    library: Any, control: SandboxControl, receiver: Receiver
) -> None:
    out_trade_no = number()
    asked(
        library.pay(
            description="挂号",
            out_trade_no=out_trade_no,
            amount={"total": 1},
            payer={"openid": openid()},
        )
    )
    receiver.answers = [401]
    control.fault("notify_bad_signature")
    control.pay(out_trade_no)
    bad, good = receiver.wait(2)
    assert not library.callback(bad.headers, bad.body)
    assert library.callback(good.headers, good.body)["resource"]["out_trade_no"] == out_trade_no


def test_the_librarys_pay_sign_opens_the_sheet(library: Any, program: SandboxControl) -> None:
    """What the phone checks when a page asks for the payment sheet."""
    from wechat_sandbox.keys import make_or_load

    keys = make_or_load(Path(program.facts["files"]["mch_key"]).parent)
    parts = [keys.appid, "1554208460", "593BEC0C930BF1AF", "prepay_id=wx2026"]
    assert verifies(keys.mch_public, lines(*parts), library.sign(parts))


def test_native_as_the_library_sees_it(
    library: Any, control: SandboxControl, receiver: Receiver
) -> None:
    out_trade_no, payer = number(), openid()
    order = {
        "description": "检查费",
        "out_trade_no": out_trade_no,
        "amount": {"total": 18_000},
        "pay_type": WeChatPayType.NATIVE,
    }
    first = asked(library.pay(**order))["code_url"]
    second = asked(library.pay(**order))["code_url"]
    assert first != second
    control.pay_code_url(second, openid=payer)
    notice = receiver.wait()[0]
    told = library.callback(notice.headers, notice.body)["resource"]
    assert (told["trade_type"], told["payer"]["openid"]) == ("NATIVE", payer)


def test_a_scan_as_the_library_sees_it(library: Any, control: SandboxControl) -> None:
    out_trade_no = number()

    def charge(code: str) -> tuple[int, dict[str, Any]]:
        status, text = library.pay(
            description="药费",
            out_trade_no=out_trade_no,
            amount={"total": 3_300},
            payer={"auth_code": code},
            scene_info={"store_info": {"out_id": "main"}},
            pay_type=WeChatPayType.CODEPAY,
        )
        return status, json.loads(text)

    status, answer = charge("999")
    assert (status, answer["code"]) == (400, "AUTH_CODE_ERROR")
    control.fault("userpaying")
    status, answer = charge(control.scan_code())
    assert (status, answer["code"]) == (202, "USERPAYING")
    control.micropay_password(out_trade_no, "enter")
    assert asked(library.query(out_trade_no=out_trade_no))["trade_state"] == "SUCCESS"
    assert asked(library.codepay_reverse(out_trade_no))["trade_state"] == "REVOKED"


@pytest.mark.filterwarnings("ignore:Properties that return a na:UserWarning")
def test_an_abnormal_refund_as_the_library_sees_it(
    library: Any, control: SandboxControl, receiver: Receiver
) -> None:
    out_trade_no, out_refund_no = number(), number("R")
    asked(
        library.pay(
            description="挂号",
            out_trade_no=out_trade_no,
            amount={"total": 2500},
            payer={"openid": openid()},
        )
    )
    control.pay(out_trade_no)
    receiver.wait()
    control.fault("refund_abnormal")
    refund = asked(
        library.refund(
            out_refund_no=out_refund_no,
            out_trade_no=out_trade_no,
            notify_url=receiver.url,
            amount={"refund": 1000, "total": 2500, "currency": "CNY"},
        )
    )
    told = receiver.wait(2)[1]
    assert library.callback(told.headers, told.body)["event_type"] == "REFUND.ABNORMAL"
    sent = asked(
        library.abnormal_refund(
            refund_id=refund["refund_id"],
            out_refund_no=out_refund_no,
            type="USER_BANK_CARD",
            bank_type="ICBC_DEBIT",
            bank_account="6222020000000001234",
            real_name="陈桂芳",
        )
    )
    assert sent["user_received_account"] == "银行卡1234"
    told = receiver.wait(3)[2]
    assert library.callback(told.headers, told.body)["event_type"] == "REFUND.SUCCESS"


def test_bills_as_the_library_sees_them(library: Any, control: SandboxControl) -> None:
    out_trade_no = number()
    asked(
        library.pay(
            description="挂号费,骨伤科",
            out_trade_no=out_trade_no,
            amount={"total": 2500},
            payer={"openid": openid()},
        )
    )
    control.pay(out_trade_no)
    today = datetime.now(timezone(timedelta(hours=8)))
    morning = today.replace(hour=10, minute=30, second=0) + timedelta(days=1)
    status, text = library.trade_bill(today.date().isoformat())
    assert (status, json.loads(text)["code"]) == (400, "INVALID_REQUEST")
    control.clock((morning - datetime.now(UTC)).total_seconds())
    for ask in (library.trade_bill, library.fundflow_bill):
        link = asked(ask(today.date().isoformat()))
        status, file = library.download_bill(link["download_url"])
        assert status == 200
        plain = gzip.decompress(file)
        assert hashlib.sha1(plain).hexdigest() == link["hash_value"]
        assert f"`{out_trade_no}" in plain.decode("utf-8-sig")


def test_the_migration_case(control: SandboxControl, mode: str, receiver: Receiver) -> None:
    """A merchant who already trusts the public key still gets notices signed by certificate."""
    client = WeChatPay(**arguments(control.facts, "public_key", receiver.url))
    client._core._gate_way = control.base
    out_trade_no = number()
    asked(
        client.pay(
            description="挂号",
            out_trade_no=out_trade_no,
            amount={"total": 1},
            payer={"openid": openid()},
        )
    )
    control.pay(out_trade_no)
    notice = receiver.wait()[0]
    assert notice.headers["Wechatpay-Serial"].startswith("PUB_KEY_ID_") is (mode == "public_key")
    assert client.callback(notice.headers, notice.body)["resource"]["out_trade_no"] == out_trade_no
