"""Generated pages about work done behind the pages: jobs, reactions, messages."""

from collections.abc import Iterable
from typing import Any

from procrastinate.contrib.django import app

from hospital.kernel import events
from hospital.kernel.jobs import Retry
from hospital.messaging.registry import KINDS, Kind
from tools.tables import first_sentence, page, table


def jobs() -> str:
    """Every job with its schedule and retries, then which news wakes which jobs."""
    schedules = {
        entry.task.name: entry.cron for entry in app.periodic_registry.periodic_tasks.values()
    }
    rows = [
        (f"`{name}`", first_sentence(task.func.__doc__), _code(schedules.get(name)), _retries(task))
        for name, task in sorted(app.tasks.items())
        if task.func.__module__.startswith("hospital.")
    ]
    reactions = [
        (
            f"`{_short(event)}`",
            first_sentence(event.__doc__),
            ", ".join(f"`{name}`" for name in names),
        )
        for event, names in events.installed().items()
    ]
    return page(
        "Jobs",
        "Times are UTC cron text. A job is committed with its cause, retried, and may run twice.",
        table(("job", "what it does", "when", "retries"), rows),
        "## News and the jobs it wakes\n\n" + table(("news", "it tells", "jobs"), reactions),
    )


def messages() -> str:
    """Every kind of message with its fields."""
    rows = [
        (
            kind.code,
            kind.title,
            "、".join(kind.fields.values()),
            _fields(kind.fields),
            _ways(kind),
            "no" if kind.is_urgent else "yes",
            kind.switch.label if kind.switch else "never",
        )
        for kind in KINDS.values()
    ]
    return page(
        "Messages",
        "Each goes out once per event, through WeChat and into the in-app inbox, and opens the "
        "exact thing it speaks of; what is for members of staff goes by SMS alone. At most five "
        "short fields; no diagnosis, drug or full ID. The channels are tried in their order; the "
        "inbox has it from the start.",
        table(
            (
                "kind",
                "title",
                "what people read",
                "fields in code",
                "channels",
                "waits at night",
                "switched off by",
            ),
            rows,
        ),
    )


def _ways(kind: Kind) -> str:
    """The channels in the order they are tried."""
    if kind.audience == "staff":
        return "SMS → page"
    ways = ["WeChat"]
    ways += ["SMS"] if kind.sms else []
    ways += ["inbox"]
    ways += ["call list"] if kind.is_urgent else []
    return " → ".join(ways)


def _fields(names: Iterable[str]) -> str:
    return " ".join(f"`{name}`" for name in names)


def _retries(task: Any) -> str:
    strategy = task.retry_strategy
    if not isinstance(strategy, Retry):
        return "none"
    waits = ", ".join(str(wait) for wait in strategy.waits)
    return f"{strategy.attempts} times, after {waits} s"


def _short(event: type) -> str:
    return f"{event.__module__}.{event.__name__}".removeprefix("hospital.")


def _code(text: str | None) -> str:
    return f"`{text}`" if text else ""
