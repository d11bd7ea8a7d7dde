"""A clinic with many bookings, paid through WeChat's stand-in, for stories in which it is called
off."""

from __future__ import annotations

import dataclasses
from typing import Any

from hospital.billing.models import Bill
from hospital.identity.states import Role
from hospital.kernel import clock
from hospital.kernel.actors import SYSTEM, Actor
from hospital.messaging.models import Message
from hospital.messaging.states import OPEN
from hospital.patients import actions as patients
from hospital.payments import gateway
from hospital.payments.models import Payment, Refund
from hospital.payments.states import OPEN as OPEN_REFUNDS
from hospital.registration import actions as registration
from hospital.registration.models import Appointment
from hospital.scheduling.models import Schedule
from hospital.scheduling.states import Channel
from hospital.testing.bookings import a_booking
from hospital.testing.people import a_patient, a_staff, a_wechat_user
from tests.journeys.story import Story


@dataclasses.dataclass
class Crowd:
    """Bookings of one session, by their fate before it is called off."""

    story: Story
    schedule: Schedule
    rows: list[Appointment] = dataclasses.field(default_factory=list)

    def books(self, count: int, *, pays: bool = True) -> list[Appointment]:
        """So many people with phones take the session's next free numbers, and pay or not."""
        new = [self._one() for _ in range(count)]
        self.rows += new
        if pays:
            for row in new:
                self._order(row.bill)
            self.story.deliver(count)
        return [Appointment.objects.get(pk=row.pk) for row in new]

    def books_at_window(self) -> Appointment:
        """Somebody whom nobody acts for on WeChat, who shows a payment code at the window."""
        clerk = Actor("staff", a_staff(Role.REGISTRATION_CLERK).pk)
        patient = a_patient(at=clock.now())
        for bound in patient.bindings.all():
            patients.force_unbind(
                binding_id=bound.pk, reason="本人不用微信", by=clerk, at=clock.now()
            )
        row = registration.book(
            patient_id=patient.pk,
            schedule_id=self.schedule.pk,
            band_id=None,
            channel=Channel.WINDOW,
            key=f"window-{patient.pk}",
            by=clerk,
            at=clock.now(),
        )
        gateway.charge_code(
            bill_ids=[row.bill_id],
            auth_code=self.story.wechat.scan_code(),
            shown_fen=row.bill.total_fen,
            key=f"charge-{row.pk}",
            client_ip="10.1.2.3",
            device_id="desk",
            by=clerk,
            at=clock.now(),
        )
        self.story.time.work()
        self.rows.append(row)
        return row

    def settles(self, *, minutes: float = 30) -> None:
        """Refunds end at WeChat as they come, until nothing is under way."""
        for _ in range(int(minutes)):
            self._refunds_arrive()
            if not self._is_open():
                return
            self.story.time.sleeps(minutes=1)
            self.story.time.work()
        raise AssertionError("refunds or messages are still under way")

    def _one(self) -> Appointment:
        user = a_wechat_user()
        self.story.wechat.user(openid=user.openid, subscribed=True)
        patient = a_patient(user, at=clock.now())
        slots = self.schedule.slots.filter(status="free", pool__in=["wechat", "public"])
        return a_booking(
            patient=patient,
            user=user,
            schedule=self.schedule,
            band=slots.order_by("sequence_no")[0].band,
            at=clock.now(),
        )

    def _order(self, bill: Bill) -> None:
        assert bill.wechat_user is not None
        started = gateway.start_wechat_payment(
            token=bill.token,
            wechat_user_id=bill.wechat_user.pk,
            shown_fen=bill.total_fen,
            by=Actor("patient", bill.wechat_user.pk),
            at=clock.now(),
        )
        assert isinstance(started, gateway.Sheet), started
        payment = Payment.objects.get(allocations__bill=bill)
        self.story.wechat.pay(payment.out_trade_no)

    def _refunds_arrive(self) -> None:
        waiting = [row for row in self.state["refunds"] if row["status"] == "PROCESSING"]
        for row in waiting:
            self.story.wechat.refund_state(row["out_refund_no"], "SUCCESS")
        if waiting:
            self.story.deliver(len(waiting))

    def _is_open(self) -> bool:
        return (
            Refund.objects.filter(status__in=OPEN_REFUNDS).exists()
            or Message.objects.filter(status__in=OPEN).exists()
        )

    @property
    def state(self) -> dict[str, Any]:
        """WeChat's own books."""
        return self.story.wechat.state()


def check_in(row: Appointment) -> None:
    """The patient is here."""
    registration.check_in(number=row.number, by=SYSTEM, at=clock.now())


def see(row: Appointment) -> None:
    """The doctor has begun with the patient."""
    registration.start_visit(number=row.number, by=SYSTEM, at=clock.now())
