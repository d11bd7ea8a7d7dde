"""Two workers end the last tries of one event in the same moment: somebody is called, once."""

from __future__ import annotations

import threading

import pytest
from django.db import connection, transaction

from hospital.messaging import actions
from hospital.messaging.models import CallTask
from hospital.messaging.states import Channel, Reason
from hospital.messaging.tests.world import AT, a_message, fails, stands
from hospital.testing.people import a_wechat_user

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.race]


def test_of_two_messages_ending_together_one_opens_the_call() -> None:
    messages = [a_message("N06", a_wechat_user(), event_key="appointment:3:x") for _ in "ab"]
    for message in messages:
        fails(message, Channel.TEMPLATE, Reason.BLOCKED)
        fails(message, Channel.SMS, Reason.NO_PHONE)
    first_is_done, second_began = threading.Event(), threading.Event()

    def first() -> None:
        with transaction.atomic():
            actions.begin_try(message_id=messages[0].pk, at=AT)
            first_is_done.set()
            # Not committed yet: without a lock the second would take this one for under way.
            assert second_began.wait(5)
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_sleep(0.3)")
        connection.close()

    def second() -> None:
        assert first_is_done.wait(5)
        second_began.set()
        actions.begin_try(message_id=messages[1].pk, at=AT)
        connection.close()

    threads = [threading.Thread(target=work) for work in (first, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)

    assert sorted(stands(message)[1] for message in messages) == ["call", "inbox"]
    assert CallTask.objects.count() == 1
