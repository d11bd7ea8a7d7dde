"""`make demo`: the whole hospital on this machine, until Ctrl-C.

Starts PostgreSQL (or uses DATABASE_URL), makes keys at the first run, loads the demo hospital with
the product's own importer, starts the stand-in for WeChat and every process of the product, prints
one table and then watches. `python -m tools.demo clean` removes what a demo left in DATA.
"""

import datetime as dt
import fcntl
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import NoReturn

from tools import demo_table
from tools.demo_place import Place, Unsuitable, answers
from tools.processes import Family, StepFailed

ROOT = Path(__file__).resolve().parents[1]
READY_SECONDS = 60
WATCH_SECONDS = 0.3


class Stopped(BaseException):
    """Somebody asked us to stop; not an Exception, so that nobody catches it on the way."""


@dataclass
class Demo:
    """One run: where it lives and the programs it started."""

    place: Place
    family: Family

    def prepare(self) -> None:
        """The stand-in for WeChat, whose facts the settings need, and a filled database."""
        self.open_wechat()
        self.fill()

    def open_wechat(self) -> None:
        """The stand-in for WeChat; from then on the settings know its facts."""
        self._step("starting the stand-in for WeChat", self._start_sandbox)

    def fill(self) -> None:
        """Tables and the demo hospital's data."""
        self._step("making the tables", lambda: self._manage("migrate", "--verbosity", "0"))
        self._step(
            "loading the demo hospital", lambda: self._manage("import_base", "demo/hospital.xlsx")
        )
        self._step(
            "binding one-time codes to the demo's administrators",
            lambda: self._manage("second_factor", "--demo"),
        )
        self._step(
            "opening the clinics of the next two weeks",
            lambda: self._manage("run_job", "scheduling.jobs.generate_schedules"),
        )

    def start(self) -> None:
        """The processes of the product; returns when each of them answers."""
        place = self.place
        manage = (sys.executable, "manage.py")
        # More threads than this a small machine cannot use; granian warns of them.
        threads = min(8, 2 * (os.cpu_count() or 1) + 1)
        self.family.start(
            "web", (*manage, "serve", "--port", str(place.port), "--threads", str(threads))
        )
        self.family.start("worker", (*manage, "worker"))
        self.family.start("live", (*manage, "live", "--port", str(place.live_port)))
        # They take their time to come up; this is done meanwhile.
        self._step(
            "publishing the account's menu and answers",
            lambda: self._manage("set_up_account", "demo/account.json"),
        )
        self._step("waiting until every process answers", self._wait)

    def watch(self) -> NoReturn:
        """Show warnings until told to stop. Raises StepFailed when a process ends by itself."""
        while True:
            self.family.show_news()
            self.family.complain_if_dead()
            if not self.place.database_lives():
                raise StepFailed(f"PostgreSQL stopped by itself; see {self.place.data}/pg/log")
            time.sleep(WATCH_SECONDS)

    def _start_sandbox(self) -> None:
        place = self.place
        place.wechat_facts.unlink(missing_ok=True)
        self.family.start("wechat", place.sandbox_command())
        self.family.wait_until(
            lambda: place.wechat_facts.exists() and answers(f"{place.sandbox_url}/"),
            what="the stand-in for WeChat",
            seconds=READY_SECONDS,
        )
        self.family.environment = {**self.family.environment, **place.sms_platform()}

    def _wait(self) -> None:
        self.family.wait_until(self._all_answer, what="the hospital", seconds=READY_SECONDS)

    def _all_answer(self) -> bool:
        return answers(f"{self.place.url}/readyz") and self.place.live_listens()

    def _manage(self, command: str, *arguments: str) -> None:
        self.family.run(command, (sys.executable, "manage.py", command, *arguments))

    def _step(self, what: str, do: Callable[[], None]) -> None:
        print(f"demo: {what} … ", end="", flush=True)
        started = time.monotonic()
        try:
            do()
        except BaseException:
            print(flush=True)
            raise
        print(f"{time.monotonic() - started:.1f} s", flush=True)


def say(text: str) -> None:
    print(f"demo: {text}", flush=True)


def run(place: Place) -> int:
    """The whole life of a demo; the exit code."""
    started = time.monotonic()
    family: Family | None = None
    try:
        if place.reset:
            say(f"starting over: emptying {place.data}")
            place.empty()
        say(f"starting PostgreSQL in {place.data}/pg …" if place.embedded else "using DATABASE_URL")
        place.open_database()
        family = Family(place.data / "log", place.environment())
        demo = Demo(place, family)
        demo.prepare()
        demo.start()
        seconds = time.monotonic() - started
        print(demo_table.text(place, ROOT / "demo" / "hospital.xlsx"), flush=True)
        say(f"ready after {seconds:.0f} s. Ctrl-C stops everything.")
        demo.watch()
    except Stopped:
        say("stopping …")
        return 0
    except StepFailed as problem:
        say(str(problem))
        return 1
    finally:
        _ignore_signals()
        if family is not None:
            family.stop()
        place.close_database()
        say(f"stopped at {dt.datetime.now().astimezone():%H:%M:%S}; the data stay in {place.data}")


@contextmanager
def alone(place: Place) -> Iterator[None]:
    """Hold DATA for this demo. Raises Unsuitable when another one holds it."""
    place.data.mkdir(parents=True, exist_ok=True)
    with (place.data / "demo.lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise Unsuitable(
                f"a demo already uses {place.data}; stop it, or choose another folder and ports: "
                "make demo DATA=.run2 PORT=8010 SANDBOX_PORT=8011 LIVE_PORT=8012"
            ) from None
        yield


def _stop_on_signals() -> None:
    def stop(number: int, frame: FrameType | None) -> None:
        raise Stopped

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)


def _ignore_signals() -> None:
    # Stopping takes seconds and ends by itself; an impatient second Ctrl-C must not cut it short.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)


def main() -> int:
    os.chdir(ROOT)
    try:
        place = Place.from_environment(os.environ, root=ROOT)
        with alone(place):
            if sys.argv[1:] == ["clean"]:
                place.empty()
                say(f"removed what demos left in {place.data}")
                return 0
            place.check_ports()
            _stop_on_signals()
            return run(place)
    except Unsuitable as problem:
        say(str(problem))
        return 2


if __name__ == "__main__":
    sys.exit(main())
