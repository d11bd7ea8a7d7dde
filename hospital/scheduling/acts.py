"""What the audit calls the acts of this area."""

from hospital.kernel.acts import declare

declare(
    "scheduling",
    {
        "save_template": "保存出诊模板",
        "change_capacity": "修改时段号数",
        "block_numbers": "停号",
        "unblock_numbers": "恢复号源",
        "share_numbers": "分配渠道号源",
        "add_slot": "加号",
        "suspend": "停诊",
        "resume": "恢复出诊",
        "substitute": "替诊",
    },
)
