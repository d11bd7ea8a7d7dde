"""JSON log lines with the id of the request they belong to.

The id is born with a page request (or a job), travels as a job argument and as a header of
outgoing calls. Lines carry ids only, never names, document numbers, phones, openids or keys (X15).
"""

import contextlib
import json
import logging
import secrets
import traceback
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Final

_request_id: ContextVar[str] = ContextVar("request_id", default="")
_STANDARD: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_OWN: Final = frozenset({"request", "server_time"})  # Django's extras that hold whole objects
_WITH_PATHS: Final = frozenset({"django.request", "django.server", "django.security.csrf"})


def new_request_id() -> str:
    return secrets.token_hex(8)


def current_request() -> str:
    """The id of the request or job being served; "" outside of both."""
    return _request_id.get()


@contextlib.contextmanager
def bound(*, request_id: str) -> Iterator[None]:
    """Everything logged inside belongs to this request."""
    token = _request_id.set(request_id)
    try:
        yield
    finally:
        _request_id.reset(token)


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time, level, logger, message, request_id, extras, traceback."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "at": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"),
            "level": record.levelname,
            "logger": record.name,
            "message": _message(record),
        }
        if request_id := current_request():
            line["request_id"] = request_id
        for key, value in vars(record).items():
            if key not in _STANDARD and key not in _OWN and not key.startswith("_"):
                line[key] = value if isinstance(value, str | int | float | bool) else str(value)
        if record.exc_info and record.exc_info[0] is not None:
            line["error"] = record.exc_info[0].__name__
            line["traceback"] = _frames(record)
        return json.dumps(line, ensure_ascii=False)


def _message(record: logging.LogRecord) -> str:
    """What is said. Django's own lines about a request end in its path, where tokens stand."""
    if record.name in _WITH_PATHS and isinstance(record.args, tuple) and record.args:
        return str(record.args[0])
    return record.getMessage()


def _frames(record: logging.LogRecord) -> list[str]:
    """Where it broke. The exception's text stays out: it may quote a person's data."""
    assert record.exc_info is not None
    return [
        f"{frame.filename}:{frame.lineno} {frame.name}"
        for frame in traceback.extract_tb(record.exc_info[2])
    ]
