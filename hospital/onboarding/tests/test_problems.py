"""Everything that can be wrong with a workbook is told, with its place, in plain Chinese."""

import datetime as dt
from collections.abc import Callable, Iterator

import pytest

from hospital.identity.states import Role
from hospital.onboarding.tests.conftest import Desk
from hospital.organisation.models import Campus

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _nothing_is_saved() -> Iterator[None]:
    yield
    assert not Campus.objects.exists()


@pytest.mark.parametrize(
    ("sheet", "heading", "row", "value", "reason"),
    [
        ("院区", "院区名称", 2, None, "必填，不能为空"),
        ("院区", "院区名称", 2, " \u3000\u200b", "必填，不能为空"),
        (
            "排班模板",
            "模板编码",
            2,
            "周一 上午",
            "编码只能用字母、数字、点、短横和下划线，并以字母或数字开头",
        ),
        ("院区", "电话", 2, "1" * 41, "太长：最多 40 个字，现有 41 个字"),
        ("院区", "院区名称", 2, "=A2&B2", "单元格是公式，请复制后用“选择性粘贴—数值”改为固定内容"),
        ("院区", "院区名称", 2, "#N/A", "单元格显示错误值，请改正"),
        ("科室", "上级科室", 3, "外科", "“科室”表中没有“外科”"),
        ("科室", "上级科室", 3, "PWB", "上下级绕成了圈"),
        ("科室", "开放预约", 3, "也许", "应填“是”或“否”"),
        ("科室", "仅现场就诊", 3, "是", "仅现场就诊的科室，“开放预约”应填“否”"),
        ("科室", "性别限制", 3, "中性", "应为以下之一：不限、男、女"),
        ("科室", "年龄上限", 3, "14岁", "应大于年龄下限"),
        ("科室", "年龄下限", 3, "28天", "应填年龄，如 14岁 或 6个月；按天算的填“日龄”"),
        ("科室", "日龄上限", 3, 28, "与年龄下限矛盾，没有人能同时满足"),
        ("科室", "楼层", 3, "顶楼", "应填楼层，如 3楼、负1楼"),
        ("科室", "排序", 3, 1.5, "应填整数"),
        ("诊室", "类型", 3, "病房", "应为以下之一：楼栋、楼层、诊区、诊室、窗口"),
        (
            "诊室",
            "名称",
            4,
            dt.date(2026, 3, 1),
            "被表格软件当成了日期或时间，请把单元格格式改为“文本”后重填",
        ),
        ("诊室", "院区", 3, "北院", "“院区”表中没有“北院”"),
        ("医生", "职称", 2, "教授", "应为以下之一：名中医、主任医师、副主任医师、主治医师、医师"),
        ("医生", "所属科室", 3, "脾胃病科、骨科", "“科室”表中没有“骨科”"),
        ("医生", "所属科室", 3, "脾胃病科、PWB", "有重复的内容"),
        (
            "医生",
            "执业证有效期至",
            2,
            dt.date(2026, 11, 22),
            "执业证已到期；请更新日期，或把“启用”改为“否”",
        ),
        ("医生", "执业证有效期至", 2, "2031-02-30", "应填日期，如 2026-01-05"),
        ("医生", "执业证有效期至", 2, "长期", "应填日期，如 2026-01-05"),
        ("收费项目", "单价(元)", 2, "10.005", "应填金额（元），最多两位小数，如 25 或 25.50"),
        ("收费项目", "单价(元)", 2, -1, "金额应在 0 到 10,000,000.00 元之间"),
        ("收费项目", "单价(元)", 2, "面议", "应填金额（元），最多两位小数，如 25 或 25.50"),
        ("挂号费", "收费项目", 2, "、", "没有内容"),
        (
            "登录账号",
            "角色",
            2,
            "挂号员、院长",
            f"应为以下之一：{'、'.join(Role.labels)}",
        ),
        ("登录账号", "初始密码", 2, None, "新账号必须填写初始密码"),
        ("登录账号", "医生工号", 3, "0999", "“医生”表中没有“0999”"),
        ("排班模板", "星期", 2, "周八", "应为以下之一：周一、周二、周三、周四、周五、周六、周日"),
        ("排班模板", "开始", 2, "八点", "应填时间，如 08:00"),
        ("排班模板", "开始", 2, "25:00", "应填时间，如 08:00"),
        ("排班模板", "结束", 2, dt.time(7), "应晚于开始时间；只有晚上的班可以跨过零点"),
        ("排班模板", "限号", 2, 0, "应在 1 到 500 之间"),
        ("排班模板", "限号", 2, 7, "少于时段数：共 8 个时段，有的会没有号"),
        ("排班模板", "时段(分钟)", 2, 45, "不能整除：出诊共 240 分钟，最后一个时段会剩 15 分钟"),
        ("排班模板", "失效日期", 2, dt.date(2026, 1, 1), "应晚于生效日期"),
        ("排班模板", "生效日期", 2, None, "必填，不能为空"),
    ],
)
def test_one_bad_cell(
    desk: Desk, sheet: str, heading: str, row: int, value: object, reason: str
) -> None:
    desk.fill(sheet, heading, row, value)

    assert desk.problems() == [(sheet, row, heading, reason)]


def test_a_doctor_of_another_department(desk: Desk) -> None:
    desk.fill("排班模板", "科室", 2, "妇科")

    assert desk.problems() == [("排班模板", 2, "医生", "医生的“所属科室”里没有这个科室")]


def test_who_refers_to_an_unreadable_row_is_not_told_again(desk: Desk) -> None:
    desk.fill("医生", "工号", 2, "01#01")
    desk.fill("科室", "科室编码", 4, "F/K")

    assert [(sheet, column) for sheet, _, column, _ in desk.problems()] == [
        ("科室", "科室编码"),
        ("医生", "工号"),
    ]


@pytest.mark.parametrize("code", ["FK", "fk"])
def test_a_code_twice(desk: Desk, code: str) -> None:
    desk.fill("科室", "科室编码", 2, code)

    assert desk.problems() == [("科室", 4, "科室编码", "与第 2 行重复")]


def test_a_fee_twice(desk: Desk) -> None:
    desk.fill("挂号费", "职称", 2, None)

    assert ("挂号费", 3, "号别", "与第 2 行重复") in desk.problems()


def test_every_problem_is_told_in_the_order_of_the_workbook(desk: Desk) -> None:
    desk.fill("排班模板", "诊室", 2, "999")
    desk.fill("院区", "院区名称", 2, None)
    desk.fill("医生", "职称", 3, "教授")
    desk.fill("医生", "性别", 3, "?")
    desk.fill("科室", "上级科室", 3, "外科")

    assert [(sheet, row, column) for sheet, row, column, _ in desk.problems()] == [
        ("院区", 2, "院区名称"),
        ("科室", 3, "上级科室"),
        ("医生", 3, "性别"),
        ("医生", 3, "职称"),
        ("排班模板", 2, "诊室"),
    ]


def test_the_value_is_told_but_never_a_password(desk: Desk) -> None:
    desk.fill("医生", "职称", 3, "教授")
    desk.fill("登录账号", "初始密码", 2, "=A1")

    assert [problem.value for problem in desk.import_it().problems] == ["教授", "******"]


def test_a_missing_and_an_unknown_sheet(desk: Desk) -> None:
    desk.workbook["号别"].title = "号类"

    problems = desk.problems()

    assert ("号别", None, "", "缺少这张工作表；没有内容时请保留只有标题行的空表") in problems
    assert any(
        sheet == "号类" and "不认识这张工作表，是不是“号别”？" in reason.replace("；", "？")
        for sheet, _, _, reason in problems
    )


def test_a_hidden_sheet_is_read_like_any_other(desk: Desk) -> None:
    desk.page("科室").sheet_state = "hidden"
    desk.page("诊室").title = "房间"
    desk.page("房间").sheet_state = "hidden"

    told = [(sheet, reason) for sheet, row, _, reason in desk.problems() if row is None]

    assert told == [
        ("房间", "不认识这张隐藏的工作表；自用的表请以“备注”开头命名"),
        ("诊室", "缺少这张工作表；没有内容时请保留只有标题行的空表"),
    ]


def test_two_sheets_of_one_name(desk: Desk) -> None:
    desk.workbook.create_sheet("院区 ")["A1"].value = "院区编码"

    assert ("院区", None, "", "有多张同名工作表，只能保留一张") in desk.problems()


def test_own_sheets_and_empty_ones_do_no_harm(desk: Desk) -> None:
    desk.workbook.create_sheet("备注 院办")["A1"].value = "随便写"
    desk.workbook.create_sheet("Sheet1")

    assert desk.import_it(dry_run=True).problems == []


def test_a_renamed_a_doubled_and_a_missing_column(desk: Desk) -> None:
    desk.put("医生", "D1", "职务")

    assert desk.problems() == [
        ("医生", 1, "职务", "不认识这一列，是不是“职称”；自用的列请以“备注”开头"),
        ("医生", 1, "职称", "缺少这一列"),
    ]


def test_a_heading_twice(desk: Desk) -> None:
    desk.put("院区", "F1", "电话")

    assert desk.problems() == [("院区", 1, "电话", "这一列出现了两次")]


def test_no_heading_row(desk: Desk) -> None:
    desk.page("院区").delete_rows(1)
    desk.page("号别").insert_rows(1)

    reasons = [reason for *_, reason in desk.problems()]

    assert reasons.count("缺少这一列") == 4
    assert "第一行应为标题行" in reasons


def test_merged_cells(desk: Desk) -> None:
    desk.page("医生").merge_cells("D2:D3")

    assert ("医生", 2, "职称", "有合并单元格，请取消合并后逐格填写") in desk.problems()


def test_a_circle_over_several_rows(desk: Desk) -> None:
    desk.fill("科室", "上级科室", 2, "妇科")
    desk.fill("科室", "上级科室", 4, "脾胃病科")

    assert [row for _, row, _, _ in desk.problems()] == [2, 3, 4]


def test_a_circle_of_places(desk: Desk) -> None:
    desk.fill("诊室", "上级位置", 2, "201诊室")

    assert {row for _, row, _, _ in desk.problems()} == {2, 3}


def test_a_name_that_fits_two_rows(desk: Desk) -> None:
    desk.fill("医生", "姓名", 3, "曾知行")

    assert {reason for *_, reason in desk.problems()} == {
        "“医生”表中有多个“曾知行”，请改填编码：0101、0102"
    }


def clash(**cells: object) -> Callable[[Desk], None]:
    """Make the second session like the first, but for these cells."""

    def make(desk: Desk) -> None:
        page = desk.page("排班模板")
        for heading in ("医生", "诊室", "星期", "午别", "开始", "结束"):
            letter = desk.column("排班模板", heading)
            page[f"{letter}3"].value = page[f"{letter}2"].value
        for heading, value in cells.items():
            desk.fill("排班模板", heading, 3, value)

    return make


@pytest.mark.parametrize(
    ("make", "columns"),
    [
        (clash(), ["医生", "诊室"]),
        (clash(诊室="202诊室"), ["医生"]),
        (clash(医生="0102"), ["诊室"]),
        (clash(开始="11:00", 结束="13:00", 午别="中午"), ["医生", "诊室"]),
        (clash(星期="周日"), []),
        (clash(开始="12:00", 结束="16:00", 午别="下午"), []),
        (clash(生效日期=dt.date(2027, 1, 1)), ["医生", "诊室"]),
        (clash(启用="否"), []),
    ],
)
def test_nobody_and_no_room_twice_at_a_time(
    desk: Desk, make: Callable[[Desk], None], columns: list[str]
) -> None:
    make(desk)

    problems = desk.import_it(dry_run=True).problems

    assert [problem.column for problem in problems] == columns
    assert all(problem.row == 3 and "已有第 2 行的班" in problem.reason for problem in problems)


def test_sessions_valid_one_after_the_other_do_not_clash(desk: Desk) -> None:
    clash()(desk)
    desk.fill("排班模板", "失效日期", 2, dt.date(2026, 12, 1))
    desk.fill("排班模板", "生效日期", 3, dt.date(2026, 12, 1))

    assert desk.import_it(dry_run=True).problems == []


@pytest.mark.parametrize(
    ("sheet", "row", "told"),
    [
        ("科室", 3, {"科室"}),
        ("医生", 2, {"医生", "医生工号"}),
        ("诊室", 3, {"诊室"}),
        ("号别", 2, {"号别"}),
    ],
)
def test_nothing_active_may_use_what_is_switched_off(
    desk: Desk, sheet: str, row: int, told: set[str]
) -> None:
    desk.fill(sheet, "启用", row, "否")

    problems = desk.problems()

    assert {column for _, _, column, _ in problems} == told
    assert all("已停用" in reason for *_, reason in problems)


def test_a_session_without_a_fee(desk: Desk) -> None:
    desk.page("挂号费").delete_rows(3)
    assert [(sheet, row, column) for sheet, row, column, _ in desk.problems()] == [
        ("排班模板", 3, "号别")
    ]


def test_a_fee_of_a_switched_off_item(desk: Desk) -> None:
    desk.fill("收费项目", "启用", 2, "否")

    assert desk.problems() == [("挂号费", 2, "收费项目", "收费项目“ZC1”已停用")]


def test_an_empty_workbook(desk: Desk) -> None:
    for page in desk.workbook.worksheets:
        page.delete_rows(2, page.max_row)

    assert desk.problems() == [("", None, "", "工作簿里没有任何数据")]
