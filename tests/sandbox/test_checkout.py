"""The person's side of a payment, without a browser: which sheets open, what the key pad hears."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.sandbox.merchant import Merchant, number, openid
from wechat_sandbox import checkout, menu, notices, orders, pay, people, wallet
from wechat_sandbox.__main__ import facts
from wechat_sandbox.checkout import Outcome, Result, Sheet
from wechat_sandbox.sandbox import Sandbox
from wechat_sandbox.settings import Settings

TOTAL_FEN = 2500


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    entries = tuple((f"入口{place}", f"http://127.0.0.1/{place}") for place in range(5))
    made = Sandbox(Settings(tmp_path_factory.mktemp("keys"), "http://127.0.0.1:1", entries=entries))
    yield made
    made.store.close()


@pytest.fixture
def merchant(sandbox: Sandbox) -> Iterator[Merchant]:
    sandbox.store.clear()
    sandbox.set_clock(0)
    client = Merchant(facts(sandbox))
    yield client
    client.http.close()


@pytest.fixture
def payer(sandbox: Sandbox, merchant: Merchant) -> str:
    return people.ensure(sandbox, openid()).openid


@pytest.fixture
def prepay_id(sandbox: Sandbox, merchant: Merchant, payer: str) -> str:
    body = merchant.order(number(), payer, TOTAL_FEN)
    return pay.prepay(sandbox, body, trade_type="JSAPI", openid=payer)


def signed(merchant: Merchant, prepay_id: str, **change: str) -> dict[str, str]:
    """The fields a hospital page gives the bridge."""
    fields = {
        "appId": merchant.facts["appid"],
        "timeStamp": "1795385478",
        "nonceStr": "5K8264ILTKCH16CQ2502SI8ZNMTM67VS",
        "package": f"prepay_id={prepay_id}",
    }
    pay_sign = merchant.sign(*fields.values())
    return fields | {"signType": "RSA", "paySign": pay_sign} | change


def refused(opened: Sheet | Outcome) -> Result:
    """Why the sheet did not open."""
    assert isinstance(opened, Outcome)
    assert opened.says
    return opened.result


def test_a_correct_sign_opens_the_sheet(
    sandbox: Sandbox, merchant: Merchant, payer: str, prepay_id: str
) -> None:
    sheet = checkout.open_sheet(sandbox, payer, signed(merchant, prepay_id))
    assert isinstance(sheet, Sheet)
    assert sheet.order.total_fen == TOTAL_FEN
    assert sheet.merchant == "杏林中医医院"
    assert sheet.balance_fen == people.STARTING_BALANCE_FEN


@pytest.mark.parametrize(
    "change",
    [
        {"paySign": "AAAA"},
        {"timeStamp": "1795385479"},
        {"nonceStr": "other"},
        {"appId": "wx0"},
        {"package": "prepay_id=wx0"},
        {"signType": "MD5"},
    ],
)
def test_changed_fields_do_not(
    sandbox: Sandbox, merchant: Merchant, payer: str, prepay_id: str, change: dict[str, str]
) -> None:
    opened = checkout.open_sheet(sandbox, payer, signed(merchant, prepay_id, **change))
    assert refused(opened) is Result.BAD_SIGNATURE


def test_a_sign_for_the_other_app_does_not(
    sandbox: Sandbox, merchant: Merchant, payer: str, prepay_id: str
) -> None:
    fields = signed(merchant, prepay_id) | {"appId": merchant.facts["mp_appid"]}
    names = ("appId", "timeStamp", "nonceStr", "package")
    fields["paySign"] = merchant.sign(*(fields[name] for name in names))
    assert refused(checkout.open_sheet(sandbox, payer, fields)) is Result.BAD_SIGNATURE


def test_only_the_named_payer(sandbox: Sandbox, merchant: Merchant, prepay_id: str) -> None:
    opened = checkout.open_sheet(sandbox, openid(), signed(merchant, prepay_id))
    assert refused(opened) is Result.OTHER_PAYER


def test_an_unknown_prepay_id(sandbox: Sandbox, merchant: Merchant, payer: str) -> None:
    opened = checkout.open_sheet(sandbox, payer, signed(merchant, "wx0"))
    assert refused(opened) is Result.UNKNOWN_ORDER


def test_a_prepay_id_lives_two_hours(
    sandbox: Sandbox, merchant: Merchant, payer: str, prepay_id: str
) -> None:
    sandbox.set_clock(2 * 3600 - 10)
    assert isinstance(checkout.sheet(sandbox, prepay_id, payer), Sheet)
    sandbox.set_clock(2 * 3600 + 10)
    assert refused(checkout.sheet(sandbox, prepay_id, payer)) is Result.EXPIRED


def test_the_key_pad(sandbox: Sandbox, payer: str, prepay_id: str) -> None:
    def press(password: str, method: str = wallet.CHANGE) -> Result:
        return checkout.pay(
            sandbox, prepay_id=prepay_id, openid=payer, password=password, method=method
        ).result

    assert press("000000") is Result.WRONG_PASSWORD
    assert press("") is Result.WRONG_PASSWORD
    wallet.set_balance(sandbox, payer, TOTAL_FEN - 1)
    assert press(people.DEFAULT_PASSWORD) is Result.NOT_ENOUGH
    assert wallet.balance(sandbox, payer) == TOTAL_FEN - 1
    assert press(people.DEFAULT_PASSWORD, wallet.CARD) is Result.PAID
    assert press(people.DEFAULT_PASSWORD, wallet.CARD) is Result.ALREADY_PAID
    entries = wallet.entries(sandbox, payer)
    assert [entry.kind for entry in entries] == ["payment", "top_up"]
    assert entries[0].amount_fen == -TOTAL_FEN


def test_two_prepay_ids_of_one_order_are_paid_once(
    sandbox: Sandbox, merchant: Merchant, payer: str
) -> None:
    body = merchant.order(number(), payer)
    first, second = (pay.prepay(sandbox, body, trade_type="JSAPI", openid=payer) for _ in range(2))
    word = people.DEFAULT_PASSWORD
    paid = checkout.pay(sandbox, prepay_id=first, openid=payer, password=word)
    assert paid.result is Result.PAID
    again = checkout.pay(sandbox, prepay_id=second, openid=payer, password=word)
    assert again.result is Result.ALREADY_PAID
    assert len(wallet.entries(sandbox, payer)) == 1


def test_an_expired_order_is_closed_for_the_phone_too(
    sandbox: Sandbox, payer: str, prepay_id: str
) -> None:
    sandbox.set_clock(orders.ORDER_LIFE_S + 1)
    assert refused(checkout.sheet(sandbox, prepay_id, payer)) is Result.CLOSED


def test_a_half_written_payment_is_rolled_back(
    sandbox: Sandbox, payer: str, prepay_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("no notice could be made")

    monkeypatch.setattr(notices, "tell_paid", broken)
    with pytest.raises(RuntimeError):
        checkout.pay(sandbox, prepay_id=prepay_id, openid=payer, password=people.DEFAULT_PASSWORD)
    assert wallet.balance(sandbox, payer) == people.STARTING_BALANCE_FEN
    found = orders.find_by_prepay(sandbox, prepay_id)
    assert found is not None
    assert found[0].state == "NOTPAY"


def test_more_than_three_entries_become_a_column(sandbox: Sandbox, merchant: Merchant) -> None:
    menu.seed(sandbox)
    buttons = menu.current(sandbox)["button"]
    assert [button["name"] for button in buttons] == ["入口0", "入口1", "更多服务"]
    column = [button["name"] for button in buttons[2]["sub_button"]]
    assert column == ["入口2", "入口3", "入口4"]
