"""Bills: asking for a day's, and fetching the file behind the link that came back.

A day's bill is there from 10:00 on the next one. The link is good for five minutes; the file comes
unsigned, its SHA1 is over the uncompressed text.
"""

from __future__ import annotations

import gzip
import hashlib
import secrets
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from wechat_sandbox import bill_faults, bill_layout, ledger
from wechat_sandbox.clock import BEIJING
from wechat_sandbox.faults import Point
from wechat_sandbox.fields import Wrong
from wechat_sandbox.records import BillFile
from wechat_sandbox.sandbox import Sandbox
from wechat_sandbox.v3 import Answer, Call, Refused, route

LINK_LIFE_S = 300
READY_AFTER = timedelta(days=1, hours=10)
MADE_AFTER = timedelta(days=1, hours=9)
OLDEST = timedelta(days=92)
ACCOUNTS = ("BASIC", "OPERATION", "FEES")
KINDS = ("ALL", "SUCCESS", "REFUND")


@dataclass(frozen=True)
class Asked:
    """A proven question for a bill there is."""

    on: ledger.Day
    kind: str
    spoilt_hash: bool


def trade(sandbox: Sandbox, call: Call) -> Answer:
    """GET /v3/bill/tradebill"""
    asked = _asked(sandbox, call, "bill_type", KINDS)
    rows = bill_faults.tampered(
        ledger.trades(sandbox, asked.on),
        sandbox.faults.take(Point.BILL_ROWS, call.subject),
        mchid=sandbox.keys.mchid,
        appid=sandbox.keys.appid,
        at=asked.on.ends_at - 1,
    )
    return _linked(sandbox, call, asked, trade_text(sandbox, rows, asked.kind))


def fund(sandbox: Sandbox, call: Call) -> Answer:
    """GET /v3/bill/fundflowbill; only the BASIC account ever moves."""
    asked = _asked(sandbox, call, "account_type", ACCOUNTS)
    rows = ledger.funds(sandbox, asked.on) if asked.kind == "BASIC" else []
    return _linked(sandbox, call, asked, bill_layout.fund_bill(rows) if rows else "")


def download(sandbox: Sandbox, call: Call) -> Answer:
    """GET /v3/billdownload/file"""
    token = call.query.get("token", "")
    kept = sandbox.store.one(BillFile, "SELECT * FROM bill_files WHERE token = ?", token)
    struck = {fault.kind for fault in sandbox.faults.take(Point.BILL_FILE, call.subject)}
    expired = kept is None or sandbox.clock.now() > kept.expires_at
    if kept is None or expired or "bill_token_expired" in struck:
        raise Refused(400, "INVALID_REQUEST", "下载链接已失效，请重新申请账单")
    text = kept.text.encode()
    if call.query.get("tartype") != "gzip":
        return Answer(file=text, media_type="text/plain; charset=utf-8")
    packed = gzip.compress(text, mtime=0)
    if "bill_bad_gzip" in struck:
        middle = len(packed) // 2
        packed = packed[:middle] + bytes(byte ^ 0x5A for byte in packed[middle:])
    return Answer(file=packed, media_type="application/x-gzip")


def trade_text(sandbox: Sandbox, rows: list[bill_layout.Trade], kind: str) -> str:
    """The file of a trade bill; empty when nothing happened."""
    wanted = {"SUCCESS": ("SUCCESS",), "REFUND": ("REFUND", "REVOKED")}.get(kind)
    rows = [row for row in rows if wanted is None or row.state in wanted]
    rate = f"{sandbox.settings.fee_per_myriad / 100:.2f}%"
    return bill_layout.trade_bill(rows, kind, rate) if rows else ""


def as_of_now(sandbox: Sandbox, on: date, kind: str) -> str:
    """The bill of a day as far as it has come, without waiting for the next morning."""
    day = ledger.day(on, sandbox.clock.now())
    if kind in ACCOUNTS:
        rows = ledger.funds(sandbox, day) if kind == "BASIC" else []
        return bill_layout.fund_bill(rows) if rows else ""
    return trade_text(sandbox, ledger.trades(sandbox, day), kind)


def _asked(sandbox: Sandbox, call: Call, name: str, words: tuple[str, ...]) -> Asked:
    """The day and the kind asked for; raises Wrong, or Refused when there is no bill of the day."""
    if call.query.get("tar_type", "GZIP") != "GZIP":
        raise Wrong("/query/tar_type", call.query["tar_type"], "取值应为GZIP")
    kind = call.query.get(name, words[0])
    if kind not in words:
        raise Wrong(f"/query/{name}", kind, f"取值应为{'、'.join(words)}之一")
    start = _start(call.query.get("bill_date", ""))
    now = datetime.fromtimestamp(sandbox.clock.now(), BEIJING)
    if start.date() >= now.date() or start < now - OLDEST:
        raise Refused(400, "INVALID_REQUEST", "账单日期不在可下载的范围内")
    struck = {fault.kind for fault in sandbox.faults.take(Point.BILL, call.subject)}
    if now < start + READY_AFTER or "bill_not_ready" in struck:
        raise Refused(400, "STATEMENT_CREATING", "账单生成中，请在次日10点后重试")
    if "bill_none" in struck:
        raise _none()
    known_at = (start + MADE_AFTER).timestamp()
    return Asked(ledger.day(start.date(), known_at), kind, "bill_bad_hash" in struck)


def _start(text: str) -> datetime:
    try:
        on = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=BEIJING)
    except ValueError as bad:
        raise Wrong("/query/bill_date", text, "日期格式应为YYYY-MM-DD") from bad
    return on


def _linked(sandbox: Sandbox, call: Call, asked: Asked, text: str) -> Answer:
    if not text:
        raise _none()
    now, token = sandbox.clock.now(), secrets.token_urlsafe(48)
    packed = "tar_type" in call.query
    with sandbox.store.write():
        sandbox.store.run("DELETE FROM bill_files WHERE expires_at < ?", now)
        sandbox.store.insert("bill_files", token=token, text=text, expires_at=now + LINK_LIFE_S)
    spoilt = " " if asked.spoilt_hash else ""
    digest = hashlib.sha1((text + spoilt).encode(), usedforsecurity=False).hexdigest()
    address = f"{sandbox.settings.base}/v3/billdownload/file?token={token}"
    document: dict[str, Any] = {
        "hash_type": "SHA1",
        "hash_value": digest,
        "download_url": f"{address}&tartype=gzip" if packed else address,
    }
    return Answer(document)


def _none() -> Refused:
    return Refused(400, "NO_STATEMENT_EXIST", "账单文件不存在，当日无交易")


routes = [
    route("/v3/bill/tradebill", trade, method="GET"),
    route("/v3/bill/fundflowbill", fund, method="GET"),
    route("/v3/billdownload/file", download, method="GET"),
]
