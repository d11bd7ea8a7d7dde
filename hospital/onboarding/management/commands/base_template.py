"""./manage.py base_template FILE.xlsx: write the empty workbook a new hospital fills in."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from hospital.onboarding.writing import write_workbook


class Command(BaseCommand):
    help = "Write the empty workbook a new hospital fills in (写出空白的基础数据工作簿)."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="the .xlsx to write")
        parser.add_argument("--force", action="store_true", help="overwrite an existing file")

    def handle(self, *_: Any, **options: Any) -> None:
        path: Path = options["file"]
        if path.suffix.lower() != ".xlsx":
            raise CommandError("文件名应以 .xlsx 结尾。")
        if path.exists() and not options["force"]:
            raise CommandError(f"文件已存在：{path}（要覆盖请加 --force）")
        try:
            write_workbook(path)
        except OSError as error:
            raise CommandError(f"无法写入 {path}：{error.strerror}") from error
        self.stdout.write(f"已写出空白工作簿：{path}")
