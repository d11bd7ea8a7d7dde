"""Reads of changes of access that wait or were decided."""

from __future__ import annotations

from hospital.identity.models import AccessRequest
from hospital.identity.states import RequestStatus
from hospital.kernel.errors import NotFound


def access_requests(*, is_waiting: bool, limit: int = 100) -> list[AccessRequest]:
    """Requests that wait, the oldest first; decided ones, the latest decision first."""
    rows = AccessRequest.objects.select_related("account")
    if is_waiting:
        return list(rows.filter(status=RequestStatus.WAITING).order_by("pk")[:limit])
    return list(rows.exclude(status=RequestStatus.WAITING).order_by("-decided_at")[:limit])


def waiting_requests() -> int:
    """How many changes of access wait for a decision."""
    return AccessRequest.objects.filter(status=RequestStatus.WAITING).count()


def access_request(*, request_id: int) -> AccessRequest:
    """One request. Raises NotFound."""
    found = AccessRequest.objects.select_related("account").filter(pk=request_id).first()
    if found is None:
        raise NotFound("没有这份申请。")
    return found


def requests_about(*, account_id: int) -> list[AccessRequest]:
    """Every change of somebody's roles that was asked for, the newest first."""
    return list(AccessRequest.objects.filter(account_id=account_id).order_by("-pk"))
