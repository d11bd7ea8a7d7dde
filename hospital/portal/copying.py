"""What is kept about a patient as a ZIP: a page to read and the same as JSON (M11.5)."""

from __future__ import annotations

import datetime as dt
import io
import json
import zipfile
from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.template.loader import render_to_string

from hospital.kernel import clock
from hospital.patients import queries as patients
from hospital.patients.states import Relationship, Sex
from hospital.portal import looks, records
from hospital.portal.records import Asked
from hospital.ui.wording import stamp_text

if TYPE_CHECKING:
    from hospital.patients.models import Patient, PatientBinding, PatientIdentifier

PAGE: Final = "index.html"
DATA: Final = "data.json"
Section = tuple[str, list[dict[str, str]]]


def archive(patient: Patient, *, wechat_user_id: int, at: dt.datetime) -> bytes:
    """The ZIP of a patient's data as of now, in clear; whoever keeps it seals it."""
    found = sections(patient, wechat_user_id=wechat_user_id, at=at)
    page = render_to_string(
        "portal/patient/copy.html",
        {"sections": found, "at": at, "hospital_name": settings.HOSPITAL_NAME},
    )
    told = dict(found)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr(PAGE, page)
        packed.writestr(DATA, json.dumps(told, ensure_ascii=False, indent=2))
    return out.getvalue()


def sections_of(content: bytes) -> list[Section]:
    """What a copy holds, to be shown on the phone."""
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        return list(json.loads(packed.read(DATA)).items())


def sections(patient: Patient, *, wechat_user_id: int, at: dt.datetime) -> list[Section]:
    """Title and rows of everything in the copy; a row's values by their labels."""
    found: list[Section] = [
        ("个人信息", [_person(patient)]),
        ("证件与号码", [_number(row) for row in patients.live_identifiers(patient)]),
        ("微信绑定与同意", [_binding(row) for row in patients.bindings_of(patient)]),
    ]
    asked = Asked(
        wechat_user_id=wechat_user_id,
        patient_ids=[patient.pk],
        start=records.since(0, at=at),
        end=at,
        at=at,
    )
    for kind in records.PROVIDERS:
        lines = records.records(asked, kind=kind)
        found.append((kind.label, [_line(line) for line in lines]))
    seen = looks.looks_at(patient_id=patient.pk, at=at)
    found.append(("谁看过档案", [_look(look) for look in seen]))
    return found


def _person(patient: Patient) -> dict[str, str]:
    return {
        "门诊号": patient.outpatient_no,
        "姓名": patient.name,
        "性别": Sex(patient.sex).label,
        "出生日期": f"{patient.birth_date:%Y-%m-%d}",
        "手机号": patient.phone,
        "住址": patient.address,
        "建档时间": stamp_text(patient.created_at),
    }


def _number(row: PatientIdentifier) -> dict[str, str]:
    return {"类型": row.label, "号码": row.value}


def _binding(row: PatientBinding) -> dict[str, str]:
    return {
        "与绑定人的关系": Relationship(row.relationship).label,
        "同意书版本": row.consent_version,
        "同意时间": stamp_text(row.consented_at),
    }


def _line(line: records.RecordLine) -> dict[str, str]:
    local = clock.local(line.at)
    return {
        "时间": f"{local:%Y-%m-%d %H:%M}",
        "内容": line.title,
        "说明": line.hint,
        "金额或次数": line.value,
        "状态": line.tag,
    }


def _look(look: looks.SeenLine) -> dict[str, str]:
    return {
        "时间": stamp_text(look.at),
        "谁": look.who,
        "做了什么": look.what,
        "用途": look.purpose,
    }
