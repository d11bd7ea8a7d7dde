"""The numbers of this area a hospital may change; what differs per partner is on its own row."""

from __future__ import annotations

from typing import Final

from hospital.kernel.settings_rows import Setting

TOKEN_MINUTES: Final = Setting(
    key="interop.token_minutes",
    label="外部平台访问令牌有效时间",
    default=10,
    unit="分钟",
    minimum=1,
    maximum=60,
    is_policy=True,
)
SECRET_DAYS: Final = Setting(
    key="interop.secret_days",
    label="外部平台密钥最长有效天数",
    default=365,
    unit="天",
    minimum=1,
    maximum=730,
    is_policy=True,
)
TOKENS_PER_MINUTE: Final = Setting(
    key="interop.tokens_per_minute",
    label="每个网络地址每分钟申请访问令牌的次数",
    default=20,
    unit="次",
    minimum=1,
    maximum=1000,
    is_policy=True,
)
CALLS_DAYS: Final = Setting(
    key="interop.calls_days",
    label="外部平台调用记录保留天数",
    default=200,
    unit="天",
    minimum=180,
    maximum=3650,
    is_policy=True,
)
