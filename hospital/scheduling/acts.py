"""What the audit calls the acts of this area."""

from hospital.kernel.acts import declare

declare(
    "scheduling",
    {
        "save_template": "保存出诊模板",
    },
)
