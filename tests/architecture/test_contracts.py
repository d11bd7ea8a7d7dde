"""The import contracts hold for the tree, and each of them can fail.

A contract that cannot fail protects nothing: each is shown a small copy of the tree with one
planted violation, and must name it.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

FLOORS = "Areas import only from lower floors"
FILES = "Inside every area, files import downwards"
SANDBOX_UNUSED = "Nothing imports the sandbox"
SANDBOX_ALONE = "The sandbox imports nothing of the hospital"
BUILDERS = "Only tests use the test builders"
DOORS = "Other areas enter through public files only"

AREA_FILES = ("models", "queries", "actions", "jobs", "events", "states", "views", "urls")


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run import-linter on the packages in `folder`, with this project's contracts."""
    return subprocess.run(
        [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder), "NO_COLOR": "1", "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def skeleton(tmp_path: Path) -> Path:
    """A legal tree in small: three areas on three floors, the library floor, the sandbox."""
    for area in ("kernel", "wechat", "patients", "billing", "payments", "config", "testing"):
        folder = tmp_path / "hospital" / area
        folder.mkdir(parents=True)
        for name in ("__init__", *AREA_FILES):
            (folder / f"{name}.py").touch()
    (tmp_path / "hospital" / "__init__.py").touch()
    (tmp_path / "hospital" / "reactions.py").touch()
    tests = tmp_path / "hospital" / "payments" / "tests"
    tests.mkdir()
    (tests / "__init__.py").touch()
    (tmp_path / "wechat_sandbox").mkdir()
    for name in ("__init__", "pay"):
        (tmp_path / "wechat_sandbox" / f"{name}.py").touch()
    (tmp_path / "tools").mkdir()
    for file in ("pyproject.toml", "tools/__init__.py", "tools/contracts.py"):
        shutil.copy(ROOT / file, tmp_path / file)
    return tmp_path


def plant(folder: Path, module: str, statement: str) -> None:
    path = folder.joinpath(*module.split(".")).with_suffix(".py")
    path.write_text(statement + "\n")


def test_the_tree_keeps_every_contract() -> None:
    result = lint_imports(ROOT)

    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize(
    ("module", "statement"),
    [
        ("hospital.payments.actions", "from hospital.billing import actions, events, queries"),
        ("hospital.payments.gateway", "from hospital.wechat import models\nimport hospital.kernel"),
        ("hospital.payments.views", "from hospital.payments import actions"),
        ("hospital.config.urls", "from hospital.payments import urls, views"),
        ("hospital.reactions", "from hospital.billing import events"),
        ("hospital.testing.queries", "from hospital.billing import models"),
        ("hospital.payments.tests.test_actions", "from hospital.testing import models"),
        ("hospital.payments.tests.test_jobs", "from hospital.billing import models"),
        (
            "hospital.payments.models",
            "from typing import TYPE_CHECKING\n"
            "if TYPE_CHECKING:\n    from hospital.billing.models import x",
        ),
    ],
)
def test_what_the_laws_allow_passes(skeleton: Path, module: str, statement: str) -> None:
    plant(skeleton, module, statement)

    result = lint_imports(skeleton)

    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize(
    ("contract", "module", "statement"),
    [
        (FLOORS, "hospital.kernel.actions", "from hospital.patients import actions"),
        (FLOORS, "hospital.billing.actions", "from hospital.payments import actions"),
        (FLOORS, "hospital.patients.queries", "import hospital.reactions"),
        (FLOORS, "hospital.attic.queries", "import hospital.kernel"),
        (FILES, "hospital.billing.models", "from hospital.billing import actions"),
        (FILES, "hospital.billing.actions", "from hospital.billing import jobs"),
        (FILES, "hospital.billing.states", "from hospital.billing import events"),
        (SANDBOX_UNUSED, "hospital.wechat.actions", "import wechat_sandbox.pay"),
        (SANDBOX_UNUSED, "hospital.payments.tests.test_pay", "import wechat_sandbox.pay"),
        (SANDBOX_ALONE, "wechat_sandbox.pay", "from hospital.kernel import models"),
        (BUILDERS, "hospital.payments.actions", "from hospital.testing import queries"),
        (DOORS, "hospital.payments.actions", "from hospital.billing.models import x"),
        (DOORS, "hospital.payments.jobs", "from hospital.billing import jobs"),
        (DOORS, "hospital.reactions", "import hospital.billing.jobs"),
    ],
)
def test_a_planted_violation_is_caught(
    skeleton: Path, contract: str, module: str, statement: str
) -> None:
    folder = skeleton.joinpath(*module.split(".")[:-1])
    folder.mkdir(exist_ok=True)
    (folder / "__init__.py").touch()
    plant(skeleton, module, statement)

    result = lint_imports(skeleton)

    assert result.returncode == 1, result.stdout
    assert f"{contract} BROKEN" in result.stdout
