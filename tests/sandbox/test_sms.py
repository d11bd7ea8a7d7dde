"""The gateway for text messages: one reference is one message."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from hospital.testing.sandbox import SandboxControl

GOOD = {"to": "13800138000", "text": "您明天上午有预约", "reference": "m-1"}


def send(control: SandboxControl, body: object, key: str = "") -> httpx.Response:
    headers = {"Authorization": f"Bearer {key or control.facts['sms_key']}"}
    return httpx.post(control.facts["sms_url"], json=body, headers=headers, trust_env=False)


def test_a_repeated_reference_sends_nothing(control: SandboxControl) -> None:
    first = send(control, GOOD)
    assert first.status_code == 200
    assert send(control, GOOD).json() == first.json()
    assert send(control, GOOD | {"reference": "m-2"}).json() != first.json()
    assert [one["text"] for one in control.sms("13800138000")] == [GOOD["text"]] * 2
    assert control.sms("13900139000") == []
    assert send(control, GOOD | {"text": "other"}).status_code == 409


@pytest.mark.parametrize(
    "change",
    [{"to": "123"}, {"to": 7}, {"text": ""}, {"text": "字" * 501}, {"reference": ""}],
)
def test_what_it_does_not_take(control: SandboxControl, change: dict[str, Any]) -> None:
    assert send(control, GOOD | change).status_code == 422
    assert control.sms() == []


def test_the_key_is_asked_for(control: SandboxControl) -> None:
    assert send(control, GOOD, key="wrong").status_code == 401
    assert send(control, []).status_code == 400
    assert control.sms() == []


def test_transport_faults_reach_it_too(control: SandboxControl) -> None:
    control.fault("timeout_after_success", match="/sms/", seconds=0.1)
    with pytest.raises(httpx.TransportError):
        send(control, GOOD)
    assert send(control, GOOD).status_code == 200
    assert len(control.sms()) == 1
