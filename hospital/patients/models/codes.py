"""Codes by SMS: what proves that somebody holds a phone just now (M3.12, M11.3)."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from hospital.kernel.sealed import SealedCharField
from hospital.patients.states import CodePurpose


class PhoneCode(models.Model):
    """Six digits sent to one phone, for one thing one WeChat user is about to do.

    `about` says for what, as a blind index of the document or the patient: a code told for one
    person opens nothing else. Only the latest code of a user and purpose counts.
    """

    wechat_user = models.ForeignKey(
        "identity.WeChatUser", on_delete=models.PROTECT, related_name="phone_codes"
    )
    purpose = models.CharField(max_length=10, choices=CodePurpose.choices)
    about = models.CharField(max_length=43)
    phone = SealedCharField("手机号")
    phone_index = models.CharField(max_length=43)
    address_index = models.CharField(max_length=43, blank=True, default="")
    code = SealedCharField("验证码")
    tries = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(purpose__in=CodePurpose.values), name="patients_code_purpose"
            ),
            models.CheckConstraint(
                condition=Q(expires_at__gt=F("created_at")), name="patients_code_lives"
            ),
            models.CheckConstraint(
                condition=Q(used_at__isnull=True) | Q(tries__gt=0), name="patients_code_was_tried"
            ),
        ]
        indexes = [
            models.Index(fields=["wechat_user", "purpose", "-id"], name="patients_code_latest"),
            models.Index(fields=["phone_index", "created_at"], name="patients_code_phone"),
            models.Index(fields=["address_index", "created_at"], name="patients_code_address"),
        ]

    def __str__(self) -> str:
        return f"phone code {self.pk}"
