"""The log-in of one member of staff.

A StaffAccount carries no Django group or permission: what it may do follows from its
RoleAssignments alone (law 6).
"""

from __future__ import annotations

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models import Q

from hospital.kernel.sealed import SealedCharField


class StaffAccounts(BaseUserManager["StaffAccount"]):
    """Gives Django's session code its look-up by user name; accounts are made by actions."""


class StaffAccount(AbstractBaseUser):
    """The log-in of one member of staff.

    Pinyin and initials are computed when a name is saved; the index finds a sealed phone.
    """

    username = models.CharField("用户名", max_length=40, unique=True)
    display_name = models.CharField("姓名", max_length=40)
    pinyin = models.CharField(max_length=300, blank=True)
    initials = models.CharField(max_length=40, blank=True)
    phone = SealedCharField("手机号", blank=True, default="")
    phone_index = models.CharField(max_length=64, blank=True, default="", db_index=True)
    practitioner = models.ForeignKey(
        "organisation.Practitioner",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="staff_accounts",
    )
    is_active = models.BooleanField("启用", default=True)
    must_change_password = models.BooleanField("下次登录须改密码", default=False)
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
