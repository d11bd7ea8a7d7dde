"""What WeChat shows of a booking's messages where names are long: a field holds 20 characters."""

import datetime as dt
import json
from collections.abc import Iterable
from pathlib import Path

import pytest

from hospital.kernel.actors import SYSTEM
from hospital.messaging import approved
from hospital.messaging.models import Message
from hospital.organisation.states import Title
from hospital.registration import notices, rules, telling
from hospital.registration.models import Appointment
from hospital.registration.states import CancelReason, WayBack
from hospital.testing.bookings import a_paid_booking
from hospital.testing.organisation import a_department, a_practitioner, a_room
from hospital.testing.schedules import NOW, a_released_schedule

TEMPLATES = Path(__file__).parents[3] / "demo" / "wechat_templates.json"
DOCTOR = "阿卜杜热合曼·买买提依明江孜然"
OTHER = "古丽米热·阿不都克里木江艾则孜"
DEPARTMENT = "国家中医针灸推拿康复重点专科门诊（东院）"
ROOM = "针灸推拿三诊室"


def shown(kind: str) -> dict[str, str]:
    """What WeChat shows of the latest message of a kind, by our names of its fields."""
    (template,) = approved.read(json.loads(TEMPLATES.read_text("utf-8")))[kind]
    fields = Message.objects.filter(kind=kind).latest("pk").fields
    values = template.values(fields)
    assert all(len(value) <= 20 for value in values.values())
    return {name: values[key] for name, key in template.keys.items()}


def a_booking_of_long_names() -> Appointment:
    department = a_department(name=DEPARTMENT, location_text="门诊楼三楼东侧针灸推拿科候诊区")
    doctor = a_practitioner(department, name=DOCTOR, title=Title.CHIEF)
    room = a_room(name=ROOM, department=department)
    schedule = a_released_schedule(department=department, practitioner=doctor, room=room)
    return a_paid_booking(schedule=schedule)


@pytest.mark.django_db
def test_n01_n02_n04_n05_n06_n07_n08_n27_keep_their_sense_where_names_are_long() -> None:
    row = a_booking_of_long_names()
    assert (len(DOCTOR), len(OTHER), len(DEPARTMENT)) == (15, 15, 20)
    until = NOW + dt.timedelta(hours=5)

    telling.asked(row, by=SYSTEM, at=NOW)
    notices.coming(row.pk, which="eve", by=SYSTEM, at=NOW)
    telling.cancelled(row, refund_fen=123_456, by=SYSTEM, at=NOW)
    telling.suspended(row, refund_fen=123_456, by=SYSTEM, at=NOW)
    notices.offered(row, by=SYSTEM, at=NOW)
    telling.continued(row, by=SYSTEM, at=NOW)

    assert shown("N01")["department"] == DEPARTMENT
    assert (shown("N01")["doctor"], shown("N01")["time"]) == (DOCTOR, "11月24日 08:00-09:00")
    assert shown("N02")["doctor"] == f"{DOCTOR} 加号"
    assert shown("N04")["place"] == f"门诊楼三楼东侧针灸推拿… {ROOM}"
    assert shown("N05")["arrival"] == "原路退回，以微信到账为准"
    assert shown("N06")["doctor"] == f"{DOCTOR} 国家中…"
    assert shown("N06")["refund"] == "¥1,234.56 原路退回"
    assert shown("N08")["doctor"] == DOCTOR
    assert shown("N27")["department"] == DEPARTMENT

    telling.asked_about_substitute(row, new=OTHER, until=until, by=SYSTEM, at=NOW)
    assert shown("N07")["change"] == "阿卜杜热合曼·买…→古丽米热·阿不都克…"
    assert shown("N07")["note"] == "11月23日 15:00前确认，否则退号"
    for back_fen, note in (
        (0, "可随时免费退号"),
        (102_500, "可随时免费退号，退差价¥1,025.00"),
        (1_234_567, "可随时免费退号，差价已退"),
    ):
        later = NOW + dt.timedelta(seconds=1 + back_fen)
        telling.substituted(row, was=OTHER, back_fen=back_fen, by=SYSTEM, at=later)
        assert shown("N07")["note"] == note


def _whole() -> Iterable[str]:
    """Every text these messages say in words of their own."""
    yield from telling._ARRIVAL.values()
    yield from (f"¥1,025.00 {telling._REFUND[way]}" for way in WayBack)
    yield from (f"{reason.label}，原预约保留" for reason in CancelReason if reason.value)
    yield from notices._BRIEFLY.values()
    yield from (notices._BRING, notices._BRING_TO_PAY)


def test_n03_n05_n06_words_of_the_house_are_never_cut() -> None:
    assert [text for text in _whole() if len(text) > 20] == []
    for refusal in (
        one for one in vars(rules).values() if isinstance(one, type) and hasattr(one, "code")
    ):
        assert len(notices.in_brief(refusal())) <= 20
    sex = rules.DepartmentLimitSex(f"{DEPARTMENT}只接诊女性患者。")
    assert notices.in_brief(sex) == "该科室不接诊此性别的患者"
    assert notices.in_brief(rules.LimitDay()) == rules.LimitDay.default_message
