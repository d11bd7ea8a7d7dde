"""A story: a hospital with one session, people with phones, the clock, and the postman."""

from __future__ import annotations

from dataclasses import dataclass, field

from django.test import Client

from hospital.kernel.states import StatefulModel, history
from hospital.scheduling.models import Schedule, TimeBand
from hospital.testing.wechat import StandIn
from tests.journeys.clockwork import Clockwork
from tests.journeys.phone import Phone


@dataclass
class Story:
    """`schedule` is tomorrow's morning session; notices wait until the story delivers them."""

    wechat: StandIn
    time: Clockwork
    schedule: Schedule
    phones: list[Phone] = field(default_factory=list)
    handed_over: int = 0

    @property
    def band(self) -> TimeBand:
        """The first hour of the session."""
        return self.schedule.bands.order_by("starts_at")[0]

    def phone(self) -> Phone:
        """Somebody new takes out a phone."""
        self.phones.append(Phone(self.wechat))
        return self.phones[-1]

    def patient(self, name: str = "陈晓宁") -> Phone:
        """Somebody logged in, with a patient of that name."""
        phone = self.phone()
        phone.registers(name)
        return phone

    def deliver(self, count: int = 1) -> None:
        """WeChat's next notices arrive at our door, signed as they are; the worker then works."""
        letters = self.wechat.letters.wait(self.handed_over + count)
        for letter in letters[self.handed_over :]:
            answer = letter.hand_to(Client(enforce_csrf_checks=True))
            assert (answer.status_code, answer.content) == (204, b"")
        self.handed_over = len(letters)
        self.time.work()

    def refund_arrives(self) -> None:
        """WeChat ends the one refund under way with success and sends its notice."""
        (refund,) = [row for row in self.wechat.state()["refunds"] if row["status"] != "SUCCESS"]
        self.wechat.refund_state(refund["out_refund_no"], "SUCCESS")
        self.deliver()

    def close(self) -> None:
        """Everybody puts the phone away."""
        for phone in self.phones:
            phone.handset.close()


def moves(subject: StatefulModel) -> list[str]:
    """Every status this row was moved to, oldest first."""
    return [step.to_status for step in history(subject)]
