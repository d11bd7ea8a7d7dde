"""Platform certificates that change while the merchant works."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography import x509
from wechatpayv3 import WeChatPay
from wechatpayv3 import core as library_core

from hospital.testing.sandbox import SandboxControl
from tests.sandbox.merchant import Merchant, number, openid
from tests.sandbox.receiver import Receiver
from tests.sandbox.test_oracle_pay import arguments, asked


def listed(merchant: Merchant) -> dict[str, Any]:
    """Serial and key of every certificate; the merchant knows them from now on."""
    target = "/v3/certificates"
    answer = merchant.http.get(target, headers=merchant.headers("GET", target))
    found = {}
    for entry in answer.json()["data"]:
        plain = merchant.decrypt_bytes(entry["encrypt_certificate"])
        certificate = x509.load_pem_x509_certificate(plain)
        assert f"{certificate.serial_number:040X}" == entry["serial_no"]
        found[entry["serial_no"]] = certificate.public_key()
    merchant.platform_keys.update(found)
    merchant.verify(answer.headers, answer.content)
    return found


def test_the_new_one_signs_while_both_are_listed(
    control: SandboxControl, merchant: Merchant, paid: str, receiver: Receiver
) -> None:
    merchant.public_key_mode = False
    old = str(merchant.facts["plat_serial"])
    new = control.certificates("rotate")["signs"]
    assert set(listed(merchant)) == {old, new}
    assert merchant.verify_serial(merchant.query(paid)) == new
    control.notify_mode("certificate")
    merchant.refund(paid, number("R"), 1, notify_url=receiver.url)
    notice = receiver.wait()[0]
    assert merchant.verify(notice.headers, notice.body) == new
    merchant.named_serial = old
    assert merchant.query(paid).is_success
    control.certificates("retire")
    assert merchant.query(paid).status_code == 400
    merchant.named_serial = ""
    assert set(listed(merchant)) == {new}
    control.reset()
    assert set(listed(merchant)) == {old}


def test_a_merchant_with_the_public_key_alone(
    control: SandboxControl, merchant: Merchant, paid: str
) -> None:
    control.certificates("withdraw")
    answer = merchant.call("GET", "/v3/certificates")
    assert (answer.status_code, answer.json()["code"]) == (404, "RESOURCE_NOT_EXISTS")
    assert merchant.verify_serial(merchant.query(paid)) == merchant.facts["pub_key_id"]
    with pytest.raises(AssertionError, match="400"):
        control.certificates("burn")


def test_the_library_follows_a_rotation(
    control: SandboxControl, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """wechatpayv3 in certificate mode fetches the list again for a serial it does not know."""

    class Aimed(library_core.Core):  # type: ignore[misc]
        @property
        def _gate_way(self) -> str:
            return control.base

        @_gate_way.setter
        def _gate_way(self, _: str) -> None:
            """The library assigns Tencent's host here."""

    monkeypatch.setattr(library_core, "Core", Aimed)
    library = WeChatPay(**arguments(control.facts, "certificate", receiver.url))
    out_trade_no = number()
    asked(
        library.pay(
            description="挂号",
            out_trade_no=out_trade_no,
            amount={"total": 1},
            payer={"openid": openid()},
        )
    )
    control.certificates("rotate")
    assert asked(library.query(out_trade_no=out_trade_no))["trade_state"] == "NOTPAY"
    control.certificates("rotate")
    control.certificates("retire")
    assert asked(library.query(out_trade_no=out_trade_no))["trade_state"] == "NOTPAY"
