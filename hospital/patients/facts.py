"""What is told about a person: as typed or read, and checked."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from hospital.patients import documents
from hospital.patients.states import DocumentKind, Sex


@dataclass(frozen=True, slots=True)
class Facts:
    """What a clerk typed or a reader read about a person; nothing of it is checked yet.

    `ethnic_group` and `nationality` are codes of GB 3304 and GB/T 2659. The validity is the
    document's; no end means long-term or not known.
    """

    name: str
    document_kind: DocumentKind
    document_no: str
    phone: str = ""
    sex: Sex | None = None
    birth_date: dt.date | None = None
    name_note: str = ""
    ethnic_group: str = ""
    nationality: str = ""
    address: str = ""
    valid_from: dt.date | None = None
    valid_until: dt.date | None = None


@dataclass(frozen=True, slots=True)
class Person:
    """What was told about a patient, checked and cleaned; masked nowhere, so never logged."""

    name: str
    document: documents.Document
    phone: str
    sex: Sex
    birth_date: dt.date
    name_note: str = ""
    ethnic_group: str = ""
    nationality: str = ""
    address: str = ""
    valid_from: dt.date | None = None
    valid_until: dt.date | None = None
