"""Every read of the identity area: WeChat users, staff accounts, what an account may do."""

from hospital.identity.queries.accounts import staff_account, staff_names
from hospital.identity.queries.attempts import login_failures
from hospital.identity.queries.grants import assignments, may, permissions_of, roles_of
from hospital.identity.queries.holders import accounts_narrowed_to, accounts_of_practitioner
from hospital.identity.queries.wechat_users import lock_wechat_user, wechat_user

__all__ = [
    "accounts_narrowed_to",
    "accounts_of_practitioner",
    "assignments",
    "lock_wechat_user",
    "login_failures",
    "may",
    "permissions_of",
    "roles_of",
    "staff_account",
    "staff_names",
    "wechat_user",
]
