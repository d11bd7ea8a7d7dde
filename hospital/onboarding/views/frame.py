"""What all master-data pages share: the row of kinds above them."""

from django.urls import reverse

from hospital.onboarding import queries


def tabs(current: str) -> list[dict[str, object]]:
    """One tab a kind of master data; `current` is the slug of this page's."""
    return [
        {
            "label": sheet.title,
            "url": reverse("onboarding-rows", args=[sheet.slug]),
            "active": sheet.slug == current,
        }
        for sheet in queries.PAGES
    ]
