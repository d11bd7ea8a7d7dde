"""Which account has which role, from when until when."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from hospital.identity.models.accounts import StaffAccount
from hospital.identity.states import Role


class RoleAssignment(models.Model):
    """One role of one account for a period; a department narrows whose data it covers."""

    account = models.ForeignKey(
        StaffAccount, on_delete=models.PROTECT, related_name="role_assignments"
    )
    role = models.CharField(max_length=40, choices=Role.choices)
    department = models.ForeignKey(
        "organisation.Department", on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    valid_from = models.DateField()
    valid_to = models.DateField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account", "role", "department"],
                condition=Q(valid_to__isnull=True),
                nulls_distinct=False,
                name="identity_one_open_assignment",
            ),
            models.CheckConstraint(
                condition=Q(valid_to__isnull=True) | Q(valid_to__gte=models.F("valid_from")),
                name="identity_assignment_period",
            ),
            models.CheckConstraint(
                condition=Q(role__in=Role.values), name="identity_assignment_role"
            ),
        ]

    def __str__(self) -> str:
        return f"role assignment {self.pk}"
