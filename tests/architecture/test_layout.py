"""Where things lie and how long they are (laws 9 and 11)."""

import ast
import re
import subprocess
from pathlib import Path

import pytest

from tools import sizes
from tools.inventory import ROOT, areas

# Names that say nothing: whatever lies in such a file belongs somewhere that has a name.
NAMELESS = {"utils", "helpers", "manager", "base", "misc", "common"}
OWN_CODE = ("hospital", "wechat_sandbox", "tools", "tests", "benchmarks", "demo")
ROW_WRITERS = {"create", "bulk_create", "get_or_create", "update_or_create", "bulk_update"}
COMPONENT = re.compile(r"""{%\s*include\s+["']ui/components/[^%]*%}""")


def python_files() -> list[Path]:
    return [
        path
        for folder in OWN_CODE
        for path in (ROOT / folder).rglob("*.py")
        if "migrations" not in path.parts and path.stat().st_size > 0
    ]


def test_no_file_is_over_its_limit() -> None:
    assert sizes.too_long() == []


def test_a_planted_long_file_is_caught(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    (tmp_path / "actions.py").write_text("pass\n" * 501)
    (tmp_path / "page.html").write_text("<p>\n" * 121)
    (tmp_path / "fine.py").write_text("pass\n" * 500)

    assert sizes.too_long(tmp_path) == [
        "actions.py: 501 lines, the limit is 500",
        "page.html: 121 lines, the limit is 120",
    ]


def test_every_module_says_what_it_is_for() -> None:
    silent = [
        str(path.relative_to(ROOT))
        for path in python_files()
        if not ast.get_docstring(ast.parse(path.read_text("utf-8")))
    ]

    assert silent == []


def test_no_file_has_a_name_that_says_nothing() -> None:
    assert [str(path.relative_to(ROOT)) for path in python_files() if path.stem in NAMELESS] == []


@pytest.mark.parametrize("area", areas())
def test_an_area_says_what_it_owns(area: str) -> None:
    doc = ast.get_docstring(
        ast.parse((ROOT / "hospital" / area / "__init__.py").read_text("utf-8"))
    )

    assert doc


def test_builders_call_actions_and_write_no_rows_themselves() -> None:
    writers = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in (ROOT / "hospital" / "testing").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Attribute)
        and node.attr in ROW_WRITERS
        and isinstance(node.value, ast.Attribute)
        and node.value.attr == "objects"
    ]

    assert writers == []


def test_components_get_explicit_arguments_only() -> None:
    open_includes = [
        f"{path.relative_to(ROOT)}: {include}"
        for path in (ROOT / "hospital").rglob("*.html")
        for include in COMPONENT.findall(path.read_text("utf-8"))
        if not re.search(r"\bonly\s*%}$", include)
    ]

    assert open_includes == []
