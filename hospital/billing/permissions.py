"""Who may see bills and the ledger (chapter 7: finance reads, collects nothing)."""

from hospital.kernel.permissions import Permission

VIEW_BILLS = Permission(
    code="billing.view_bills",
    label="查看账单与收支分录",
    roles=("registration_clerk", "outpatient_office", "finance", "cashier"),
)
