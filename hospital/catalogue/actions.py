"""Writes of the catalogue: save by code; prices and fees change by period, history kept.

Each `save_*` runs in one transaction, audits what changed and returns whether anything did.
Unknown codes raise Invalid with the parameter's name as the field.
"""

import datetime as dt
from collections.abc import Collection, Sequence

from django.db import transaction

from hospital.catalogue.models import Price, PriceChange, PriceItem, ServiceFee, ServiceType
from hospital.catalogue.states import FeeCategory, PriceChangeStatus, ServiceKind
from hospital.kernel import audit, money, pinyin
from hospital.kernel.actors import Actor
from hospital.kernel.clock import hospital_day
from hospital.kernel.errors import Invalid, NotFound
from hospital.kernel.four_eyes import check_may_decide, decide
from hospital.kernel.upserts import spelling, upsert
from hospital.organisation.states import Title


@transaction.atomic
def save_price_item(
    *,
    code: str,
    name: str,
    category: FeeCategory,
    unit: str,
    price_fen: int,
    valid_from: dt.date | None = None,
    is_active: bool = True,
    by: Actor,
    at: dt.datetime,
) -> bool:
    """Save 收费项目 with its price in fen from a hospital day on (default: the day of `at`).

    A price that somebody of the staff types waits for finance (chapter 7); the system's own, when
    a new hospital is loaded, holds at once. Raises Invalid, also while another price waits.
    """
    if price_fen < 0:
        raise Invalid({"price_fen": ["单价不能小于零。"]})
    saved = upsert(
        PriceItem,
        key={"code": code},
        values={
            "name": name,
            **spelling(PriceItem, pinyin.pinyin(name)),
            "category": category,
            "unit": unit,
            "is_active": is_active,
        },
        act="catalogue.save_price_item",
        by=by,
        at=at,
    )
    day = valid_from or hospital_day(at)
    if by.kind == "system":
        repriced = _save_price(saved.row, price_fen, day, by=by, at=at)
    else:
        is_dated = valid_from is not None
        repriced = _ask_price(saved.row, price_fen, day, is_dated=is_dated, by=by, at=at)
    return saved.changed or repriced


@transaction.atomic
def decide_price(
    *, change_id: int, is_approved: bool, note: str, by: Actor, at: dt.datetime
) -> PriceChange:
    """Agree to a price, which holds from its day on but not before today, or refuse it with why.

    Raises NotFound, AlreadyDecided, OwnRequest, Invalid.
    """
    note = note.strip()
    if not is_approved and not note:
        raise Invalid.of("note", "请填写驳回的原因。")
    rows = PriceChange.objects.select_for_update(of=("self",)).select_related("price_item")
    change = rows.filter(pk=change_id).first()
    if change is None:
        raise NotFound("没有找到这次调价。")
    check_may_decide(change, waiting=PriceChangeStatus.WAITING, by=by)
    if is_approved:
        day = max(change.valid_from, hospital_day(at))
        _save_price(change.price_item, change.price_fen, day, by=by, at=at)
    to = PriceChangeStatus.APPROVED if is_approved else PriceChangeStatus.REJECTED
    decide(change, to, note=note, by=by, at=at)
    audit.record(
        act="catalogue.decide_price",
        subject=change.price_item,
        by=by,
        at=at,
        before={"status": PriceChangeStatus.WAITING.label},
        after={"status": to.label, "price_fen": change.price_fen, "asked_by": change.asked_by},
        reason=note[:200],
    )
    return change


@transaction.atomic
def save_service_type(
    *,
    code: str,
    name: str,
    kind: ServiceKind,
    is_active: bool = True,
    valid_from: dt.date | None = None,
    valid_to: dt.date | None = None,
    by: Actor,
    at: dt.datetime,
) -> bool:
    """Save 号别; sessions of it are held from a hospital day on, until before another."""
    if valid_from is not None and valid_to is not None and valid_to <= valid_from:
        raise Invalid({"valid_to": ["失效日期应晚于生效日期。"]})
    return upsert(
        ServiceType,
        key={"code": code},
        values={
            "name": name,
            "kind": kind,
            "is_active": is_active,
            "valid_from": valid_from,
            "valid_to": valid_to,
        },
        act="catalogue.save_service_type",
        by=by,
        at=at,
    ).changed


@transaction.atomic
def save_service_fee(
    *,
    service_type: str,
    title: Title | None = None,
    price_items: Collection[str],
    valid_from: dt.date | None = None,
    by: Actor,
    at: dt.datetime,
) -> bool:
    """Save which price items a registration costs from a day on, for one title or (None) any.

    The items replace those that held on that day; a later planned change stays.
    """
    kind = ServiceType.objects.select_for_update().filter(code=service_type).first()
    if kind is None:
        raise Invalid({"service_type": [f"没有编码为“{service_type}”的号别。"]})
    wanted = {item.code: item for item in PriceItem.objects.filter(code__in=price_items)}
    if unknown := sorted(set(price_items) - wanted.keys()):
        raise Invalid({"price_items": [f"没有编码为“{'、'.join(unknown)}”的收费项目。"]})
    day = valid_from or hospital_day(at)
    rows = list(
        ServiceFee.objects.filter(service_type=kind, title=title or "").select_related("price_item")
    )
    current = {fee.price_item.code: fee for fee in rows if _covers(fee, day)}
    if current.keys() == wanted.keys():
        return False
    until = _next_change(rows, day)
    for code in current.keys() - wanted.keys():
        _end(current[code], day, resume=until)
    for code in sorted(wanted.keys() - current.keys()):
        ServiceFee.objects.create(
            service_type=kind,
            title=title or "",
            price_item=wanted[code],
            valid_from=day,
            valid_to=until,
        )
    audit.record(
        act="catalogue.save_service_fee",
        subject=kind,
        by=by,
        at=at,
        before={"title": title or "", "price_items": sorted(current)} if current else {},
        after={
            "title": title or "",
            "price_items": sorted(wanted),
            "valid_from": day.isoformat(),
        },
    )
    return True


def _ask_price(
    item: PriceItem, price_fen: int, day: dt.date, *, is_dated: bool, by: Actor, at: dt.datetime
) -> bool:
    """Have finance decide about a price; the same one twice is one question."""
    rows = Price.objects.filter(price_item=item)
    current = next((row for row in rows if _covers(row, day)), None)
    if current is not None and current.price_fen == price_fen:
        return False
    waiting = PriceChange.objects.filter(price_item=item, status=PriceChangeStatus.WAITING).first()
    if waiting is not None:
        if waiting.price_fen == price_fen and (waiting.valid_from == day or not is_dated):
            return False
        price = money.format_yuan(waiting.price_fen)
        raise Invalid({"price_fen": [f"单价 {price} 元还在等财务批准，处理后才能再改。"]})
    PriceChange.objects.create(
        price_item=item,
        price_fen=price_fen,
        before_fen=current.price_fen if current else None,
        valid_from=day,
        asked_by=str(by),
        asked_at=at,
    )
    audit.record(
        act="catalogue.ask_price",
        subject=item,
        by=by,
        at=at,
        before={"price_fen": current.price_fen} if current else {},
        after={"price_fen": price_fen, "valid_from": day.isoformat()},
    )
    return True


def _save_price(
    item: PriceItem, price_fen: int, day: dt.date, *, by: Actor, at: dt.datetime
) -> bool:
    """Make the price hold from `day` to the next planned change; earlier periods stay."""
    rows = list(Price.objects.filter(price_item=item))
    current = next((row for row in rows if _covers(row, day)), None)
    if current is not None and current.price_fen == price_fen:
        return False
    until = _next_change(rows, day)
    if current is not None:
        current.valid_to = day
        current.save(update_fields=["valid_to"])
    Price.objects.create(price_item=item, price_fen=price_fen, valid_from=day, valid_to=until)
    audit.record(
        act="catalogue.set_price",
        subject=item,
        by=by,
        at=at,
        before={"price_fen": current.price_fen} if current else {},
        after={"price_fen": price_fen, "valid_from": day.isoformat()},
    )
    return True


def _covers(row: Price | ServiceFee, day: dt.date) -> bool:
    return row.valid_from <= day and (row.valid_to is None or day < row.valid_to)


def _next_change(rows: Sequence[Price | ServiceFee], day: dt.date) -> dt.date | None:
    """The first day after `day` on which one of the periods begins or ends."""
    edges = [edge for row in rows for edge in (row.valid_from, row.valid_to)]
    return min((edge for edge in edges if edge and edge > day), default=None)


def _end(fee: ServiceFee, day: dt.date, *, resume: dt.date | None) -> None:
    """End a fee on `day`; what was planned from `resume` on is put back behind the gap."""
    until, fee.valid_to = fee.valid_to, day
    fee.save(update_fields=["valid_to"])
    if resume is not None and until != resume:
        ServiceFee.objects.create(
            service_type=fee.service_type,
            title=fee.title,
            price_item=fee.price_item,
            valid_from=resume,
            valid_to=until,
        )
