"""What the documents name exists: files, functions, jobs, addresses, commands."""

import re
from functools import cache
from pathlib import Path

import pytest

from tools.inventory import ROOT

LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
QUOTED = re.compile(r"`([^`\n]+)`")
#: `area/file.py: name` or `area/file.py`.
PLACE = re.compile(r"([\w/]+\.(?:py|js|html|css|sh))(?:: ([\w, ]+))?")
NAME = re.compile(r"_?[a-z]\w*_\w+|[A-Z]+[a-z]\w*|[a-z]\w+\.[a-z_]\w+(?:\.[a-z_]\w+)*")
MAKE = re.compile(r"\bmake ([a-z]+)\b")
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
CODE = ("hospital", "wechat_sandbox", "tests", "tools", "benchmarks", "demo")


def documents() -> list[Path]:
    """Every page somebody may read, the generated ones too."""
    found = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    return sorted(found + [path for folder in CODE for path in (ROOT / folder).rglob("README.md")])


def told(path: Path) -> str:
    return FENCE.sub("", path.read_text("utf-8"))


@cache
def sources() -> dict[str, str]:
    """The text of each file of ours by its path."""
    return {
        str(path.relative_to(ROOT)): path.read_text("utf-8")
        for folder in CODE
        for suffix in ("*.py", "*.js", "*.html", "*.css", "*.sh")
        for path in (ROOT / folder).rglob(suffix)
        if path.name not in {"test_documents.py"} and "vendor" not in path.parts
    }


@cache
def words() -> frozenset[str]:
    """Every name in our code, and every file's own."""
    texts = [*sources().values(), *sources()]
    return frozenset(word for text in texts for word in re.findall(r"\w+", text))


def problems_of(text: str) -> list[str]:
    """What a page quotes as code and is not there."""
    wrong = []
    for quoted in QUOTED.findall(text):
        place = PLACE.fullmatch(quoted)
        if place:
            files = [
                body for name, body in sources().items() if f"/{name}".endswith(f"/{place[1]}")
            ]
            named = re.findall(r"\w+", place[2] or "")
            if not any(all(re.search(rf"\b{one}\b", body) for one in named) for body in files):
                wrong.append(quoted)
        elif NAME.fullmatch(quoted) and not set(re.findall(r"\w+", quoted)) <= words():
            wrong.append(quoted)
    return wrong


def test_every_link_leads_somewhere() -> None:
    broken = [
        f"{page.relative_to(ROOT)}: {link}"
        for page in documents()
        for link in LINK.findall(told(page))
        if "://" not in link and not (page.parent / link).exists()
    ]
    assert broken == []


@pytest.mark.parametrize("folder", ["walks", "decisions"])
def test_what_a_page_quotes_exists(folder: str) -> None:
    pages = sorted((ROOT / "docs" / folder).glob("*.md"))
    assert {page.name: found for page in pages if (found := problems_of(told(page)))} == {}


def test_a_name_nobody_has_is_found() -> None:
    text = (
        "`payments/actions/results.py: record_result`, `record_everything`, `kernel/money.py: x9`"
    )
    assert problems_of(text) == ["record_everything", "kernel/money.py: x9"]


def test_every_command_is_a_target() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    said = {
        command
        for page in documents()
        for quoted in [*QUOTED.findall(told(page)), *FENCE.findall(page.read_text("utf-8"))]
        for command in MAKE.findall(quoted)
    }
    assert said - targets == set()


@pytest.mark.parametrize("folder", ["decisions", "walks"])
def test_the_index_lists_every_page_in_order(folder: str) -> None:
    pages = sorted(path.name for path in (ROOT / "docs" / folder).glob("[0-9]*.md"))
    assert LINK.findall((ROOT / "docs" / folder / "README.md").read_text("utf-8")) == pages
