"""For whom a page of booking is, one of the user's own patients; and where to go from a refusal."""

from django.urls import reverse

from hospital.kernel import clock
from hospital.kernel.errors import NotFound, Refusal
from hospital.patients.queries import BoundPatient
from hospital.registration import queries, rules


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


def lead_on(refusal: Refusal, *, user_id: int, patient: str) -> None:
    """Have the refusal's page lead to the booking that stands in the way, or to the record behind
    a restriction, where one may object (M1.10). `patient` is one of the user's own."""
    if isinstance(refusal, rules.Restricted) and refusal.details.get("until"):
        url = reverse("registration-standing", args=[patient])
        refusal.details["way_on"] = {"url": url, "label": "查看记录、申诉"}
    number = refusal.details.get("number")
    if not isinstance(number, str):
        return
    try:
        queries.appointment_for(wechat_user_id=user_id, number=number, at=clock.now())
    except NotFound:  # a patient's this user no longer acts for
        return
    url = reverse("registration-appointment", args=[number])
    refusal.details["way_on"] = {"url": url, "label": "去看那个预约"}
