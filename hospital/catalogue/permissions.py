"""Who may change prices (chapter 7: the data steward edits, finance answers for prices)."""

from hospital.kernel.permissions import Permission

EDIT_PRICES = Permission(
    code="catalogue.edit_prices",
    label="维护收费项目、号别和挂号费",
    roles=("system_admin", "finance"),
)
