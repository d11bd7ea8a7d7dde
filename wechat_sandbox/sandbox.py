"""The stand-in as one object: its file, keys, clock, faults, news and settings.

Product modules are plain functions over a `Sandbox`; nothing else is global.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from starlette.requests import Request

from wechat_sandbox.clock import Clock
from wechat_sandbox.faults import Faults
from wechat_sandbox.hub import Hub
from wechat_sandbox.keys import make_or_load
from wechat_sandbox.settings import Settings
from wechat_sandbox.store import Store

PUBLIC_KEY_MODE = "public_key"
CERTIFICATE_MODE = "certificate"


class Sandbox:
    """State shared by every route of one running stand-in."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.keys = make_or_load(settings.data)
        self.store = Store(Path(settings.data) / "sandbox.sqlite3")
        self.clock = Clock()
        self.clock.offset_s = float(self.store.meta("clock_offset_s", "0"))
        self.clock.shifts_wire = self.store.meta("clock_wire", "0") == "1"
        self.faults = Faults(self.store, self.clock)
        self.hub = Hub()
        self._first_keys = self.keys
        self.under_way: set[asyncio.Task[None]] = set()
        self._something_due = asyncio.Event()

    @property
    def notify_mode(self) -> str:
        """Which key signs notifications: a merchant setting, `public_key` or `certificate`."""
        return self.store.meta("notify_mode", PUBLIC_KEY_MODE)

    def restore_keys(self) -> None:
        """The platform certificate of the files signs again, whatever was rotated."""
        self.keys = self._first_keys

    def set_clock(self, offset_s: float, *, wire: bool = False) -> None:
        """Shift the stand-in's clock; with `wire` also the stamps in signatures."""
        self.clock.offset_s, self.clock.shifts_wire = offset_s, wire
        self.store.set_meta("clock_offset_s", str(offset_s))
        self.store.set_meta("clock_wire", "1" if wire else "0")
        self.wake()

    def wake(self) -> None:
        """Tell the timers that something may be due earlier than they thought."""
        self._something_due.set()

    async def rest(self, seconds: float) -> None:
        """Sleep until woken, or this long."""
        try:
            await asyncio.wait_for(self._something_due.wait(), seconds)
        except TimeoutError:
            return
        finally:
            self._something_due.clear()


def sandbox_of(request: Request) -> Sandbox:
    """The stand-in that serves this request."""
    sandbox: Sandbox = request.app.state.sandbox
    return sandbox
