"""Tables of the identity area: people who may act and how they proved it."""

from hospital.identity.models.accounts import StaffAccount, StaffAccounts
from hospital.identity.models.attempts import LoginAttempt
from hospital.identity.models.roles import RoleAssignment
from hospital.identity.models.wechat_users import WeChatUser

__all__ = ["LoginAttempt", "RoleAssignment", "StaffAccount", "StaffAccounts", "WeChatUser"]
