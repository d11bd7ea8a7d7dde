"""Rotating the key of sealed columns: beside readers and writers, resumable, nothing left."""

import datetime as dt
import itertools
import threading
from collections.abc import Callable
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, models, transaction
from django.test import override_settings

from hospital.kernel import resealing, sealed
from hospital.kernel.sealed import SealedBinaryField, SealedCharField
from hospital.messaging.models import InboundMessage
from hospital.payments.models import ChannelStatement
from hospital.testing import people

KEY_1, KEY_2 = "k1:" + "B" * 43 + "=", "k2:" + "C" * 43 + "="
BEFORE, DURING, AFTER = KEY_1, f"{KEY_2},{KEY_1}", KEY_2
CONTENT = next(c for c in resealing.sealed_columns() if str(c).endswith("InboundMessage.content"))
AT = dt.datetime(2026, 11, 23, 4, 0, tzinfo=dt.UTC)


def said(count: int) -> list[InboundMessage]:
    user = people.a_wechat_user()
    return [
        InboundMessage.objects.create(
            fingerprint=f"f{number}",
            wechat_user=user,
            kind="text",
            content=f"words {number}",
            said_at=AT,
            received_at=AT,
        )
        for number in range(count)
    ]


def keys() -> dict[str, int]:
    return resealing.values_by_key(CONTENT)


def test_every_sealed_column_is_found() -> None:
    from django.apps import apps

    fields = {
        f"{model._meta.label}.{field.attname}"
        for model in apps.get_models()
        for field in model._meta.get_fields()
        if isinstance(field, SealedCharField | SealedBinaryField)
    }
    assert {str(column) for column in resealing.sealed_columns()} == fields
    assert "patients.Patient.phone" in fields
    assert "payments.ChannelStatement.packed" in fields


@pytest.mark.django_db
def test_texts_and_bytes_come_under_the_new_key_and_stay_what_they_were() -> None:
    with override_settings(FIELD_KEYS=BEFORE):
        rows = said(5)
        InboundMessage.objects.filter(pk=rows[0].pk).update(content="")
        statement = ChannelStatement.objects.create(
            status="fetched",
            mchid="1900000001",
            day=AT.date(),
            kind="trade",
            created_at=AT,
            fetched_at=AT,
            sha1="0" * 40,
            packed=b"\x1f\x8b:\x00gzip",
        )
        assert keys() == {"k1": 4}
    with override_settings(FIELD_KEYS=DURING):
        with pytest.raises(CommandError, match=r"messaging\.InboundMessage\.content: {'k1': 4}"):
            call_command("reseal", check=True, stdout=StringIO())
        assert keys() == {"k1": 4}  # counting changes nothing
        out = StringIO()
        call_command("reseal", stdout=out)
        assert "messaging.InboundMessage.content: 4 resealed; now k2 4\n" in out.getvalue()
        assert "payments.ChannelStatement.packed: 1 resealed; now k2 1\n" in out.getvalue()
        assert out.getvalue().endswith("sealed under k2; no other key is needed\n")
        out = StringIO()
        call_command("reseal", stdout=out)
        assert "messaging.InboundMessage.content: 0 resealed; now k2 4\n" in out.getvalue()
    with override_settings(FIELD_KEYS=AFTER):
        found = list(InboundMessage.objects.order_by("pk").values_list("content", flat=True))
        assert found == ["", "words 1", "words 2", "words 3", "words 4"]
        statement.refresh_from_db()
        assert bytes(statement.packed or b"") == b"\x1f\x8b:\x00gzip"


@pytest.mark.django_db
def test_a_stopped_run_is_taken_up_where_it_was() -> None:
    with override_settings(FIELD_KEYS=BEFORE):
        said(5)
    with override_settings(FIELD_KEYS=DURING):
        first = next(resealing.reseal(CONTENT, batch=2))
        assert (first.resealed, keys()) == (2, {"k1": 3, "k2": 2})
        done = [batch.resealed for batch in resealing.reseal(CONTENT, batch=2)]
        assert (done, keys()) == ([2, 1], {"k2": 5})


@pytest.mark.django_db
def test_what_no_key_opens_is_told_and_left_alone() -> None:
    with override_settings(FIELD_KEYS="k0:" + "D" * 43 + "="):
        (lost,) = said(1)
        kept = InboundMessage.objects.filter(pk=lost.pk).annotate(raw=_raw()).get().raw
    with override_settings(FIELD_KEYS=DURING):
        (batch,) = resealing.reseal(CONTENT)
        assert (batch.resealed, batch.unreadable) == (0, (lost.pk,))
        with pytest.raises(CommandError, match=r"InboundMessage\.content: {'k0': 1}"):
            call_command("reseal", stdout=StringIO())
        with connection.cursor() as cursor:
            cursor.execute("SELECT content FROM messaging_inboundmessage")
            assert cursor.fetchone() == (kept,)


def _raw() -> models.Func:
    return models.Func(models.F("content"), function="concat", output_field=models.TextField())


@pytest.mark.django_db(transaction=True)
def test_a_row_somebody_holds_is_taken_by_the_next_pass() -> None:
    with override_settings(FIELD_KEYS=BEFORE):
        rows = said(3)
    held, go_on = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic():
            InboundMessage.objects.select_for_update().get(pk=rows[1].pk)
            held.set()
            go_on.wait(10)

    with override_settings(FIELD_KEYS=DURING):
        holder = _thread(hold)
        assert held.wait(10)
        assert sum(batch.resealed for batch in resealing.reseal(CONTENT)) == 2
        assert keys() == {"k1": 1, "k2": 2}
        go_on.set()
        holder.join()
        assert sum(batch.resealed for batch in resealing.reseal(CONTENT)) == 1
        assert keys() == {"k2": 3}


class Traffic:
    """A reader and a writer that go on until they are stopped; what they saw and wrote."""

    def __init__(self, rows: list[InboundMessage]) -> None:
        self.wrong: list[str] = []
        self.written: dict[int, str] = {}
        self._rows, self._stop = rows, threading.Event()
        self._threads = [_thread(self._read), _thread(self._write)]

    def wait_for_the_first(self) -> None:
        while not self.written:
            self._stop.wait(0.01)

    def end(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _read(self) -> None:
        while not self._stop.is_set():
            found = InboundMessage.objects.values_list("content", flat=True)
            self.wrong += [text for text in found if not text.startswith("words ")]

    def _write(self) -> None:
        for turn in itertools.count():
            for row in self._rows[::7]:
                if self._stop.is_set():
                    return
                words = f"words again {row.pk} {turn}"
                InboundMessage.objects.filter(pk=row.pk).update(content=words)
                self.written[row.pk] = words


@pytest.mark.django_db(transaction=True)
def test_readers_and_writers_go_on_while_everything_is_resealed() -> None:
    with override_settings(FIELD_KEYS=BEFORE):
        rows = said(120)
    with override_settings(FIELD_KEYS=DURING):
        traffic = Traffic(rows)
        traffic.wait_for_the_first()
        done = sum(batch.resealed for batch in resealing.reseal(CONTENT, batch=10))
        traffic.end()
        call_command("reseal", stdout=StringIO())
        assert (traffic.wrong, done > 0, keys()) == ([], True, {"k2": 120})
    with override_settings(FIELD_KEYS=AFTER):  # the old key is gone
        found = dict(InboundMessage.objects.values_list("pk", "content"))
        at_first = {row.pk: f"words {number}" for number, row in enumerate(rows)}
        assert found == at_first | traffic.written
        assert sealed.current_key_id() == "k2"


def _thread(work: Callable[[], None]) -> threading.Thread:
    def run() -> None:
        try:
            work()
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    return thread
