"""Making sessions with their bands and numbers: the one way, from a template or from a roster."""

from collections.abc import Iterable, Sequence
from typing import Final

from django.db import connection

from hospital.scheduling import bands, quotas, thresholds
from hospital.scheduling.models import Schedule, TimeBand
from hospital.scheduling.queries.unmade import held_in_weeks, week_caps
from hospital.scheduling.sessions import scopes_of
from hospital.scheduling.weeks import monday_of

_FILL: Final = """
    INSERT INTO scheduling_slot
        (schedule_id, band_id, sequence_no, is_add_on, pool, status, withheld)
    SELECT band.schedule_id, band.id, number, false,
        (string_to_array(dealt.pools, ','))[number], 'planned', ''
    FROM unnest(%(schedules)s::bigint[], %(pools)s::text[]) dealt(schedule_id, pools)
    JOIN scheduling_timeband band ON band.schedule_id = dealt.schedule_id,
         generate_series(band.first_sequence_no, band.first_sequence_no + band.capacity - 1) number
"""


def take_turns() -> None:
    """Wait until nobody else makes sessions of a week, or opens one, in another transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('scheduling:making', 0))")


def keep_week_caps(found: Iterable[Schedule]) -> list[Schedule]:
    """Take back of the sessions just made, still without numbers, what is beyond the most a doctor
    holds in a week: the latest of the week (M15.2). Returns those that stay."""
    made = list(found)
    people = {one.practitioner_id for one in made if one.practitioner_id is not None}
    if not people:
        return made
    counts = held_in_weeks(people, (one.visit_date for one in made))
    caps = week_caps(people)
    gone: set[int] = set()
    for (person, monday), count in counts.items():
        own = [
            one
            for one in sorted(made, key=lambda one: one.starts_at)
            if (one.practitioner_id, monday_of(one.visit_date)) == (person, monday)
        ]
        beyond = count - caps[person]
        gone.update(one.pk for one in own[-beyond:] if beyond > 0)
    if gone:
        Schedule.objects.filter(pk__in=gone).delete()
    return [one for one in made if one.pk not in gone]


def fill(sized: Sequence[tuple[Schedule, int]]) -> None:
    """Cut saved sessions into bands of so many minutes and deal their numbers to the channels by
    the quotas in force (M2.1, M2.2)."""
    TimeBand.objects.bulk_create(
        [
            TimeBand(
                schedule=schedule,
                first_sequence_no=band.first_sequence_no,
                starts_at=band.starts_at,
                ends_at=band.ends_at,
                capacity=band.capacity,
            )
            for schedule, band_minutes in sized
            for band in bands.cut(
                starts_at=schedule.starts_at,
                ends_at=schedule.ends_at,
                band_minutes=band_minutes,
                capacity=schedule.capacity,
            )
        ],
        batch_size=500,
    )
    dealt = [
        ",".join(
            quotas.deal(
                quotas.share(schedule.capacity, thresholds.quota_percents(*scopes_of(schedule)))
            )
        )
        for schedule, _ in sized
    ]
    with connection.cursor() as cursor:
        cursor.execute(_FILL, {"schedules": [schedule.pk for schedule, _ in sized], "pools": dealt})
