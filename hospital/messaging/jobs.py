"""Jobs of the messaging area: delivering messages, acting on what is said to the account."""

from __future__ import annotations

from hospital.kernel import clock
from hospital.kernel.actors import SYSTEM
from hospital.kernel.jobs import Retry, job, periodic
from hospital.messaging import account_gateway, actions, code_gateway, gateway


@job()
def deliver(*, message_id: int, **_: object) -> None:
    """Try to send one message through WeChat; tries after this one are deferred by the gateway."""
    gateway.deliver(message_id=message_id, at=clock.now())


@job(retry=Retry(waits=(1, 3, 10), attempts=20))
def send_phone_code(*, code_id: int, **_: object) -> None:
    """Bring a code to the phone it was made for; once it is over there is nothing left to do."""
    code_gateway.send(code_id=code_id, at=clock.now())


@job()
def tell_binding(*, binding_id: int, what: str, **_: object) -> None:
    """A WeChat user may act for a patient, or no longer: all concerned hear of it (N35)."""
    actions.tell_binding(binding_id=binding_id, what=what, by=SYSTEM, at=clock.now())


@job()
def tell_phone(*, patient_id: int, **_: object) -> None:
    """A patient's phone was changed: all who are bound hear of it (N35)."""
    actions.tell_phone(patient_id=patient_id, by=SYSTEM, at=clock.now())


@job()
def handle_inbound(*, inbound_id: int, **_: object) -> None:
    """Do what somebody asked the account for; the second time there is nothing left to do."""
    actions.handle(inbound_id=inbound_id, at=clock.now())


@job()
def answer_inbound(*, inbound_id: int, attempt: int, **_: object) -> None:
    """Send one answer, at most once; tries after this one are deferred by the gateway."""
    account_gateway.answer(inbound_id=inbound_id, attempt=attempt, at=clock.now())


@job()
def publish_menu(*, menu_id: int, **_: object) -> None:
    """Tell WeChat about a menu whose publisher was cut off, again and again until it answers."""
    account_gateway.publish_at_last(menu_id=menu_id, by=SYSTEM, at=clock.now())


@periodic("50 18 * * *")  # 02:50 hospital time
@job()
def forget_texts(*, timestamp: int = 0, **_: object) -> None:
    """Blank what people wrote to the account some days ago."""
    actions.forget_texts(at=clock.now())
