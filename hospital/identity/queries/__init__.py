"""Every read of the identity area: WeChat users, staff accounts, what an account may do."""

from hospital.identity.queries.accounts import staff_account, staff_names
from hospital.identity.queries.attempts import login_failures
from hospital.identity.queries.borrowed import (
    delegations_of,
    emergencies,
    emergencies_of,
    emergency,
    lendable,
)
from hospital.identity.queries.explaining import Explained, Holder, Reason, explain, who_may
from hospital.identity.queries.grants import (
    Holding,
    assignments,
    break_glass_of,
    holdings,
    may,
    own_holdings,
    permissions_of,
    reach,
    reach_of,
    roles_of,
)
from hospital.identity.queries.holders import (
    accounts_narrowed_to,
    accounts_of_practitioner,
    holders_of_role,
)
from hospital.identity.queries.people import (
    HeldRow,
    PersonRow,
    colleagues,
    people,
    person,
    roles_held,
)
from hospital.identity.queries.requests import (
    access_request,
    access_requests,
    requests_about,
    waiting_requests,
)
from hospital.identity.queries.roles import (
    EVERYBODY,
    RoleRow,
    changes,
    custom_role,
    default_grants,
    differences,
    grant_history,
    grants,
    grants_of,
    role_label,
    role_labels,
    roles,
    scopes_of,
)
from hospital.identity.queries.roles import forget as forget_grants
from hospital.identity.queries.wechat_users import lock_wechat_user, wechat_user
from hospital.identity.reach import EVERYTHING, Reach

__all__ = [
    "EVERYBODY",
    "EVERYTHING",
    "Explained",
    "HeldRow",
    "Holder",
    "Holding",
    "PersonRow",
    "Reach",
    "Reason",
    "RoleRow",
    "access_request",
    "access_requests",
    "accounts_narrowed_to",
    "accounts_of_practitioner",
    "assignments",
    "break_glass_of",
    "changes",
    "colleagues",
    "custom_role",
    "default_grants",
    "delegations_of",
    "differences",
    "emergencies",
    "emergencies_of",
    "emergency",
    "explain",
    "forget_grants",
    "grant_history",
    "grants",
    "grants_of",
    "holders_of_role",
    "holdings",
    "lendable",
    "lock_wechat_user",
    "login_failures",
    "may",
    "own_holdings",
    "people",
    "permissions_of",
    "person",
    "reach",
    "reach_of",
    "requests_about",
    "role_label",
    "role_labels",
    "roles",
    "roles_held",
    "roles_of",
    "scopes_of",
    "staff_account",
    "staff_names",
    "waiting_requests",
    "wechat_user",
    "who_may",
]
