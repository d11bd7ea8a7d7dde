"""Who may act: staff accounts and their roles, WeChat users, log-in, and the mark on every URL.

Nouns: StaffAccount, RoleAssignment, CustomRole and GrantChange, AccessRequest, Delegation,
BreakGlass, WeChatUser, LoginAttempt. Floor 4: above organisation
(an account may belong to a practitioner), below patients.
"""
