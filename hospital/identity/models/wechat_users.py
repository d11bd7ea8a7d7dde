"""Who came through WeChat: one openid at one appid.

The same person has another openid at the mini program (pitfall 15 of handbook/wechat.md).
"""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from hospital.identity.states import Theme


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
