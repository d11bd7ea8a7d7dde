"""Append-only rows, request keys, series, settings, sealed values and shared tokens."""

import datetime as dt
import itertools
import threading

import pytest
from cryptography.exceptions import InvalidTag
from django.db import InternalError, ProgrammingError, connection, transaction

from hospital.kernel import (
    audit,
    clock,
    request_keys,
    sealed,
    serials,
    settings_rows,
    shared_tokens,
)
from hospital.kernel.actors import SYSTEM, Actor
from hospital.kernel.errors import Invalid
from hospital.kernel.models import AuditEntry, AuditSeal, RequestKey, SharedToken

AT = dt.datetime(2026, 11, 23, 4, 0, tzinfo=dt.UTC)
LIMIT = settings_rows.Setting(
    key="kernel.test_limit",
    label="测试上限",
    default=5,
    unit="次",
    minimum=1,
    maximum=10,
    scopes=("practitioner",),
)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "sql", ["UPDATE kernel_auditentry SET act = 'x'", "DELETE FROM kernel_auditentry"]
)
def test_raw_sql_cannot_change_the_audit_trail(sql: str) -> None:
    audit.record(act="kernel.try", subject=None, by=SYSTEM, at=AT)
    with pytest.raises((InternalError, ProgrammingError)), transaction.atomic():
        connection.cursor().execute(sql)
    assert AuditEntry.objects.get().act == "kernel.try"


@pytest.mark.django_db
def test_audit_entries_are_sealed_once() -> None:
    audit.record(act="kernel.one", subject=None, by=SYSTEM, at=AT)
    assert audit.seal_entries(at=AT) == 1
    assert audit.seal_entries(at=AT) == 0
    audit.record(act="kernel.two", subject=None, by=SYSTEM, at=AT + dt.timedelta(minutes=8))
    assert audit.seal_entries(at=AT + dt.timedelta(minutes=10)) == 1
    digests = [seal.digest for seal in AuditSeal.objects.order_by("through_id")]
    assert len(set(digests)) == 2


@pytest.mark.django_db
def test_the_same_key_and_input_get_the_same_answer() -> None:
    with transaction.atomic():
        first = request_keys.claim(key="k1", scope="kernel.try", inputs={"a": 1}, at=AT)
        assert first.answer is None
        first.finish({"id": 7})
        again = request_keys.claim(key="k1", scope="kernel.try", inputs={"a": 1}, at=AT)
    assert again.answer == {"id": 7}


@pytest.mark.django_db
def test_the_same_key_with_other_input_is_refused_and_changes_nothing() -> None:
    with transaction.atomic():
        request_keys.claim(key="k1", scope="kernel.try", inputs={"a": 1}, at=AT).finish({"id": 7})
        with pytest.raises(request_keys.KeyReused):
            request_keys.claim(key="k1", scope="kernel.try", inputs={"a": 2}, at=AT)
    assert RequestKey.objects.get().answer == {"id": 7}


@pytest.mark.django_db
def test_a_series_has_no_gap_after_a_rollback() -> None:
    with transaction.atomic():
        assert serials.gap_free(series="bill:1") == 1
    with transaction.atomic():
        assert serials.gap_free(series="bill:1") == 2
        transaction.set_rollback(True)
    with transaction.atomic():
        assert serials.gap_free(series="bill:1") == 2


@pytest.mark.django_db
def test_many_numbers_at_once_leave_no_gap() -> None:
    with transaction.atomic():
        assert serials.gap_free_many(series="card", count=3) == range(1, 4)
        assert serials.gap_free(series="card") == 4
        assert serials.gap_free_many(series="card", count=2) == range(5, 7)


def test_scattered_numbers_are_unique_and_tell_no_order() -> None:
    numbers = [serials.scattered(serial) for serial in range(20_000)]
    assert len(set(numbers)) == 20_000
    assert {len(number) for number in numbers} == {8}
    rising = sum(a < b for a, b in itertools.pairwise(numbers))
    assert 9_000 < rising < 11_000


def test_check_digit_catches_every_single_wrong_digit() -> None:
    number = "260012345"
    digit = serials.check_digit(number)
    for position, right in enumerate(number):
        for wrong in set("0123456789") - {right}:
            changed = number[:position] + wrong + number[position + 1 :]
            assert serials.check_digit(changed) != digit


@pytest.mark.django_db
def test_a_setting_is_its_default_until_a_row_says_otherwise() -> None:
    doctor = settings_rows.Scope("practitioner", 3)
    assert LIMIT.value() == 5
    settings_rows.set_value(setting=LIMIT, value=7, by=Actor("staff", 1), at=clock.now())
    settings_rows.set_value(
        setting=LIMIT, value=2, by=Actor("staff", 1), at=clock.now(), scope=doctor
    )
    assert LIMIT.value() == 7
    assert LIMIT.value(doctor) == 2
    assert [entry.after for entry in AuditEntry.objects.order_by("id")] == [
        {"kernel.test_limit": 7},
        {"kernel.test_limit": 2, "scope": "practitioner:3"},
    ]


@pytest.mark.django_db
@pytest.mark.parametrize("value", [0, 11, "5", True])
def test_a_setting_refuses_values_out_of_kind_or_range(value: object) -> None:
    with pytest.raises(Invalid):
        settings_rows.set_value(setting=LIMIT, value=value, by=SYSTEM, at=clock.now())
    assert LIMIT.value() == 5


def test_sealed_text_opens_only_untouched() -> None:
    value = sealed.seal("440784195803071234")
    assert "440784" not in value
    assert sealed.unseal(value) == "440784195803071234"
    assert sealed.seal("440784195803071234") != value
    key_id, _, body = value.partition(":")
    flipped = body[:-6] + ("A" if body[-6] != "A" else "B") + body[-5:]
    with pytest.raises(InvalidTag):
        sealed.unseal(f"{key_id}:{flipped}")


def test_blind_indexes_differ_by_purpose() -> None:
    assert sealed.blind_index("13800001111", "phone") == sealed.blind_index("13800001111", "phone")
    assert sealed.blind_index("13800001111", "phone") != sealed.blind_index("13800001111", "id")


@pytest.mark.django_db(transaction=True)
def test_eight_processes_share_one_refresh_of_a_token() -> None:
    fetched: list[int] = []

    def fetch() -> tuple[str, dt.timedelta]:
        fetched.append(1)
        return f"token-{len(fetched)}", dt.timedelta(hours=2)

    def use(refused: str | None) -> None:
        shared_tokens.token("kernel.test", fetch, refused=refused)
        connection.close()

    for refused in (None, "token-1"):
        threads = [threading.Thread(target=use, args=[refused]) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(fetched) == 2
    assert SharedToken.objects.get().value == "token-2"
