"""News and jobs fit together: the table is a table, its jobs exist and take what the news tells."""

import ast
import dataclasses
import inspect
from collections.abc import Iterator
from pathlib import Path

import pytest
from procrastinate.contrib.django import app

from hospital.kernel import events
from hospital.kernel.events import UnknownJob
from hospital.reactions import REACTIONS
from tools.inventory import ROOT


@dataclasses.dataclass(frozen=True)
class HouseBurnt:
    """News that nobody tells."""

    house_id: int


def own_files() -> list[Path]:
    files = (ROOT / "hospital").rglob("*.py")
    return [path for path in files if "tests" not in path.parts and "migrations" not in path.parts]


def deferred_names() -> Iterator[tuple[str, str]]:
    """(place, name) of every job deferred by a name written out."""
    for path in own_files():
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            called = node.func.attr if isinstance(node.func, ast.Attribute) else None
            called = node.func.id if isinstance(node.func, ast.Name) else called
            name = node.args[0]
            if called == "later" and isinstance(name, ast.Constant):
                yield f"{path.relative_to(ROOT)}:{node.lineno}", str(name.value)


def test_the_table_is_only_a_table() -> None:
    body = ast.parse((ROOT / "hospital" / "reactions.py").read_text("utf-8")).body
    kinds = [type(node) for node in body]

    assert kinds[0] is ast.Expr
    assert set(kinds[1:-1]) <= {ast.ImportFrom, ast.Import}
    assert kinds[-1] is ast.AnnAssign
    conditions = (ast.If, ast.IfExp, ast.Call, ast.Lambda)
    assert not [node for node in ast.walk(body[-1]) if isinstance(node, conditions)]


def test_an_unknown_job_in_the_table_stops_the_start() -> None:
    with pytest.raises(UnknownJob, match=r"brigade\.jobs\.come"):
        events.install({HouseBurnt: ["brigade.jobs.come"]})

    assert events.installed() == {news: tuple(jobs) for news, jobs in REACTIONS.items()}


@pytest.mark.parametrize("news", REACTIONS, ids=lambda news: str(news.__name__))
def test_news_is_a_frozen_record_of_ids(news: type) -> None:
    assert dataclasses.is_dataclass(news)
    assert news.__dataclass_params__.frozen  # type: ignore[attr-defined]
    assert news.__module__.endswith(".events")
    assert {field.type for field in dataclasses.fields(news)} <= {int, str, "int", "str"}


@pytest.mark.parametrize(
    ("news", "job"),
    [(news, job) for news, jobs in REACTIONS.items() for job in jobs],
    ids=lambda value: value.__name__ if isinstance(value, type) else str(value),
)
def test_a_job_needs_no_more_than_the_news_tells(news: type, job: str) -> None:
    parameters = inspect.signature(app.tasks[job].func).parameters.values()
    needed = {
        one.name for one in parameters if one.kind is one.KEYWORD_ONLY and one.default is one.empty
    }

    assert needed <= {field.name for field in dataclasses.fields(news)}


def test_jobs_deferred_by_name_exist() -> None:
    unknown = [f"{place}: {name}" for place, name in deferred_names() if name not in app.tasks]

    assert unknown == []


def test_jobs_load_ids_and_tolerate_what_they_do_not_know() -> None:
    strict = []
    for name, task in app.tasks.items():
        kinds = {one.kind for one in inspect.signature(task.func).parameters.values()}
        if task.func.__module__.startswith("hospital.") and not kinds <= {
            inspect.Parameter.KEYWORD_ONLY,
            inspect.Parameter.VAR_KEYWORD,
        }:
            strict.append(name)
    assert strict == []
