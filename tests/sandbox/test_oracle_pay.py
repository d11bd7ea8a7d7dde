"""The stand-in against a third party's client, wechatpayv3 2.x, in both verification modes.

The library has no setting for the host. In public-key mode its core is aimed after construction;
in certificate mode the constructor downloads `/v3/certificates` at once, so the core class itself
is replaced by one whose host cannot be assigned.
"""

from __future__ import annotations

import json
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
