"""A booking refused: the code, and that nothing has changed."""

from collections.abc import Callable

import pytest

from hospital.billing.models import Bill, Charge
from hospital.identity.models import WeChatUser
from hospital.kernel.errors import Refusal
from hospital.kernel.models import RequestKey, Transition
from hospital.messaging.models import Message
from hospital.patients.models import Patient
from hospital.registration.models import Appointment
from hospital.scheduling.models import Slot
from hospital.scheduling.states import SlotStatus
from hospital.testing.jobs import due_jobs
from hospital.testing.people import a_patient, a_wechat_user


def rows() -> tuple[int, ...]:
    """What a refused booking must leave as it was."""
    taken = Slot.objects.exclude(status__in=[SlotStatus.FREE, SlotStatus.PLANNED])
    tables = (Appointment, Bill, Charge, Message, RequestKey, Transition)
    return (taken.count(), len(due_jobs()), *(table.objects.count() for table in tables))


def refused(book: Callable[[], object], refusal: type[Refusal], code: str) -> Refusal:
    """The booking is refused with the code, and nothing has changed."""
    before = rows()
    with pytest.raises(refusal) as raised:
        book()
    assert raised.value.code == code
    assert rows() == before
    return raised.value


def someone() -> tuple[WeChatUser, Patient]:
    user = a_wechat_user()
    return user, a_patient(user)
