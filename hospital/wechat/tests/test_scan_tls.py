"""Cashier scan over TLS: reversing works with the merchant's certificate in the connection, and
only with it."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from hospital.testing.sandbox import SandboxControl
from hospital.wechat import clients
from hospital.wechat.config import WeChatConfig, from_file
from hospital.wechat.http import trusted
from hospital.wechat.outcomes import Paid, Reversed, Unknown
from hospital.wechat.scan import ScanOrder, ScanPay

NUMBER = "30W00000001"


@pytest.fixture(scope="module")
def stand_in(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxControl]:
    folder = tmp_path_factory.mktemp("wechat-tls")
    with SandboxControl(folder, "--tls-port", "0") as made:
        yield made


@pytest.fixture
def config(
    stand_in: SandboxControl, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> Iterator[WeChatConfig]:
    """The account at the stand-in's TLS door, whose authority this machine trusts for now."""
    stand_in.reset()
    authority = stand_in.export.parent / stand_in.facts["files"]["tls_ca"]
    monkeypatch.setenv("SSL_CERT_FILE", str(Path(authority)))
    trusted.cache_clear()
    settings.WECHAT = dataclasses.replace(
        from_file(stand_in.export), pay_base=stand_in.facts["tls_base"], read_seconds=2.0
    )
    yield settings.WECHAT
    clients.disconnect()
    trusted.cache_clear()


def test_the_certificate_is_shown(stand_in: SandboxControl, config: WeChatConfig) -> None:
    assert config.merchant_cert is not None
    assert isinstance(clients.scan().pay(order(stand_in)), Paid)
    assert clients.scan().reverse(out_trade_no=NUMBER) == Reversed()


def test_without_it_nothing_is_reversed_and_no_scan_is_taken(
    stand_in: SandboxControl, config: WeChatConfig, settings: Settings
) -> None:
    assert isinstance(clients.scan().pay(order(stand_in)), Paid)
    settings.WECHAT = dataclasses.replace(config, merchant_cert=None)
    with pytest.raises(clients.ScansNotTaken):
        clients.scan()
    # Even if somebody got that far: the refusal is no outcome anybody could take for a reversal.
    bare = ScanPay(settings.WECHAT, clients.pay())
    assert bare.reverse(out_trade_no=NUMBER) == Unknown(reason="http_400")
    bare.close_connections()


def order(stand_in: SandboxControl) -> ScanOrder:
    return ScanOrder(
        out_trade_no=NUMBER,
        auth_code=stand_in.scan_code("oScanTestPayer0000000000001"),
        total_fen=2500,
        description="挂号费",
        client_ip="10.1.2.3",
        device_id="W01",
    )
