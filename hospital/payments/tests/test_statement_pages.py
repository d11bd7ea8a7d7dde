"""The desk's page about the channel's daily statements: what is here, what is late, fetch again."""

import datetime as dt
from typing import Any

import pytest

from hospital.identity.states import Role
from hospital.kernel import clock
from hospital.payments import jobs
from hospital.payments.models import ChannelStatement
from hospital.payments.statement_states import StatementKind, StatementStatus
from hospital.payments.tests.world import a_bill, a_paid_payment, later_on
from hospital.testing.jobs import run_jobs
from hospital.testing.people import staff_client
from hospital.testing.wechat import StandIn

pytestmark = pytest.mark.django_db
HERE = "/staff/statements/"


def tomorrow(hour: int, minute: int) -> dt.timedelta:
    when = clock.at_local(clock.today() + dt.timedelta(days=1), dt.time(hour, minute))
    return when - clock.now()


def page(client: Any) -> str:
    answer = client.get(HERE)
    assert answer.status_code == 200
    return str(answer.content.decode())


def test_a_day_is_fetched_with_its_totals_and_again_when_it_was_broken(wechat: StandIn) -> None:
    a_paid_payment(wechat, a_bill(fen=1234567))
    with later_on(wechat, tomorrow(10, 20)):
        client = staff_client(Role.FINANCE)
        assert "还没有账单" in page(client)
        wechat.fault("bill_bad_hash", match="fundflowbill", times=-1)
        assert client.post(HERE + "expect/").status_code == 302
        assert "正在取 2 份账单" in page(client)
        run_jobs(only="payments.jobs.fetch_statement")
        shown = page(client)
        for words in ("支付 1 笔 ¥12,345.67", "¥74.07", "待取得", "下载的账单校验不符"):
            assert words in shown, words
        assert shown.count("重新取得") == 1
        wechat.calm()
        fund = ChannelStatement.objects.get(kind=StatementKind.FUND)
        assert client.post(f"{HERE}{fund.pk}/fetch/").status_code == 302
        fund.refresh_from_db()
        assert fund.status == StatementStatus.FETCHED
        assert "重新取得" not in page(client)


def test_late_is_late_at_two_in_the_afternoon(wechat: StandIn) -> None:
    wechat.fault("bill_not_ready", times=-1)
    with later_on(wechat, tomorrow(13, 59)):
        jobs.expect_statements()
        run_jobs(only="payments.jobs.fetch_statement")
        assert "逾期未取得" not in page(staff_client(Role.FINANCE))
    with later_on(wechat, tomorrow(14, 1)):
        late = page(staff_client(Role.CASHIER_SUPERVISOR))
    assert "有 2 份账单逾期未取得" in late
    assert "微信还没有出账单" in late


def test_roles_and_strangers(wechat: StandIn) -> None:
    for role in (Role.CASHIER, Role.OUTPATIENT_OFFICE, Role.SYSTEM_ADMIN):
        client = staff_client(role)
        assert client.get(HERE).status_code == 403
        assert client.post(HERE + "expect/").status_code == 403
    finance = staff_client(Role.FINANCE)
    assert finance.post(f"{HERE}0/fetch/").status_code == 404
    assert finance.get(HERE + "expect/").status_code == 405
    assert not ChannelStatement.objects.exists()
