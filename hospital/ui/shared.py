"""Pages that show everybody the same, drawn once a second for all (M1.16).

They are drawn for a visitor who is nobody: no session, no account, no message of somebody else can
stand on them, whatever a template reads. Nor may a form: its token would be nobody's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, cast

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django_htmx.middleware import HtmxDetails

from hospital.kernel.moment_cache import MomentCache


class NobodysRequest(HttpRequest):
    """What such a page is drawn for (annotation only)."""

    htmx: HtmxDetails
    is_shared: bool


#: What a page may know of its address, and whether a part of it is enough.
_PLAIN: Final = ("SERVER_NAME", "SERVER_PORT", "wsgi.url_scheme", "HTTP_HOST", "HTTP_HX_REQUEST")
_LONGEST: Final = 300
Draw = Callable[[NobodysRequest], HttpResponseBase]

_drawn: MomentCache[tuple[object, ...], bytes] = MomentCache()


def drawn(request: HttpRequest, draw: Draw, *, looks: Mapping[str, str]) -> HttpResponse:
    """The page as it was at most a second ago; `looks` are the cookies that say how it is to look.

    What `draw` raises passes through.
    """
    address = request.get_full_path()
    if len(address) > _LONGEST:
        return HttpResponse(_draw(request, draw, looks))
    part = request.headers.get("HX-Request") == "true"
    key = (request.get_host(), address, part, *looks.values())
    return HttpResponse(_drawn.get(key, lambda: _draw(request, draw, looks)))


def _draw(request: HttpRequest, draw: Draw, looks: Mapping[str, str]) -> bytes:
    nobody = cast(NobodysRequest, HttpRequest())
    nobody.method = "GET"
    nobody.path, nobody.path_info = request.path, request.path_info
    nobody.GET, nobody.COOKIES = request.GET, dict(looks)
    nobody.META = {name: request.META[name] for name in _PLAIN if name in request.META}
    nobody.resolver_match = request.resolver_match
    nobody.htmx, nobody.is_shared = HtmxDetails(nobody), True
    answer = draw(nobody)
    assert isinstance(answer, HttpResponse)
    assert "CSRF_COOKIE" not in nobody.META, f"a form on the shared page {request.path}"
    return answer.content
