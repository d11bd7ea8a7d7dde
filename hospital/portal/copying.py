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
from hospital.patients.states import (
    Assurance,
    CardStatus,
    GuardianRelation,
    IdentifierStatus,
    Relationship,
    Sex,
    VerificationMethod,
)
from hospital.portal import looks, records
from hospital.portal.records import Asked
from hospital.ui.wording import stamp_text

if TYPE_CHECKING:
    from hospital.patients.models import (
        Guardian,
        IdentityVerification,
        Patient,
        PatientBinding,
        PatientCard,
        PatientIdentifier,
    )

PAGE: Final = "index.html"
DATA: Final = "data.json"
Section = tuple[str, list[dict[str, str]]]


def archive(patient: Patient, *, at: dt.datetime) -> bytes:
    """The ZIP of a patient's data as of now, in clear; whoever keeps it seals it."""
    found = sections(patient, at=at)
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


def sections(patient: Patient, *, at: dt.datetime) -> list[Section]:
    """Title and rows of everything in the copy; a row's values by their labels."""
    kept = patients.record(outpatient_no=patient.outpatient_no, at=at)
    # A number filed by mistake is somebody else's.
    numbers = [row for row in kept.identifiers if row.status != IdentifierStatus.VOID]
    found: list[Section] = [
        ("个人信息", [_person(kept)]),
        ("证件与号码", [_number(row) for row in numbers]),
        ("身份核验", [_proof(row) for row in kept.verifications]),
        ("就诊卡", [_card(row) for row in kept.cards]),
        ("监护人", [_guardian(row) for row in kept.guardians]),
        ("微信绑定与同意", [_binding(row) for row in kept.bindings]),
    ]
    asked = Asked(
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


def _person(kept: patients.Record) -> dict[str, str]:
    patient = kept.patient
    return {
        "门诊号": patient.outpatient_no,
        "姓名": patient.name,
        "生僻字写法": patient.name_note,
        "性别": Sex(patient.sex).label,
        "出生日期": f"{patient.birth_date:%Y-%m-%d}",
        "民族": kept.ethnic_group,
        "国籍": kept.nationality,
        "手机号": patient.phone,
        "住址": patient.address,
        "实名等级": Assurance(patient.assurance).label,
        "建档时间": stamp_text(patient.created_at),
    }


def _number(row: PatientIdentifier) -> dict[str, str]:
    status = IdentifierStatus(row.status).label
    return {"类型": row.label, "号码": row.value, "状态": status}


def _proof(row: IdentityVerification) -> dict[str, str]:
    return {
        "时间": stamp_text(row.at),
        "方式": VerificationMethod(row.method).label,
        "证件": row.identifier.label,
    }


def _card(row: PatientCard) -> dict[str, str]:
    return {
        "卡号": row.number,
        "状态": CardStatus(row.status).label,
        "发卡时间": stamp_text(row.issued_at),
    }


def _guardian(row: Guardian) -> dict[str, str]:
    return {
        "姓名": row.guardian.masked_name,
        "与孩子的关系": GuardianRelation(row.relationship).label,
        "登记时间": stamp_text(row.verified_at),
    }


def _binding(row: PatientBinding) -> dict[str, str]:
    return {
        "与绑定人的关系": Relationship(row.relationship).label,
        "同意书版本": row.consent_title,
        "同意时间": stamp_text(row.consented_at),
        "解除时间": stamp_text(row.ended_at) if row.ended_at else "",
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
