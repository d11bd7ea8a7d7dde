"""A session's waiting list as far as its numbers know of it: one flag that keeps them for the list.

Who waits is kept by registration. It locks the session here before it decides that the list begins
or is over, so that nobody is left waiting behind a flag that was taken away.
"""

from django.db import connection

from hospital.live import actions as live
from hospital.scheduling.models import Schedule

_LOCK = "SELECT has_waiting FROM scheduling_schedule WHERE id = %s FOR NO KEY UPDATE"


def lock_list(*, schedule_id: int) -> None:
    """Lock a session to the end of the transaction: its list begins and ends by turns."""
    assert connection.in_atomic_block, "a lock outside a transaction holds nothing"
    with connection.cursor() as cursor:
        cursor.execute(_LOCK, [schedule_id])


def keep_for_list(*, schedule_id: int, is_kept: bool) -> None:
    """Keep the numbers that come free for the waiting list, or give them to everybody again."""
    found = Schedule.objects.filter(pk=schedule_id).exclude(has_waiting=is_kept)
    if found.update(has_waiting=is_kept):
        live.publish("schedules", f"schedule:{schedule_id}")
