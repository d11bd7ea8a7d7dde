"""Who agrees to what things cost (chapter 7: the data steward types, finance approves)."""

from hospital.kernel.permissions import Permission

APPROVE_PRICE = Permission(code="catalogue.approve_price", label="批准价格", roles=("finance",))
