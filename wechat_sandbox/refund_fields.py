"""What a v3 refund request may hold."""

from __future__ import annotations

from wechat_sandbox.fields import Choice, Series, Text, Thing, Whole

REQUEST = Thing(
    {
        "transaction_id": Text(32),
        "out_trade_no": Text(32, least=6),
        "out_refund_no": Text(64, pattern=r"[0-9A-Za-z_\-|*@]+", required=True),
        "reason": Text(80),
        "notify_url": Text(256),
        "funds_account": Choice(("AVAILABLE", "UNSETTLED")),
        "amount": Thing(
            {
                "refund": Whole(required=True),
                "total": Whole(required=True),
                "currency": Choice(("CNY",), required=True),
                "from": Series(
                    Thing(
                        {
                            "account": Choice(("AVAILABLE", "UNAVAILABLE"), required=True),
                            "amount": Whole(required=True),
                        }
                    )
                ),
            },
            required=True,
        ),
        "goods_detail": Series(
            Thing(
                {
                    "merchant_goods_id": Text(32, required=True),
                    "wechatpay_goods_id": Text(32),
                    "goods_name": Text(256),
                    "unit_price": Whole(required=True),
                    "refund_amount": Whole(required=True),
                    "refund_quantity": Whole(required=True),
                }
            )
        ),
    }
)
