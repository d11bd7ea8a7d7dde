"""The account's menu, version by version."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from hospital.kernel.states import StatefulModel, guard, one_of
from hospital.messaging.states import MENU_MOVES, MenuStatus
from hospital.wechat.menus import Menu, read_menu


class MenuVersion(StatefulModel):
    """One version of the menu as WeChat takes it; at most one each is draft, on its way, in use.

    `revision` counts the savings of a draft, so that two editors do not undo each other. What
    WeChat answered to the last try to publish is `answer`.
    """

    MOVES = MENU_MOVES

    number = models.PositiveIntegerField(unique=True)
    document = models.JSONField()
    copied_from = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    revision = models.PositiveIntegerField(default=1)
    status = models.CharField(max_length=10, choices=MenuStatus.choices, default=MenuStatus.DRAFT)
    made_by = models.CharField(max_length=40)
    made_at = models.DateTimeField()
    published_by = models.CharField(max_length=40, blank=True, default="")
    published_at = models.DateTimeField(null=True, blank=True)
    answer = models.CharField(max_length=200, blank=True, default="")

    class Meta:
        constraints = [
            one_of(MenuStatus.values, name="messaging_menu_status"),
            models.UniqueConstraint(
                fields=["status"],
                condition=Q(
                    status__in=[MenuStatus.DRAFT, MenuStatus.PUBLISHING, MenuStatus.PUBLISHED]
                ),
                name="messaging_one_menu_each",
            ),
            models.CheckConstraint(
                condition=Q(published_at__isnull=False)
                | ~Q(status__in=[MenuStatus.PUBLISHED, MenuStatus.REPLACED]),
                name="messaging_menu_published_at",
            ),
        ]
        triggers = [guard(MENU_MOVES, name="messaging_menu_moves")]

    def __str__(self) -> str:
        return f"menu version {self.number}"

    @property
    def menu(self) -> Menu:
        """The document, typed."""
        return read_menu(self.document)
