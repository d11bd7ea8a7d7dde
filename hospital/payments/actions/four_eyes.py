"""Two persons for whatever moves money: the one who asks never decides."""

from hospital.kernel.actors import Actor
from hospital.kernel.errors import Refusal


class OwnRequest(Refusal):
    code = "FOUR_EYES"
    default_message = "不能复核自己提出的申请，请由另一位同事处理。"


class AlreadyDecided(Refusal):
    code = "ALREADY_DECIDED"
    default_message = "该申请已处理，请刷新页面。"


class AlreadyAsked(Refusal):
    code = "ALREADY_ASKED"
    default_message = "已有一份申请在等待复核。"


def check_other(*, asked_by: str, by: Actor) -> None:
    """Raises OwnRequest when the one who asked would decide."""
    if asked_by == str(by):
        raise OwnRequest
