"""News upwards. `emit` and `later` defer jobs inside the caller's transaction (law 2).

The job table is the outbox: a job exists if and only if its cause was committed. Which jobs an
event wakes is the table in hospital/reactions.py, installed here when Django starts.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import asdict

from procrastinate.contrib.django import app

from hospital.kernel import logs

JobName = str
Reactions = Mapping[type, Sequence[JobName]]

_reactions: dict[type, tuple[JobName, ...]] = {}


class UnknownJob(Exception):
    """A reaction or a timer names a job that no area declares."""


def install(reactions: Reactions) -> None:
    """Take over the table; raises UnknownJob when a name in it is no job."""
    missing = {name for names in reactions.values() for name in names} - set(app.tasks)
    if missing:
        raise UnknownJob(", ".join(sorted(missing)))
    _reactions.clear()
    _reactions.update({event: tuple(names) for event, names in reactions.items()})


def installed() -> Reactions:
    """The table in force, for the generated docs."""
    return dict(_reactions)


def emit(event: object) -> None:
    """Defer every job that listens to this event (a frozen dataclass of ids)."""
    for name in _reactions.get(type(event), ()):
        later(name, **asdict(event))  # type: ignore[call-overload]


def later(job: JobName, *, at: dt.datetime | None = None, **ids: int | str) -> None:
    """Defer one job by name, now or at a moment (UTC), committed with the caller's work.

    Raises UnknownJob when no area declares it.
    """
    if job not in app.tasks:
        raise UnknownJob(job)
    if request_id := logs.current_request():
        ids = {**ids, "request_id": request_id}
    app.configure_task(job, schedule_at=at).defer(**ids)
