"""Reference data of chapter 8 as typed tables: codes that come from standards, not hospitals."""

from hospital.patients.reference.codes import (
    DOCUMENT_CODES,
    RELATIONSHIP_CODES,
    SEX_CODES,
    SEX_OF,
)
from hospital.patients.reference.countries import CHINA, COUNTRIES, country_code
from hospital.patients.reference.ethnic_groups import (
    ETHNIC_GROUPS,
    HAN,
    EthnicGroup,
    ethnic_group_code,
)

__all__ = [
    "CHINA",
    "COUNTRIES",
    "DOCUMENT_CODES",
    "ETHNIC_GROUPS",
    "HAN",
    "RELATIONSHIP_CODES",
    "SEX_CODES",
    "SEX_OF",
    "EthnicGroup",
    "country_code",
    "ethnic_group_code",
]
