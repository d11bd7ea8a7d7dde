"""What was done about somebody or a role, who asked and who decided, as lines of a timeline."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from hospital.identity import queries
from hospital.identity.models import AccessRequest, StaffAccount
from hospital.identity.states import RequestStatus
from hospital.kernel import acts
from hospital.kernel.actors import Actor

#: A line of the kit's timeline: title, at, by, note, tone.
Event = dict[str, Any]
_TONES = {RequestStatus.WAITING: "warn", RequestStatus.APPROVED: "done"}


def names_of(actors: Iterable[str]) -> dict[str, str]:
    """ "staff:3" → the display name, "system:0" → 系统, "" → ""; read once for a page."""
    texts = {text for text in actors if text}
    others = {text: text if Actor.parse(text).kind == "staff" else "系统" for text in texts}
    return {"": ""} | others | queries.staff_names(actors=texts)


def of_person(account: StaffAccount) -> list[Event]:
    """Every change of somebody's account and roles, the newest first."""
    found = _events(queries.requests_about(account_id=account.pk)) + _changes(account)
    return sorted(found, key=lambda event: event["at"], reverse=True)


def of_role(role: str) -> list[Event]:
    """Every change of a role that was asked for."""
    return _events(queries.grant_history(role=role))


def _events(rows: list[AccessRequest]) -> list[Event]:
    names = names_of([actor for row in rows for actor in (row.asked_by, row.decided_by)])
    return [
        {
            "title": f"{row.get_kind_display()}：{row.get_status_display()}",
            "at": row.decided_at or row.asked_at,
            "by": _by(row, names),
            "note": f"{row.reason} {row.decision_note}".strip(),
            "tone": _TONES.get(RequestStatus(row.status), "danger"),
        }
        for row in rows
    ]


def _changes(account: StaffAccount) -> list[Event]:
    rows = queries.account_changes(account=account)
    names = names_of([row.by for row in rows])
    return [
        {
            "title": acts.label(row.act),
            "at": row.at,
            "by": names[row.by],
            "note": f"{_renamed(row.before, row.after)} {row.reason}".strip(),
            "tone": "",
        }
        for row in rows
    ]


def _renamed(before: dict[str, object], after: dict[str, object]) -> str:
    old, new = before.get("display_name"), after.get("display_name")
    return f"姓名 {old} → {new}" if old and new and old != new else ""


def _by(row: AccessRequest, names: dict[str, str]) -> str:
    asked = f"{names[row.asked_by]} 提出"
    return f"{asked}，{names[row.decided_by]} 处理" if row.decided_by else asked
