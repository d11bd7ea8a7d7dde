"""What every page knows without asking: the hospital, its live channel, the reader's wishes."""

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse

from hospital.config.navigation import STAFF_NAV
from hospital.identity import queries as identity


def site(request: HttpRequest) -> dict[str, object]:
    """Context of every template; queries only for signed-in staff, whose rail depends on rights."""
    return {
        "hospital_name": settings.HOSPITAL_NAME,
        "hospital_phone": settings.HOSPITAL_PHONE,
        "wechat_js_url": settings.WECHAT.js_url if settings.WECHAT else "",
        "live_url": settings.LIVE_URL,
        "staff_nav": _rail(request),
    }


def _rail(request: HttpRequest) -> list[dict[str, object]]:
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return []
    held = identity.permissions_of(user)
    here = request.resolver_match.view_name if request.resolver_match else ""
    return [
        {
            "label": entry.label,
            "icon": entry.icon,
            "url": reverse(entry.url_name),
            "active": here == entry.url_name,
        }
        for entry in STAFF_NAV
        if entry.permission.code in held
    ]
