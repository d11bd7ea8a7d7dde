"""The mark every URL wears: who may open it (law 6).

Exactly one of patient_page, in_turn, shared_page, staff_page(P), screen_page, callback,
partner_page, kiosk_page, public_page, api(P) stands on each view. The mark lets the right people
in, sets `request.actor`, and leaves `view.access` for the resolver test and the generated access
table. A view without a mark is refused by `hospital.identity.middleware.EveryViewIsMarked`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from http import HTTPStatus
from typing import TYPE_CHECKING, ClassVar, Concatenate, Final, Literal, ParamSpec, cast
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseNotAllowed,
    HttpResponseRedirect,
    JsonResponse,
)
from django.template.loader import render_to_string
from django.urls import reverse
from django_htmx.http import HttpResponseClientRedirect

from hospital.identity import actions, networks, paths, queries, sessions, turns
from hospital.identity.standing import Standing, standing
from hospital.identity.states import Theme
from hospital.kernel import audit, clock, whereabouts
from hospital.kernel.actors import Actor
from hospital.kernel.errors import NotAllowed, NotFound, Refusal
from hospital.kernel.models import AuditResult
from hospital.kernel.permissions import Permission
from hospital.ui import shared

if TYPE_CHECKING:
    from django_htmx.middleware import HtmxDetails

    from hospital.identity.models import Device, StaffAccount, WeChatUser

#: What a paired kiosk keeps, below /kiosk/ only.
KIOSK_COOKIE: Final = "xinglin_kiosk"
#: No outside system has more to say at once; WeChat's messages are about a kilobyte.
MOST_CALLBACK_BYTES: Final = 64 * 1024
#: Fields of passwords by their names; so is every name with "password" or "one_time" in it.
_SECRETS: Final = frozenset({"current", "new", "again"})
AccessKind = Literal["patient", "staff", "screen", "callback", "partner", "device", "public", "api"]
P = ParamSpec("P")
Page = Callable[Concatenate[HttpRequest, P], HttpResponseBase]


class AccountBlocked(NotAllowed):
    """The hospital has stopped serving this WeChat user online."""

    code: ClassVar[str] = "ACCOUNT_BLOCKED"
    default_message: ClassVar[str] = "您的微信号已暂停使用线上服务，请到门诊办公室办理。"


class PermissionMissing(NotAllowed):
    """The account lacks the page's permission; details: permission (Chinese label)."""

    code: ClassVar[str] = "PERMISSION_MISSING"
    default_message: ClassVar[str] = "您的岗位没有打开这个页面的权限。"


class PasswordFirst(NotAllowed):
    """A program asks with a password somebody else gave; a person is led to the page for it."""

    code: ClassVar[str] = "PASSWORD_FIRST"
    default_message: ClassVar[str] = "请先修改别人给您的密码。"


@dataclass(frozen=True, slots=True)
class Access:
    """Who may open a view: the kind of visitor and, for staff, the permission asked for."""

    kind: AccessKind
    permission: Permission | None = None


class PatientRequest(HttpRequest):
    """What a view under `patient_page` receives (annotation only)."""

    wechat_user: WeChatUser
    actor: Actor
    htmx: HtmxDetails


class StaffRequest(HttpRequest):
    """What a view under `staff_page` or `api` receives (annotation only)."""

    user: StaffAccount
    actor: Actor
    htmx: HtmxDetails


class DeviceRequest(HttpRequest):
    """What a view under `kiosk_page` receives (annotation only)."""

    device: Device
    actor: Actor
    htmx: HtmxDetails


class OpenRequest(HttpRequest):
    """What a view under `public_page`, `screen_page`, `callback` or `partner_page` receives
    (annotation only)."""

    htmx: HtmxDetails


PatientView = Callable[Concatenate[PatientRequest, P], HttpResponseBase]
StaffView = Callable[Concatenate[StaffRequest, P], HttpResponseBase]
OpenView = Callable[Concatenate[OpenRequest, P], HttpResponseBase]
Told = Callable[Concatenate[StaffRequest, Refusal, P], HttpResponseBase]
DeviceView = Callable[Concatenate[DeviceRequest, P], HttpResponseBase]


def access_of(view: object) -> Access | None:
    """Return the mark a view wears, None when it wears none."""
    access = getattr(view, "access", None)
    return access if isinstance(access, Access) else None


def client_address(request: HttpRequest) -> str:
    """Return the visitor's network address, looking behind our own TRUSTED_PROXIES proxies.

    Each proxy appends the address it saw, so only the last so many entries can be believed. One
    nobody can read is nowhere rather than the proxy's own, which lies inside the hospital.
    """
    hops = settings.TRUSTED_PROXIES
    seen = [part for part in request.headers.get("X-Forwarded-For", "").split(",") if part.strip()]
    if hops and len(seen) >= hops:
        return networks.readable(seen[-hops])
    return networks.readable(str(request.META.get("REMOTE_ADDR") or ""))


def own_path(text: str | None, otherwise: str) -> str:
    """Return where to go after a form: `text` if it is a page of ours for patients or staff.

    The audience is that of `otherwise`, a path of our own.
    """
    home = paths.STAFF_HOME if otherwise.startswith(paths.STAFF_HOME) else paths.PATIENT_HOME
    return paths.own_path(text, home=home) if text else otherwise


def note_refusal(request: HttpRequest, refusal: Refusal) -> None:
    """Audit what a member of staff tried in vain, where the rule asks for it (X13).

    The middleware calls this for every refusal it answers; a page that shows a refusal itself must
    call it too. The act was rolled back by now; nothing else is written.
    """
    actor = getattr(request, "actor", None)
    if not refusal.is_audited or not isinstance(actor, Actor) or actor.kind != "staff":
        return
    match = request.resolver_match
    after = {"page": match.view_name if match is not None else "", "code": refusal.code}
    if permission := refusal.details.get("permission"):
        after = {"permission": str(permission), **after}
    person_id = refusal.details.get("person_id")
    audit.record(
        act="identity.refused",
        subject=None,
        by=actor,
        at=clock.now(),
        after=after,
        reason=refusal.message[:200],
        person_id=person_id if isinstance(person_id, int) else None,
        result=AuditResult.REFUSED,
    )


def shows_refusals(show: Told[P]) -> Callable[[StaffView[P]], StaffView[P]]:
    """Let a staff page show a rule's no itself, audited where it must be; what is not there or not
    allowed is answered as everywhere."""

    def wrap(view: StaffView[P]) -> StaffView[P]:
        @wraps(view)
        def inside(request: StaffRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            try:
                return view(request, *args, **kwargs)
            except (NotFound, NotAllowed):
                raise
            except Refusal as refusal:
                note_refusal(request, refusal)
                return show(request, refusal, *args, **kwargs)

        return inside

    return wrap


def patient_page(view: PatientView[P]) -> Page[P]:
    """Mark a page for people who came through WeChat; others are sent to the WeChat log-in."""

    @wraps(view)
    def marked(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        patient_request = _patient(request)
        if patient_request is None:
            return _this_first(request, "identity-wechat-login", home=paths.PATIENT_HOME)
        return view(patient_request, *args, **kwargs)

    return _wear(marked, Access("patient"))


def in_turn(view: PatientView[P]) -> Page[P]:
    """Mark a page on the way to a number: as patient_page, and in a rush by turns (M1.16)."""

    @wraps(view)
    def marked(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        patient_request = _patient(request)
        if patient_request is None:
            return _this_first(request, "identity-wechat-login", home=paths.PATIENT_HOME)
        return _by_turns(patient_request, lambda: view(patient_request, *args, **kwargs))

    return _wear(marked, Access("patient"))


def shared_page(view: OpenView[P]) -> Page[P]:
    """Mark a page on the way to a number that shows everybody the same (M1.16).

    It is drawn once a second, for a visitor who is nobody. Who was let in and known a moment ago
    sees it without a statement; others as with in_turn.
    """

    @wraps(view)
    def marked(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        def draw() -> HttpResponseBase:
            return shared.drawn(
                request,
                lambda nobody: view(cast(OpenRequest, nobody), *args, **kwargs),
                looks=looks_of(request),
            )

        if request.method not in {"GET", "HEAD"}:
            return HttpResponseNotAllowed(["GET", "HEAD"])
        if turns.is_known(request, at=clock.now()):
            return draw()
        patient_request = _patient(request)
        if patient_request is None:
            return _this_first(request, "identity-wechat-login", home=paths.PATIENT_HOME)
        return _by_turns(patient_request, draw)

    return _wear(marked, Access("patient"))


def staff_page(permission: Permission) -> Callable[[StaffView[P]], Page[P]]:
    """Mark a page for staff who hold `permission`; without a session they log in first."""

    def mark(view: StaffView[P]) -> Page[P]:
        @wraps(view)
        def marked(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            account = _staff_account(request)
            if account is None:
                return _log_in_again(request)
            staff_request = _admit(request, account, permission)
            # A password somebody else gave is changed before anything else.
            if account.must_change_password and not _is_about_passwords(request):
                return _this_first(request, "identity-staff-password", home=paths.STAFF_HOME)
            return view(staff_request, *args, **kwargs)

        return _wear(marked, Access("staff", permission))

    return mark


def api(permission: Permission) -> Callable[[StaffView[P]], Page[P]]:
    """Mark a JSON endpoint for staff who hold `permission`; without a session it answers 401."""

    def mark(view: StaffView[P]) -> Page[P]:
        @wraps(view)
        def marked(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            account = _staff_account(request)
            if account is None:
                answer = {"code": "LOGIN_REQUIRED", "message": "请先登录。"}
                return JsonResponse(answer, status=HTTPStatus.UNAUTHORIZED)
            staff_request = _admit(request, account, permission)
            if account.must_change_password:
                raise PasswordFirst
            return view(staff_request, *args, **kwargs)

        return _wear(marked, Access("api", permission))

    return mark


def screen_page(view: OpenView[P]) -> Page[P]:
    """Mark a waiting-hall screen: nobody logs in there, so it may only be read."""

    @wraps(view)
    def marked(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if request.method not in {"GET", "HEAD"}:
            return HttpResponseNotAllowed(["GET", "HEAD"])
        return view(cast(OpenRequest, request), *args, **kwargs)

    return _wear(marked, Access("screen"))


def callback(view: OpenView[P]) -> Page[P]:
    """Mark an address an outside system posts to; the view proves the sender by signature.

    Anybody can post here, so a body announced as too long is refused before a byte of it is read.
    """

    @wraps(view)
    def marked(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if _announced_bytes(request) > MOST_CALLBACK_BYTES:
            return HttpResponse(status=HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        return view(cast(OpenRequest, request), *args, **kwargs)

    vars(marked)["csrf_exempt"] = True
    return _wear(marked, Access("callback"))


def partner_page(view: OpenView[P]) -> Page[P]:
    """Mark an address programs of outside platforms ask: no cookie counts there; each call brings
    a proof of its own, which the view looks at before anything else."""

    @wraps(view)
    def marked(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        return view(cast(OpenRequest, request), *args, **kwargs)

    vars(marked)["csrf_exempt"] = True
    return _wear(marked, Access("partner"))


def kiosk_page(view: DeviceView[P]) -> Page[P]:
    """Mark a page of a kiosk: nobody is logged in there, the machine is; one that is not, or no
    longer, shows where its code is typed."""

    @wraps(view)
    def marked(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        device = queries.device_of(secret=request.COOKIES.get(KIOSK_COOKIE, ""))
        if device is None:
            return _see_other(request, reverse("identity-kiosk-pair"))
        actions.note_device_seen(device=device, at=clock.now())
        kiosk_request = cast(DeviceRequest, request)
        kiosk_request.device = device
        kiosk_request.actor = Actor("device", device.pk)
        return view(kiosk_request, *args, **kwargs)

    return _wear(marked, Access("device"))


def public_page(view: OpenView[P]) -> Page[P]:
    """Mark a page anybody may read; it must hold no patient data (M12.4)."""

    @wraps(view)
    def marked(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        return view(cast(OpenRequest, request), *args, **kwargs)

    return _wear(marked, Access("public"))


def _wear(view: Page[P], access: Access) -> Page[P]:
    # wraps() copied the inner view's attributes, so a second mark would show here.
    if access_of(view) is not None:
        message = f"{view.__module__}.{view.__qualname__} wears two access marks"
        raise TypeError(message)
    vars(view).update(access=access, login_required=False)
    return view


def _patient(request: HttpRequest) -> PatientRequest | None:
    """The request with who it is from, None for nobody. Raises AccountBlocked."""
    user_id = sessions.patient_id(request.session)
    user = queries.wechat_user(user_id=user_id) if user_id is not None else None
    if user is None:
        return None
    if user.is_blocked:
        raise AccountBlocked
    patient_request = cast(PatientRequest, request)
    patient_request.wechat_user = user
    patient_request.actor = Actor("patient", user.pk)
    return patient_request


def looks_of(request: HttpRequest) -> dict[str, str]:
    """Large type and theme: the account's, or the cookies' where nobody asked the account."""
    user: WeChatUser | None = getattr(request, "wechat_user", None)
    care = user.care_mode if user else request.COOKIES.get("care") == "1"
    theme = user.theme if user else request.COOKIES.get("theme", "")
    return {
        "care": "1" if care else "",
        "theme": theme if theme in {Theme.LIGHT, Theme.DARK} else "",
    }


def _by_turns(request: PatientRequest, answer: Callable[[], HttpResponseBase]) -> HttpResponseBase:
    """Answer whoever is let in; others wait on the waiting page for the page they asked for."""
    brought, at = turns.turn_of(request), clock.now()
    turn = turns.next_turn(
        brought, user_id=request.wechat_user.pk, is_step=request.method == "POST", at=at
    )
    if turn.is_inside(at=at):
        response = answer()
    else:
        response = _this_first(request, "identity-wait", home=paths.PATIENT_HOME)
    if turn != brought:
        turns.keep(response, turn)
    return response


def _admit(request: HttpRequest, account: StaffAccount, permission: Permission) -> StaffRequest:
    staff_request = cast(StaffRequest, request)
    staff_request.user = account
    staff_request.actor = Actor("staff", account.pk)
    whereabouts.take_roles(str(role) for role in queries.roles_of(account=account))
    if not queries.may(account, permission):
        raise PermissionMissing(permission=permission.label)
    return staff_request


def _announced_bytes(request: HttpRequest) -> int:
    """The length a body is said to have. Django reads no further, and nothing when none is said."""
    try:
        return int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        return 0


def standing_of(
    request: HttpRequest, *, is_by_hand: bool = False
) -> tuple[Standing, StaffAccount | None]:
    """Say how the staff log-in of a request stands, and whose it is; see `standing`."""
    return standing(request, address=client_address(request), at=clock.now(), is_by_hand=is_by_hand)


def _staff_account(request: HttpRequest) -> StaffAccount | None:
    # The page kit marks what a page asks by itself (hospital/ui, hypermedia.js).
    by_hand = request.headers.get("X-Live") != "1"
    state, account = standing_of(request, is_by_hand=by_hand)
    return account if state is Standing.OPEN else None


def _log_in_again(request: HttpRequest) -> HttpResponse:
    """Answer somebody whose log-in is locked or has ended, so that nothing typed is lost.

    A script's question gets 401 and keeps its page, which locks itself (hospital/ui, lock.js); a
    posted form comes back with what was typed; everything else goes to the log-in.
    """
    state, account = standing_of(request)
    if request.headers.get("HX-Request") == "true":
        answer = HttpResponse(status=HTTPStatus.UNAUTHORIZED)
        answer["X-Locked"] = state.value
        return answer
    typed = {name: texts for name, texts in request.POST.lists() if name != "csrfmiddlewaretoken"}
    if not typed and not request.FILES:
        return _this_first(request, "identity-staff-login", home=paths.STAFF_HOME)
    context = {
        "fields": [(name, text) for name, texts in typed.items() for text in texts],
        "is_partial": bool(request.FILES) or any(map(_is_secret, typed)),
        "state": state.value,
        "account": account,
        "address": request.get_full_path(),
    }
    page = render_to_string("identity/staff/held.html", context, request=request)
    return HttpResponse(page, status=HTTPStatus.UNAUTHORIZED)


def _is_secret(name: str) -> bool:
    """Fields that do not go back into a page, not even to who typed them."""
    return "password" in name or "one_time" in name or name in _SECRETS


def _is_about_passwords(request: HttpRequest) -> bool:
    match = request.resolver_match
    return match is not None and match.view_name == "identity-staff-password"


def _this_first(request: HttpRequest, url_name: str, *, home: str) -> HttpResponse:
    address = f"{reverse(url_name)}?{urlencode({'next': _page_path(request, home=home)})}"
    return _see_other(request, address)


def _see_other(request: HttpRequest, address: str) -> HttpResponse:
    if request.headers.get("HX-Request") == "true":
        return HttpResponseClientRedirect(address)
    return HttpResponseRedirect(address)


def _page_path(request: HttpRequest, *, home: str) -> str:
    """Return the page to come back to: a form or fragment cannot be opened again, its page can."""
    if request.method == "GET" and request.headers.get("HX-Request") != "true":
        return paths.own_path(request.get_full_path(), home=home)
    page = urlsplit(request.headers.get("HX-Current-URL") or request.headers.get("Referer") or "")
    path = f"{page.path}?{page.query}" if page.query else page.path
    return paths.own_path(path, home=home) if page.netloc == request.get_host() else home
