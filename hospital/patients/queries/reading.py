"""What a reader read, for places that only need to know whose card it is (windows, kiosks)."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from hospital.patients import contacts, documents, reader_text
from hospital.patients.queries.identifiers import document_owner
from hospital.patients.queries.searching import FoundPatient, found


@dataclass(frozen=True, slots=True)
class ReadCard:
    """A document in a reader. `owner` is None when nobody has brought it yet; `is_same_name` says
    whether the card and the record agree on the name."""

    owner: FoundPatient | None
    is_valid: bool
    is_same_name: bool


def read_card(text: str, *, on: dt.date) -> ReadCard | None:
    """Whose card a text is, None when it is none: somebody typed it, or it is another code."""
    card = reader_text.read(text)
    if card is None:
        return None
    try:
        document = documents.check(card.kind, card.number, on=on)
    except documents.BadDocument:  # the page says so: a worn card is no program's fault
        return ReadCard(owner=None, is_valid=False, is_same_name=False)
    owner = document_owner(kind=document.kind, number=document.number)
    if owner is None:
        return ReadCard(owner=None, is_valid=True, is_same_name=False)
    return ReadCard(
        owner=found(owner),
        is_valid=True,
        is_same_name=contacts.is_same_name(owner.name, card.name),
    )
