"""Personal data never stands in a log line (X15): a whole journey is read for it, word by word."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest
from django.conf import settings

from hospital.kernel.logs import JsonFormatter
from hospital.kernel.models import SharedToken
from hospital.payments.models import Payment
from hospital.testing.people import a_resident_id
from tests.journeys.phone import Phone
from tests.journeys.story import Story

NAME = "慕容雪晴"
PHONE = "13912345678"


class Lines(logging.Handler):
    """Keeps every line as the product would write it."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.setFormatter(JsonFormatter())
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


@pytest.fixture
def written() -> Iterator[list[str]]:
    """The log at its most talkative."""
    handler, root = Lines(), logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield handler.lines
    root.setLevel(level)
    root.removeHandler(handler)


def test_no_line_of_a_whole_journey_tells_who_it_was(story: Story, written: list[str]) -> None:
    """With its mishaps: a mistyped document, a forged answer, a blocked account, a lost page."""
    document_no = a_resident_id()
    phone = story.phone()
    _walk(story, phone, document_no)

    private = _private(story, phone, document_no)
    leaks = [line for line in written for word in private if word in line]
    assert leaks == []
    said = {json.loads(line)["message"] for line in written}
    assert {"request", "wechat call", "untrusted answer", "refused"} <= said, "the log was read"


def _walk(story: Story, phone: Phone, document_no: str) -> None:
    phone.open("/m/patients/add/?next=/m/departments/")
    wrong = document_no[:-1] + ("0" if document_no[-1] != "0" else "1")
    _adds_herself(phone, wrong, status=422)
    _adds_herself(phone, document_no)
    story.wechat.fault("response_bad_signature", match="transactions/jsapi")
    phone.books(story.schedule)
    assert phone.asks_for_sheet()[0] == 503
    phone.asks_again()
    phone.pays()
    story.deliver()
    phone.opens_card(phone.chat()[0])
    phone.handset.press("block", on=True)
    phone.cancels()
    story.time.work()
    story.refund_arrives()
    phone.open("/m/appointments/00000000000000/", status=404)
    phone.open("/m/messages/")


def _adds_herself(phone: Phone, document_no: str, *, status: int = 200) -> None:
    phone.adds(NAME, document_no, phone=PHONE, status=status)


def _private(story: Story, phone: Phone, document_no: str) -> list[str]:
    """What must not be there: about the person, and what opens doors."""
    facts = story.wechat.facts
    orders = story.wechat.state(Payment.objects.get().out_trade_no)["orders"]
    found = [
        *(NAME, NAME[:2], NAME[2:], PHONE, document_no, document_no[6:14], "1985-03-12"),
        *(phone.openid, phone.cookies[settings.PATIENT_COOKIE_NAME]),
        *(facts["secret"], facts["apiv3_key"], facts["v2_key"], "PRIVATE KEY"),
        *SharedToken.objects.values_list("value", flat=True),
        *(prepay_id for order in orders for prepay_id in order["prepay_ids"]),
    ]
    assert all(len(word) >= 2 for word in found)
    return found
