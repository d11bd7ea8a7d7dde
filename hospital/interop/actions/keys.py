"""Secrets of partners and the tokens they buy (OAuth 2.0 client credentials, RFC 6749 4.4).

Both are random, shown once and kept as keyed fingerprints. Two secrets may live side by side, so
that a partner changes from one to the other without a gap.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from typing import ClassVar, Final

from django.db import transaction
from django.db.models import Q

from hospital.interop import thresholds
from hospital.interop.actions.partners import lock
from hospital.interop.models import AccessToken, PartnerSecret
from hospital.kernel import audit, sealed, serials
from hospital.kernel.actors import Actor
from hospital.kernel.errors import Invalid, NotAllowed, NotFound, Refusal

LIVE_AT_MOST: Final = 2
_LENGTH: Final = 43  # of 62 signs: 256 bits, beyond guessing
_LONGEST: Final = 200
_WORN: Final = dt.timedelta(minutes=1)


class TooManySecrets(Refusal):
    code: ClassVar[str] = "TOO_MANY_SECRETS"
    default_message: ClassVar[str] = "这个平台已有两个有效密钥，请先作废其中一个。"


class BadClient(NotAllowed):
    """No such client, not this secret, over, or switched off: nobody is told which."""

    code: ClassVar[str] = "BAD_CLIENT"
    default_message: ClassVar[str] = "客户端编号或密钥不正确，或已失效。"


class BadScope(Refusal):
    code: ClassVar[str] = "BAD_SCOPE"
    default_message: ClassVar[str] = "申请的权限范围超出了本平台获准的范围。"


class BadToken(NotAllowed):
    code: ClassVar[str] = "BAD_TOKEN"
    default_message: ClassVar[str] = "访问令牌无效或已过期，请重新申请。"


@dataclass(frozen=True, slots=True)
class Visitor:
    """A partner that has proved itself, and what it may do with this token."""

    partner_id: int
    code: str
    scopes: frozenset[str]
    per_minute: int

    @property
    def actor(self) -> Actor:
        """The partner as history and audit name it."""
        return Actor("partner", self.partner_id)


@dataclass(frozen=True, slots=True)
class Issued:
    """A new token in clear; it is nowhere else."""

    visitor: Visitor
    token: str
    seconds: int


@transaction.atomic
def make_secret(
    *, partner_id: int, days: int, by: Actor, at: dt.datetime
) -> tuple[PartnerSecret, str]:
    """Give a partner a secret for some days; the text is shown this once.

    Raises NotFound, Invalid, TooManySecrets.
    """
    most = thresholds.SECRET_DAYS.value()
    if not 1 <= days <= most:
        raise Invalid({"days": [f"有效天数应在 1 到 {most} 之间。"]})
    partner = lock(partner_id)
    if partner.secrets.filter(_alive(at)).count() >= LIVE_AT_MOST:
        raise TooManySecrets
    text = serials.opaque(length=_LENGTH)
    secret = PartnerSecret.objects.create(
        partner=partner,
        fingerprint=_secret_print(text),
        hint=text[-4:],
        created_at=at,
        created_by=str(by),
        expires_at=at + dt.timedelta(days=days),
    )
    audit.record(
        act="interop.make_secret",
        subject=partner,
        by=by,
        at=at,
        after={"secret": secret.pk, "days": days},
    )
    return secret, text


@transaction.atomic
def end_secret(*, partner_id: int, secret_id: int, by: Actor, at: dt.datetime) -> bool:
    """End a secret and every token it bought, at once; False when it was over. Raises NotFound."""
    partner = lock(partner_id)
    secret = partner.secrets.filter(pk=secret_id).first()
    if secret is None:
        raise NotFound("没有找到这个密钥。")
    if secret.ended_at is not None:
        return False
    secret.ended_at, secret.ended_by = at, str(by)
    secret.save(update_fields=["ended_at", "ended_by"])
    audit.record(
        act="interop.end_secret", subject=partner, by=by, at=at, after={"secret": secret.pk}
    )
    return True


@transaction.atomic
def issue_token(
    *, client_id: str, client_secret: str, scopes: Collection[str], at: dt.datetime
) -> Issued:
    """Sell a token for a secret; no scopes named means all the partner has.

    Raises BadClient, BadScope.
    """
    secret = (
        PartnerSecret.objects.select_related("partner")
        .filter(_alive(at), fingerprint=_secret_print(client_secret))
        .filter(partner__code=client_id[:_LONGEST].replace("\0", ""), partner__is_active=True)
        .first()
    )
    if secret is None:
        raise BadClient
    partner = secret.partner
    wanted = frozenset(scopes) or frozenset(partner.scopes)
    if not wanted <= frozenset(partner.scopes):
        raise BadScope
    text = serials.opaque(length=_LENGTH)
    life = dt.timedelta(minutes=thresholds.TOKEN_MINUTES.value())
    AccessToken.objects.create(
        secret=secret,
        fingerprint=_token_print(text),
        scopes=sorted(wanted),
        issued_at=at,
        expires_at=min(at + life, secret.expires_at),
    )
    if secret.used_at is None or at - secret.used_at > _WORN:
        PartnerSecret.objects.filter(pk=secret.pk).update(used_at=at)
    visitor = Visitor(partner.pk, partner.code, wanted, partner.per_minute)
    seconds = int((min(at + life, secret.expires_at) - at).total_seconds())
    return Issued(visitor, text, seconds)


def visitor_of(*, token: str, at: dt.datetime) -> Visitor:
    """Whose token this is, with the scopes both it and the partner still have. Raises BadToken."""
    found = (
        AccessToken.objects.select_related("secret__partner")
        .filter(fingerprint=_token_print(token), expires_at__gt=at)
        .filter(secret__ended_at__isnull=True, secret__partner__is_active=True)
        .first()
    )
    if found is None:
        raise BadToken
    partner = found.secret.partner
    scopes = frozenset(found.scopes) & frozenset(partner.scopes)
    return Visitor(partner.pk, partner.code, scopes, partner.per_minute)


def _alive(at: dt.datetime) -> Q:
    return Q(ended_at__isnull=True, expires_at__gt=at)


def _secret_print(text: str) -> str:
    return sealed.blind_index(text[:_LONGEST], "interop.secret")


def _token_print(text: str) -> str:
    return sealed.blind_index(text[:_LONGEST], "interop.token")
