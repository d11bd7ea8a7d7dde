"""What the audit calls the acts of this area."""

from hospital.kernel.acts import declare

declare(
    "scheduling",
    {
        "save_template": "保存出诊模板",
        "set_day": "修改节假日",
        "ask_leave": "登记请假",
        "approve_leave": "批准请假",
        "refuse_leave": "驳回请假",
        "withdraw_leave": "撤回请假",
        "ask_proposal": "发起智能排班",
        "take_proposal": "采用智能排班",
        "save_need": "修改出诊需求",
        "change_capacity": "修改时段号数",
        "block_numbers": "停号",
        "unblock_numbers": "恢复号源",
        "share_numbers": "分配渠道号源",
        "add_slot": "加号",
        "open_roster": "打开排班表",
        "close_roster": "把排班表交回模板",
        "return_roster": "退回排班表",
        "withdraw_roster": "撤回排班表",
        "publish_roster": "发布排班表",
        "move_band_end": "修改时段结束时间",
        "change_room": "更换诊室",
        "run_batch": "批量处理号源",
        "ask_stop": "申请停诊",
        "refuse_stop": "驳回停诊申请",
        "withdraw_stop": "撤回停诊申请",
        "suspend": "停诊",
        "resume": "恢复出诊",
        "substitute": "替诊",
    },
)
