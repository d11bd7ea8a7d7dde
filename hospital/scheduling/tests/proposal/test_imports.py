"""The solver is heavy (decision 0051): only the search imports it, and only inside a function."""

import ast
from collections.abc import Iterator
from pathlib import Path

from tools.inventory import ROOT

HOSPITAL = ROOT / "hospital"
PROPOSAL = HOSPITAL / "scheduling" / "proposal"
#: What brings the solver along.
SEARCH = frozenset(
    f"hospital.scheduling.proposal.{name}" for name in ("aims", "explain", "model", "solve")
)


def files_with(word: str) -> Iterator[Path]:
    """Files that may import it; parsing all of them takes long."""
    for path in HOSPITAL.rglob("*.py"):
        if "tests" not in path.parts and word in path.read_text("utf-8"):
            yield path


def imported(nodes: list[ast.stmt]) -> set[str]:
    """Modules named by imports among these statements, each with what is taken from it."""
    found: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            found |= {module, *(f"{module}.{alias.name}" for alias in node.names)}
    return found


def test_only_the_model_knows_the_solver() -> None:
    knowing = {
        path.relative_to(ROOT).as_posix()
        for path in files_with("ortools")
        if any(name.startswith("ortools") for name in imported(list(_statements(path))))
    }

    assert knowing == {"hospital/scheduling/proposal/model.py"}


def test_nobody_imports_the_search_when_a_file_is_loaded() -> None:
    early = {
        path.relative_to(ROOT).as_posix()
        for path in files_with("proposal")
        if PROPOSAL not in path.parents
        and imported(ast.parse(path.read_text("utf-8")).body) & SEARCH
    }

    assert early == set()


def _statements(path: Path) -> Iterator[ast.stmt]:
    tree = ast.parse(path.read_text("utf-8"))
    return (node for node in ast.walk(tree) if isinstance(node, ast.stmt))
