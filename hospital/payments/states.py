"""Lifecycles of a payment (SM10) and a refund (SM11), and the kinds of cases staff look at.

A refund for a reversed charge or a second payment is the system's duty and needs no approval; what
staff ask for is a request first, and an approved one reverses the charges.
"""

from collections.abc import Mapping

from django.db import models

from hospital.kernel.states import Moves


class Scene(models.TextChoices):
    """Where somebody pays; the first two digits of our number."""

    OFFICIAL_ACCOUNT = "10", "公众号"
    OWN_CODE = "20", "二维码扫码"
    CASHIER_SCAN = "30", "窗口扫付款码"
    SCREEN_CODE = "40", "屏幕二维码"
    UNKNOWN = "90", "来源不明"


class TradeType(models.TextChoices):
    """The channel's product: who starts the payment, and how its end is found out."""

    JSAPI = "jsapi", "公众号支付"
    NATIVE = "native", "扫屏支付"
    SCAN = "scan", "付款码支付"


# The ledger's name for notes and coins: money lies on "cash:cash".
CASH_METHOD = "cash"


class CashKind(models.TextChoices):
    """Which way notes went over the counter."""

    TAKEN = "taken", "收现金"
    BACK = "back", "退现金"


class PaymentStatus(models.TextChoices):
    CREATED = "created", "已创建"
    PENDING = "pending", "待支付"
    UNKNOWN = "unknown", "结果查询中"
    SUCCEEDED = "succeeded", "支付成功"
    SUCCEEDED_UNAPPLIED = "succeeded_unapplied", "未入账待退"
    PARTIALLY_REFUNDED = "partially_refunded", "部分退款"
    FULLY_REFUNDED = "fully_refunded", "已全额退款"
    CLOSED = "closed", "已关闭"


P = PaymentStatus

# Money may still arrive; at most one such payment stands per bill.
LIVE = frozenset({P.CREATED, P.PENDING, P.UNKNOWN})
# Money has arrived.
RECEIVED = frozenset({P.SUCCEEDED, P.SUCCEEDED_UNAPPLIED, P.PARTIALLY_REFUNDED, P.FULLY_REFUNDED})

PAYMENT_MOVES: Moves = frozenset(
    {
        (P.CREATED, P.PENDING),  # the order stands at the channel
        (P.CREATED, P.UNKNOWN),  # no answer: it may stand
        (P.CREATED, P.SUCCEEDED),  # the notice overtook the answer
        (P.CREATED, P.CLOSED),  # the channel never took it
        (P.PENDING, P.SUCCEEDED),
        (P.PENDING, P.CLOSED),
        (P.PENDING, P.UNKNOWN),
        (P.UNKNOWN, P.PENDING),
        (P.UNKNOWN, P.SUCCEEDED),
        (P.UNKNOWN, P.CLOSED),
        (P.CLOSED, P.SUCCEEDED),  # late success: a tested path, not an error
        (P.SUCCEEDED, P.SUCCEEDED_UNAPPLIED),  # the bills need no money any more (R07)
        (P.CREATED, P.SUCCEEDED_UNAPPLIED),  # another amount arrived than was ordered (R06)
        (P.PENDING, P.SUCCEEDED_UNAPPLIED),
        (P.UNKNOWN, P.SUCCEEDED_UNAPPLIED),
        (P.CLOSED, P.SUCCEEDED_UNAPPLIED),
        (P.SUCCEEDED, P.PARTIALLY_REFUNDED),
        (P.SUCCEEDED, P.FULLY_REFUNDED),
        (P.SUCCEEDED_UNAPPLIED, P.PARTIALLY_REFUNDED),
        (P.SUCCEEDED_UNAPPLIED, P.FULLY_REFUNDED),
        (P.PARTIALLY_REFUNDED, P.FULLY_REFUNDED),
    }
)


class RefundStatus(models.TextChoices):
    REQUESTED = "requested", "待提交"
    SUBMITTED = "submitted", "已提交"
    PROCESSING = "processing", "退款中"
    SUCCEEDED = "succeeded", "退款成功"
    FAILED = "failed", "提交未成功"
    ABNORMAL = "abnormal", "退款异常"
    CLOSED = "closed", "退款关闭"


R = RefundStatus

# On its way: at most one such refund per payment.
OPEN = frozenset({R.REQUESTED, R.SUBMITTED, R.PROCESSING, R.FAILED})
# Counts against what may still be refunded; abnormal money is settled by hand, not sent again.
COMMITTED = OPEN | {R.SUCCEEDED, R.ABNORMAL}
# Made, and not back yet.
CARRYING = COMMITTED - {R.SUCCEEDED}

# WeChat will never take it: the payer's account is closed. Only the bank can pay then.
PAYER_GONE = frozenset({"USER_ACCOUNT_ABNORMAL"})

#: Why WeChat did not take a refund, by its code, for people: what is wrong and not who is to blame.
REFUND_FAILURES: Mapping[str, str] = {
    "NOT_ENOUGH": "商户号余额不足",
    "FREQUENCY_LIMITED": "微信要求稍后再试",
    "RATELIMIT_EXCEEDED": "微信要求稍后再试",
    "RESOURCE_NOT_EXISTS": "微信暂时查不到原订单",
    "ORDER_NOT_EXIST": "微信暂时查不到原订单",
    "USER_ACCOUNT_ABNORMAL": "付款人账户异常",
    "INVALID_REQUEST": "微信不接受：订单不能这样退",
    "TRADE_ERROR": "微信不接受：订单现在不能退",
    "ORDER_CLOSED": "微信不接受：订单已关闭",
    "OUT_TRADE_NO_USED": "微信不接受：单号重复",
    "PARAM_ERROR": "微信不接受：内容有误",
    "RULE_LIMIT": "微信的业务规则不允许",
    "REQUEST_BLOCKED": "微信拦截了这次请求",
    "NO_AUTH": "商户号没有退款权限",
    "MCH_NOT_EXISTS": "微信找不到商户号",
    "APPID_MCHID_NOT_MATCH": "公众号与商户号不匹配",
    "SIGN_ERROR": "与微信的签名不符",
    "SYSTEM_ERROR": "微信系统繁忙",
    "BANK_ERROR": "银行系统繁忙",
}


def refund_failure(code: str) -> str:
    """A refund's failure in words, "" where there is none; not all of WeChat's codes are written
    down."""
    return REFUND_FAILURES.get(code, "微信没有受理") if code else ""


REFUND_MOVES: Moves = frozenset(
    {
        (R.REQUESTED, R.SUBMITTED),
        (R.SUBMITTED, R.PROCESSING),
        (R.SUBMITTED, R.SUCCEEDED),
        (R.SUBMITTED, R.ABNORMAL),
        (R.SUBMITTED, R.CLOSED),
        (R.SUBMITTED, R.FAILED),  # e.g. balance not enough
        (R.FAILED, R.SUBMITTED),  # always with the same number
        (R.FAILED, R.PROCESSING),  # it had arrived after all
        (R.FAILED, R.SUCCEEDED),
        (R.FAILED, R.ABNORMAL),
        (R.FAILED, R.CLOSED),
        (R.PROCESSING, R.SUCCEEDED),
        (R.PROCESSING, R.ABNORMAL),
        (R.PROCESSING, R.CLOSED),
        (R.ABNORMAL, R.SUCCEEDED),  # staff sent it another way in the channel's console
    }
)


class RefundRoute(models.TextChoices):
    """How the money went back; a separate fact from why."""

    ORIGINAL = "original", "原路退回"
    OFFLINE = "offline", "线下转账"


class RequestStatus(models.TextChoices):
    """SM11's first half: what staff ask for."""

    REQUESTED = "requested", "待审批"
    APPROVED = "approved", "已批准"
    REJECTED = "rejected", "已驳回"


REQUEST_MOVES: Moves = frozenset(
    {
        (RequestStatus.REQUESTED, RequestStatus.APPROVED),
        (RequestStatus.REQUESTED, RequestStatus.REJECTED),
    }
)


class TransferWay(models.TextChoices):
    """Who sends the money: our bank, or WeChat to a bank card it is told."""

    BANK = "bank", "本院银行转账"
    CARD = "card", "微信退到银行卡"


class TransferStatus(models.TextChoices):
    ASKED = "asked", "待复核"
    SENT = "sent", "微信办理中"
    DONE = "done", "已转账"
    REJECTED = "rejected", "已驳回"


TRANSFER_MOVES: Moves = frozenset(
    {
        (TransferStatus.ASKED, TransferStatus.DONE),
        (TransferStatus.ASKED, TransferStatus.REJECTED),
        (TransferStatus.ASKED, TransferStatus.SENT),
        (TransferStatus.SENT, TransferStatus.DONE),
        (TransferStatus.SENT, TransferStatus.REJECTED),  # the card does not take it either
    }
)


class DecisionStatus(models.TextChoices):
    PROPOSED = "proposed", "待复核"
    CONFIRMED = "confirmed", "已执行"
    REJECTED = "rejected", "已驳回"


DECISION_MOVES: Moves = frozenset(
    {
        (DecisionStatus.PROPOSED, DecisionStatus.CONFIRMED),
        (DecisionStatus.PROPOSED, DecisionStatus.REJECTED),
    }
)


class NoticeKind(models.TextChoices):
    PAYMENT = "payment", "支付通知"
    REFUND = "refund", "退款通知"


class NoticeOutcome(models.TextChoices):
    """What applying a notice came to."""

    RECEIVED = "received", "已收到"
    APPLIED = "applied", "已处理"
    REPEATED = "repeated", "状态已一致"
    PARKED = "parked", "待人工核对"


class CaseKind(models.TextChoices):
    """Why a person must look."""

    UNKNOWN_ORDER = "unknown_order", "找不到订单"
    WRONG_AMOUNT = "wrong_amount", "金额不一致"
    WRONG_ACCOUNT = "wrong_account", "商户号或公众号不一致"
    SECOND_TRANSACTION = "second_transaction", "同一订单两笔流水"
    UNRESOLVED = "unresolved", "支付结果长时间未知"
    REFUND_MISMATCH = "refund_mismatch", "退款信息不一致"
    REFUND_STUCK = "refund_stuck", "退款长时间未成功"
    REFUND_ABNORMAL = "refund_abnormal", "退款异常"
    REFUND_CLOSED = "refund_closed", "退款被关闭"
    REFUND_IMPOSSIBLE = "refund_impossible", "无法原路退款"
    UNKNOWN_REFUND = "unknown_refund", "找不到退款单"
    REFUND_TWICE = "refund_twice", "线下转账后又到账"
    STATEMENT_LATE = "statement_late", "微信账单逾期未取得"
    STATEMENT_BROKEN = "statement_broken", "微信账单有误"


class CaseRemedy(models.TextChoices):
    """The one right thing to do about a case."""

    ASK_AGAIN = "ask_again", "向微信查询"
    SEND_AGAIN = "send_again", "重新提交退款"
    REFUND_UNAPPLIED = "refund_unapplied", "退回这笔款"
    OFFLINE_TRANSFER = "offline_transfer", "线下转账"
    CLOSE = "close", "写明结果后关闭"


REMEDIES: Mapping[CaseKind, CaseRemedy] = {
    CaseKind.UNKNOWN_ORDER: CaseRemedy.REFUND_UNAPPLIED,
    CaseKind.WRONG_AMOUNT: CaseRemedy.REFUND_UNAPPLIED,
    CaseKind.WRONG_ACCOUNT: CaseRemedy.ASK_AGAIN,
    CaseKind.SECOND_TRANSACTION: CaseRemedy.ASK_AGAIN,
    CaseKind.UNRESOLVED: CaseRemedy.ASK_AGAIN,
    CaseKind.REFUND_MISMATCH: CaseRemedy.ASK_AGAIN,
    CaseKind.REFUND_STUCK: CaseRemedy.SEND_AGAIN,
    CaseKind.REFUND_ABNORMAL: CaseRemedy.OFFLINE_TRANSFER,
    CaseKind.REFUND_CLOSED: CaseRemedy.SEND_AGAIN,
    CaseKind.REFUND_IMPOSSIBLE: CaseRemedy.OFFLINE_TRANSFER,
    CaseKind.UNKNOWN_REFUND: CaseRemedy.CLOSE,
    CaseKind.REFUND_TWICE: CaseRemedy.CLOSE,
    CaseKind.STATEMENT_LATE: CaseRemedy.CLOSE,
    CaseKind.STATEMENT_BROKEN: CaseRemedy.CLOSE,
}
# These move money: one person proposes, another confirms.
FOUR_EYES = frozenset({CaseRemedy.REFUND_UNAPPLIED, CaseRemedy.OFFLINE_TRANSFER})


class PayState(models.TextChoices):
    """What the pay page says about a bill."""

    UNPAID = "unpaid", "待支付"
    PAYING = "paying", "支付中"
    CONFIRMING = "confirming", "正在确认"
    PAID = "paid", "已支付"
    REFUNDING = "refunding", "退款中"
    REFUNDED = "refunded", "已退款"
    EXPIRED = "expired", "已过期"
    CANCELLED = "cancelled", "已取消"


class CodeState(models.TextChoices):
    """What a scanned QR of ours says."""

    UNPAID = "unpaid", "待支付"
    PAYING = "paying", "支付中"
    ELSEWHERE = "elsewhere", "他人支付中"
    PAID = "paid", "已支付"
    CANCELLED = "cancelled", "已作废"
    EXPIRED = "expired", "已过期"
    REVOKED = "revoked", "收款码已停用"


class CollectState(models.TextChoices):
    """What the cashier reads while money is collected."""

    WAITING = "waiting", "等待顾客支付"
    CONFIRMING = "confirming", "正在向微信确认，请勿重复收款"
    PAID = "paid", "已收款"
    UNAPPLIED = "unapplied", "已收款但未入账，待退回"
    FAILED = "failed", "未收款"
