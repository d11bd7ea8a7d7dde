"""The phone's page as HTTP: what its scripts send, without a browser."""

from __future__ import annotations

from typing import Any

import httpx

from hospital.testing.sandbox import SandboxControl
from tests.sandbox.merchant import Merchant

SHOP = "http://127.0.0.1:9"  # the origin of the notify_url in `Merchant.order`


class Phone:
    """A phone in one person's hands; a new person unless `openid` says whose."""

    def __init__(self, control: SandboxControl, openid: str = "", nickname: str = "测试") -> None:
        self.control = control
        self.http = httpx.Client(base_url=control.base, trust_env=False, timeout=10)
        said = (
            self.press("hold", openid=openid) if openid else self.press("people", nickname=nickname)
        )
        self.openid = str(said["openid"])

    def press(self, door: str, **data: Any) -> dict[str, Any]:
        """Send what a button sends; AssertionError with the answer when it is refused."""
        answer = self.try_press(door, **data)
        assert answer.is_success, f"{answer.status_code} {answer.text}"
        document: dict[str, Any] = answer.json()
        return document

    def try_press(self, door: str, **data: Any) -> httpx.Response:
        return self.http.post(f"/phone/{door}", json=data, headers={"X-Phone": "1"})

    def screen(self, address: str) -> str:
        """A screen's markup; AssertionError when there is none."""
        answer = self.http.get(f"/phone/{address}")
        assert answer.status_code == 200, answer.status_code
        return answer.text

    def ask(self, fields: dict[str, str], origin: str = SHOP) -> dict[str, Any]:
        """A page asks for money."""
        return self.press("pay/open", fields=fields, origin=origin)

    def enter(self, prepay_id: str, password: str = "123456", method: str = "change") -> str:
        """Six digits; the outcome's name."""
        said = self.press("pay", prepay_id=prepay_id, password=password, method=method)
        return str(said["result"])

    def close(self) -> None:
        self.http.close()


def send_message(control: SandboxControl, merchant: Merchant, openid: str, url: str = "") -> int:
    """The account sends a template message; the errcode."""
    facts = control.facts
    token = merchant.http.post(
        "/cgi-bin/stable_token",
        json={
            "grant_type": "client_credential",
            "appid": facts["appid"],
            "secret": facts["secret"],
        },
    ).json()["access_token"]
    answer = merchant.http.post(
        "/cgi-bin/message/template/send",
        params={"access_token": token},
        json={
            "touser": openid,
            "template_id": "T_BOOKED",
            "url": url,
            "data": {"thing1": {"value": "针灸推拿科"}, "time2": {"value": "2026年11月24日 08:30"}},
        },
    )
    return int(answer.json()["errcode"])
