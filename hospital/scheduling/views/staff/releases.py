"""放号监控: the countdown to the next release by the server's clock, and how fast today's went."""

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from hospital.identity.access import StaffRequest, staff_page
from hospital.kernel import clock
from hospital.scheduling.permissions import MANAGE_NUMBERS
from hospital.scheduling.queries.releases import MINUTES, Monitor, Released, monitor


@staff_page(MANAGE_NUMBERS)
@require_safe
def releases(request: StaffRequest) -> HttpResponse:
    """What comes next, what came out today; moves with every claim."""
    at = clock.now()
    found = monitor(at=at)
    coming = found.waves[0] if found.waves else None
    context = {
        "found": found,
        "next": coming,
        "left_s": max(0, int((coming.release_at - at).total_seconds())) if coming else 0,
        "now": at,
        "released": [_shown(one) for one in found.released],
        "numbers": sum(one.numbers for one in found.released),
        "sold": sum(one.sold for one in found.released),
        "held": sum(one.held for one in found.released),
        "lapsed": sum(one.lapsed for one in found.released),
        "minutes": _minutes(found),
        "here": reverse("scheduling-releases"),
        "may_manage": True,
    }
    part = "#whole" if request.htmx else ""
    return render(request, f"scheduling/staff/releases.html{part}", context)


def _shown(one: Released) -> dict[str, object]:
    taken = one.sold + one.held
    return {
        "one": one,
        "taken": taken,
        "percent": round(100 * taken / one.numbers) if one.numbers else 0,
        "minutes": one.minutes,
        "gone": _duration(one.gone_after) if one.gone_after is not None else "",
        "url": reverse("scheduling-session", args=[one.session.id]),
    }


def _minutes(found: Monitor) -> list[dict[str, object]]:
    most = max(found.minutes, default=0)
    return [
        {
            "label": f"第 {place + 1} 分钟",
            "count": count,
            "percent": round(100 * count / most) if most else 0,
        }
        for place, count in zip(range(MINUTES), found.minutes, strict=True)
    ]


def _duration(seconds: float) -> str:
    """A time as people say it: 8.4 秒, 3 分 20 秒, 2 小时 5 分."""
    if seconds < 60:
        return f"{seconds:.1f} 秒"
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} 小时 {minutes} 分" if hours else f"{minutes} 分 {rest} 秒"
