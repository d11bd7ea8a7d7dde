"""The configuration pages: what stands, was and will be; what is refused changes nothing."""

import datetime as dt

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext

from hospital.desk.forms import BACK
from hospital.identity import sessions
from hospital.identity.states import Role
from hospital.kernel import clock, settings_rows
from hospital.kernel.actors import Actor
from hospital.kernel.errors import Invalid, Stale
from hospital.kernel.models import AuditEntry, ConfigurationRow
from hospital.kernel.settings_rows import HOSPITAL, AnySetting, Scope
from hospital.payments import thresholds as payments
from hospital.registration import thresholds as registration
from hospital.scheduling import thresholds as scheduling
from hospital.testing.organisation import a_department
from hospital.testing.people import a_staff, a_wechat_user, patient_client, staff_client

pytestmark = pytest.mark.django_db
LIST = "/staff/configuration/"
HOLD = registration.HOLD_MINUTES
SCOPED = registration.LIMIT_DEPARTMENT_DAY
SOMEBODY = Actor("staff", 1)


@pytest.fixture
def client() -> Client:
    return staff_client(Role.SYSTEM_ADMIN)


def text(answer: object) -> str:
    assert isinstance(answer, HttpResponse)
    return answer.content.decode()


def page(setting: AnySetting) -> str:
    return f"{LIST}{setting.key}/"


def change(
    client: Client, value: str = "", *, setting: AnySetting = HOLD, **more: str
) -> HttpResponse:
    """Send the change form as the page shows it, a reason included."""
    data = {"step": "look", "scope": "hospital:0", "value": value, "reason": "节前试行", **more}
    answer = client.post(f"{page(setting)}change/", data)
    assert isinstance(answer, HttpResponse)
    return answer


def save(
    client: Client, value: str = "", *, setting: AnySetting = HOLD, seen: int = 0, **more: str
) -> HttpResponse:
    return change(client, value, setting=setting, step="save", seen=str(seen), **more)


def put(
    value: object,
    *,
    setting: AnySetting = HOLD,
    scope: Scope = HOSPITAL,
    days: int = 0,
) -> ConfigurationRow:
    at = clock.now()
    return settings_rows.set_value(
        setting=setting,
        value=value,
        scope=scope,
        valid_from=at + dt.timedelta(days=days),
        by=SOMEBODY,
        at=at,
    )


def test_every_setting_is_listed_with_its_rule_and_value(client: Client) -> None:
    shown = text(client.get(LIST))

    for setting in settings_rows.all_settings():
        assert setting.label in shown
        assert page(setting) in shown
    for words in ("M1.5", "15 分钟", "07:00", "1000.00 元", "登录与安全", "挂号"):
        assert words in shown, words


@pytest.mark.parametrize("wanted", ["锁号", "M1.5", "HOLD_minutes"])
def test_a_setting_is_found_by_its_words_rule_or_key(client: Client, wanted: str) -> None:
    shown = text(client.get(LIST, {"q": wanted}))

    assert HOLD.label in shown
    assert scheduling.RELEASE_TIME.label not in shown
    assert "没有找到这样的参数" in text(client.get(LIST, {"q": "没有这样的"}))


def test_the_list_asks_no_more_for_settings_with_rows(client: Client) -> None:
    def statements() -> int:
        client.get(LIST)  # whoever is first reads the settings into the cache
        with CaptureQueriesContext(connection) as caught:
            client.get(LIST)
        return len(caught)

    before = statements()
    put(20)
    put(2, setting=SCOPED)

    assert statements() == before


def test_a_change_is_shown_before_it_is_made(client: Client) -> None:
    shown = text(change(client, "20"))

    assert "这样修改会怎样" in shown
    assert "15 分钟" in shown
    assert "20 分钟" in shown
    assert 'name="step" value="save"' in shown
    assert not ConfigurationRow.objects.exists()
    assert HOLD.value() == 15


def test_a_change_is_made_and_audited() -> None:
    account = a_staff(Role.SYSTEM_ADMIN)
    client = staff_client(account=account)

    answer = save(client, " 20 ")

    assert (answer.status_code, answer["Location"]) == (302, page(HOLD))
    assert HOLD.value() == 20
    row = ConfigurationRow.objects.get()
    assert (row.value, row.reason, row.set_by) == (20, "节前试行", f"staff:{account.pk}")
    entry = AuditEntry.objects.get(act="kernel.set_configuration")
    assert (entry.before, entry.after) == ({HOLD.key: 15}, {HOLD.key: 20})
    shown = text(client.get(page(HOLD)))
    assert f"“{HOLD.label}”已修改。" in shown
    assert "节前试行" in shown
    assert account.display_name in shown


def test_the_same_value_again_writes_nothing(client: Client) -> None:
    assert "没有变化" in text(save(client, "15"))

    assert not ConfigurationRow.objects.exists()


def test_a_planned_value_waits_for_its_moment(client: Client) -> None:
    tomorrow = clock.local(clock.now()) + dt.timedelta(days=1)
    at = f"{tomorrow:%Y-%m-%dT%H:%M}"

    assert f"{tomorrow:%Y-%m-%d %H:%M}" in text(change(client, "20", valid_from=at))
    assert save(client, "20", valid_from=at).status_code == 302

    assert HOLD.value() == 15
    row = ConfigurationRow.objects.get()
    assert row.valid_from == tomorrow.replace(second=0, microsecond=0)
    assert "尚未生效" in text(client.get(page(HOLD)))
    assert "已安排 1 次变化" in text(client.get(LIST))
    shown = text(change(client, "30"))
    assert "起已安排改为 20 分钟，那时会再变" in shown


def test_a_department_keeps_a_value_of_its_own(client: Client) -> None:
    place = Scope("department", a_department(name="针灸科").pk)

    shown = text(change(client, "3", setting=SCOPED, scope=str(place)))
    assert "不单独设置（按全院 1 个）" in shown
    assert save(client, "3", setting=SCOPED, scope=str(place)).status_code == 302

    assert (SCOPED.value(place), SCOPED.value()) == (3, 1)
    assert AuditEntry.objects.get(act="kernel.set_configuration").after == {
        SCOPED.key: 3,
        "scope": str(place),
    }
    assert "不受影响" in text(change(client, "2", setting=SCOPED))
    assert "针灸科（3 个）" in text(change(client, "2", setting=SCOPED))
    assert "1 处" in text(client.get(LIST))


def test_a_value_of_its_own_is_taken_back(client: Client) -> None:
    place = Scope("department", a_department(name="针灸科").pk)
    row = put(3, setting=SCOPED, scope=place)

    answer = save(client, setting=SCOPED, scope=str(place), way=BACK, seen=row.pk)

    assert answer.status_code == 302
    assert SCOPED.value(place) == 1
    assert [row.value for row in settings_rows.history(setting=SCOPED)] == [None, 3]


def test_a_change_is_undone_by_the_value_before_it(client: Client) -> None:
    put(20)
    wrong = put(55)

    shown = text(client.get(page(HOLD), {"undo": wrong.pk}))
    assert 'value="20"' in shown
    assert "撤回" in shown
    assert save(client, "20", seen=wrong.pk).status_code == 302

    assert HOLD.value() == 20
    assert [row.value for row in settings_rows.history(setting=HOLD)] == [20, 55, 20]


def test_undoing_the_first_change_offers_the_default(client: Client) -> None:
    first = put(20)

    shown = text(client.get(page(HOLD), {"undo": first.pk}))

    assert f'<option value="{BACK}" selected>恢复成默认值</option>' in shown
    assert save(client, way=BACK, seen=first.pk).status_code == 302
    assert HOLD.value() == 15


def test_who_looked_before_somebody_else_changed_it_looks_again(client: Client) -> None:
    put(30)

    answer = save(client, "20", seen=0)

    assert answer.status_code == 409
    assert "刚刚被别人改过" in text(answer)
    assert 'value="20"' in text(answer)
    assert HOLD.value() == 30
    assert ConfigurationRow.objects.count() == 1


@pytest.mark.parametrize("value", ["1", "61", "-5", "999999999999999999999", "", "abc", "1.5"])
def test_a_number_out_of_range_is_refused_and_kept_in_the_form(client: Client, value: str) -> None:
    answer = save(client, value)

    assert answer.status_code == 422
    assert "请填写整数" in text(answer) or "应在 2–60分钟 之间" in text(answer)
    assert f'value="{value}"' in text(answer) or not value
    assert HOLD.value() == 15
    assert not ConfigurationRow.objects.exists()


@pytest.mark.parametrize("value", ["25:00", "7:00", "0700", "", "早上七点", "07:60", "07:00:00"])
def test_a_time_that_is_none_is_refused_and_booking_goes_on(client: Client, value: str) -> None:
    answer = save(client, value, setting=scheduling.RELEASE_TIME)

    assert answer.status_code == 422
    assert "应填写成“07:00”的样子" in text(answer)
    assert not ConfigurationRow.objects.exists()
    assert patient_client(a_wechat_user()).get("/m/departments/").status_code == 200


def test_a_time_is_saved(client: Client) -> None:
    assert save(client, "06:30", setting=scheduling.RELEASE_TIME).status_code == 302

    assert "每日 06:30 放出" in text(patient_client(a_wechat_user()).get("/m/departments/"))


@pytest.mark.parametrize(
    ("typed", "fen"), [("500", 50_000), ("￥1,234.50", 123_450), ("0", 0), ("88.8元", 8_880)]
)
def test_money_is_typed_in_yuan(client: Client, typed: str, fen: int) -> None:
    assert save(client, typed, setting=payments.APPROVAL_ABOVE_FEN).status_code == 302

    assert payments.APPROVAL_ABOVE_FEN.value() == fen


@pytest.mark.parametrize("typed", ["1.234", "-1", "1e3", "10000000"])
def test_money_out_of_range_is_refused(client: Client, typed: str) -> None:
    assert save(client, typed, setting=payments.APPROVAL_ABOVE_FEN).status_code == 422

    assert payments.APPROVAL_ABOVE_FEN.value() == 100_000


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"reason": ""}, "请写明修改的原因"),
        ({"valid_from": "2020-01-01T08:00"}, "生效时间不能早于现在"),
        ({"valid_from": "明天"}, "请填写成 2026-12-01 08:00 的样子"),
        ({"scope": "department:1"}, "没有这个范围"),
        ({"scope": "hospital:7"}, "没有这个范围"),
    ],
)
def test_a_change_with_a_hole_is_refused_at_its_field(
    client: Client, wrong: dict[str, str], sentence: str
) -> None:
    answer = change(client, "20", **{"step": "save", "seen": "0", **wrong})  # type: ignore[arg-type]

    assert answer.status_code == 422
    assert sentence in text(answer)
    assert 'value="20"' in text(answer)
    assert not ConfigurationRow.objects.exists()


@pytest.mark.parametrize("key", ["nonsense", "%00", "registration"])
def test_an_unknown_setting_is_not_found(client: Client, key: str) -> None:
    assert client.get(f"{LIST}{key}/").status_code == 404
    assert client.post(f"{LIST}{key}/change/", {"value": "20"}).status_code == 404


def test_policies_are_the_security_administrators(client: Client) -> None:
    security = staff_client(Role.SECURITY_ADMIN)
    idle = sessions.STAFF_IDLE_MINUTES

    assert save(client, "20", setting=idle).status_code == 403
    assert save(security, "20").status_code == 403
    assert not ConfigurationRow.objects.exists()
    assert "查看变化" not in text(client.get(page(idle)))
    assert "安全策略参数" in text(client.get(page(idle)))

    assert save(security, "20", setting=idle).status_code == 302
    assert idle.value() == 20


def test_others_see_nothing() -> None:
    for role in set(Role) - {Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN}:
        client = staff_client(role)
        assert client.get(LIST).status_code == 403
        assert client.get(page(HOLD)).status_code == 403
        assert save(client, "20").status_code == 403
    assert HOLD.value() == 15


def test_saving_needs_the_csrf_token(client: Client) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = client.cookies

    assert save(strict, "20").status_code == 403
    assert HOLD.value() == 15


def test_two_values_for_one_moment_are_refused() -> None:
    at = clock.now()
    put(20, days=1)
    later = ConfigurationRow.objects.get().valid_from

    with pytest.raises(Invalid) as refusal:
        settings_rows.set_value(
            setting=HOLD, value=30, valid_from=later, by=SOMEBODY, at=at + dt.timedelta(hours=1)
        )
    assert list(refusal.value.errors) == ["valid_from"]
    with pytest.raises(Stale):
        settings_rows.set_value(setting=HOLD, value=30, by=SOMEBODY, at=at, seen=0)
    assert ConfigurationRow.objects.count() == 1
