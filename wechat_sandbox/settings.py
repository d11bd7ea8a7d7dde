"""What the person who starts the stand-in decides; read once."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

DEFAULT_NOTIFY_URL = "http://127.0.0.1:8000/callback/wechat/pay"


class SettingsError(Exception):
    """The stand-in cannot start like this; the message is for the person at the terminal."""


@dataclass(frozen=True)
class Template:
    """An approved message template; `keys` maps data keys to their Chinese labels.

    `product`: template, subscription or any; `permanent`: one consent allows any number.
    """

    template_id: str
    title: str
    keys: dict[str, str]
    product: str = "template"
    permanent: bool = False


@dataclass(frozen=True)
class Settings:
    """`notify_scale` multiplies WeChat's retry schedule and the refund delay.

    `tls_base` is the address over TLS; with one, /secapi/ wants the merchant's certificate.
    `notify_url` is the merchant console's default, used for refunds that name none.
    `templates` None means that every template id is approved.
    `redirect_hosts` are OAuth hosts accepted besides loopback and private addresses.
    `fee_per_myriad`: WeChat's share in ten-thousandths, on bills only.
    `password_above_fen`: a scanned payment code is charged without a password up to this.
    `entries` are the Official Account's first menu, (name, address) each; `mini_programs` are
    listed on the phone likewise.
    `callback_url` is where messages and events go, `callback_mode` how: plain, compatible or aes.
    """

    data: Path
    base: str
    tls_base: str = ""
    notify_scale: float = 1.0
    refund_delay_s: float = 3.0
    notify_url: str = ""
    templates: dict[str, Template] | None = None
    redirect_hosts: frozenset[str] = field(default_factory=frozenset)
    account_name: str = "杏林中医医院"
    merchant_name: str = "杏林中医医院"
    password_above_fen: int = 100_000
    fee_per_myriad: int = 60
    entries: tuple[tuple[str, str], ...] = ()
    callback_url: str = ""
    callback_mode: str = "plain"
    mini_programs: tuple[tuple[str, str], ...] = ()


def read_templates(path: Path) -> dict[str, Template]:
    """The approved templates of a JSON list; SettingsError when the file is not one."""
    try:
        listed: Any = json.loads(path.read_text("utf-8"))
        return {
            str(entry["template_id"]): Template(
                template_id=str(entry["template_id"]),
                title=str(entry["title"]),
                keys={str(key): str(label) for key, label in entry["keys"].items()},
                product=str(entry.get("product", "template")),
                permanent=entry.get("permanent") is True,
            )
            for entry in listed
        }
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as problem:
        raise SettingsError(
            f"{path}: not a list of {{template_id, title, keys}}: {problem!r}"
        ) from problem
