"""The program around it: what it exports, what survives a restart, when it does not start."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import httpx

from hospital.testing.sandbox import ROOT, SandboxControl
from tests.sandbox.merchant import Merchant, number, openid
from tests.sandbox.receiver import Receiver

EXPORTED = {
    "base",
    "api_base",
    "mchid",
    "appid",
    "mp_appid",
    "secret",
    "apiv3_key",
    "v2_key",
    "mch_serial",
    "plat_serial",
    "pub_key_id",
    "token",
    "aes_key",
    "mp_secret",
    "message_mode",
    "sms_url",
    "sms_key",
    "notify_url",
    "files",
}


def test_the_exported_facts(program: SandboxControl) -> None:
    facts = program.facts
    assert facts.keys() == EXPORTED
    assert facts["files"].keys() == {"mch_key", "mch_cert", "plat_cert", "wxp_pub"}
    assert all(Path(path).is_file() for path in facts["files"].values())
    assert len(facts["apiv3_key"]) == len(facts["v2_key"]) == 32
    assert len(facts["mch_serial"]) == len(facts["plat_serial"]) == 40
    assert facts["mch_serial"] != facts["plat_serial"]
    assert facts["pub_key_id"].startswith("PUB_KEY_ID_")
    assert len(facts["aes_key"]) == 43
    assert facts["appid"].startswith("wx")
    assert facts["mp_appid"] != facts["appid"]


def test_keys_orders_and_waiting_notices_survive_a_restart(
    tmp_path: Path, receiver: Receiver
) -> None:
    with SandboxControl(tmp_path, pace=0.05) as control:
        before = control.facts
        merchant = Merchant(control.facts)
        out_trade_no = number()
        merchant.prepay(merchant.order(out_trade_no, openid(), notify_url=receiver.url))
        receiver.always = 500
        control.pay(out_trade_no)
        receiver.wait(1)
        merchant.http.close()
    first = receiver.received[0].body
    receiver.always = 204
    with SandboxControl(tmp_path, pace=0.05) as control:
        unchanging = EXPORTED - {"base", "api_base", "sms_url"}
        assert {key: before[key] for key in unchanging} == {
            key: control.facts[key] for key in unchanging
        }
        merchant = Merchant(control.facts)
        assert merchant.query(out_trade_no).json()["trade_state"] == "SUCCESS"
        control.until(lambda: control.state()["notices"][0]["status"] == "delivered")
        assert {notice.body for notice in receiver.received} == {first}
        merchant.http.close()


def test_a_taken_port_is_one_clear_sentence(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = _start(tmp_path, "--port", str(port))
    assert ended.returncode == 2
    assert ended.stderr.count("\n") == 1
    assert f"127.0.0.1:{port}" in ended.stderr


def test_it_does_not_start_beside_production(tmp_path: Path) -> None:
    ended = _start(tmp_path, "--port", "0", PRODUCTION="true")
    assert ended.returncode == 2
    assert "production" in ended.stderr


def test_wrong_options_are_explained(tmp_path: Path) -> None:
    broken = tmp_path / "templates.json"
    broken.write_text('{"T1": 1}', "utf-8")
    ended = _start(tmp_path, "--port", "0", "--templates", str(broken))
    assert (ended.returncode, "templates.json" in ended.stderr) == (2, True)
    ended = _start(tmp_path, "--port", "0", "--entry", "挂号")
    assert (ended.returncode, "NAME=URL" in ended.stderr) == (2, True)
    ended = _start(tmp_path, "--port", "0", *(f"--entry=E{n}=http://x/" for n in range(8)))
    assert (ended.returncode, "room for 7" in ended.stderr) == (2, True)


def test_the_menu_comes_from_the_entries_or_the_lever(tmp_path: Path) -> None:
    entries = [f"--entry=入口{place}=http://127.0.0.1/{place}" for place in range(4)]
    with SandboxControl(tmp_path, *entries) as control:
        menu = control.post("menu", button=[{"type": "view", "name": "挂号", "url": "http://x/"}])
        assert menu["button"][0]["name"] == "挂号"
        control.reset()
        refused = httpx.post(
            f"{control.base}/_ctl/menu", json={"button": [{}] * 4}, trust_env=False
        )
        assert refused.status_code == 400


def test_levers_explain_what_is_missing(control: SandboxControl) -> None:
    for lever in ("pay", "fault", "refund_state", "clock", "notify_mode", "user", "menu"):
        answer = httpx.post(f"{control.base}/_ctl/{lever}", json={}, trust_env=False)
        assert answer.status_code == 400, lever
        assert answer.json()["error"]
    answer = httpx.post(f"{control.base}/_ctl/pay", content=b"[]", trust_env=False)
    assert answer.status_code == 400


def test_reset_leaves_the_named_people(control: SandboxControl) -> None:
    named = [person["openid"] for person in control.state()["users"]]
    control.user(nickname="新人")
    assert len(control.state()["users"]) == len(named) + 1
    control.reset()
    assert [person["openid"] for person in control.state()["users"]] == named
    assert len(named) == 4


def test_it_imports_nothing_of_the_hospital() -> None:
    for file in (ROOT / "wechat_sandbox").rglob("*.py"):
        assert "import hospital" not in file.read_text("utf-8")
        assert "from hospital" not in file.read_text("utf-8")


def _start(folder: Path, *options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "wechat_sandbox", "--data", str(folder / "data"), *options]
    return subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
