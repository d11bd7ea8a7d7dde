"""Signs of life: one row a kind and machine that only goes forward, and silent ones forgotten."""

import datetime as dt

import pytest

from hospital.kernel import heartbeats
from hospital.kernel.models import Heartbeat

pytestmark = pytest.mark.django_db
AT = dt.datetime(2026, 11, 23, 2, 0, tzinfo=dt.UTC)


def test_a_sign_is_one_row_and_never_goes_back() -> None:
    Heartbeat.objects.all().delete()
    heartbeats.beat(kind="web", at=AT)
    heartbeats.beat(kind="web", at=AT + dt.timedelta(seconds=15))
    heartbeats.beat(kind="web", at=AT)

    (sign,) = heartbeats.signs()
    assert (sign.kind, sign.host) == ("web", heartbeats.host())
    assert sign.seen_at == AT + dt.timedelta(seconds=15)


def test_who_is_silent_for_long_is_forgotten() -> None:
    Heartbeat.objects.all().delete()
    Heartbeat.objects.create(kind="web", host="old", seen_at=AT - dt.timedelta(days=8))
    heartbeats.beat(kind="web", at=AT)

    assert heartbeats.forget_silent(before=AT - dt.timedelta(days=7)) == 1
    assert [sign.host for sign in heartbeats.signs()] == [heartbeats.host()]
