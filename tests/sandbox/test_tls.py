"""v2's client certificate: over TLS the merchant must show it, and only to /secapi/."""

from __future__ import annotations

import ssl
from pathlib import Path

import httpx
import pytest

from hospital.testing.sandbox import SandboxControl
from tests.sandbox.merchant import number
from tests.sandbox.v2_merchant import V2Merchant


def trusting(facts: dict[str, object], *, with_certificate: bool) -> ssl.SSLContext:
    """A client's side of TLS: trusts the stand-in's authority, may show the certificate."""
    files = facts["files"]
    assert isinstance(files, dict)
    context = ssl.create_default_context(cafile=files["tls_ca"])
    if with_certificate:
        context.load_cert_chain(files["mch_cert"], files["mch_key"])
    return context


def test_reversals_want_the_merchants_certificate(tmp_path: Path) -> None:
    with SandboxControl(tmp_path, "--tls-port", "0") as control:
        cashier, out_trade_no = V2Merchant(control.facts), number()
        assert cashier.micropay(out_trade_no, control.scan_code())["result_code"] == "SUCCESS"
        body = cashier.body(out_trade_no=out_trade_no)
        base = str(control.facts["tls_base"])
        with httpx.Client(
            verify=trusting(control.facts, with_certificate=False), trust_env=False
        ) as bare:
            query = bare.post(f"{base}/pay/orderquery", content=body)
            assert "SUCCESS" in query.text
            for address in (base, control.base):
                refused = bare.post(f"{address}/secapi/pay/reverse", content=body)
                assert refused.status_code == 400
                assert "No required SSL certificate was sent" in refused.text
        assert cashier.state(out_trade_no) == "SUCCESS"
        with httpx.Client(
            verify=trusting(control.facts, with_certificate=True), trust_env=False
        ) as known:
            done = known.post(f"{base}/secapi/pay/reverse", content=body)
            assert "<result_code><![CDATA[SUCCESS]]></result_code>" in done.text
        assert cashier.state(out_trade_no) == "REVOKED"
        with (
            httpx.Client(verify=ssl.create_default_context(), trust_env=False) as stranger,
            pytest.raises(httpx.ConnectError),
        ):
            stranger.get(f"{base}/_ctl/state")


def test_another_certificate_is_refused(tmp_path: Path) -> None:
    """The platform's own, which is not the merchant's."""
    with SandboxControl(tmp_path, "--tls-port", "0") as control:
        context = trusting(control.facts, with_certificate=False)
        folder = Path(control.facts["files"]["mch_key"]).parent
        context.load_cert_chain(folder / "wechatpay_cert.pem", folder / "wechatpay_key.pem")
        body = V2Merchant(control.facts).body(out_trade_no=number())
        with (
            httpx.Client(verify=context, trust_env=False) as client,
            pytest.raises(httpx.TransportError),
        ):
            client.post(f"{control.facts['tls_base']}/secapi/pay/reverse", content=body)
