"""Partners: taken in, changed, switched off by the system administrator."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Final

from django.db import transaction

from hospital.interop.models import Partner
from hospital.interop.states import Scope
from hospital.kernel import audit
from hospital.kernel.actors import Actor
from hospital.kernel.errors import Invalid, NotFound, Stale
from hospital.kernel.fingerprints import fingerprint

_CODE: Final = re.compile(r"[a-z0-9][a-z0-9-]{2,29}")
MOST_A_DAY: Final = 100_000
MOST_A_MINUTE: Final = 6_000


@dataclass(frozen=True, slots=True)
class Terms:
    """What a partner is allowed: names, scopes, quotas and pace, as the form says them."""

    name: str
    contact: str
    scopes: Sequence[Scope]
    daily_quota: int
    session_percent: int
    per_minute: int


def open_partner(*, code: str, terms: Terms, by: Actor, at: dt.datetime) -> Partner:
    """Take in a partner, switched on and without a secret. Raises Invalid (by field)."""
    errors = _errors(terms)
    if not _CODE.fullmatch(code):
        errors["code"] = ["客户端编号为 3 到 30 位小写字母、数字和连字符，以字母或数字开头。"]
    if errors:
        raise Invalid(errors)
    with transaction.atomic():
        partner, is_new = Partner.objects.get_or_create(
            code=code, defaults={**_columns(terms), "is_active": True, "created_at": at}
        )
        if not is_new:
            raise Invalid({"code": ["这个客户端编号已被使用。"]})
        audit.record(
            act="interop.open_partner", subject=partner, by=by, at=at, after=_audited(partner)
        )
    return partner


@transaction.atomic
def change_partner(
    *, partner_id: int, terms: Terms, seen: str = "", by: Actor, at: dt.datetime
) -> bool:
    """Change names, scopes, quotas or pace, in force with the next call; False for no change.

    `seen` is the version of the terms on the page, if any. Tokens that were issued before keep no
    scope that was taken away. Raises NotFound, Invalid, Stale.
    """
    if errors := _errors(terms):
        raise Invalid(errors)
    partner = lock(partner_id)
    if seen and seen != terms_version(partner):
        raise Stale
    before = _audited(partner)
    for column, value in _columns(terms).items():
        setattr(partner, column, value)
    after = _audited(partner)
    changed = [key for key in after if after[key] != before[key]]
    if not changed:
        return False
    partner.save()
    audit.record(
        act="interop.change_partner",
        subject=partner,
        by=by,
        at=at,
        before={key: before[key] for key in changed},
        after={key: after[key] for key in changed},
    )
    return True


@transaction.atomic
def switch_partner(
    *, partner_id: int, is_active: bool, reason: str, by: Actor, at: dt.datetime
) -> bool:
    """Switch a partner off, from the next call on, or on again; False when it was so already.

    What it has booked stays booked: patients have nothing to do with it. Raises NotFound, Invalid.
    """
    if not reason.strip():
        raise Invalid({"reason": ["请填写原因。"]})
    partner = lock(partner_id)
    if partner.is_active == is_active:
        return False
    partner.is_active = is_active
    partner.save(update_fields=["is_active"])
    audit.record(
        act="interop.switch_partner",
        subject=partner,
        by=by,
        at=at,
        before={"is_active": not is_active},
        after={"is_active": is_active},
        reason=reason.strip()[:200],
    )
    return True


def terms_version(partner: Partner) -> str:
    """A fingerprint of a partner's terms: a page says which ones it showed."""
    return fingerprint(_audited(partner))[:16]


def lock(partner_id: int) -> Partner:
    """The partner, locked to the end of the transaction: what is counted per partner is counted
    under it. Raises NotFound."""
    found = Partner.objects.select_for_update(no_key=True).filter(pk=partner_id).first()
    if found is None:
        raise NotFound("没有找到这个平台。")
    return found


def _errors(terms: Terms) -> dict[str, list[str]]:
    errors: dict[str, list[str]] = {}
    if not 1 <= len(terms.name.strip()) <= 60:
        errors["name"] = ["请填写平台名称，不超过 60 个字。"]
    if not terms.scopes:
        errors["scopes"] = ["请至少选择一项权限。"]
    for field, value, least, most, words in (
        ("daily_quota", terms.daily_quota, 0, MOST_A_DAY, "每日预约额度"),
        ("session_percent", terms.session_percent, 0, 100, "每次出诊占比"),
        ("per_minute", terms.per_minute, 1, MOST_A_MINUTE, "每分钟调用上限"),
    ):
        if not least <= value <= most:
            errors[field] = [f"{words}应在 {least} 到 {most} 之间。"]
    return errors


def _columns(terms: Terms) -> dict[str, object]:
    chosen = {str(scope) for scope in terms.scopes}
    return asdict(terms) | {
        "name": terms.name.strip(),
        "contact": terms.contact.strip()[:100],
        "scopes": [str(scope) for scope in Scope if scope in chosen],
    }


def _audited(partner: Partner) -> dict[str, object]:
    return {
        "code": partner.code,
        "name": partner.name,
        "contact": partner.contact,
        "scopes": list(partner.scopes),
        "daily_quota": partner.daily_quota,
        "session_percent": partner.session_percent,
        "per_minute": partner.per_minute,
    }
