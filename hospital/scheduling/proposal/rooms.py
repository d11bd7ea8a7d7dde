"""Which session sits in which room, once it is known that the rooms suffice. Pure.

A maximum matching by augmenting paths for each time of a day; a session keeps the room the template
gave it, or the one its doctor already has that day, where it can.
"""

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace

from hospital.scheduling.proposal.problem import Assignment, Period, Problem, Roster

Time = tuple[dt.date, Period]


def furnish(problem: Problem, roster: Roster) -> Roster:
    """The roster with a room for every session that needs one; what is fixed stays as it is."""
    liked = {one.seat: one.room for one in problem.template}
    rooms_of_day: dict[tuple[str, dt.date], str] = {}
    done: list[Assignment] = []
    for _, there in sorted(_by_time(roster).items()):
        given = _match(problem, there, liked, rooms_of_day)
        for number, one in enumerate(there):
            seated = replace(one, room=given[number]) if number in given else one
            if seated.room is not None:
                rooms_of_day[seated.person, seated.day] = seated.room
            done.append(seated)
    return tuple(done)


def used_rooms(roster: Roster, time: Time) -> frozenset[str]:
    """Rooms the roster has given away at that time."""
    return frozenset(
        one.room for one in roster if one.room is not None and (one.day, one.period) == time
    )


def free_rooms(problem: Problem, time: Time, used: frozenset[str]) -> list[str]:
    """Rooms nobody has at that time."""
    return [room.id for room in problem.rooms if room.id not in used and time not in room.taken]


def _by_time(roster: Roster) -> dict[tuple[dt.date, int], list[Assignment]]:
    order = {period: number for number, period in enumerate(Period)}
    found: dict[tuple[dt.date, int], list[Assignment]] = {}
    for one in sorted(roster, key=lambda one: one.seat):
        found.setdefault((one.day, order[one.period]), []).append(one)
    return found


def _match(
    problem: Problem,
    there: list[Assignment],
    liked: dict[tuple[str, dt.date, Period, str], str | None],
    rooms_of_day: dict[tuple[str, dt.date], str],
) -> dict[int, str]:
    """Room ids for the sessions (by their number) that wait for one."""
    time = (there[0].day, there[0].period)
    free = free_rooms(problem, time, used_rooms(tuple(there), time))
    waiting = [
        number
        for number, one in enumerate(there)
        if one.room is None
        and one not in problem.fixed_inside
        and problem.service_by_id[one.service].needs_room
    ]
    choices = {
        number: _in_order(
            [room for room in free if problem.room_by_id[room].serves(there[number].service)],
            liked.get(there[number].seat),
            rooms_of_day.get((there[number].person, there[number].day)),
        )
        for number in waiting
    }
    sits: dict[str, int] = {}
    for number in waiting:
        _seat(number, choices, sits, set())
    return {number: room for room, number in sits.items()}


def _in_order(rooms: list[str], *first: str | None) -> list[str]:
    ahead = [room for room in first if room in rooms]
    return list(dict.fromkeys((*ahead, *rooms)))


def _seat(number: int, choices: dict[int, list[str]], sits: dict[str, int], seen: set[str]) -> bool:
    """Find a room for one session, moving others where that helps."""
    for room in _unseen(choices[number], seen):
        if room not in sits:
            sits[room] = number
            return True
    for room in choices[number]:
        if room in seen:
            continue
        seen.add(room)
        if _seat(sits[room], choices, sits, seen):
            sits[room] = number
            return True
    return False


def _unseen(rooms: list[str], seen: set[str]) -> Iterator[str]:
    return (room for room in rooms if room not in seen)
