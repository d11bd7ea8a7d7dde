"""Where a demo lives: its folder, ports, keys, database and the environment of its processes."""

import base64
import json
import os
import secrets
import shutil
import socket
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hospital.config import embedded

HOST = "127.0.0.1"
# Everything a demo or a test run makes below DATA; nothing else is ever removed.
OWN_FOLDERS = ("pg", "log", "wechat", "static")
OWN_FILES = ("secrets.env", "wechat.json")
# As in demo/hospital.xlsx: the pages, the Official Account and the merchant carry one name.
HOSPITAL_NAME = "杏林县中医医院"
# No such number exists.
HOSPITAL_PHONE = "0000-12345678"


class Unsuitable(Exception):
    """The demo cannot start like this; the message is one sentence that says what to do."""


@dataclass
class Place:
    """The choices of one demo (PORT, SANDBOX_PORT, LIVE_PORT, DATA, RESET, DATABASE_URL)."""

    root: Path
    data: Path
    port: int
    sandbox_port: int
    live_port: int
    reset: bool
    database_url: str
    _server: Any = None

    @classmethod
    def from_environment(cls, environment: Mapping[str, str], *, root: Path) -> "Place":
        """Read the choices. Raises Unsuitable for a port that is no port."""
        return cls(
            root=root,
            data=(root / (environment.get("DATA") or ".run")).resolve(),
            port=_port(environment, "PORT", 8000),
            sandbox_port=_port(environment, "SANDBOX_PORT", 8001),
            live_port=_port(environment, "LIVE_PORT", 8002),
            reset=environment.get("RESET", "").lower() in {"1", "yes", "true"},
            database_url=environment.get("DATABASE_URL", ""),
        )

    @property
    def embedded(self) -> bool:
        return not self.database_url or self._server is not None

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def sandbox_url(self) -> str:
        return f"http://{HOST}:{self.sandbox_port}"

    @property
    def live_url(self) -> str:
        return f"http://{HOST}:{self.live_port}"

    @property
    def wechat_facts(self) -> Path:
        return self.data / "wechat.json"

    def check_ports(self) -> None:
        """Raises Unsuitable when a port is taken or named twice."""
        ports = {
            "PORT": self.port,
            "SANDBOX_PORT": self.sandbox_port,
            "LIVE_PORT": self.live_port,
        }
        if len(set(ports.values())) < len(ports):
            chosen = ", ".join(f"{name}={port}" for name, port in ports.items())
            raise Unsuitable(f"the three ports must differ, and these do not: {chosen}")
        for name, port in ports.items():
            _check_free(name, port)

    def sandbox_command(self) -> tuple[str, ...]:
        """How the stand-in for WeChat is started; it knows the hospital by addresses only."""
        return (
            sys.executable,
            "-m",
            "wechat_sandbox",
            *("--port", str(self.sandbox_port)),
            *("--data", str(self.data / "wechat")),
            *("--export", str(self.wechat_facts)),
            *("--templates", str(self.root / "demo" / "wechat_templates.json")),
            *("--callback-url", f"{self.url}/callback/wechat/account", "--callback-mode", "aes"),
            *("--account-name", HOSPITAL_NAME, "--merchant-name", HOSPITAL_NAME),
        )

    def environment(self) -> dict[str, str]:
        """What every process of the demo gets: our own environment, the keys and the addresses."""
        (self.data / "static").mkdir(parents=True, exist_ok=True)
        return {
            **_keys(self.data / "secrets.env"),
            "HOSPITAL_NAME": HOSPITAL_NAME,
            "HOSPITAL_PHONE": HOSPITAL_PHONE,
            **os.environ,
            "DATA": str(self.data),
            "DATABASE_URL": self.database_url,
            "PUBLIC_URL": self.url,
            "LIVE_URL": self.live_url,
            "WECHAT_CONFIG_FILE": str(self.wechat_facts),
            "WECHAT_TEMPLATES_FILE": str(self.root / "demo" / "wechat_templates.json"),
            # Nobody who tries the demo has a phone bound to it: its log-in page shows the codes.
            "DEMO_CODES": "1",
            "PYTHONPATH": str(self.root),
            "PYTHONUNBUFFERED": "1",
        }

    def sms_platform(self) -> dict[str, str]:
        """Where the stand-in takes SMS, and its key: it says so once it runs."""
        facts = json.loads(self.wechat_facts.read_text("utf-8"))
        return {"SMS_URL": facts["sms_url"], "SMS_KEY": facts["sms_key"]}

    def open_database(self) -> None:
        """Start or join the embedded server, unless DATABASE_URL names another."""
        if self.embedded:
            os.environ["DATA"] = str(self.data)
            self._server = embedded.join(self.data / "pg")
            self.database_url = str(self._server.get_uri())

    def database_lives(self) -> bool:
        """False when the embedded server has gone; a server that is not ours is not watched."""
        if self._server is None:
            return True
        postmaster = self._server.get_pid()
        return postmaster is not None and embedded.process_exists(postmaster)

    def close_database(self) -> None:
        """Leave the embedded server; it stops when nobody else uses it."""
        if self._server is not None:
            self._server.cleanup()

    def live_listens(self) -> bool:
        return _listens(self.live_port)

    def empty(self) -> None:
        """Remove what demos made below DATA. Raises Unsuitable for a database that is not ours."""
        if self.database_url:
            raise Unsuitable(
                "RESET=1 does not empty the server of DATABASE_URL; drop and create that database "
                "yourself, then start again"
            )
        for name in OWN_FOLDERS:
            shutil.rmtree(self.data / name, ignore_errors=True)
        for name in OWN_FILES:
            (self.data / name).unlink(missing_ok=True)


def answers(url: str) -> bool:
    """Whether a GET there succeeds."""
    try:
        with urllib.request.urlopen(url, timeout=2) as response:
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _port(environment: Mapping[str, str], name: str, default: int) -> int:
    text = environment.get(name) or str(default)
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise Unsuitable(f"{name} must be a port number between 1 and 65535, not {text!r}")
    return int(text)


def _check_free(name: str, port: int) -> None:
    with socket.socket() as probe:
        # As the servers do: a port whose last user has just gone counts as free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except PermissionError:
            raise Unsuitable(
                f"port {port} may only be used by root; choose one above 1023"
            ) from None
        except OSError:
            raise Unsuitable(
                f"port {port} is taken by another program; stop that one, or choose another port: "
                f"make demo {name}={port + 10}"
            ) from None


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((HOST, port)) == 0


def _keys(file: Path) -> dict[str, str]:
    """The demo's keys, made once and kept: sealed columns are unreadable without them.

    A key that an older demo did not have yet is added to its file.
    """
    file.touch(mode=0o600)
    lines = file.read_text().splitlines()
    known = {name: value for name, _, value in (line.partition("=") for line in lines) if value}
    made = {
        "SECRET_KEY": secrets.token_urlsafe(50),
        "FIELD_KEYS": f"k1:{_random_key()}",
        "BLIND_INDEX_KEY": secrets.token_urlsafe(32),
        "AUDIT_KEYS": f"a1:{_random_key()}",
    }
    keys = made | known
    if keys != known:
        file.write_text("".join(f"{name}={value}\n" for name, value in keys.items()))
    return keys


def _random_key() -> str:
    return base64.b64encode(secrets.token_bytes(32)).decode()
