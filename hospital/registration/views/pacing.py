"""What slows down whoever books very fast: a picture to solve, or a while to wait (M1.15)."""

from http import HTTPStatus

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from hospital.identity.access import PatientRequest, client_address, patient_page
from hospital.kernel import clock
from hospital.kernel.errors import NotFound
from hospital.registration import actions, pacing
from hospital.registration import puzzle as puzzles
from hospital.registration.actions.puzzling import seconds_left
from hospital.ui.typed import typed, typed_id


def hold_up(request: PatientRequest) -> HttpResponse | None:
    """The page with the picture instead of an answer, when this attempt came too fast; None when
    it may go on. What was asked for stands in the page and is asked again with the answer."""
    user_id, at = request.wechat_user.pk, clock.now()
    address = client_address(request)
    if not pacing.note_attempt(user_id=user_id, address=address, at=at):
        return None
    token = typed(request.POST, "puzzle", most=200)
    is_waiting = "waited" in request.POST
    place = None if is_waiting else typed_id(request.POST.get("place", ""))
    has_answered = bool(token) and (is_waiting or place is not None)
    if has_answered and actions.solve_puzzle(user_id=user_id, token=token, place=place, at=at):
        return None
    puzzle = puzzles.puzzle_of(token, user_id=user_id, at=at) if is_waiting else None
    left = seconds_left(puzzle, at=at) if puzzle else 0
    if not left:
        token = puzzles.new_token(user_id=user_id, at=at)
        puzzle = puzzles.puzzle_of(token, user_id=user_id, at=at)
        assert puzzle is not None, "a new picture is its user's"
    context = {
        "token": token,
        "picture": reverse("registration-puzzle", args=[token]),
        "shape": puzzle.shape_label if puzzle else "",
        "was_wrong": has_answered and not is_waiting,
        "left": left,
        "wait_seconds": seconds_left(puzzle, at=at) if puzzle else 0,
        "patient": typed(request.POST, "patient", most=20),
        "key": typed(request.POST, "key", most=80),
    }
    return render(
        request,
        "registration/patient/puzzle.html",
        context,
        status=HTTPStatus.TOO_MANY_REQUESTS,
    )


@patient_page
@require_safe
def puzzle(request: PatientRequest, token: str) -> HttpResponse:
    """The picture itself, for its user and for minutes."""
    found = puzzles.puzzle_of(token[:200], user_id=request.wechat_user.pk, at=clock.now())
    if found is None:
        raise NotFound("这张图片已失效，请返回重试。")
    answer = HttpResponse(puzzles.picture(found), content_type="image/png")
    answer["Cache-Control"] = "no-store, private"
    return answer
