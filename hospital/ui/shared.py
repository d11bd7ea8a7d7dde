"""Pages that show everybody the same, drawn once a second for all (M1.16).

They are drawn for a visitor who is nobody: no session, no account, no message of somebody else can
stand on them, whatever a template reads. Nor may a form: its token would be nobody's. One that
went out whole, with the headers everything around the views gave it, need not pass there again.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, cast

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import ResolverMatch, resolve
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


@dataclass(slots=True)
class Page:
    """A page as drawn; `headers` are empty until it went out once."""

    content: bytes
    headers: dict[str, str] = field(default_factory=dict)


class SharedPage(HttpResponse):
    """The answer with such a page in it."""

    def __init__(self, page: Page) -> None:
        super().__init__(page.content, headers=page.headers or None)
        self.page = page

    def went_out(self) -> None:
        """Note the headers of this whole answer for those after it."""
        if not self.cookies:
            self.page.headers = dict(self.items())


_drawn: MomentCache[tuple[object, ...], Page] = MomentCache(name="pages")


def drawn(request: HttpRequest, draw: Draw, *, looks: Mapping[str, str]) -> SharedPage:
    """The page as it was at most a second ago; `looks` are the cookies that say how it is to look.

    What `draw` raises passes through.
    """

    def page() -> Page:
        return Page(_draw(request, draw, looks))

    is_long = len(request.get_full_path()) > _LONGEST
    return SharedPage(page() if is_long else _drawn.get(_key(request, looks), page))


def went_out_before(request: HttpRequest, *, looks: Mapping[str, str]) -> SharedPage | None:
    """The whole answer somebody got to the same question less than a second ago, None for none."""
    page = _drawn.kept(_key(request, looks))
    if page is None or not page.headers:
        return None
    request.resolver_match = _match(request.path_info)
    return SharedPage(page)


@functools.lru_cache(maxsize=1000)
def _match(path: str) -> ResolverMatch:
    return resolve(path)


def _key(request: HttpRequest, looks: Mapping[str, str]) -> tuple[object, ...]:
    is_part = request.headers.get("HX-Request") == "true"
    return (request.get_host(), request.get_full_path(), is_part, *looks.values())


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
