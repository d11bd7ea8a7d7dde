"""What every page knows without asking: the hospital, its live channel, the reader's wishes."""

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse

from hospital.config.navigation import STAFF_NAV
from hospital.identity import queries as identity
from hospital.identity.paths import STAFF_HOME
from hospital.kernel import clock
from hospital.monitoring import queries as monitoring
from hospital.monitoring.permissions import RECEIVE_ALERTS
from hospital.registration.permissions import VIEW_APPOINTMENTS


def site(request: HttpRequest) -> dict[str, object]:
    """Context of every template; queries only for signed-in staff, whose rail depends on rights."""
    return {
        "hospital_name": settings.HOSPITAL_NAME,
        "hospital_phone": settings.HOSPITAL_PHONE,
        "wechat_js_url": settings.WECHAT.js_url if settings.WECHAT else "",
        "live_url": settings.LIVE_URL,
        **_places(request),
    }


def _places(request: HttpRequest) -> dict[str, object]:
    """The rail's entries and the global search, as far as the rights of the signed-in go."""
    # Asked for elsewhere, a user would cost those who wait for a rush their session (M1.16).
    user = getattr(request, "user", None) if request.path.startswith(STAFF_HOME) else None
    if user is None or not user.is_authenticated:
        return {}
    held = identity.permissions_of(user)
    may_search = VIEW_APPOINTMENTS.code in held
    rail = [
        {
            "label": entry.label,
            "icon": entry.icon,
            "url": (url := reverse(entry.url_name)),
            "active": _workplace(url) == _workplace(request.path),
        }
        for entry in STAFF_NAV
        if entry.permission.code in held
    ]
    return {
        "staff_nav": rail,
        "search_url": reverse("desk-search") if may_search else "",
        "alarm": _alarm(request, held),
    }


def _alarm(request: HttpRequest, held: frozenset[str]) -> dict[str, object] | None:
    """What who receives alerts reads above every page but the monitor's own, which shows more."""
    place = reverse("monitoring-board")
    if RECEIVE_ALERTS.code not in held or request.path.startswith(place):
        return None
    found = monitoring.banner(at=clock.now())
    return {"found": found, "url": place} if found else None


def _workplace(path: str) -> str:
    """The first word below /staff/: every page of a place lies under it."""
    return "".join(path.split("/")[2:3])
