"""What runs out on a date: certificates and tokens; and whether the keys are the hospital's own."""

from __future__ import annotations

import datetime as dt
from typing import Final
from urllib.parse import urlsplit

from cryptography import x509
from django.conf import settings

from hospital.kernel import clock, shared_tokens
from hospital.monitoring.models import CertificateCheck
from hospital.monitoring.reading import Finding, Probe, lasting
from hospital.monitoring.states import Group, ProbeState
from hospital.monitoring.thresholds import CERTIFICATE_DAYS

_TOKEN: Final = "wechat.access_token"  # noqa: S105 - the token's name, not the token
_DAY: Final = 86400
_NOT_CONNECTED: Final = "没有接入微信，不检查。"
#: The keys settings.py puts in for who has none of their own, on one machine for demonstration.
_INSECURE: Final = {"FIELD_KEYS": "k0:", "AUDIT_KEYS": "a0:"}


def watched_hosts() -> list[tuple[str, int]]:
    """Host and port of our addresses that speak TLS."""
    found = [urlsplit(url) for url in (settings.PUBLIC_URL, settings.LIVE_URL)]
    pairs = [(url.hostname or "", url.port or 443) for url in found if url.scheme == "https"]
    return list(dict.fromkeys(pairs))


def tls(at: dt.datetime) -> Finding:
    """The certificate visitors see, as the hourly job found it."""
    hosts = {host for host, _ in watched_hosts()}
    if not hosts:
        return Finding("网址不是 https，没有网站证书。")
    checks = {row.host: row for row in CertificateCheck.objects.filter(host__in=hosts)}
    for host in sorted(hosts):
        if host in checks and checks[host].problem:
            return Finding(f"{host}：{checks[host].problem}", state=ProbeState.BAD)
    if hosts - checks.keys():
        return Finding("还没有检查过，每小时检查一次。", state=ProbeState.UNKNOWN)
    ends, host = min((row.expires_at, row.host) for row in checks.values() if row.expires_at)
    return _until(f"{host} 的网站证书", ends, at)


def merchant_certificate(at: dt.datetime) -> Finding:
    """The merchant certificate of the connection file, if it is there."""
    if settings.WECHAT is None:
        return Finding(_NOT_CONNECTED)
    if settings.WECHAT.merchant_cert is None:
        return Finding("连接文件里没有商户证书，请在商户平台查看到期日。")
    certificate = x509.load_pem_x509_certificate(settings.WECHAT.merchant_cert.read_bytes())
    return _until("商户证书", certificate.not_valid_after_utc, at)


def platform_key(at: dt.datetime) -> Finding:
    """WeChat's key. The public key has no end; of certificates the file's only start us off."""
    if settings.WECHAT is None:
        return Finding(_NOT_CONNECTED)
    if settings.WECHAT.public_key is not None:
        return Finding("使用微信支付公钥，不会到期。")
    ends = max(one.not_valid_after_utc for one in settings.WECHAT.platform_certificates)
    found = _until("连接文件里的平台证书", ends, at)
    days = found.value or 0
    is_short = CERTIFICATE_DAYS.judge(days) is not ProbeState.OK
    # New ones are fetched by themselves every twelve hours, so this is never severe.
    return Finding(found.text, days, ProbeState.WARN if is_short else ProbeState.OK)


def access_token(at: dt.datetime) -> Finding:
    """How long the Official Account's token lives. A quiet night lets it run out."""
    if settings.WECHAT is None:
        return Finding(_NOT_CONNECTED)
    left = shared_tokens.time_left(_TOKEN)
    if left is None:
        return Finding("还没有取过，用到时再取。")
    minutes = int(left.total_seconds() // 60)
    if minutes < 0:
        return Finding("已过期，下次用到时再取。", minutes)
    return Finding(f"还有 {lasting(left.total_seconds())}到期，到期前自动更新。", minutes)


def keys(at: dt.datetime) -> Finding:
    """Whether sealed fields and the audit trail are under keys of the hospital's own."""
    missing = [
        name for name, known in _INSECURE.items() if str(getattr(settings, name)).startswith(known)
    ]
    if missing:
        text = f"{'、'.join(missing)} 没有设置，正在用人人都知道的演示密钥。"
        return Finding(text, len(missing), ProbeState.WARN)
    return Finding("加密和审计密钥都是本院自己的。", 0)


def _until(what: str, ends: dt.datetime, at: dt.datetime) -> Finding:
    days = int((ends - at).total_seconds() // _DAY)
    day = f"{clock.local(ends):%Y-%m-%d}"
    if ends <= at:
        return Finding(f"{what}已于 {day} 到期。", days)
    return Finding(f"{what} {day} 到期，还有 {days} 天。", days)


PROBES: Final = (
    Probe(
        key="tls",
        group=Group.CERTIFICATES,
        label="网站证书",
        unit="天",
        read=tls,
        limits=CERTIFICATE_DAYS,
    ),
    Probe(
        key="merchant_certificate",
        group=Group.CERTIFICATES,
        label="商户证书",
        unit="天",
        read=merchant_certificate,
        limits=CERTIFICATE_DAYS,
    ),
    Probe(
        key="platform_key",
        group=Group.CERTIFICATES,
        label="微信支付公钥或平台证书",
        unit="天",
        read=platform_key,
        limits=CERTIFICATE_DAYS,
    ),
    Probe(
        key="access_token",
        group=Group.CERTIFICATES,
        label="公众号令牌",
        unit="分钟",
        read=access_token,
    ),
    Probe(key="keys", group=Group.CERTIFICATES, label="密钥", unit="个", read=keys),
)
