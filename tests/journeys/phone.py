"""A person with a phone: the hospital's pages in the web view, the chat, the payment sheet.

The pages are our own over HTTP; sheet, password and messages are the stand-in's, as its phone
shows them.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import urlsplit

from django.conf import settings
from django.urls import reverse

from hospital.identity.models import WeChatUser
from hospital.kernel import clock
from hospital.messaging.models import Message
from hospital.patients.models import Patient
from hospital.registration.models import Appointment
from hospital.scheduling.models import Schedule, TimeBand
from hospital.testing.jobs import run_jobs
from hospital.testing.people import a_patient
from hospital.testing.wechat import StandIn
from tests.journeys.browser import Browser
from tests.journeys.pages import Page
from tests.sandbox.phone_client import Phone as Handset

_numbers = itertools.count(1)

_ASK = re.compile(r'data-ask="([^"]+)"')
PAY = "微信支付"
PAY_ON = "继续支付"


@dataclass(frozen=True)
class Card:
    """A message in the chat: which of ours it is, its lines, and the page it opens."""

    kind: str
    lines: dict[str, str]
    url: str


class Phone(Browser):
    """Somebody who follows the hospital's account, not logged in yet."""

    def __init__(self, wechat: StandIn) -> None:
        super().__init__(wechat, openid=f"oJourney{next(_numbers):020d}")
        self.wechat = wechat
        self.handset = Handset(wechat, openid=self.openid)

    @property
    def user(self) -> WeChatUser:
        """Who the hospital thinks this is, after the first log-in."""
        return WeChatUser.objects.get(openid=self.openid)

    @property
    def appointment(self) -> Appointment:
        """The latest appointment of this person, as it stands."""
        rows = Appointment.objects.select_related("bill", "slot", "patient")
        return rows.filter(wechat_user__openid=self.openid).latest("pk")

    def registers(self, name: str = "陈晓宁") -> Patient:
        """Log in and have a patient already, so that a story may begin with booking."""
        self.open("/m/")
        return a_patient(self.user, name=name, at=clock.now())

    def adds(
        self, name: str, document_no: str, *, phone: str = "13800138000", status: int = 200
    ) -> Page:
        """Fill in the form for oneself, wait for the SMS, type its code; or be refused at once."""
        asked = self.send(
            "获取短信验证码",
            status=status,
            name=name,
            document_no=document_no,
            phone=phone,
            relationship="self",
            has_consent="on",
        )
        if status != HTTPStatus.OK:
            return asked
        assert run_jobs(only="messaging.jobs.send_phone_code") == []
        code = re.search(r"验证码(\d{6})", self.wechat.sms(phone)[-1]["text"])
        assert code is not None
        return self.send("保存就诊人", code=code[1], relationship="self", has_consent="on")

    def books(self, schedule: Schedule, band: TimeBand | None = None, *, status: int = 200) -> Page:
        """Confirm a band of a session; ends on the pay page, or on the refusal."""
        band = band or schedule.bands.order_by("starts_at")[0]
        self.open(reverse("registration-confirm", args=[schedule.pk, band.pk]))
        return self.send("提交并支付", status=status)

    def opens_pay_page(self) -> Page:
        """Go back to the pay page of the latest appointment."""
        return self.open(reverse("payments-pay", args=[self.appointment.bill.token]))

    def asks_for_sheet(self) -> tuple[int, dict[str, object]]:
        """Press the pay button; status and JSON, as the page's script gets them."""
        pressed = PAY if any(PAY in form.buttons for form in self.page.forms) else PAY_ON
        answer = self.fetch(pressed)
        return answer.status_code, answer.json()  # type: ignore[attr-defined]

    def opens_sheet(self) -> str:
        """Press the pay button until WeChat's sheet is open; its prepay id.

        The phone checks the page's address and paySign as WeChat does.
        """
        status, said = self.asks_for_sheet()
        assert status == 200, said
        fields = said["sheet"]
        assert isinstance(fields, dict)
        opened = self.handset.ask(fields, origin=settings.PUBLIC_URL)
        assert "sheet" in opened, opened
        return str(opened["sheet"]["prepay_id"])

    def enters_password(self, prepay_id: str) -> str:
        """Six digits on the key pad; how it ended."""
        return self.handset.enter(prepay_id)

    def pays(self) -> None:
        """Button, sheet, password; the app is then left without looking at the page again."""
        assert self.enters_password(self.opens_sheet()) == "paid"

    def asks_again(self) -> Page:
        """What the page does after the sheet closed: asks the server to ask WeChat."""
        asking = _ASK.search(self.page.html)
        assert asking is not None, self.page.text
        return self.post(asking[1])

    def cancels(self) -> Page:
        """Cancel the latest appointment on its page, dialog included."""
        self.open(reverse("registration-appointment", args=[self.appointment.number]))
        paid = any("确定退号" in form.buttons for form in self.page.forms)
        return self.send("确定退号" if paid else "确定取消")

    def chat(self) -> list[Card]:
        """The messages that reached this phone, oldest first."""
        kinds = {str(entry["template_id"]): entry for entry in settings.WECHAT_TEMPLATES}
        return [
            Card(
                kind=str(kinds[said["template_id"]]["kind"]),
                lines={
                    kinds[said["template_id"]]["keys"][key]: value["value"]
                    for key, value in said["data"].items()
                },
                url=str(said["url"]),
            )
            for said in self.wechat.state()["messages"]
            if said["openid"] == self.openid
        ]

    def told(self) -> list[str]:
        """The kinds of messages that reached this phone, in order."""
        return [card.kind for card in self.chat()]

    def inbox(self) -> list[tuple[str, str, str]]:
        """The same in our own books: kind, status and why it stayed in the inbox."""
        rows = Message.objects.filter(wechat_user__openid=self.openid).order_by("pk")
        return list(rows.values_list("kind", "status", "failure"))

    def opens_card(self, card: Card) -> Page:
        """Tap a message; where it leads."""
        parts = urlsplit(card.url)
        assert f"{parts.scheme}://{parts.netloc}" == settings.PUBLIC_URL
        return self.open(parts.path)

    def money_moved_fen(self) -> int:
        """What this person's wallet lost (negative) and got back, in fen."""
        return sum(
            int(entry["amount_fen"])
            for entry in self.wechat.state()["wallet"]
            if entry["openid"] == self.openid
        )
