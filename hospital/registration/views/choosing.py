"""For whom a page of booking is: one of the user's own patients, chosen by a tap."""

from hospital.patients.queries import BoundPatient


def chosen_of(bound: list[BoundPatient], number: str) -> BoundPatient:
    """The patient asked for, else the default one, else the first."""
    asked = (person for person in bound if person.number == number)
    default = (person for person in bound if person.is_default)
    return next(asked, None) or next(default, None) or bound[0]


def choice(person: BoundPatient, chosen: BoundPatient) -> dict[str, object]:
    """A line of the picker."""
    return {
        "name": person.name,
        "note": f"{person.relationship.label} · {person.masked_document}",
        "url": f"?patient={person.number}",
        "is_current": person.number == chosen.number,
    }
