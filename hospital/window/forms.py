"""What is typed or scanned at the window, as values."""

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlencode

from hospital.kernel.errors import Invalid
from hospital.scheduling.states import Channel
from hospital.ui.typed import typed, typed_fen, typed_id
from hospital.window.states import CHOSEN, Reprint

_CODE: Final = re.compile(r"1[0-5][0-9]{16}")
_NUMBER: Final = re.compile(r"[0-9]{14}")
_LONGEST_SUM: Final = 8
#: Whom somebody at the window registers: who stands there, who telephones, who was sent.
ORIGINS: Final = (Channel.WINDOW, Channel.PHONE, Channel.REFERRAL)
_NO_SUM: Final = "金额无效，请刷新页面。"
_NOT_PAID_SO: Final = "请输入实收的元数，或扫患者的付款码。"


def scanned_code(text: str) -> str:
    """The payment code of a phone, "" when the box holds something else: money or nothing."""
    plain = re.sub(r"\s", "", text)
    return plain if _CODE.fullmatch(plain) else ""


def as_typed(text: str) -> str:
    """What goes back into the box after a mistake: never so much as a piece of a payment code."""
    return text if len(text) <= _LONGEST_SUM else ""


def received_fen(text: str) -> int:
    """The notes on the table, typed in yuan. Raises Invalid."""
    fen = typed_fen(text)
    if fen is None:
        raise Invalid.of("pay", _NOT_PAID_SO)
    return fen


def booking_number(text: str) -> str:
    """The number on a slip or in a booking's bar code, "" when the text is none."""
    plain = text.strip()
    return plain if _NUMBER.fullmatch(plain) else ""


def origin(data: Mapping[str, str]) -> Channel:
    """Where the patient came from; the window itself for whatever says nothing else."""
    told = data.get("from", "")
    return Channel(told) if told in ORIGINS else Channel.WINDOW


def more(channel: Channel, *, arrival: bool = False, exchange: str = "") -> str:
    """What addresses of the numbers carry along."""
    told = {"arrival": "1"} if arrival else {"exchange": exchange} if exchange else {}
    if channel != Channel.WINDOW:
        told["from"] = str(channel)
    return f"&{urlencode(told)}" if told else ""


def reprint(data: Mapping[str, str]) -> Reprint:
    """Why a slip is printed again; none for whatever is no reason of ours."""
    told = typed(data, "reason", most=8)
    return Reprint(told) if told in CHOSEN else Reprint.NONE


def shown_fen(data: Mapping[str, str]) -> int:
    """The sum in fen that stood on the page. Raises Invalid."""
    shown = typed_id(data.get("fen", ""))
    if shown is None:
        raise Invalid.of("fen", _NO_SUM)
    return shown
