"""Tables of the catalogue: price items with prices by period, service types and their fees.

A price is never edited: a change ends its period and begins the next. One replaced on the very
day it began keeps its row as an empty period. Money is in fen, days are hospital days.
"""

from typing import ClassVar

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.db import models
from django.db.models import Case, F, Func, IntegerField, Q, Value, When

from hospital.catalogue.states import (
    PRICE_CHANGE_MOVES,
    FeeCategory,
    PriceChangeStatus,
    ServiceKind,
)
from hospital.kernel.four_eyes import FourEyes, four_eyes
from hospital.kernel.states import Moves, guard, one_of
from hospital.organisation.states import Title


def _one(column: str) -> Func:
    return Func(F(column), F(column), Value("[]"), function="int8range")


def _days() -> Func:
    return Func(F("valid_from"), F("valid_to"), function="daterange")


def _title_number() -> Func:
    """Titles as numbers, since ranges of text do not exist."""
    number = Case(
        *(When(title=title, then=Value(place)) for place, title in enumerate(Title.values, 1)),
        default=Value(0),
        output_field=IntegerField(),
    )
    return Func(number, number, Value("[]"), function="int4range")


def _period_in_order(name: str) -> models.CheckConstraint:
    return models.CheckConstraint(
        condition=Q(valid_to__isnull=True) | Q(valid_to__gte=F("valid_from")), name=name
    )


class PriceItem(models.Model):
    """收费项目: something the hospital charges for."""

    code = models.CharField(max_length=20, unique=True)
    name = models.CharField(max_length=80)
    pinyin = models.CharField(max_length=400)
    initials = models.CharField(max_length=80)
    category = models.CharField(max_length=20, choices=FeeCategory)
    unit = models.CharField(max_length=20)
    is_active = models.BooleanField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(category__in=FeeCategory.values), name="price_item_category"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Price(models.Model):
    """What an item costs in a half-open period of hospital days."""

    price_item = models.ForeignKey(PriceItem, models.PROTECT, related_name="prices")
    price_fen = models.PositiveIntegerField()
    valid_from = models.DateField()
    valid_to = models.DateField(null=True)

    class Meta:
        constraints = [
            _period_in_order("price_period"),
            ExclusionConstraint(
                name="price_one_at_a_time",
                expressions=[
                    (_one("price_item_id"), RangeOperators.OVERLAPS),
                    (_days(), RangeOperators.OVERLAPS),
                ],
            ),
        ]

    def __str__(self) -> str:
        return f"price {self.pk}"


class PriceChange(FourEyes):
    """A price somebody of the staff typed; it holds once finance agreed, and not before that day.

    `before_fen` is what the item cost then, None for its first price.
    """

    MOVES: ClassVar[Moves] = PRICE_CHANGE_MOVES

    price_item = models.ForeignKey(PriceItem, models.PROTECT, related_name="price_changes")
    price_fen = models.PositiveIntegerField()
    before_fen = models.PositiveIntegerField(null=True)
    valid_from = models.DateField()
    status = models.CharField(
        max_length=10, choices=PriceChangeStatus, default=PriceChangeStatus.WAITING
    )

    class Meta:
        constraints = [
            one_of(PriceChangeStatus.values, name="price_change_status"),
            four_eyes(PriceChangeStatus.WAITING, name="price_change_two_persons"),
            models.UniqueConstraint(
                fields=["price_item"],
                condition=Q(status=PriceChangeStatus.WAITING),
                name="price_change_one_waits",
            ),
        ]
        triggers = [guard(PRICE_CHANGE_MOVES, name="price_change_moves")]

    def __str__(self) -> str:
        return f"price change {self.pk}"


class ServiceType(models.Model):
    """号别: what a patient books, such as 专家门诊."""

    code = models.CharField(max_length=20, unique=True)
    name = models.CharField(max_length=40)
    kind = models.CharField(max_length=10, choices=ServiceKind)
    is_active = models.BooleanField()
    valid_from = models.DateField(null=True)
    valid_to = models.DateField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(valid_from__isnull=True)
                | Q(valid_to__isnull=True)
                | Q(valid_from__lt=F("valid_to")),
                name="service_type_period",
            ),
            models.CheckConstraint(
                condition=Q(kind__in=ServiceKind.values), name="service_type_kind"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class ServiceFee(models.Model):
    """One price item a registration costs; an empty title counts where a title has no own rows."""

    service_type = models.ForeignKey(ServiceType, models.PROTECT, related_name="fees")
    title = models.CharField(max_length=20, blank=True)
    price_item = models.ForeignKey(PriceItem, models.PROTECT, related_name="service_fees")
    valid_from = models.DateField()
    valid_to = models.DateField(null=True)

    class Meta:
        constraints = [
            _period_in_order("service_fee_period"),
            models.CheckConstraint(
                condition=Q(title__in=["", *Title.values]), name="service_fee_title"
            ),
            ExclusionConstraint(
                name="service_fee_one_at_a_time",
                expressions=[
                    (_one("service_type_id"), RangeOperators.OVERLAPS),
                    (_title_number(), RangeOperators.OVERLAPS),
                    (_one("price_item_id"), RangeOperators.OVERLAPS),
                    (_days(), RangeOperators.OVERLAPS),
                ],
            ),
        ]

    def __str__(self) -> str:
        return f"service fee {self.pk}"
