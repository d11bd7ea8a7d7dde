"""The log-in of one member of staff.

A StaffAccount carries no Django group or permission: what it may do follows from its
RoleAssignments alone (law 6).
"""

from __future__ import annotations

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models import Q


class StaffAccounts(BaseUserManager["StaffAccount"]):
    """Gives Django's session code its look-up by user name; accounts are made by actions."""


class StaffAccount(AbstractBaseUser):
    """The log-in of one member of staff."""

    username = models.CharField("用户名", max_length=40, unique=True)
    display_name = models.CharField("姓名", max_length=40)
    practitioner = models.ForeignKey(
        "organisation.Practitioner",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="staff_accounts",
    )
    is_active = models.BooleanField("启用", default=True)
    created_at = models.DateTimeField()

    USERNAME_FIELD = "username"

    objects = StaffAccounts()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(username__regex=r"^[a-z0-9][a-z0-9._-]*$"),
                name="identity_username_plain",
            ),
        ]

    def __str__(self) -> str:
        return f"staff account {self.pk}"
