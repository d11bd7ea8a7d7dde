"""Reads of the catalogue: what a registration costs, on the visit date (M2.5).

Quotes are frozen copies in fen, ready to become charges; they do not follow later price changes.
"""

import datetime as dt
from dataclasses import dataclass
from typing import TypeVar

from django.db.models import F, Q, QuerySet

from hospital.catalogue.models import Price, PriceChange, PriceItem, ServiceFee, ServiceType
from hospital.catalogue.states import FeeCategory, PriceChangeStatus, ServiceKind
from hospital.kernel.errors import NotFound
from hospital.kernel.states import subject_type
from hospital.kernel.upserts import MasterRow
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


def waiting_prices() -> list[PriceChange]:
    """What finance is asked, the oldest question first, with its item."""
    rows = PriceChange.objects.filter(status=PriceChangeStatus.WAITING)
    return list(rows.select_related("price_item").order_by("asked_at", "pk"))


def decided_prices(*, most: int) -> list[PriceChange]:
    """What finance decided last, the newest first, with its item."""
    rows = PriceChange.objects.exclude(status=PriceChangeStatus.WAITING)
    return list(rows.select_related("price_item").order_by("-decided_at", "-pk")[:most])


def waiting_price(*, code: str) -> PriceChange | None:
    """The price of an item that waits for finance, None where none does."""
    rows = PriceChange.objects.filter(status=PriceChangeStatus.WAITING)
    return rows.filter(price_item__code=code).first()


def _waiting_by_item() -> dict[int, PriceChange]:
    return {row.price_item_id: row for row in waiting_prices()}


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


def service_types() -> list[ServiceTypeRow]:
    """Every active 号别, by code."""
    rows = ServiceType.objects.filter(is_active=True).order_by("code")
    return [ServiceTypeRow(row.pk, row.code, row.name, row.kind) for row in rows]


def service_type(code: str, *, active_only: bool = True) -> ServiceTypeRow:
    """The 号别 of a code, unless switched off. Raises NotFound."""
    row = service_type_object(code, active_only=active_only)
    return ServiceTypeRow(row.pk, row.code, row.name, row.kind)


def service_type_object(code: str, *, active_only: bool = True) -> ServiceType:
    """The same as the row others may point a foreign key at. Raises NotFound."""
    row = ServiceType.objects.filter(code=code).first()
    if row is None or (active_only and not row.is_active):
        raise NotFound("没有找到这个号别。")
    return row


def price_fen(*, code: str, on: dt.date) -> int:
    """The price of an item on a hospital day, in fen. Raises NotFound."""
    found = _day(Price.objects.filter(price_item__code=code), on).first()
    if found is None:
        raise NotFound("该收费项目在这一天没有价格。")
    return found.price_fen


def price_item_rows(*, on: dt.date) -> list[MasterRow]:
    """Every price item as `save_price_item` takes it, with the price of the day in fen.

    The day it holds from is left out, so that a changed price counts from the day of the change;
    an item that has no price yet has its first one and that day, or the one finance looks at.
    """
    prices: dict[int, Price | PriceChange] = dict(_waiting_by_item())
    for price in Price.objects.exclude(valid_to=F("valid_from")).order_by("valid_from"):
        known = prices.get(price.price_item_id)
        if not isinstance(known, Price) or price.valid_from <= on:
            prices[price.price_item_id] = price
    later = {pk: price.valid_from for pk, price in prices.items() if price.valid_from > on}
    return [
        MasterRow(
            row.pk,
            subject_type(PriceItem),
            {
                "code": row.code,
                "name": row.name,
                "category": FeeCategory(row.category),
                "unit": row.unit,
                "price_fen": prices[row.pk].price_fen if row.pk in prices else 0,
                "valid_from": later.get(row.pk),
                "is_active": row.is_active,
            },
            pinyin=row.pinyin,
            initials=row.initials,
        )
        for row in PriceItem.objects.order_by("code")
    ]


def service_type_rows() -> list[MasterRow]:
    """Every 号别 as `save_service_type` takes it, switched off ones too."""
    return [
        MasterRow(
            row.pk,
            subject_type(ServiceType),
            {
                "code": row.code,
                "name": row.name,
                "kind": ServiceKind(row.kind),
                "is_active": row.is_active,
                "valid_from": row.valid_from,
                "valid_to": row.valid_to,
            },
        )
        for row in ServiceType.objects.order_by("code")
    ]


def service_fee_rows(*, on: dt.date) -> list[MasterRow]:
    """What a registration costs on a day as `save_service_fee` takes it: a row a type and title."""
    grouped: dict[Key, list[ServiceFee]] = {}
    fees = _day(ServiceFee.objects.select_related("service_type", "price_item"), on)
    for fee in fees.order_by("service_type__code", "title", "price_item__code"):
        grouped.setdefault((fee.service_type_id, fee.title), []).append(fee)
    return [
        MasterRow(
            service_type_id,
            subject_type(ServiceType),
            {
                "service_type": held[0].service_type.code,
                "title": Title(title) if title else None,
                "price_items": [fee.price_item.code for fee in held],
                "valid_from": None,
            },
            part={"title": title},
        )
        for (service_type_id, title), held in grouped.items()
    ]


def fees_with(*, price_item_id: int, on: dt.date) -> list[str]:
    """Names of the active 号别 whose registration costs an item on a day or later."""
    fees = ServiceFee.objects.filter(price_item_id=price_item_id).exclude(valid_to__lte=on)
    kinds = ServiceType.objects.filter(pk__in=fees.values("service_type_id"), is_active=True)
    return list(kinds.order_by("code").values_list("name", flat=True))


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
