"""What all master-data pages share: the row of kinds above them."""

from django.urls import reverse

from hospital.onboarding import queries


def tabs(current: str) -> list[dict[str, object]]:
    """One tab a kind of master data, and the workbook; `current` is the slug of this page's."""
    kinds: list[dict[str, object]] = [
        {
            "label": sheet.noun,
            "url": reverse("onboarding-rows", args=[sheet.slug]),
            "active": sheet.slug == current,
        }
        for sheet in queries.PAGES
    ]
    workbook = {
        "label": "导入导出",
        "url": reverse("onboarding-workbook"),
        "active": current == "workbook",
    }
    return [*kinds, workbook]
