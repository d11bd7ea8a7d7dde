"""Nobody from outside the family sees or changes anything of it (acceptance 2, patients' pages).

Every patient or public address that names something is asked with the victim's own identifiers by
people who have no say: the answer must be, byte for byte, the one for an identifier nobody has. An
address without a row fails, and so does a field no table here knows.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final

import pytest
import time_machine
from django.http import HttpResponse, QueryDict
from django.test import Client
from django.urls import reverse

from hospital.kernel.models import AuditEntry
from hospital.patients.models import PatientBinding, PhoneCode
from hospital.testing.people import patient_client
from hospital.testing.schedules import NOW
from tests.journeys.stranger_world import FEE_FEN, Things, World, a_world
from tests.journeys.test_function_matrix import state_of_everything, taken_back
from tools.inventory import Address, addresses

HTMX: Final = {"HX-Request": "true"}
NOT_TOLD: Final = {"X-Request-ID", "Content-Length"}
GONE: Final = {HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED}
_PARAMETER: Final = re.compile(r"<(?:\w+:)?(\w+)>")
#: What differs between two answers to the same question: the form's tokens.
_CHANCE: Final = re.compile(r'\b[0-9A-Za-z]{64}\b|name="key"\s+value="\w+"')
_SHORT: Final = 8
_READ: Final = re.compile(
    r'request\.(?:GET|POST)(?:\.get(?:list)?\(|\[|, )"(\w+)"'
    r'|"(\w+)" (?:not )?in request\.(?:GET|POST)'
)


@dataclass(frozen=True)
class Row:
    """One address: which of the victim's things each identifier is, and what its form sends."""

    names: dict[str, str]
    body: dict[str, str] = field(default_factory=dict)


_BAND: Final = {"schedule_id": "schedule", "band_id": "band"}
_PAYING: Final = {"amount_fen": str(FEE_FEN)}
#: Addresses of one person's things.
OWNED: Final = {
    "registration-appointment": Row({"number": "booking"}),
    "registration-result": Row({"number": "booking"}),
    "registration-cancel": Row({"number": "booking"}),
    "registration-decline": Row({"number": "booking"}),
    "registration-exchange": Row({"number": "booking"}),
    "registration-exchange-for": Row({"number": "booking"} | _BAND),
    "registration-substitute-answer": Row({"number": "booking"}, {"agrees": "yes"}),
    "registration-share": Row({"number": "booking"}),
    "registration-waitlist-leave": Row({"entry_id": "entry"}),
    "registration-puzzle": Row({"token": "puzzle"}),
    "registration-appeal": Row({"number": "booking"}, {"text": "当天到过"}),
    "registration-standing": Row({"number": "patient"}),
    "payments-pay": Row({"token": "bill"}, _PAYING),
    "payments-status": Row({"token": "bill"}),
    "payments-ask": Row({"token": "bill"}),
    "portal-unbind": Row({"number": "patient"}),
    "portal-seen": Row({"number": "patient"}),
    "portal-copies": Row({"number": "patient"}),
    "portal-copy-ask": Row({"number": "patient"}),
    "portal-copy": Row({"token": "copy"}),
    "portal-copy-file": Row({"token": "copy"}),
    "patients-default": Row({"number": "patient"}),
    "patients-bound": Row({"number": "patient"}),
    "patients-bound-end": Row({"number": "patient", "binding_id": "binding"}),
    "patients-phone": Row({"number": "patient"}, {"phone": "13700137000"}),
    "patients-card-shown": Row({"number": "patient"}),
    "patients-card-renew": Row({"number": "patient"}),
    "messaging-open": Row({"token": "message"}),
}
#: Addresses everybody may open, and why; nothing private may stand there either.
OPEN: Final = {
    "registration-confirm": "the timetable: booking is for one's own patients",
    "registration-wait": "the timetable: waiting in line is for one's own patients",
    "registration-watch": "the timetable",
    "registration-shared": "whoever got the link may know when and where: masked name, no number",
    "registration-shared-calendar": "the same page, as a file",
    "scheduling-sessions": "the timetable",
    "scheduling-doctor": "the timetable",
    "scheduling-bands": "the timetable",
    "onboarding-photo": "doctors' portraits, by the digest of their bytes",
    "payments-code": "the code on paper: leads into WeChat, whatever it is",
    "payments-code-page": "whoever holds the paper may pay: masked name and amount (M5.2)",
    "payments-code-status": "the same page",
    "payments-code-ask": "the same page",
}
#: Fields that name somebody's thing without standing in the address.
NAMING: Final = {"patient", "document_no", "key", "puzzle"}
#: Fields that name nothing of anybody's: what is said, chosen or looked for.
SAYING: Final = {
    *{"place", "waited"},  # what somebody made of a picture
    *{"reason", "words", "agrees"},  # why a number is given back; yes or no to a substitute
    *{"schedule", "stop"},  # a session of the timetable; an end to what one asked for oneself
    *{"q", "category", "day", "page", "span", "kind", "next", "state", "step"},
    *{"text", "amount_fen", "care", "theme", "phone", "code", "new_code", "old_code", "name"},
    *{"document_kind", "sex", "birth_date", "relationship", "has_consent", "is_guardian"},
}
#: The page kit's gallery, which no hospital has.
GALLERYS: Final = {"audience", "only", "theme", "care", "department_text"}
#: What stands on paper, in WeChat or in another user's address only.
NOT_ON_PHONES: Final = {
    *{"receipt", "message", "bill number", "paid bill", "paid bill number"},
    *{"once booking", "once bill"},
}
#: Forms and filters that name somebody's thing in a field.
FORMS: Final = [
    ("registration-confirm", "GET", Row(_BAND, {"patient": "patient"})),
    ("registration-confirm", "POST", Row(_BAND, {"patient": "patient", "key": "page-key"})),
    ("registration-wait", "GET", Row({"schedule_id": "schedule"}, {"patient": "patient"})),
    ("registration-wait", "POST", Row({"schedule_id": "schedule"}, {"patient": "patient"})),
    ("portal-records", "GET", Row({}, {"patient": "patient"})),
    ("patients-add-told", "POST", Row({}, {"document_no": "document", "name": "某人"})),
]


@pytest.fixture
def world(db: None) -> Iterator[World]:
    with time_machine.travel(NOW, tick=False):
        yield a_world()


@pytest.fixture
def fields_read(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The names of everything a page takes out of an address or a form while the test runs."""
    names: set[str] = set()
    plain = QueryDict.__getitem__

    def noted(self: QueryDict, name: str) -> object:
        names.add(name)
        return plain(self, name)

    monkeypatch.setattr(QueryDict, "__getitem__", noted)
    return names


def patient_addresses() -> list[Address]:
    """What somebody with a phone can open, without the log-in of staff."""
    kinds = {"patient", "public"}
    found = [one for one in addresses() if one.access and one.access.kind in kinds]
    return [one for one in found if not one.route.startswith("/staff/")]


def parameters(address: Address) -> set[str]:
    return set(_PARAMETER.findall(address.route))


def ask(
    client: Client, method: str, path: str, body: Mapping[str, str], *, htmx: bool = False
) -> HttpResponse:
    call = client.get if method == "GET" else client.post
    answer = call(path, dict(body), headers=HTMX if htmx else {})
    assert isinstance(answer, HttpResponse)
    return answer


def told(answer: HttpResponse) -> str:
    headers = {name: text for name, text in answer.items() if name not in NOT_TOLD}
    return f"{answer.status_code} {headers} {answer.content.decode(errors='replace')}"


def said(answer: HttpResponse, asked: Things) -> str:
    """Everything an answer says, but for chance and for what the visitor said first."""
    text = _CHANCE.sub("", told(answer))
    for word in sorted(asked.values(), key=len, reverse=True):
        # A short number stands by chance in many places: only where it is part of an address.
        text = text.replace(*((word, "…") if len(word) > _SHORT else (f"/{word}/", "/…/")))
    return text


def words_in(text: str, words: Mapping[str, str]) -> list[str]:
    return [what for what, word in words.items() if word in text]


@dataclass(frozen=True)
class Question:
    """One way of asking for something: `names` say which of the things each identifier is."""

    url: str
    method: str
    row: Row
    is_htmx: bool = False

    def put(self, client: Client, things: Things) -> HttpResponse:
        path = reverse(self.url, kwargs={one: things[what] for one, what in self.row.names.items()})
        body = {name: things.get(text, text) for name, text in self.row.body.items()}
        return ask(client, self.method, path, body, htmx=self.is_htmx)

    def named(self, things: Things) -> Things:
        """What of the things stands in the question itself."""
        wanted = {*self.row.names.values(), *self.row.body.values()}
        return {what: thing for what, thing in things.items() if what in wanted}


def questions(*, with_parts: bool = True) -> list[Question]:
    """Each address in each way; what only answers the other way says so and is harmless."""
    plain = [Question(url, how, row) for url, row in OWNED.items() for how in ("GET", "POST")]
    parts = [Question(url, "GET", row, is_htmx=True) for url, row in OWNED.items()]
    fields = [Question(url, how, row) for url, how, row in FORMS]
    return plain + fields + (parts if with_parts else [])


def test_every_address_and_field_that_names_something_is_known() -> None:
    naming = {one.name: one for one in patient_addresses() if parameters(one)}
    assert set(naming) == set(OWNED) | set(OPEN)
    assert {name: set(row.names) for name, row in OWNED.items()} == {
        name: parameters(naming[name]) for name in OWNED
    }
    modules = {inspect.getmodule(inspect.unwrap(one.view)) for one in patient_addresses()}
    sources = "".join(inspect.getsource(module) for module in modules if module is not None)
    found = {first or second for first, second in _READ.findall(sources)}
    assert {"patient", "next", "day", "key"} <= found, "the pages' code was read"
    assert found <= NAMING | SAYING | GALLERYS


def test_a_stranger_gets_the_answer_for_what_nobody_has(
    world: World, fields_read: set[str]
) -> None:
    before, entries = state_of_everything(), AuditEntry.objects.count()

    for who, own in world.strangers.items():
        client = patient_client(own.user)
        targets = world.targets if who == "removed" else world.targets[:1]
        for question in questions(with_parts=who == "alone"):
            nothing = said(question.put(client, world.nobodys), question.named(world.nobodys))
            for things in targets:
                answer = question.put(client, things)
                assert said(answer, question.named(things)) == nothing, (who, question)
                assert _shown(world, question, told(answer), things) == [], (who, question)
                assert question.url not in OWNED or answer.status_code in GONE, (who, question)
        for path in _open_paths(world.victim.things):
            answer = ask(client, "GET", path, {})
            assert words_in(told(answer), _not_on_paper(world, path)) == [], (who, path)

    assert state_of_everything() == before
    assert AuditEntry.objects.count() == entries
    assert fields_read <= NAMING | SAYING


def test_the_family_alone_is_answered(world: World) -> None:
    """Else the test above would pass over doors that are shut for all and words nobody says."""
    seen = "".join(_answers_to_the_family(world))

    assert set(world.private) - set(words_in(seen, world.private)) <= NOT_ON_PHONES
    assert words_in(seen, world.timetable) == list(world.timetable)
    _without_a_log_in(world)
    _paper_outside_wechat(world)
    _with_the_victims_document(world)


def _answers_to_the_family(world: World) -> Iterator[str]:
    client, things = patient_client(world.victim.user), world.victim.things
    for question in questions():
        with taken_back():
            answer = question.put(client, things)
        assert answer.status_code != HTTPStatus.NOT_FOUND, question
        yield told(answer)
    for path in _open_paths(things):
        yield told(ask(client, "GET", path, {}))


def _without_a_log_in(world: World) -> None:
    browser = Client()
    for question in questions():
        answer = question.put(browser, world.victim.things)
        assert (answer.content, answer.status_code < HTTPStatus.BAD_REQUEST) == (b"", True)


def _paper_outside_wechat(world: World) -> None:
    """Whoever guesses codes learns nothing before WeChat has said who it is."""
    for browser in (Client(), Client(headers={"User-Agent": "MicroMessenger/8.0"})):
        row = Question("payments-code", "GET", Row({"token": "code"}))
        found, guessed = (row.put(browser, one) for one in (world.victim.things, world.nobodys))
        assert said(found, row.named(world.victim.things)) == said(
            guessed, row.named(world.nobodys)
        )


def _with_the_victims_document(world: World) -> None:
    """Adding somebody known tells that the name does not fit and nothing else; it is counted."""
    client = patient_client(world.strangers["alone"].user)
    document_no = world.victim.things["document"]
    person = {
        "name": "独孤一鹤",
        "document_kind": "resident_id",
        "document_no": document_no,
        "phone": "13700137000",
        "relationship": "other",
        "has_consent": "on",
        "key": "k",
    }
    counted = PatientBinding.objects.count(), PhoneCode.objects.count()
    answer = ask(client, "POST", reverse("patients-add"), person)
    secret = {what: word for what, word in world.private.items() if word != document_no}
    assert answer.status_code == HTTPStatus.CONFLICT
    assert words_in(told(answer), secret | world.timetable) == []
    assert (PatientBinding.objects.count(), PhoneCode.objects.count()) == counted
    assert AuditEntry.objects.latest("pk").act == "patients.mismatch"


def _shown(world: World, question: Question, text: str, things: Things) -> list[str]:
    """What of the victim an answer tells that the visitor did not bring."""
    brought = set(question.named(things).values())
    words = {what: word for what, word in world.private.items() if word not in brought}
    return words_in(text, words | world.timetable if question.url in OWNED else words)


def _open_paths(things: Things) -> list[str]:
    return [
        reverse("registration-confirm", args=[things["schedule"], things["band"]]),
        reverse("scheduling-bands", args=[things["schedule"]]),
        reverse("scheduling-sessions", args=[things["department"]]),
        reverse("scheduling-doctor", args=[things["doctor"]]),
        reverse("registration-wait", args=[things["schedule"]]),
        reverse("registration-watch", args=[things["department"]]),
        reverse("registration-shared", args=[things["share"]]),
        reverse("registration-shared-calendar", args=[things["share"]]),
        reverse("payments-code", args=[things["code"]]),
        reverse("payments-code-page", args=[things["code"]]),
        reverse("payments-code-status", args=[things["code"]]),
    ]


def _not_on_paper(world: World, path: str) -> dict[str, str]:
    """Who holds the paper has the code, and may know whose bill it pays (M5.2); who got a link to
    a visit, whose it is."""
    on_paper = {"code", "share", "masked name"} if "code" in path or "shared" in path else set()
    return {what: word for what, word in world.private.items() if what not in on_paper}
