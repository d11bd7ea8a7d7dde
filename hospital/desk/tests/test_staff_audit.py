"""审计查询: who may read it, what it finds, what it shows, and that looking is audited itself."""

import datetime as dt
import io
import re

import pytest
from django.test import Client
from openpyxl import load_workbook

from hospital.desk.thresholds import EXPORT_AT_MOST
from hospital.identity.states import Role
from hospital.kernel import audit, clock, settings_rows, whereabouts
from hospital.kernel.actors import SYSTEM, Actor
from hospital.kernel.models import AuditEntry
from hospital.patients.models import Patient
from hospital.testing import people
from hospital.testing.people import a_patient, a_staff, staff_client

pytestmark = pytest.mark.django_db
PAGE = "/staff/audit/"


@pytest.fixture
def reader() -> Client:
    return staff_client(Role.AUDIT_ADMIN)


def seen(person: Patient, *, by: Actor, what: str = "预约全程", **more: object) -> AuditEntry:
    with whereabouts.bound(address="10.1.2.3", device="Windows · Edge 126"):
        whereabouts.take_roles(["cashier"])
        return audit.record(
            act="patients.view",
            subject=None,
            by=by,
            at=clock.now(),
            after={"what": what},
            person_id=person.pk,
            **more,  # type: ignore[arg-type]
        )


def shown(answer: object) -> str:
    return re.sub(r"\s+", " ", answer.content.decode())  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "role", [Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN, Role.FINANCE, Role.DOCTOR]
)
def test_nobody_but_the_audit_administrator_reads(role: Role) -> None:
    client = staff_client(role)
    for path in (PAGE, f"{PAGE}1/"):
        assert client.get(path).status_code == 403
    for path in (f"{PAGE}person/", f"{PAGE}export/"):
        assert client.post(path, {"reason": "看看"}).status_code == 403
    refused = AuditEntry.objects.filter(act="identity.refused", result="refused")
    assert [entry.after["page"] for entry in refused.order_by("pk")] == [
        "desk-audit",
        "desk-audit-entry",
        "desk-audit-person",
        "desk-audit-export",
    ]
    assert not AuditEntry.objects.filter(act__startswith="desk.").exists()


def test_who_saw_this_record_masked_and_with_place(reader: Client) -> None:
    nurse = a_staff(Role.TRIAGE_NURSE)
    mine, other = a_patient(name="欧阳上官婉儿"), a_patient(name="李四")
    seen(mine, by=Actor("staff", nurse.pk))
    seen(other, by=Actor("staff", nurse.pk), what="支付全程")
    found = reader.post(f"{PAGE}person/", {"text": mine.outpatient_no})
    assert found.status_code == 302
    assert mine.outpatient_no in found.url  # type: ignore[attr-defined]
    page = shown(reader.get(found.url))  # type: ignore[attr-defined]
    assert "欧****儿" in page
    assert "欧阳上官婉儿" not in page
    assert "内容 预约全程" in page
    assert "支付全程" not in page
    assert nurse.display_name in page
    assert "收费员" in page  # the role held at that moment, not the present one
    assert "10.1.2.3" in page
    assert "Windows · Edge 126" in page


def test_a_document_number_finds_by_post_and_several_are_offered(reader: Client) -> None:
    number = people.a_resident_id()
    one = a_patient(name="王小明", document_no=number)
    a_patient(name="王小红")
    to_one = reader.post(f"{PAGE}person/", {"text": number, "act": "patients.view"})
    assert one.outpatient_no in to_one.url  # type: ignore[attr-defined]
    assert "act=patients.view" in to_one.url  # type: ignore[attr-defined]
    assert number not in to_one.url  # type: ignore[attr-defined]
    page = shown(reader.post(f"{PAGE}person/", {"text": "王小"}))
    assert page.count("谁看过") == 2
    assert "王小明" not in page
    assert "没有找到这位患者" in shown(reader.post(f"{PAGE}person/", {"text": "赵六"}))


def test_by_staff_by_act_by_result_and_by_day(reader: Client) -> None:
    clerk, boss = a_staff(Role.CASHIER), a_staff(Role.FINANCE)
    person = a_patient()
    by_clerk = seen(person, by=Actor("staff", clerk.pk)).pk
    by_boss = seen(person, by=Actor("staff", boss.pk), result="refused").pk
    by_job = audit.record(
        act="kernel.run_failed_again", subject=None, by=SYSTEM, at=clock.now(), after={"count": 3}
    ).pk
    old = clock.now() - dt.timedelta(days=30)
    audit.record(act="patients.view", subject=None, by=SYSTEM, at=old, after={"what": "旧"})

    def ids(query: str) -> set[int]:
        page = shown(reader.get(f"{PAGE}?{query}"))
        mine = {by_clerk, by_boss, by_job}
        return {int(pk) for pk in re.findall(r'href="/staff/audit/(\d+)/"', page)} & mine

    assert ids(f"staff={clerk.username}") == {by_clerk}
    assert ids("staff=nobody.of.this.name") == set()
    assert ids("act=kernel.") == {by_job}
    assert ids("act=patients.view") == {by_clerk, by_boss}
    assert ids("act=patients.view&result=refused") == {by_boss}
    assert ids("act=dance&result=maybe&start=x&below=y") == {by_clerk, by_boss, by_job}
    assert "旧" not in shown(reader.get(PAGE))
    day = clock.hospital_day(old).isoformat()
    assert "旧" in shown(reader.get(f"{PAGE}?start={day}&end={day}"))


def test_before_and_after_are_readable(reader: Client) -> None:
    settings_rows.set_value(
        setting=EXPORT_AT_MOST, value=300, by=SYSTEM, at=clock.now(), reason="试用"
    )
    entry = audit.record(
        act="payments.close_case",
        subject=None,
        by=SYSTEM,
        at=clock.now(),
        before={"fen": 1250, "is_active": True, "roles": ["财务", "收费员"]},
        after={"fen": 250050, "is_active": False, "strange": {"name": "长" * 300}, "what": "phone"},
    )
    page = shown(reader.get(f"{PAGE}?act=kernel."))
    assert "一次导出审计记录的最多行数 2000 → 300" in page
    page = shown(reader.get(f"{PAGE}{entry.pk}/"))
    for before, after in (("¥12.50", "¥2,500.50"), ("是", "否"), ("财务、收费员", "—")):
        assert f'value">{before}</td> <td class="d-audit-value">{after}</td>' in page
    assert f"名称：{'长' * 300}" in page
    assert "处理资金异常" in page
    assert (
        'row">内容</th> <td class="d-audit-value">—</td> <td class="d-audit-value">手机号' in page
    )


def test_older_entries_are_a_page_away(reader: Client) -> None:
    person = a_patient()
    rows = [seen(person, by=SYSTEM, what=f"第{n}页").pk for n in range(55)]
    first = shown(reader.get(f"{PAGE}?act=patients.view"))
    assert f"/staff/audit/{rows[-1]}/" in first
    assert f"/staff/audit/{rows[4]}/" not in first
    (older,) = re.findall(r'href="\?([^"]*below=\d+)"', first)
    second = shown(reader.get(f"{PAGE}?{older.replace('&amp;', '&')}"))
    assert [f"/staff/audit/{pk}/" in second for pk in (rows[4], rows[0], rows[5])] == [
        True,
        True,
        False,
    ]
    assert "回到最新" in second


def test_looking_is_audited_once_for_the_same_look(reader: Client) -> None:
    person = a_patient(name="王小明")
    for _ in range(2):
        reader.get(f"{PAGE}?person={person.outpatient_no}&staff=王小明")
    (entry,) = AuditEntry.objects.filter(act="desk.read_audit")
    assert entry.person_id == person.pk
    assert "王小明" not in str(entry.after)
    assert entry.role == "audit_admin"
    reader.get(f"{PAGE}?result=refused")
    assert AuditEntry.objects.filter(act="desk.read_audit").count() == 2


def test_an_export_is_marked_audited_and_holds_no_formula(reader: Client) -> None:
    person = a_patient(name="王小明")
    seen(person, by=SYSTEM, what="=1+1")
    seen(person, by=SYSTEM, what="", reason="@SUM(A1)")
    asked = {"person": person.outpatient_no, "act": "patients.view"}
    refused = reader.post(f"{PAGE}export/", {**asked, "reason": "  "})
    assert refused.status_code == 422
    assert not AuditEntry.objects.filter(act="desk.export_audit").exists()
    answer = reader.post(f"{PAGE}export/", {**asked, "reason": "等保检查"})
    assert answer.status_code == 200
    assert re.search(r'filename="audit-\d{8}-\d{4}\.xlsx"', answer["Content-Disposition"])
    sheet = load_workbook(io.BytesIO(answer.content)).active
    assert sheet is not None
    rows = list(sheet.iter_rows(values_only=True))
    assert "用途：等保检查" in str(rows[0][0])
    assert sheet.oddHeader is not None
    assert "用途：等保检查" in str(sheet.oddHeader.center.text)
    assert len(rows) == 4
    assert "f" not in {cell.data_type for row in sheet.iter_rows() for cell in row}
    assert [row[9] for row in rows[2:]] == ["内容 —", "内容 =1+1"]
    assert "王小明" not in str(rows)
    entry = AuditEntry.objects.get(act="desk.export_audit")
    assert (entry.reason, entry.person_id, entry.after["rows"]) == ("等保检查", person.pk, 2)


def test_an_export_is_cut_at_the_limit(reader: Client) -> None:
    settings_rows.set_value(setting=EXPORT_AT_MOST, value=100, by=SYSTEM, at=clock.now())
    person = a_patient()
    for number in range(103):
        seen(person, by=SYSTEM, what=str(number))
    answer = reader.post(f"{PAGE}export/", {"act": "patients.view", "reason": "检查"})
    sheet = load_workbook(io.BytesIO(answer.content)).active
    assert sheet is not None
    assert sheet.max_row == 102


def test_the_page_says_how_the_latest_verification_ended(reader: Client) -> None:
    assert "还没有核对过" in shown(reader.get(PAGE))
    at = clock.now()
    audit.seal_entries(at=at)
    audit.keep(audit.verify(at=at), at=at)
    assert "没有被改动、删除或插入" in shown(reader.get(PAGE))
    broken = audit.verify(at=at, anchors=audit.Anchors({"0" * 64: 99}))
    audit.keep(broken, at=at)
    assert "核对发现异常（1 处）" in shown(reader.get(PAGE))


def test_what_is_not_there_is_not_found(reader: Client) -> None:
    assert reader.get(f"{PAGE}999999999/").status_code == 404
    assert reader.get(f"{PAGE}?person=0000000000").status_code == 404
    assert reader.get(f"{PAGE}{10**30}/").status_code == 404
    assert reader.get(f"{PAGE}?below={'9' * 40}").status_code == 200
