"""One stand-in for the whole folder, emptied for each test; no database of the hospital is used."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from hospital.testing.sandbox import SandboxControl
from tests.sandbox.account import Account
from tests.sandbox.merchant import Merchant, number, openid
from tests.sandbox.merchant_server import MerchantServer
from tests.sandbox.receiver import Receiver


@pytest.fixture(scope="session")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxControl]:
    """The running program: retries at one hundredth of WeChat's waits, refunds after 50 ms."""
    folder = tmp_path_factory.mktemp("wechat_sandbox")
    with SandboxControl(folder, "--refund-delay", "5", pace=0.01) as running:
        yield running


@pytest.fixture
def control(program: SandboxControl) -> SandboxControl:
    program.reset()
    return program


@pytest.fixture(scope="session")
def _client(program: SandboxControl) -> Iterator[Merchant]:
    client = Merchant(program.facts)
    yield client
    client.http.close()


@pytest.fixture
def merchant(control: SandboxControl, _client: Merchant) -> Merchant:
    """The merchant in public-key mode."""
    _client.public_key_mode = True
    _client.named_serial = ""
    _client.http.timeout = httpx.Timeout(10)
    return _client


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    door = Receiver()
    yield door
    door.close()


@pytest.fixture
def account(control: SandboxControl) -> Iterator[Account]:
    """The Official Account's calls."""
    client = Account(control.facts)
    yield client
    client.http.close()


@pytest.fixture
def token(account: Account) -> str:
    return account.token()


@pytest.fixture
def server(control: SandboxControl) -> Iterator[MerchantServer]:
    """The hospital's server for messages and events, its address known to the stand-in."""
    door = MerchantServer()
    control.callback_url(door.url, patience_s=0.5)
    yield door
    door.close()


@pytest.fixture
def paid(control: SandboxControl, merchant: Merchant) -> str:
    """The number of an order of 2,500 fen that has been paid."""
    out_trade_no = number()
    answer = merchant.prepay(merchant.order(out_trade_no, openid()))
    assert answer.status_code == 200, answer.text
    control.pay(out_trade_no)
    return out_trade_no
