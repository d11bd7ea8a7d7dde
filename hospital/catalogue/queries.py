"""Reads of the catalogue: what a registration costs, on the visit date (M2.5).

Quotes are frozen copies in fen, ready to become charges; they do not follow later price changes.
"""

import datetime as dt
from dataclasses import dataclass
from typing import TypeVar

from django.db.models import Q, QuerySet

from hospital.catalogue.models import Price, PriceItem, ServiceFee, ServiceType
from hospital.kernel.errors import NotFound
from hospital.organisation.states import Title

Key = tuple[int, str]
Dated = TypeVar("Dated", Price, ServiceFee)


@dataclass(frozen=True, slots=True)
class FeeLine:
    """One price item of a quote; `amount_fen` is its price on the day asked for."""

    price_item_id: int
    code: str
    name: str
    category: str
    amount_fen: int


@dataclass(frozen=True, slots=True)
class FeeQuote:
    """What a registration costs in fen, and of what it consists."""

    total_fen: int
    lines: tuple[FeeLine, ...]


@dataclass(frozen=True, slots=True)
class ServiceTypeRow:
    """A 号别 with its kind in words."""

    id: int
    code: str
    name: str
    kind: str


class NoFee(NotFound):
    """Nobody has said what this registration costs; it cannot be booked."""

    code = "NO_FEE"
    default_message = "该号别尚未设置挂号费，暂不能预约，请咨询导诊台。"


def registration_fees(*, on: dt.date) -> dict[Key, FeeQuote]:
    """Every (service type id, title) → quote on a hospital day; "" is "whatever the title".

    A title without own fees has those of "". A pair nobody priced is missing. Two statements.
    """
    fees = _day(ServiceFee.objects.filter(service_type__is_active=True), on)
    quotes = _quotes(fees, on)
    for service_type_id in {service_type_id for service_type_id, _ in quotes}:
        for title in Title.values:
            quotes.setdefault((service_type_id, title), quotes.get((service_type_id, "")))
    return {key: quote for key, quote in quotes.items() if quote is not None}


def fee_quote(*, service_type_id: int, title: str, on: dt.date) -> FeeQuote:
    """The quote for one service type and title ("" = no practitioner). Raises NoFee."""
    fees = ServiceFee.objects.filter(service_type_id=service_type_id, title__in=[title, ""])
    quotes = _quotes(_day(fees, on), on)
    default = quotes.get((service_type_id, ""))
    quote = quotes.get((service_type_id, title), default)
    if quote is None:
        raise NoFee
    return quote


def service_types() -> list[ServiceTypeRow]:
    """Every active 号别, by code."""
    rows = ServiceType.objects.filter(is_active=True).order_by("code")
    return [ServiceTypeRow(row.pk, row.code, row.name, row.kind) for row in rows]


def service_type(code: str, *, active_only: bool = True) -> ServiceTypeRow:
    """The 号别 of a code, unless switched off. Raises NotFound."""
    row = ServiceType.objects.filter(code=code).first()
    if row is None or (active_only and not row.is_active):
        raise NotFound("没有找到这个号别。")
    return ServiceTypeRow(row.pk, row.code, row.name, row.kind)


def price_fen(*, code: str, on: dt.date) -> int:
    """The price of an item on a hospital day, in fen. Raises NotFound."""
    found = _day(Price.objects.filter(price_item__code=code), on).first()
    if found is None:
        raise NotFound("该收费项目在这一天没有价格。")
    return found.price_fen


def price_item_names() -> dict[str, str]:
    """Code → name of every price item, switched off ones too."""
    return dict(PriceItem.objects.order_by("code").values_list("code", "name"))


def service_type_names() -> dict[str, str]:
    """Code → name of every 号别, switched off ones too."""
    return dict(ServiceType.objects.order_by("code").values_list("code", "name"))


def _quotes(fees: QuerySet[ServiceFee], on: dt.date) -> dict[Key, FeeQuote | None]:
    """Fees as quotes, lines by item code. A pair with an item that has no price that day is None:
    better no booking than one that charges too little."""
    rows = list(fees.select_related("price_item").order_by("price_item__code"))
    item_ids = {fee.price_item_id for fee in rows}
    prices = _day(Price.objects.filter(price_item_id__in=item_ids), on)
    fen = dict(prices.values_list("price_item_id", "price_fen"))
    grouped: dict[Key, list[PriceItem]] = {}
    for fee in rows:
        grouped.setdefault((fee.service_type_id, fee.title), []).append(fee.price_item)
    return {key: _quote(items, fen) for key, items in grouped.items()}


def _quote(items: list[PriceItem], fen: dict[int, int]) -> FeeQuote | None:
    if any(item.pk not in fen for item in items):
        return None
    lines = tuple(
        FeeLine(item.pk, item.code, item.name, item.category, fen[item.pk]) for item in items
    )
    return FeeQuote(sum(line.amount_fen for line in lines), lines)


def _day(rows: QuerySet[Dated], on: dt.date) -> QuerySet[Dated]:
    return rows.filter(valid_from__lte=on).filter(Q(valid_to__isnull=True) | Q(valid_to__gt=on))
