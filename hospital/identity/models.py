"""Tables of the identity area: people who may act and how they proved it.

A StaffAccount carries no Django group or permission: what it may do follows from its
RoleAssignments alone (law 6). A WeChatUser is one openid at one appid, because the same person
has another openid at the mini program (pitfall 15 of handbook/wechat.md).
"""

from __future__ import annotations

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models import Q

from hospital.identity.states import AttemptOutcome, Role, Theme


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


class WeChatUser(models.Model):
    """The holder of one openid at one of our appids; not necessarily a patient.

    Whether somebody follows the account is known once WeChat has told (None until then), as of the
    moment in `following_changed_at`.
    """

    appid = models.CharField(max_length=32)
    openid = models.CharField(max_length=64)
    unionid = models.CharField(max_length=64, blank=True, default="")
    care_mode = models.BooleanField("大字版", default=False)
    theme = models.CharField(max_length=5, choices=Theme.choices, default=Theme.AUTO)
    is_blocked = models.BooleanField("已停用", default=False)
    is_following = models.BooleanField("关注公众号", null=True, default=None)
    following_changed_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["appid", "openid"], name="identity_one_openid"),
            models.CheckConstraint(
                condition=Q(theme__in=Theme.values), name="identity_wechat_user_theme"
            ),
            models.CheckConstraint(
                condition=Q(is_following__isnull=True, following_changed_at__isnull=True)
                | Q(is_following__isnull=False, following_changed_at__isnull=False),
                name="identity_following_since",
            ),
        ]

    def __str__(self) -> str:
        return f"wechat user {self.pk}"


class LoginAttempt(models.Model):
    """One try to log in at the staff page, kept for throttling and for the audit (X10, X13)."""

    username = models.CharField(max_length=40)
    account = models.ForeignKey(
        StaffAccount, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    address = models.GenericIPAddressField()
    outcome = models.CharField(max_length=10, choices=AttemptOutcome.choices)
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(outcome__in=AttemptOutcome.values), name="identity_attempt_outcome"
            ),
        ]
        indexes = [
            models.Index(fields=["username", "at"], name="identity_attempt_username"),
            models.Index(fields=["address", "at"], name="identity_attempt_address"),
        ]

    def __str__(self) -> str:
        return f"log-in attempt {self.pk}"
