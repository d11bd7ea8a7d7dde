"""Calls to api.weixin.qq.com without any library."""

from __future__ import annotations

from typing import Any

import httpx

GOOD = {
    "thing1": {"value": "陈桂芳"},
    "amount2": {"value": "¥25.00"},
    "time3": {"value": "2026年11月24日 08:30"},
    "character_string4": {"value": "A-017"},
    "phrase5": {"value": "预约成功"},
}


class Account:
    """The account's calls; `mini_program` takes the mini program's own credentials."""

    def __init__(self, facts: dict[str, Any], *, mini_program: bool = False) -> None:
        self.facts = facts
        self.appid = facts["mp_appid" if mini_program else "appid"]
        self.secret = facts["mp_secret" if mini_program else "secret"]
        self.http = httpx.Client(base_url=facts["api_base"], timeout=10, trust_env=False)

    def post(self, path: str, document: object, **query: str) -> dict[str, Any]:
        answer = self.http.post(path, json=document, params=query)
        assert answer.status_code == 200
        found: dict[str, Any] = answer.json()
        return found

    def get(self, path: str, **query: str) -> dict[str, Any]:
        answer = self.http.get(path, params=query)
        assert answer.status_code == 200
        found: dict[str, Any] = answer.json()
        return found

    def stable(self, **more: Any) -> dict[str, Any]:
        return self.post("/cgi-bin/stable_token", self.app() | more)

    def token(self) -> str:
        return str(self.stable()["access_token"])

    def classic(self) -> dict[str, Any]:
        return self.get("/cgi-bin/token", **self.app())

    def app(self) -> dict[str, Any]:
        return {
            "grant_type": "client_credential",
            "appid": self.appid,
            "secret": self.secret,
        }

    def ticket(self, token: str) -> dict[str, Any]:
        return self.get("/cgi-bin/ticket/getticket", access_token=token, type="jsapi")

    def send(self, token: str, to: str, **more: Any) -> dict[str, Any]:
        body = {"touser": to, "template_id": "T1", "url": "http://127.0.0.1/m/1", "data": GOOD}
        return self.post("/cgi-bin/message/template/send", body | more, access_token=token)

    def subscribed(self, token: str, to: str, **more: Any) -> dict[str, Any]:
        body = {"touser": to, "template_id": "S1", "page": "http://127.0.0.1/m/1", "data": GOOD}
        return self.post("/cgi-bin/message/subscribe/bizsend", body | more, access_token=token)

    def custom(self, token: str, to: str, text: str = "您好") -> dict[str, Any]:
        body = {"touser": to, "msgtype": "text", "text": {"content": text}}
        return self.post("/cgi-bin/message/custom/send", body, access_token=token)
