"""Ten thousand hostile callbacks are refused within limits and change nothing (acceptance 5).

`HOSTILE=100000 HOSTILE_SEED=7 pytest tests/hostile` sends more, or others.
"""

from __future__ import annotations

import dataclasses
import io
import logging
import os
import time
from collections import Counter
from collections.abc import Iterator

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from django.db import connection
from django.test import RequestFactory
from django.test.client import ClientHandler
from pytest_django.fixtures import Settings

from hospital.kernel import clock
from hospital.messaging import actions
from hospital.messaging.models import InboundMessage
from hospital.testing import callbacks
from hospital.wechat import clients
from hospital.wechat.config import WeChatConfig
from tests.hostile.attacks import HUGE, Attack, World, attacks

COUNT = int(os.environ.get("HOSTILE", "10000"))
SEED = int(os.environ.get("HOSTILE_SEED", "20261123"))
#: One request may take so long on a busy machine; the refusals themselves take a millisecond.
MOST_SECONDS = 2.0
NOWHERE = "http://127.0.0.1:9"
_WRITTEN = "SELECT sum(n_tup_ins + n_tup_upd + n_tup_del) FROM pg_stat_xact_user_tables"


class Unread(io.RawIOBase):
    """A body that must not be read."""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object, /) -> int:
        raise AssertionError("a body announced as too long was read")


@pytest.fixture
def world(db: None, settings: Settings) -> Iterator[World]:
    """An account whose keys we hold on both sides; one message of it has been handled."""
    pay_key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    settings.WECHAT = WeChatConfig(
        appid="wx0123456789abcdef",
        secret="s",
        mchid="1900000001",
        merchant_serial="AA",
        merchant_key=rsa.generate_private_key(public_exponent=65537, key_size=2048),
        apiv3_key=b"k" * 32,
        public_key_id="PUB_KEY_ID_0123456789",
        public_key=pay_key.public_key(),
        token="token",
        aes_key="A" * 43,
        message_mode="safe",
        pay_base=NOWHERE,
        pay_standby="",
        api_base=NOWHERE,
        connect_seconds=0.2,
    )
    known = callbacks.message("oHostileTester00000000000001", Content="你好")
    handler = ClientHandler(enforce_csrf_checks=True)
    query, body = callbacks.signed(known)
    attack = Attack(kind="good", path=callbacks.ADDRESS, query=query, body=body)
    assert send(handler, attack) == 200
    actions.handle(inbound_id=InboundMessage.objects.get().pk, at=clock.now())
    yield World(
        config=settings.WECHAT,
        pay_serial="PUB_KEY_ID_0123456789",
        pay_key=pay_key,
        stamp=int(clock.now().timestamp()),
        known=known,
    )
    clients.disconnect()


@pytest.fixture
def _quiet() -> Iterator[None]:
    """Each refusal is logged; here the lines would only be kept."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def send(handler: ClientHandler, attack: Attack) -> int:
    """Through all the middleware, as a server would hand it in; the status."""
    request = RequestFactory().generic(
        attack.method, attack.target, attack.body, content_type="text/xml", headers=attack.headers
    )
    if attack.announced is not None:
        request.environ["CONTENT_LENGTH"] = str(attack.announced)
        request.environ["wsgi.input"] = Unread()
    return handler(request.environ).status_code


def written() -> int:
    """Rows this test's transaction has inserted, changed or deleted, in any table."""
    with connection.cursor() as cursor:
        cursor.execute(_WRITTEN)
        return int(cursor.fetchone()[0])


@pytest.mark.slow
@pytest.mark.usefixtures("_quiet")
def test_hostile_callbacks_change_nothing(world: World) -> None:
    handler, before, kinds = ClientHandler(enforce_csrf_checks=True), written(), Counter[str]()
    for number, attack in enumerate(attacks(world, count=COUNT, seed=SEED)):
        began = time.monotonic()
        status = send(handler, attack)
        assert status in attack.answers, (number, attack.kind, status, attack)
        assert time.monotonic() - began < MOST_SECONDS, (number, attack.kind)
        kinds[attack.kind] += 1

    assert written() == before
    assert InboundMessage.objects.count() == 1
    assert kinds.total() == COUNT
    assert len(kinds) == 24


def test_what_would_have_been_noticed(world: World) -> None:
    """The check itself: a true message writes, and a body that is read is caught."""
    handler, before = ClientHandler(enforce_csrf_checks=True), written()
    query, body = callbacks.signed(callbacks.message("oHostileTester00000000000002", Content="1"))
    good = Attack(kind="good", path=callbacks.ADDRESS, query=query, body=body)

    assert send(handler, good) == 200
    assert written() > before
    assert send(handler, dataclasses.replace(good, announced=1000)) == 500
    assert send(handler, dataclasses.replace(good, announced=HUGE)) == 413
