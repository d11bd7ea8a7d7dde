"""Writes of monitoring, by noun."""

from hospital.monitoring.actions.alerts import AlertSettled, acknowledge
from hospital.monitoring.actions.notes import forget_old, note_backup, note_certificate
from hospital.monitoring.actions.rounds import run_round

__all__ = [
    "AlertSettled",
    "acknowledge",
    "forget_old",
    "note_backup",
    "note_certificate",
    "run_round",
]
