"""All sheets of the workbook, in the order they are imported: what others refer to comes first.

To add one, describe it like its neighbours and put it into SHEETS; the
empty workbook and its explanations follow by themselves.
"""

from typing import Final

from hospital.onboarding.sheets.catalogue import PRICE_ITEMS, SERVICE_FEES, SERVICE_TYPES
from hospital.onboarding.sheets.identity import STAFF
from hospital.onboarding.sheets.organisation import (
    CAMPUSES,
    DEPARTMENTS,
    LOCATIONS,
    PRACTITIONERS,
    ROLES,
)
from hospital.onboarding.sheets.scheduling import TEMPLATES
from hospital.onboarding.tables import Sheet

SHEETS: Final[tuple[Sheet, ...]] = (
    CAMPUSES,
    DEPARTMENTS,
    LOCATIONS,
    PRACTITIONERS,
    ROLES,
    PRICE_ITEMS,
    SERVICE_TYPES,
    SERVICE_FEES,
    STAFF,
    TEMPLATES,
)
