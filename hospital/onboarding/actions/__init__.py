"""Every write of master data: importing a workbook, saving one row."""

from hospital.onboarding.actions.importing import import_base
from hospital.onboarding.actions.records import (
    ChangedMeanwhile,
    StillNeeded,
    save_record,
    switch_off,
)

__all__ = ["ChangedMeanwhile", "StillNeeded", "import_base", "save_record", "switch_off"]
