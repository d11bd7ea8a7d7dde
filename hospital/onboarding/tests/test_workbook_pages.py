"""Taking the workbook out and handing it in on the page: preview, problems, all or nothing."""

import datetime as dt
import io
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client
from openpyxl import Workbook, load_workbook

from hospital.identity.states import Role
from hospital.kernel import clock
from hospital.kernel.models import AuditEntry
from hospital.onboarding.actions import import_base, uploads
from hospital.onboarding.models import WorkbookUpload
from hospital.onboarding.saving import Outcome
from hospital.onboarding.tests.conftest import Desk
from hospital.organisation.models import Department, Practitioner
from hospital.testing.organisation import a_department
from hospital.testing.people import a_staff, staff_client

pytestmark = pytest.mark.django_db
WORKBOOK = "/staff/master/workbook"


@pytest.fixture
def client() -> Client:
    return staff_client(account=a_staff(Role.SYSTEM_ADMIN, display_name="周慎行"))


def exported(client: Client, sheet: str = "") -> Workbook:
    answer = client.get(f"{WORKBOOK}/export/", {"sheet": sheet} if sheet else {})
    assert answer.status_code == 200
    return load_workbook(io.BytesIO(answer.content))


def handed_in(client: Client, workbook: Workbook, sheet: str = "") -> str:
    """Upload a workbook; the address of its preview."""
    packed = io.BytesIO()
    workbook.save(packed)
    file = SimpleUploadedFile("基础数据.xlsx", packed.getvalue())
    answer = client.post(f"{WORKBOOK}/upload/", {"file": file, "sheet": sheet})
    assert answer.status_code == 302
    return answer.headers["Location"]


def shown(client: Client, address: str) -> str:
    answer = client.get(address)
    assert isinstance(answer, HttpResponse)
    return answer.content.decode()


def carry_out(client: Client, address: str) -> HttpResponse:
    """Press the button of the preview as it is shown now."""
    upload = WorkbookUpload.objects.get(pk=int(address.rstrip("/").rsplit("/", 1)[1]))
    answer = client.post(f"{address}carry-out/", {"preview": upload.preview})
    assert isinstance(answer, HttpResponse)
    return answer


def put(workbook: Workbook, title: str, code: str, heading: str, value: str) -> None:
    """Type something into the row of a code."""
    page = workbook[title]
    headings = [str(cell.value).rstrip("*") for cell in page[1]]
    row = next(line for line in page.iter_rows(min_row=2) if line[0].value == code)
    row[headings.index(heading)].value = value


def test_what_is_taken_out_and_handed_in_again_changes_nothing(client: Client, desk: Desk) -> None:
    assert desk.import_it().problems == []
    workbook = exported(client)
    entries = AuditEntry.objects.count()

    address = handed_in(client, workbook)

    assert "与现有数据完全相同" in shown(client, address)
    assert "确认导入" not in shown(client, address)
    assert AuditEntry.objects.count() == entries
    assert "登录账号" not in workbook.sheetnames


def test_changes_are_previewed_and_then_carried_out(client: Client, desk: Desk) -> None:
    desk.import_it()
    workbook = exported(client)
    put(workbook, "科室", "PWB", "科室名称", "脾胃肝病科")
    put(workbook, "医生", "0102", "启用", "否")
    put(workbook, "排班模板", "PWB-2", "启用", "否")
    workbook["院区"].append(["NQ", "南院区"])

    address = handed_in(client, workbook)

    preview = shown(client, address)
    for words in ("<del>脾胃病科</del> → 脾胃肝病科", "停用 1 行", "新增 1 行", "NQ 南院区"):
        assert words in preview, words
    assert Department.objects.get(code="PWB").name == "脾胃病科"
    assert "等待确认" in shown(client, f"{WORKBOOK}/")

    assert carry_out(client, address).status_code == 302
    assert Department.objects.get(code="PWB").name == "脾胃肝病科"
    assert not Practitioner.objects.get(code="0102").is_active
    assert "已于" in shown(client, address)
    upload = WorkbookUpload.objects.get()
    assert (bytes(upload.content), upload.done_by) == (b"", upload.uploaded_by)
    entries = AuditEntry.objects.count()
    assert carry_out(client, address).status_code == 302
    assert AuditEntry.objects.count() == entries


def test_every_problem_has_its_line_and_nothing_is_saved(client: Client, desk: Desk) -> None:
    desk.import_it()
    workbook = exported(client)
    put(workbook, "科室", "PWB", "楼层", "顶楼")
    put(workbook, "科室", "NK", "启用", "否")
    put(workbook, "医生", "0101", "所属科室", "不存在科")
    put(workbook, "院区", "BB", "院区名称", "新院区")

    address = handed_in(client, workbook)

    assert [
        tuple(problem[part] for part in ("sheet", "row", "column", "value", "reason"))
        for problem in WorkbookUpload.objects.get().report["problems"]
    ] == [
        ("科室", 4, "楼层", "顶楼", "应填楼层，如 3楼、负1楼"),
        ("医生", 2, "所属科室", "不存在科", "“科室”表中没有“不存在科”"),
    ]
    assert "共 2 个问题，没有导入任何数据" in shown(client, address)
    before = list(Department.objects.order_by("code").values())
    answer = carry_out(client, address)
    assert answer.status_code == 409
    assert list(Department.objects.order_by("code").values()) == before


def test_an_import_does_not_switch_off_what_is_needed(client: Client, desk: Desk) -> None:
    desk.import_it()
    workbook = exported(client, "departments")
    put(workbook, "科室", "NK", "启用", "否")

    address = handed_in(client, workbook)

    assert WorkbookUpload.objects.get().report["problems"] == [
        {
            "sheet": "科室",
            "row": 3,
            "column": "启用",
            "value": "否",
            "reason": "还在使用：下级科室 1 个：脾胃病科",
        }
    ]
    assert carry_out(client, address).status_code == 409
    assert Department.objects.get(code="NK").is_active


def test_a_preview_somebody_overtook_is_shown_again(client: Client, desk: Desk) -> None:
    desk.import_it()
    workbook = exported(client, "departments")
    put(workbook, "科室", "PWB", "科室名称", "脾胃肝病科")
    address = handed_in(client, workbook)
    seen = WorkbookUpload.objects.get().preview
    a_department(code="PWB", name="脾胃科", floor="5楼")

    answer = client.post(f"{address}carry-out/", {"preview": seen})

    assert answer.status_code == 409
    assert "请核对下面新的预览" in answer.content.decode()
    assert Department.objects.get(code="PWB").name == "脾胃科"
    assert carry_out(client, address).status_code == 302
    assert Department.objects.get(code="PWB").name == "脾胃肝病科"


def test_what_is_carried_out_is_what_was_compared(
    client: Client, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.import_it()
    workbook = exported(client, "departments")
    put(workbook, "科室", "PWB", "科室名称", "脾胃肝病科")
    address = handed_in(client, workbook)
    ran = []

    def overtaken(**wanted: Any) -> Outcome:
        outcome = import_base(**wanted)
        # Whoever comes after the comparison comes too late for this import.
        ran.append(Department.objects.get(code="PWB").name)
        return outcome

    monkeypatch.setattr(uploads, "import_base", overtaken)

    assert carry_out(client, address).status_code == 302
    assert ran == ["脾胃肝病科"]


def test_one_sheet_comes_and_goes_alone(client: Client, desk: Desk) -> None:
    desk.import_it()
    workbook = exported(client, "departments")
    assert workbook.sheetnames == ["说明", "科室", "字典"]
    put(workbook, "科室", "FK", "电话", "0750-1")

    assert carry_out(client, handed_in(client, workbook, "departments")).status_code == 302
    assert Department.objects.get(code="FK").telephone == "0750-1"

    other = handed_in(client, exported(client, "campuses"), "departments")
    assert "缺少这张工作表" in shown(client, other)


def test_accounts_are_not_imported_on_the_page(client: Client, desk: Desk) -> None:
    workbook = load_workbook(desk.save())

    address = handed_in(client, workbook)

    assert "登录账号不在这里导入，请在“人员”页面新建和修改" in shown(client, address)
    assert not Department.objects.exists()


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "文件是空的"),
        (b"hello, world", "这不是 .xlsx 工作簿"),
        (b"PK\x03\x04 broken", "文件已损坏"),
        (b"PK" + b"x" * 10_000_000, "文件太大：最多 10 MB"),
    ],
)
def test_what_is_no_workbook_is_told_so(client: Client, content: bytes, sentence: str) -> None:
    file = SimpleUploadedFile("坏.xlsx", content)

    answer = client.post(f"{WORKBOOK}/upload/", {"file": file}, follow=True)

    assert sentence in answer.content.decode()
    assert client.post(f"{WORKBOOK}/upload/").status_code == 422


def test_a_workbook_is_given_up_or_forgotten(client: Client, desk: Desk) -> None:
    desk.import_it()
    address = handed_in(client, exported(client, "campuses"))
    assert client.post(f"{address}drop/").headers["Location"] == f"{WORKBOOK}/"
    assert client.get(address).status_code == 404
    assert client.post(f"{address}carry-out/").status_code == 404
    assert client.post(f"{address}drop/").status_code == 404

    handed_in(client, exported(client, "campuses"))
    long_ago = clock.now() - dt.timedelta(days=8)
    WorkbookUpload.objects.update(uploaded_at=long_ago)
    handed_in(client, exported(client, "campuses"))
    assert WorkbookUpload.objects.filter(uploaded_at=long_ago).count() == 0


def test_who_may_take_out_and_who_may_hand_in(desk: Desk) -> None:
    desk.import_it()
    reader, stranger = staff_client(Role.FINANCE), staff_client(Role.DOCTOR)

    assert reader.get(f"{WORKBOOK}/").status_code == 200
    assert exported(reader, "campuses").sheetnames == ["说明", "院区", "字典"]
    entry = AuditEntry.objects.latest("pk")
    assert (entry.act, entry.after) == ("onboarding.export_workbook", {"rows": {"院区": 1}})
    file = SimpleUploadedFile("a.xlsx", b"PK")
    assert reader.post(f"{WORKBOOK}/upload/", {"file": file}).status_code == 403
    assert reader.get(f"{WORKBOOK}/1/").status_code == 403
    for path in ("", "export/", "empty/"):
        assert stranger.get(f"{WORKBOOK}/{path}").status_code == 403
    assert not WorkbookUpload.objects.exists()
