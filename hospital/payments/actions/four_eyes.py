"""Two persons for whatever moves money: the one who asks never decides."""

import datetime as dt

from hospital.kernel.actors import Actor
from hospital.kernel.errors import Refusal
from hospital.kernel.states import move
from hospital.payments.models.four_eyes import FourEyes


class OwnRequest(Refusal):
    code = "FOUR_EYES"
    default_message = "不能复核自己提出的申请，请由另一位同事处理。"
    is_audited = True


class AlreadyDecided(Refusal):
    code = "ALREADY_DECIDED"
    default_message = "该申请已处理，请刷新页面。"


class AlreadyAsked(Refusal):
    code = "ALREADY_ASKED"
    default_message = "已有一份申请在等待复核。"


def check_may_decide(asked: FourEyes, *, waiting: str, by: Actor) -> None:
    """Whether this person may decide what was asked, `waiting` being its undecided status; the
    row is locked. Raises AlreadyDecided, OwnRequest."""
    if asked.status != waiting:
        raise AlreadyDecided
    if asked.asked_by == str(by):
        raise OwnRequest


def decide(asked: FourEyes, to: str, *, note: str, by: Actor, at: dt.datetime) -> None:
    """Move what was asked to its end, with who decided and why on record: never before it was
    asked, though the clock of the server that heard the question may be ahead of ours."""
    at = max(at, asked.asked_at)
    move(
        asked,
        to,
        by=by,
        at=at,
        reason=note[:200],
        decided_by=str(by),
        decided_at=at,
        decision_note=note[:200],
    )
