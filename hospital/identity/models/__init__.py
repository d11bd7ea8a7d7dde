"""Tables of the identity area: people who may act and how they proved it."""

from hospital.identity.models.accounts import StaffAccount, StaffAccounts
from hospital.identity.models.attempts import LoginAttempt
from hospital.identity.models.borrowed import BreakGlass, Delegation
from hospital.identity.models.devices import Device
from hospital.identity.models.requests import AccessRequest
from hospital.identity.models.roles import CUSTOM, CustomRole, GrantChange, RoleAssignment
from hospital.identity.models.second_factor import PasswordUsed, RecoveryCode, SecondFactor
from hospital.identity.models.sessions import NetworkRule, StaffSession
from hospital.identity.models.wechat_users import WeChatUser

__all__ = [
    "CUSTOM",
    "AccessRequest",
    "BreakGlass",
    "CustomRole",
    "Delegation",
    "Device",
    "GrantChange",
    "LoginAttempt",
    "NetworkRule",
    "PasswordUsed",
    "RecoveryCode",
    "RoleAssignment",
    "SecondFactor",
    "StaffAccount",
    "StaffAccounts",
    "StaffSession",
    "WeChatUser",
]
