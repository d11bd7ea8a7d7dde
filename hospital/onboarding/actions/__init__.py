"""Every write of master data: importing a workbook, keeping an uploaded one, saving one row."""

from hospital.onboarding.actions.importing import import_base
from hospital.onboarding.actions.records import (
    ChangedMeanwhile,
    StillNeeded,
    save_record,
    switch_off,
)
from hospital.onboarding.actions.uploads import (
    MOST_BYTES,
    carry_out,
    drop_workbook,
    keep_workbook,
)

__all__ = [
    "MOST_BYTES",
    "ChangedMeanwhile",
    "StillNeeded",
    "carry_out",
    "drop_workbook",
    "import_base",
    "keep_workbook",
    "save_record",
    "switch_off",
]
