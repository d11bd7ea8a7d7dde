"""Changes of access that wait for a second person (chapter 7: SA assigns, SE approves)."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from hospital.identity.models.accounts import StaffAccount
from hospital.identity.states import REQUEST_MOVES, RequestKind, RequestStatus
from hospital.kernel.four_eyes import FourEyes, four_eyes
from hospital.kernel.states import guard, one_of


class AccessRequest(FourEyes):
    """What somebody wants changed: the roles of an account, or what a role may do.

    `wanted` is the whole state wished for, not the difference: for an assignment a list of
    {"role", "department", "valid_from", "valid_to"}, for a role {permission: scope}.
    """

    MOVES = REQUEST_MOVES

    status = models.CharField(
        max_length=10, choices=RequestStatus.choices, default=RequestStatus.WAITING
    )
    kind = models.CharField(max_length=12, choices=RequestKind.choices)
    account = models.ForeignKey(
        StaffAccount, on_delete=models.PROTECT, null=True, related_name="access_requests"
    )
    role = models.CharField(max_length=40, blank=True)
    label = models.CharField(max_length=20, blank=True)
    wanted = models.JSONField()
    reason = models.CharField(max_length=200)

    class Meta:
        constraints = [
            one_of(RequestStatus.values, name="access_request_status_known"),
            four_eyes(RequestStatus.WAITING, name="access_request_two_persons"),
            models.CheckConstraint(
                condition=Q(kind__in=RequestKind.values), name="access_request_kind_known"
            ),
            models.CheckConstraint(
                condition=Q(kind=RequestKind.ASSIGNMENT, account__isnull=False, role="")
                | ~Q(kind=RequestKind.ASSIGNMENT) & Q(account__isnull=True) & ~Q(role=""),
                name="access_request_about_one_thing",
            ),
            models.UniqueConstraint(
                fields=["account"],
                condition=Q(status=RequestStatus.WAITING, account__isnull=False),
                name="access_request_one_an_account",
            ),
            models.UniqueConstraint(
                fields=["role"],
                condition=Q(status=RequestStatus.WAITING) & ~Q(role=""),
                name="access_request_one_a_role",
            ),
        ]
        triggers = [guard(REQUEST_MOVES, name="access_request_moves")]

    def __str__(self) -> str:
        return f"access request {self.pk}"
