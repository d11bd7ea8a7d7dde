"""Links and numbers a patient sees lead to nobody else's (X16): secret, or scattered, or no way in.

Every number the product gives out has a line; a new one without fails.
"""

from __future__ import annotations

import itertools
import re
import secrets
from collections.abc import Iterator
from typing import Final

import pytest
import time_machine
from django.db.models import CharField
from django.urls import reverse

from hospital.kernel import serials
from hospital.live import tickets
from hospital.testing.people import patient_client
from hospital.testing.schedules import NOW
from tests.journeys.stranger_world import Own, a_world
from tests.journeys.test_strangers import ask, patient_addresses, questions, told
from tools.inventory import own_models

#: Nobody guesses it: 22 characters drawn by `secrets`, 130 bits. Such stand in links.
SECRET: Final = {
    "billing.Bill.token",
    "interop.AccessToken.fingerprint",  # only keyed fingerprints of the secrets are kept
    "interop.PartnerSecret.fingerprint",
    "messaging.Message.token",
    "patients.DataCopy.token",
    "patients.PatientPass.digest",  # only a keyed digest of the secret is kept
    "payments.PayCode.token",
    "registration.Appointment.share_token",
    "window.KioskVisit.token",
}
#: Read out, typed and scanned: a keyed shuffle of a running number. Access is checked besides.
SCATTERED: Final = {
    "patients.Patient.outpatient_no",
    "patients.PatientCard.number",
    "registration.Appointment.number",
}
#: Running numbers the law or a partner wants so; no patient's or public address takes them.
COUNTED: Final = {
    "billing.Bill.number": "gap-free on paper",
    "billing.Bill.receipt_no": "gap-free on paper",
    "payments.CashEntry.number": "gap-free on paper",
    "payments.Payment.out_trade_no": "WeChat's order number, in staff's pages",
    "payments.Refund.out_refund_no": "the same of a refund",
}
#: Made by others, or kept for the hospital alone.
FOREIGN: Final = {
    "interop.PartnerCall.number",
    "messaging.InboundMessage.fingerprint",
    "payments.PaymentCase.number",
    "payments.StatementLine.flow_number",
    "payments.StatementLine.out_refund_no",
    "payments.StatementLine.out_trade_no",
}
#: Primary keys in patients' addresses, and why they may count up.
COUNTING_PARAMETERS: Final = {
    "schedule_id": "the timetable, which is everybody's",
    "band_id": "the timetable, which is everybody's",
    "entry_id": "a place in a waiting list, looked up among the user's own",
    "binding_id": "behind the patient's own number, for who decides about that patient",
}
_AREAS: Final = {
    *{"billing", "interop", "messaging", "patients", "payments", "portal", "registration"},
    "window",
}
_NUMBER: Final = re.compile(r"(^|_)(token|number|no|digest|fingerprint)$")
_TICKET: Final = re.compile(r"ticket=([\w:.-]+)")
_SECRET_BITS: Final = 128


def test_every_number_given_out_is_of_a_known_kind() -> None:
    given = {
        f"{model._meta.label}.{field.name}"
        for model in own_models()
        for field in model._meta.get_fields()
        if isinstance(field, CharField) and _NUMBER.search(field.name)
        if model._meta.app_label in _AREAS
    }
    assert given == SECRET | SCATTERED | set(COUNTED) | FOREIGN


def test_only_these_primary_keys_stand_in_addresses_of_patients_and_the_public() -> None:
    routes = " ".join(one.route for one in patient_addresses())
    assert set(re.findall(r"<int:(\w+)>", routes)) == set(COUNTING_PARAMETERS)


def test_a_secret_is_drawn_from_the_systems_own_randomness(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert 62 ** len(serials.opaque()) > 2**_SECRET_BITS
    assert re.fullmatch("[0-9A-Za-z]{22}", serials.opaque())
    monkeypatch.setattr(secrets, "choice", lambda letters: letters[-1])
    assert serials.opaque() == "Z" * 22


@pytest.mark.django_db
def test_what_families_are_given_leads_to_no_other_family() -> None:
    with time_machine.travel(NOW, tick=False):
        world = a_world()
        _are_no_neighbours([world.victim, *world.strangers.values()])
        for own in world.strangers.values():
            _listens_to_the_own(own, set(_topics(own)))


def _are_no_neighbours(everybody: list[Own]) -> None:
    """They came one after another."""
    for name in ("bill", "code", "copy", "message"):
        texts = [own.things[name] for own in everybody]
        assert len({text[:6] for text in texts}) == len(texts), name
    for name in ("patient", "booking"):
        # Without the check digit of the one and the day before the other.
        numbers = sorted(int(own.things[name][-9:-1]) for own in everybody)
        steps = [later - sooner for sooner, later in itertools.pairwise(numbers)]
        assert min(steps) > len(everybody), name


def _listens_to_the_own(own: Own, heard: set[str]) -> None:
    """The live process believes a ticket; only a page that shows a thing may hold one for it."""
    booked = {f"appointment:{own.booked.pk}", f"bill:{own.unpaid.bill_id}"}
    assert booked <= heard
    things = booked | {f"appointment:{own.unpaid.pk}", f"bill:{own.booked.bill_id}"}
    assert {topic for topic in heard if topic[-1].isdigit()} <= things


def _topics(own: Own) -> Iterator[str]:
    client = patient_client(own.user)
    asked = [one for one in questions(with_parts=False) if one.method == "GET"]
    pages = [told(question.put(client, own.things)) for question in asked]
    pages += [
        told(ask(client, "GET", reverse(name), {})) for name in ("portal-home", "portal-more")
    ]
    for ticket in {found for page in pages for found in _TICKET.findall(page)}:
        yield from tickets.topics_of(ticket)
