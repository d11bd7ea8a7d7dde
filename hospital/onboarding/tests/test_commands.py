"""The two commands as an administrator meets them at a terminal."""

import io
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from hospital.onboarding.report import ProgressBar, table, width
from hospital.onboarding.tests.conftest import Desk
from hospital.organisation.models import Campus

pytestmark = pytest.mark.django_db


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue()


def test_the_empty_workbook_is_written_once(tmp_path: Path) -> None:
    path = tmp_path / "hospital.xlsx"

    assert "已写出空白工作簿" in run("base_template", str(path))
    with pytest.raises(CommandError, match="文件已存在"):
        run("base_template", str(path))
    run("base_template", str(path), "--force")


def test_a_wrong_name_or_place_for_it(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"应以 \.xlsx 结尾"):
        run("base_template", str(tmp_path / "hospital.xls"))
    with pytest.raises(CommandError, match="无法写入"):
        run("base_template", str(tmp_path / "nowhere" / "hospital.xlsx"))


def test_an_import_tells_what_came_and_then_that_nothing_changed(desk: Desk) -> None:
    first = run("import_base", str(desk.save()))

    assert "新增 医生：0101 曾知行、0102 沈若溪" in first
    assert "导入完成。" in first
    assert run("import_base", str(desk.save())).endswith("无变化。\n")


def test_a_dry_run_tells_the_change_field_by_field(desk: Desk) -> None:
    run("import_base", str(desk.save()))
    desk.fill("科室", "电话", 3, "0750-1")

    told = run("import_base", str(desk.save()), "--dry-run")

    assert "修改 科室 第 3 行 PWB 脾胃病科：电话 （空） → 0750-1" in told
    assert "试运行：以上变化没有保存。" in told
    assert run("import_base", str(desk.save()), "--dry-run") == told


def test_problems_are_a_table_and_exit_code_one(desk: Desk) -> None:
    desk.fill("医生", "职称", 3, "教授")
    out = io.StringIO()

    with pytest.raises(CommandError, match="共 1 个问题，没有导入任何数据") as stopped:
        call_command("import_base", str(desk.save()), stdout=out)

    assert stopped.value.returncode == 1
    heading, _, line = out.getvalue().splitlines()
    assert heading.split() == ["工作表", "行", "列", "值", "原因"]
    assert line.split()[:4] == ["医生", "3", "职称", "教授"]
    assert not Campus.objects.exists()


def test_long_lists_of_new_rows_are_cut(desk: Desk) -> None:
    for row in range(3, 23):
        desk.put("院区", f"A{row}", f"B{row}")
        desk.put("院区", f"B{row}", f"分院{row}")

    assert "等 21 行" in run("import_base", str(desk.save()), "--dry-run")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_the_bar_shows_on_a_terminal_only() -> None:
    terminal, file = Terminal(), io.StringIO()
    for stream in (terminal, file):
        bar = ProgressBar(stream)
        bar(1, 2, "医生")
        bar(2, 2, "医生")
        bar.close()

    assert "50%  医生  1/2" in terminal.getvalue()
    assert terminal.getvalue().endswith("\r\x1b[K")
    assert file.getvalue() == ""


def test_tables_align_though_chinese_is_wide() -> None:
    lines = list(table([("列", "b"), ("一二", "c"), ("abc", "d")]))

    assert [
        width(line[: line.rindex(last)]) for line, last in zip(lines[2:], "cd", strict=True)
    ] == [
        6,
        6,
    ]
