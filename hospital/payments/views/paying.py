"""What every page that takes money does alike: ask WeChat now, and hand the order to its sheet."""

from http import HTTPStatus

from django.http import HttpRequest, JsonResponse

from hospital.kernel import clock
from hospital.kernel.actors import Actor
from hospital.kernel.moment_cache import MomentCache
from hospital.payments import gateway

# A finger that taps "ask again" like mad costs WeChat one question a second.
_asked: MomentCache[int, bool] = MomentCache()


def ask_now(payment_id: int, *, by: Actor) -> None:
    """Ask WeChat how a payment stands, unless this process did so within the last second."""

    def ask() -> bool:
        gateway.ask(payment_id=payment_id, by=by, at=clock.now())
        return True

    _asked.get(payment_id, ask)


def wants_sheet(request: HttpRequest) -> bool:
    """Whether a script asked, which can open WeChat's sheet; without one there is no bridge to
    WeChat, and the page that shows how things stand is the answer."""
    return request.accepts("application/json") and not request.accepts("text/html")


def sheet_answer(
    outcome: gateway.Sheet | gateway.Ended | gateway.Unreachable, *, unreachable: str
) -> JsonResponse:
    """The order for the page's script: the sheet's parameters, the sentence `unreachable`, or the
    word that the page is to be read again."""
    if isinstance(outcome, gateway.Sheet):
        return JsonResponse({"sheet": outcome.sheet.as_bridge()})
    if isinstance(outcome, gateway.Unreachable):
        return JsonResponse({"message": unreachable}, status=HTTPStatus.SERVICE_UNAVAILABLE)
    return JsonResponse({"ended": True})
