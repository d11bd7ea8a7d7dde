"""QR codes of ours: printed once, the same when printed again, revoked for good (M5.1, M5.3)."""

import datetime as dt
from collections.abc import Collection

from django.db import transaction

from hospital.billing import actions as billing
from hospital.kernel import audit, serials
from hospital.kernel.actors import Actor
from hospital.kernel.errors import NotFound
from hospital.payments.models import PayCode


def create_pay_code(*, bill_ids: Collection[int], by: Actor, at: dt.datetime) -> PayCode:
    """The code that pays these bills: the one that exists for exactly them, else a new one, so
    that a slip printed again carries the same token. Raises NotFound."""
    with transaction.atomic():
        bills = billing.lock_bills(bill_ids=bill_ids)
        if not bills:
            raise NotFound
        wanted = {bill.pk for bill in bills}
        for code in PayCode.objects.filter(
            bills=bills[0], revoked_at__isnull=True
        ).prefetch_related("bills"):
            if {bill.pk for bill in code.bills.all()} == wanted:
                return code
        code = PayCode.objects.create(token=serials.opaque(), created_by=str(by), created_at=at)
        code.bills.set(bills)
        return code


def revoke_pay_code(*, pay_code_id: int, reason: str = "", by: Actor, at: dt.datetime) -> PayCode:
    """Whoever scans it from now on pays nothing by it; what was paid stays. Raises NotFound."""
    with transaction.atomic():
        code = PayCode.objects.select_for_update(no_key=True).filter(pk=pay_code_id).first()
        if code is None:
            raise NotFound
        if code.revoked_at is None:
            # The clock of the server that made it may be ahead of ours.
            code.revoked_at, code.revoked_by = max(at, code.created_at), str(by)
            code.save(update_fields=["revoked_at", "revoked_by"])
            audit.record(
                act="payments.revoke_pay_code", subject=code, by=by, at=at, reason=reason[:200]
            )
        return code
