"""What the account answers by itself."""

from __future__ import annotations

from typing import Final

from django.db import models
from django.db.models import Q

from hospital.messaging.states import Match, RuleKind

KEY_PREFIX: Final = "reply:"


class ReplyRule(models.Model):
    """A text and what it answers to: a follower's arrival, a word, a menu button, anything else.

    `words` are spelled as `answering.plain` spells them. Rules are switched off, never deleted:
    a menu version may name them.
    """

    kind = models.CharField(max_length=8, choices=RuleKind.choices)
    name = models.CharField("名称", max_length=20)
    words = models.JSONField(default=list)
    match = models.CharField(max_length=8, choices=Match.choices, default=Match.EXACT)
    priority = models.PositiveSmallIntegerField(default=100)
    text = models.TextField("回复内容")
    is_on = models.BooleanField("启用", default=True)
    changed_by = models.CharField(max_length=40)
    changed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["kind"],
                condition=Q(kind__in=[RuleKind.WELCOME, RuleKind.DEFAULT]),
                name="messaging_one_rule_each",
            ),
            models.CheckConstraint(
                condition=Q(kind__in=RuleKind.values) & Q(match__in=Match.values),
                name="messaging_rule_words",
            ),
            models.CheckConstraint(condition=~Q(text=""), name="messaging_rule_says_something"),
        ]

    def __str__(self) -> str:
        return f"reply rule {self.pk}"

    @property
    def key(self) -> str:
        """What a menu button sends us to get this answer."""
        return f"{KEY_PREFIX}{self.pk}"
