"""Roles: which account has which, the hospital's own ones, and what each may do beyond the code."""

from __future__ import annotations

from typing import Final

from django.db import models
from django.db.models import Q

from hospital.identity.models.accounts import StaffAccount
from hospital.identity.models.requests import AccessRequest
from hospital.identity.states import DataScope, Role
from hospital.kernel.models import append_only

CUSTOM: Final = "custom_"


class RoleAssignment(models.Model):
    """One role of one account for a half-open period of hospital days; a department narrows whose
    data it covers. `request` is the decision behind it, none for what an import set up first."""

    account = models.ForeignKey(
        StaffAccount, on_delete=models.PROTECT, related_name="role_assignments"
    )
    role = models.CharField(max_length=40)
    department = models.ForeignKey(
        "organisation.Department", on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    valid_from = models.DateField()
    valid_to = models.DateField(null=True, blank=True)
    granted_at = models.DateTimeField()
    request = models.ForeignKey(
        AccessRequest, on_delete=models.PROTECT, null=True, related_name="assignments"
    )

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
                condition=Q(role__in=Role.values) | Q(role__regex=rf"^{CUSTOM}[0-9]+$"),
                name="identity_assignment_role",
            ),
        ]

    def __str__(self) -> str:
        return f"role assignment {self.pk}"


class CustomRole(models.Model):
    """A role the hospital made itself; what it may do stands in GrantChanges only."""

    code = models.CharField(max_length=40, unique=True)
    label = models.CharField(max_length=20, unique=True)
    created_at = models.DateTimeField()
    retired_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(code__regex=rf"^{CUSTOM}[0-9]+$"), name="identity_custom_role_code"
            ),
        ]

    def __str__(self) -> str:
        return self.code


class GrantChange(models.Model):
    """From a moment on (UTC) a role reaches this far with a permission; "" takes it away.

    Over the code's default, never edited, only superseded: the newest row in force counts.
    """

    role = models.CharField(max_length=40)
    permission = models.CharField(max_length=80)
    scope = models.CharField(max_length=10, blank=True, choices=DataScope.choices)
    valid_from = models.DateTimeField()
    set_by = models.CharField(max_length=40)
    request = models.ForeignKey(
        AccessRequest, on_delete=models.PROTECT, related_name="grant_changes"
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(scope__in=["", *DataScope.values]), name="identity_grant_scope"
            ),
        ]
        indexes = [models.Index(fields=["role", "permission"], name="identity_grant_of_role")]
        triggers = [append_only("identity_grant_append_only")]

    def __str__(self) -> str:
        return f"grant change {self.pk}"
