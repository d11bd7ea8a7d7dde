"""What the audit calls the acts of this area."""

from hospital.kernel.acts import declare

declare(
    "catalogue",
    {
        "save_price_item": "保存收费项目",
        "save_service_type": "保存号别",
        "save_service_fee": "调整号别收费组成",
        "set_price": "调整价格",
        "ask_price": "提出调价",
        "decide_price": "批准或驳回调价",
    },
)
