"""Hospital cards: a number in the patient's hand, one at a time (H2.1)."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q

from hospital.kernel.states import Moves, StatefulModel, guard, one_of
from hospital.patients.models.persons import Patient
from hospital.patients.states import CARD_IN_HAND, CARD_MOVES, CardKind, CardStatus


class PatientCard(StatefulModel):
    """One card. Its number never goes to another patient; only an active card opens a record."""

    MOVES: ClassVar[Moves] = CARD_MOVES

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="cards")
    number = models.CharField("卡号", max_length=20, unique=True)
    kind = models.CharField(max_length=12, choices=CardKind.choices)
    status = models.CharField(max_length=8, choices=CardStatus.choices, default=CardStatus.ACTIVE)
    issued_at = models.DateTimeField()
    replaced_by = models.OneToOneField(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="replaces"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["patient"],
                condition=Q(status__in=CARD_IN_HAND),
                name="patients_one_card_in_hand",
            ),
            models.CheckConstraint(
                condition=Q(number__regex=r"^[0-9A-Z]{6,20}$"), name="patients_card_number_shape"
            ),
            models.CheckConstraint(
                condition=Q(kind__in=CardKind.values), name="patients_card_kind"
            ),
            models.CheckConstraint(
                condition=Q(replaced_by__isnull=True) | Q(status=CardStatus.REPLACED),
                name="patients_card_replaced",
            ),
            one_of(CardStatus.values, name="patients_card_status"),
        ]
        triggers = [guard(CARD_MOVES, name="patients_card_moves")]

    def __str__(self) -> str:
        return f"card {self.pk}"
