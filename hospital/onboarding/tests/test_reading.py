"""Files people hand in: wrong kinds, damaged ones, bombs, other programs' habits."""

import io
import random
import zipfile
from pathlib import Path

import pytest
from openpyxl import Workbook

from hospital.kernel.actors import SYSTEM
from hospital.onboarding import reading
from hospital.onboarding.actions import import_base
from hospital.onboarding.reading import Broken, Formula, NotAWorkbook, read
from hospital.onboarding.tests.conftest import AT, Desk
from hospital.organisation.models import Campus


def archive(**parts: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as target:
        for name, content in parts.items():
            target.writestr(name, content)
    return packed.getvalue()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "文件是空的"),
        ("院区编码,院区名称".encode(), "这不是 .xlsx 工作簿"),
        (b"%PDF-1.7", "这不是 .xlsx 工作簿"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "加了密码，或是旧的 .xls 格式"),
        (b"PK\x03\x04 and nothing more", "文件已损坏"),
        (archive(readme=b"not a workbook"), "文件已损坏"),
        (archive(**{"xl/workbook.xml": b"<broken", "[Content_Types].xml": b"<x/>"}), "文件已损坏"),
    ],
)
def test_not_a_workbook(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "file.xlsx"
    path.write_bytes(content)

    with pytest.raises(NotAWorkbook, match=reason):
        read(path)


def test_no_file_and_a_folder(tmp_path: Path) -> None:
    with pytest.raises(NotAWorkbook, match="找不到文件"):
        read(tmp_path / "nowhere.xlsx")
    with pytest.raises(NotAWorkbook, match="无法打开文件"):
        read(tmp_path)


@pytest.mark.django_db
def test_an_unreadable_file_is_one_problem(tmp_path: Path) -> None:
    outcome = import_base(path=tmp_path / "nowhere.xlsx", by=SYSTEM, at=AT)

    assert [(problem.sheet, problem.row) for problem in outcome.problems] == [("", None)]


def test_too_large_and_bombs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "bomb.xlsx"
    path.write_bytes(archive(bomb=b"0" * 5000))
    monkeypatch.setattr(reading, "MOST_UNPACKED_BYTES", 4000)
    with pytest.raises(NotAWorkbook, match="解压后过大"):
        read(path)
    monkeypatch.setattr(reading, "MOST_BYTES", 100)
    with pytest.raises(NotAWorkbook, match="文件太大"):
        read(path)


@pytest.mark.parametrize("piece", [7, 64, 1001])
def test_merged_cells_are_found_across_pieces(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, piece: int
) -> None:
    for area in ("B3:B4", "C3:D3"):
        desk.page("科室").merge_cells(area)
    desk.save()
    monkeypatch.setattr(reading, "_PIECE", piece)

    merged = {sheet.title: sorted(sheet.merged) for sheet in read(desk.path) if sheet.merged}

    assert merged == {"科室": ["B3:B4", "C3:D3"]}


def test_too_many_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    workbook = Workbook()
    for _ in range(12):
        workbook.worksheets[0].append(["x"])
    workbook.save(tmp_path / "long.xlsx")
    monkeypatch.setattr(reading, "MOST_ROWS", 10)

    with pytest.raises(NotAWorkbook, match="超过 10 行"):
        read(tmp_path / "long.xlsx")


def test_cells_as_they_stand(tmp_path: Path) -> None:
    workbook = Workbook()
    page = workbook.worksheets[0]
    page.title = "院区 "
    page["A1"].value = "编码"
    page["B3"].value = "=A1"
    page["C3"].value = "#REF!"
    page["D3"].value = 1.5
    page["E3"].value = "  "
    page.merge_cells("A5:B6")
    workbook.create_sheet("空")
    workbook.save(tmp_path / "cells.xlsx")

    first, empty = read(tmp_path / "cells.xlsx")

    assert first.title == "院区"
    assert first.merged == ["A5:B6"]
    assert [(row.number, row.cells) for row in first.rows] == [
        (1, ("编码",)),
        (3, (None, Formula("=A1"), Broken("#REF!"), 1.5)),
    ]
    assert empty.rows == []


def test_a_wrongly_noted_size_hides_nothing(tmp_path: Path, desk: Desk) -> None:
    path = tmp_path / "sized.xlsx"
    with zipfile.ZipFile(desk.path) as source, zipfile.ZipFile(path, "w") as target:
        for name in source.namelist():
            content = source.read(name)
            if name.startswith("xl/worksheets/"):
                start = content.index(b'<dimension ref="')
                end = content.index(b"/>", start)
                content = content[:start] + b'<dimension ref="A1"' + content[end:]
            target.writestr(name, content)

    rows = {sheet.title: len(sheet.rows) for sheet in read(path)}

    assert rows["医生"] == 3


@pytest.mark.django_db
@pytest.mark.parametrize("seed", range(30))
def test_a_damaged_file_is_refused_or_read_but_never_crashes(desk: Desk, seed: int) -> None:
    """Bytes flipped, cut out or overwritten anywhere, as a bad stick or a broken mail does."""
    chance = random.Random(seed)
    content = bytearray(desk.path.read_bytes())
    if seed % 3 == 0:
        content = content[: chance.randrange(len(content))]
    for _ in range(chance.randrange(1, 30)):
        if content:
            content[chance.randrange(len(content))] = chance.randrange(256)
    desk.path.write_bytes(bytes(content))

    outcome = desk.import_it(dry_run=True)

    assert outcome.problems or outcome.tallies
    assert not Campus.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("seed", range(20))
def test_damaged_xml_inside_a_sound_archive_never_crashes(desk: Desk, seed: int) -> None:
    chance = random.Random(seed)
    with zipfile.ZipFile(desk.path) as source:
        parts = {name: bytearray(source.read(name)) for name in source.namelist()}
    victim = parts[chance.choice(sorted(parts))]
    for _ in range(chance.randrange(1, 6)):
        victim[chance.randrange(len(victim))] = chance.randrange(256)
    desk.path.write_bytes(archive(**{name: bytes(content) for name, content in parts.items()}))

    outcome = desk.import_it(dry_run=True)

    assert outcome.problems or outcome.tallies
