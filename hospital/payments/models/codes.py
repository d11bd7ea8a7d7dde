"""QR codes of ours, on paper or on a screen: an opaque address, never an amount or a name (M5)."""

import pgtrigger
from django.db import models
from django.db.models import F, Q


class PayCode(models.Model):
    """收款码: whoever scans it may pay what its bills ask for at that moment (M5.1, M5.3).

    `token` has 130 bits and stays when the slip is printed again; revoked, it opens nothing.
    """

    token = models.CharField(max_length=40, unique=True)
    bills = models.ManyToManyField("billing.Bill", related_name="pay_codes")
    created_by = models.CharField(max_length=40)
    created_at = models.DateTimeField()
    revoked_by = models.CharField(max_length=40, blank=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(revoked_at__isnull=True, revoked_by="")
                | Q(revoked_at__gte=F("created_at")) & ~Q(revoked_by=""),
                name="pay_code_revoked_by_somebody",
            ),
        ]
        triggers = [
            pgtrigger.Protect(name="pay_code_kept", operation=pgtrigger.Delete),
            pgtrigger.ReadOnly(name="pay_code_fixed", fields=["token", "created_by", "created_at"]),
        ]

    def __str__(self) -> str:
        return f"pay code {self.pk}"

    @property
    def patient_id(self) -> int | None:
        """Whose bills it opens, as far as they are one patient's."""
        ids = set(self.bills.values_list("patient_id", flat=True))
        return ids.pop() if len(ids) == 1 else None
