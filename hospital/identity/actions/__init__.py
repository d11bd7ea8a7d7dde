"""Every write of the identity area: log-in, staff accounts and roles, WeChat users."""

from hospital.identity.actions.accounts import save_staff
from hospital.identity.actions.attempts import (
    FAILURES_PER_ACCOUNT,
    FAILURES_PER_ADDRESS,
    LOGIN_WINDOW_MINUTES,
    LoginRefused,
    TooManyAttempts,
    log_in_staff,
    log_out_staff,
)
from hospital.identity.actions.passwords import WrongPassword, change_password
from hospital.identity.actions.sessions import clear_sessions
from hospital.identity.actions.wechat_users import (
    record_following,
    set_blocked,
    set_display,
    sign_in_wechat_user,
)

__all__ = [
    "FAILURES_PER_ACCOUNT",
    "FAILURES_PER_ADDRESS",
    "LOGIN_WINDOW_MINUTES",
    "LoginRefused",
    "TooManyAttempts",
    "WrongPassword",
    "change_password",
    "clear_sessions",
    "log_in_staff",
    "log_out_staff",
    "record_following",
    "save_staff",
    "set_blocked",
    "set_display",
    "sign_in_wechat_user",
]
