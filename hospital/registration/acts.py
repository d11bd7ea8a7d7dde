"""What the audit calls the acts of this area."""

from hospital.kernel.acts import declare

declare(
    "registration",
    {
        "collect": "取号",
        "override": "放宽挂号限制",
    },
)
