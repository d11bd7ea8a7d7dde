"""Generated page about everything a hospital can set: the environment and configuration rows."""

from hospital.config import env
from hospital.kernel.settings_rows import all_settings
from tools.tables import page, table


def settings() -> str:
    """Environment variables of every process, then the rows a hospital edits in the product."""
    variables = table(
        ("variable", "kind", "default", "what it does"),
        [(f"`{one.name}`", one.kind, _code(one.default), one.meaning) for one in env.documented],
    )
    rows = table(
        ("key", "名称", "default", "unit", "range", "rule"),
        [
            (
                f"`{one.key}`",
                one.label,
                _code(str(one.default)),
                one.unit,
                _range(one.minimum, one.maximum),
                one.rule,
            )
            for one in all_settings()
        ],
    )
    return page(
        "Settings",
        "Where a value is missing or unreadable, the start is refused with its name.",
        f"## Environment\n\n{variables}",
        "## Configuration rows\n\nTyped rows with history; the most specific scope wins: "
        f"practitioner, service type, department, hospital.\n\n{rows}",
    )


def _code(text: str) -> str:
    return f"`{text}`" if text else ""


def _range(minimum: int | None, maximum: int | None) -> str:
    if minimum is None and maximum is None:
        return ""
    return f"{'' if minimum is None else minimum}…{'' if maximum is None else maximum}"
