"""What each fault does, in the words of the panel beside the phone. Groups stand in its order."""

from __future__ import annotations

from dataclasses import dataclass

from wechat_sandbox.faults import KINDS, Kind

OTHERS = "其他"


@dataclass(frozen=True)
class Fault:
    """One row of the list; `wait` is the seconds meant when none are said, 0 when none are."""

    name: str
    says: str
    wait: float
    copies: bool


WORDS: dict[str, dict[str, str]] = {
    "接口调用": {
        "http_500": "返回 500，什么也没做",
        "http_502": "返回 502 和一页 HTML，什么也没做",
        "http_503": "返回 503 和一页 HTML，什么也没做",
        "http_429": "返回 429，说太频繁",
        "timeout_after_success": "做成了，但不回答，连接断开",
        "connection_reset": "回答到一半，连接断开（值 before：什么也没做）",
        "slow": "做成了，很晚才回答",
    },
    "回答的签名": {
        "response_bad_signature": "签名对不上",
        "response_stale": "签名的时间是很久以前",
        "response_unsigned": "没有签名",
        "response_wrong_serial": "签名的证书编号没见过",
        "response_swapped_key": "用另一把钥匙签名",
        "response_changed_amount": "签名之后金额被改",
    },
    "支付和退款通知": {
        "notify_lost": "通知丢了，永远不来",
        "notify_delay": "通知迟到",
        "notify_dup": "同一通知连发几次",
        "notify_concurrent": "同一通知同时来很多份",
        "notify_bad_signature": "这一次签名不对，下次正常",
        "notify_bad_signtest": "探测流量：签名以 SIGNTEST 开头",
        "notify_bad_stale": "签名的时间是很久以前",
        "notify_wrong_amount": "通知里的金额不对（值：多少分）",
        "notify_wrong_key": "用别的密钥加密",
        "notify_bad_serial": "签名的公钥编号没见过",
        "notify_other_merchant": "通知里是别的商户号",
        "notify_unknown_order": "通知里的订单号没见过",
        "notify_truncated": "通知正文被截断",
        "refund_before_payment": "退款通知比付款通知先到",
    },
    "退款": {
        "refund_not_enough": "商户余额不足，拒绝退款",
        "refund_abnormal": "受理了，最后退款异常",
        "refund_closed": "受理了，最后退款关闭",
        "refund_stuck": "受理了，一直处理中",
        "refund_not_found": "刚付完款就退，说没有这笔订单",
    },
    "付款码": {
        "userpaying": "要顾客输密码，一直等",
        "userpaying_then_success": "要顾客输密码，25 秒后付成",
        "userpaying_late_success": "要顾客输密码，35 秒后或撤销时才付成",
        "scan_code_expired": "说付款码已过期",
        "scan_not_enough": "说余额不足",
        "scan_error_then_paid": "说系统错误，5 秒后却付成",
        "reverse_again": "撤销时要求再撤一次",
    },
    "对账单": {
        "bill_not_ready": "账单还没有出来",
        "bill_none": "当天没有账单",
        "bill_missing_row": "账单少一行（值：单号）",
        "bill_extra_row": "账单多一行，88 元（值：单号）",
        "bill_changed_amount": "账单里一笔多一元（值：单号）",
        "bill_duplicate_row": "账单里一行重复（值：单号）",
        "bill_bad_hash": "账单的校验值不对",
        "bill_token_expired": "下载地址过期",
        "bill_bad_gzip": "压缩的账单损坏",
        "bill_comma_in_name": "商品名里有逗号（值：订单号）",
        "bill_refund_processing": "一笔退款写成处理中（值：退款号）",
    },
    "公众号和登录": {
        "token_invalid": "访问令牌失效一次",
        "token_invalid_forever": "访问令牌一直无效",
        "token_expired": "访问令牌提前过期",
        "token_early_expiry": "令牌说两小时，其实很快过期",
        "slow_token": "很晚才给令牌",
        "busy": "系统繁忙（-1）",
        "errcode": "返回指定的错误码（值：错误码）",
        "quota_45009": "当天次数用完（45009）",
        "code_expired": "登录用的 code 已过期",
    },
    "给患者的消息": {
        "user_blocked": "患者拒收，发不出去",
        "not_following": "患者没有关注，发不出去",
        "no_consent": "患者没有授权订阅",
        "bad_field": "说模板字段不合规",
        "result_user_block": "先收下，再说被患者拒收",
        "result_system_failed": "先收下，再说系统失败",
        "sms_500": "短信网关返回 500",
        "sms_refused": "短信网关拒绝这个号码",
    },
    "公众号推给医院的消息": {
        "callback_dup": "同一消息连发几次",
        "callback_unknown_type": "没见过的消息类型",
        "callback_bad_signature": "签名用了别的 token",
        "callback_wrong_appid": "别的公众号的消息",
        "callback_entity_bomb": "会展开成几个 GB 的 XML",
        "callback_stale": "很久以前的消息",
        "callback_truncated": "消息被截断，签名照旧",
        "callback_huge": "10 MB 的消息（值：字节数）",
    },
}
_SAYS = {name: says for group in WORDS.values() for name, says in group.items()}


def groups() -> list[tuple[str, list[Fault]]]:
    """Every kind there is, by group; kinds without Chinese words stand at the end."""
    found = [
        (group, [_fault(KINDS[name], says) for name, says in names.items() if name in KINDS])
        for group, names in WORDS.items()
    ]
    others = [_fault(kind, kind.says) for name, kind in KINDS.items() if name not in _SAYS]
    return [(group, faults) for group, faults in [*found, (OTHERS, others)] if faults]


def says(name: str) -> str:
    """A kind in words."""
    return _SAYS.get(name) or KINDS[name].says


def _fault(kind: Kind, words: str) -> Fault:
    return Fault(kind.name, words, kind.seconds, kind.counts_copies)
