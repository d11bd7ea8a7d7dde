"""PRODUCTION refuses to start with what a live hospital must not have."""

import os
import subprocess
import sys

import pytest

SECRETS = {
    "SECRET_KEY": "x" * 50,
    "FIELD_KEYS": "k1:" + "A" * 43 + "=",
    "BLIND_INDEX_KEY": "index",
    "AUDIT_KEYS": "a1:" + "A" * 43 + "=",
}
ADDRESSES = {"PUBLIC_URL": "https://wx.hospital.cn", "LIVE_URL": "https://wx.hospital.cn"}


def start(**changes: str) -> subprocess.CompletedProcess[str]:
    """Read the settings in a process of their own."""
    environment = {**os.environ, "PRODUCTION": "yes", **SECRETS, **ADDRESSES, **changes}
    return subprocess.run(
        [sys.executable, "-c", "import hospital.config.settings"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_it_starts_with_everything_in_place() -> None:
    ended = start()
    assert ended.returncode == 0, ended.stderr


@pytest.mark.parametrize("name", ADDRESSES)
def test_an_address_that_is_not_https_is_refused(name: str) -> None:
    """Cookies would travel in the clear."""
    ended = start(**{name: "http://wx.hospital.cn"})
    assert name in ended.stderr.splitlines()[-1]
    assert ended.returncode != 0


@pytest.mark.parametrize("name", SECRETS)
def test_a_missing_secret_is_refused(name: str) -> None:
    ended = start(**{name: ""})
    assert name in ended.stderr.splitlines()[-1]
    assert ended.returncode != 0


def test_a_live_hospital_shows_no_one_time_codes() -> None:
    ended = start(DEMO_CODES="1")
    assert "DEMO_CODES" in ended.stderr.splitlines()[-1]
    assert ended.returncode != 0


def test_its_cookies_travel_by_https_only() -> None:
    """Asked of the settings as a live hospital reads them."""
    read = "from hospital.config import settings as s; import sys;" + (
        "sys.exit(not (s.SESSION_COOKIE_SECURE and s.CSRF_COOKIE_SECURE and s.SECURE_HSTS_SECONDS))"
    )
    environment = {**os.environ, "PRODUCTION": "yes", **SECRETS, **ADDRESSES}
    subprocess.run([sys.executable, "-c", read], env=environment, check=True)
