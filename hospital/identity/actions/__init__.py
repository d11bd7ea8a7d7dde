"""Every write of the identity area: log-in, staff accounts and roles, WeChat users."""

from hospital.identity.actions.accounts import (
    change_account,
    open_account,
    reset_password,
    save_staff,
    switch_off,
    switch_on,
    temporary_password,
)
from hospital.identity.actions.asking import (
    AdministratorsDuty,
    NothingChanges,
    RoleIsFixed,
    RoleIsHeld,
    ask_for_grants,
    ask_for_new_role,
    ask_for_roles,
    ask_to_retire,
)
from hospital.identity.actions.assigning import (
    AdministratorsApart,
    LastAdministrator,
    Wanted,
    wanted_of,
)
from hospital.identity.actions.assigning import held as held_roles
from hospital.identity.actions.attempts import (
    FAILURES_PER_ACCOUNT,
    FAILURES_PER_ADDRESS,
    LOGIN_WINDOW_MINUTES,
    LoginRefused,
    TooManyAttempts,
    log_in_staff,
    log_out_staff,
)
from hospital.identity.actions.deciding import OwnAccess, approve_access, reject_access
from hospital.identity.actions.emergencies import (
    BREAK_GLASS_MINUTES,
    AlreadyReviewed,
    OwnEmergency,
    break_glass,
    review_break_glass,
)
from hospital.identity.actions.lending import MOST_DAYS as DELEGATION_MOST_DAYS
from hospital.identity.actions.lending import MoreThanOwn, NotToAdministrators, lend, take_back
from hospital.identity.actions.passwords import WrongPassword, change_password
from hospital.identity.actions.sessions import clear_sessions
from hospital.identity.actions.wechat_users import (
    record_following,
    set_blocked,
    set_display,
    sign_in_wechat_user,
)

__all__ = [
    "BREAK_GLASS_MINUTES",
    "DELEGATION_MOST_DAYS",
    "FAILURES_PER_ACCOUNT",
    "FAILURES_PER_ADDRESS",
    "LOGIN_WINDOW_MINUTES",
    "AdministratorsApart",
    "AdministratorsDuty",
    "AlreadyReviewed",
    "LastAdministrator",
    "LoginRefused",
    "MoreThanOwn",
    "NotToAdministrators",
    "NothingChanges",
    "OwnAccess",
    "OwnEmergency",
    "RoleIsFixed",
    "RoleIsHeld",
    "TooManyAttempts",
    "Wanted",
    "WrongPassword",
    "approve_access",
    "ask_for_grants",
    "ask_for_new_role",
    "ask_for_roles",
    "ask_to_retire",
    "break_glass",
    "change_account",
    "change_password",
    "clear_sessions",
    "held_roles",
    "lend",
    "log_in_staff",
    "log_out_staff",
    "open_account",
    "record_following",
    "reject_access",
    "reset_password",
    "review_break_glass",
    "save_staff",
    "set_blocked",
    "set_display",
    "sign_in_wechat_user",
    "switch_off",
    "switch_on",
    "take_back",
    "temporary_password",
    "wanted_of",
]
