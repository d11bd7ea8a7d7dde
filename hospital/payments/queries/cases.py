"""What waits for a person."""

from hospital.payments.models import PaymentCase
from hospital.payments.queries.desk import SEARCH_LIMIT


def open_cases() -> list[PaymentCase]:
    """What waits for a person, oldest first."""
    return list(
        PaymentCase.objects.filter(closed_at__isnull=True)
        .select_related("payment", "refund")
        .order_by("opened_at", "pk")[:SEARCH_LIMIT]
    )
