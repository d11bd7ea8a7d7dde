"""Codes of national tables for the words this area uses, for records that leave the house.

Sex GB/T 2261.1, documents WS/T 364 CV02.01.101 (kinds it does not know are 99), relationship
GB/T 4761 by its first digit.
"""

from __future__ import annotations

from typing import Final

from hospital.patients.states import DocumentKind, Relationship, Sex

SEX_CODES: Final[dict[Sex, str]] = {Sex.MALE: "1", Sex.FEMALE: "2", Sex.UNKNOWN: "9"}
#: As others write it: codes of the standard and words on cards.
SEX_OF: Final[dict[str, Sex]] = {
    "0": Sex.UNKNOWN,
    "1": Sex.MALE,
    "2": Sex.FEMALE,
    "9": Sex.UNKNOWN,
    "男": Sex.MALE,
    "女": Sex.FEMALE,
    "男性": Sex.MALE,
    "女性": Sex.FEMALE,
    "M": Sex.MALE,
    "F": Sex.FEMALE,
}
DOCUMENT_CODES: Final[dict[DocumentKind, str]] = {
    DocumentKind.RESIDENT_ID: "01",
    DocumentKind.HOUSEHOLD_BOOK: "02",
    DocumentKind.PASSPORT: "03",
    DocumentKind.OFFICER_CARD: "04",
    DocumentKind.HK_MACAU_PERMIT: "06",
    DocumentKind.TAIWAN_PERMIT: "07",
    DocumentKind.RESIDENCE_PERMIT: "99",
    DocumentKind.FOREIGNER_CARD: "99",
    DocumentKind.OTHER: "99",
}
RELATIONSHIP_CODES: Final[dict[Relationship, str]] = {
    Relationship.SELF: "0",
    Relationship.SPOUSE: "1",
    Relationship.SON: "2",
    Relationship.DAUGHTER: "3",
    Relationship.GRANDCHILD: "4",
    Relationship.PARENT: "5",
    Relationship.GRANDPARENT: "6",
    Relationship.SIBLING: "7",
    Relationship.OTHER: "8",
}
