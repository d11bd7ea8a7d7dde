"""Money needs two persons, not two accounts of one."""

import pytest

from hospital.identity.states import Role
from hospital.kernel import clock
from hospital.kernel.actors import SYSTEM, Actor
from hospital.kernel.settings_rows import set_value
from hospital.payments import actions, thresholds
from hospital.payments.models import RefundRequest
from hospital.payments.states import RequestStatus
from hospital.payments.tests.world import a_paid_payment, bill_of
from hospital.testing.organisation import a_practitioner
from hospital.testing.people import a_staff
from hospital.testing.wechat import StandIn

pytestmark = pytest.mark.django_db


def test_a_second_account_does_not_approve_what_the_first_asked(wechat: StandIn) -> None:
    person = a_practitioner()
    first = a_staff(Role.CASHIER, practitioner=person)
    second = a_staff(Role.CASHIER_SUPERVISOR, practitioner=person)
    colleague = a_staff(Role.CASHIER_SUPERVISOR)
    set_value(setting=thresholds.APPROVAL_ABOVE_FEN, value=0, by=SYSTEM, at=clock.now())
    request = actions.propose_refund(
        bill_id=bill_of(a_paid_payment(wechat)).pk,
        charge_ids=None,
        shown_fen=2500,
        reason="项目未做",
        key="k1",
        by=Actor("staff", first.pk),
        at=clock.now(),
    )

    with pytest.raises(actions.OwnRequest):
        actions.approve_refund(request_id=request.pk, by=Actor("staff", second.pk), at=clock.now())

    assert RefundRequest.objects.get().status == RequestStatus.REQUESTED
    actions.approve_refund(request_id=request.pk, by=Actor("staff", colleague.pk), at=clock.now())
    assert RefundRequest.objects.get().status == RequestStatus.APPROVED
