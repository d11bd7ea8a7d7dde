"""`make bench`: bookings and pages a second, each beside its physical limit, in one run.

Prints each section as it comes, for the next may take half an hour and fail; at the end the whole
page, written to docs/benchmarks.md. About forty minutes on two cores.
"""

import os
import sys
import tempfile
from pathlib import Path

from benchmarks import rush, world


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hospital.config.settings")
    os.environ["LOG_LEVEL"] = "WARNING"
    url = world.fresh_database()
    import django
    from django.core.management import call_command

    django.setup()
    say("making the tables …")
    call_command("migrate", verbosity=0)
    say("making clinics and people …")
    clinics = world.clinics(16, capacity=400)
    from benchmarks import bills, hints, messages, notices, patients, rosters, utilisation
    from benchmarks.measure import PEOPLE, measure
    from benchmarks.report import write

    people = world.people(PEOPLE)

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        figures = measure(url, clinics, people, folder, say=say)
        say("the rush at seven …")
        sections = [
            tell(rush.section(_rush(), figures.booking_limit.per_second, figures.bare.per_second))
        ]
        say("payment notices …")
        sections.append(tell(notices.section(notices.measure(url, folder))))
        say("hints to a thousand open pages …")
        sections.append(tell(hints.section(hints.measure(url))))
        say("a bill of a million rows …")
        sections.append(tell(bills.section(bills.measure(folder))))
        say("messages …")
        sections.append(tell(messages.section(messages.measure(url, folder))))
    say("a hundred thousand patients …")
    sections.append(tell(patients.section(patients.measure())))
    say("a month's roster …")
    sections.append(tell(rosters.section(rosters.measure())))
    say("the use of numbers over a quarter …")
    sections.append(tell(utilisation.section(utilisation.measure())))
    write(figures, sections, world.versions(url))


def _rush() -> list[rush.Rush]:
    """Rushes upon clinics of their own."""
    from hospital.kernel import clock
    from hospital.registration.models import Appointment

    clinics = world.clinics(rush.clinics_needed(), capacity=rush.PLACES)
    people = iter(world.people(rush.people_needed(), seed=2))
    world.analyse()
    with world.server() as port:
        rushes = rush.measure(port, clinics, people)
    # A worker that reminds them all of their money would be measured with what comes next.
    Appointment.objects.update(reminded_at=clock.now())
    return rushes


def say(text: str) -> None:
    """Progress for the person waiting, apart from the figures."""
    print(f"bench: {text}", file=sys.stderr, flush=True)


def tell(section: str) -> str:
    """Print a section's figures as soon as they are known: the next may take half an hour."""
    print(section, flush=True)
    return section


if __name__ == "__main__":
    main()
