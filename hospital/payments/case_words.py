"""What a parked case means, in the words of the people who settle it.

`WHAT` says what happened and where the money is, `TODO` what to do about it; a pair of a kind and
its remedy has its own words where the remedy alone says too little.
"""

import datetime as dt
from collections.abc import Mapping

from hospital.payments.states import REFUND_FAILURES, CaseKind, CaseRemedy, refund_failure

_HELD = "这笔钱已在医院的微信商户号里，记在“待处理款”，没有记到任何账单上。"

WHAT: Mapping[CaseKind, str] = {
    CaseKind.UNKNOWN_ORDER: "微信通知收到一笔付款，但系统里没有这个订单号。",
    CaseKind.WRONG_AMOUNT: "微信收到的金额与订单金额不一样，所以没有记到账单上。",
    CaseKind.WRONG_ACCOUNT: "微信通知里的商户号或公众号不是本院的，没有入账。",
    CaseKind.SECOND_TRANSACTION: "同一个订单号，微信先后给出两个不同的微信单号，没有按第二个入账。",
    CaseKind.UNRESOLVED: "问了微信一天，一直没有得到这笔支付的结果。患者可能已付款，也可能没有。",
    CaseKind.REFUND_MISMATCH: "微信说的退款金额或单号与我们申请的不一样，没有记账。",
    CaseKind.REFUND_STUCK: "退款提交后长时间没有成功。最常见的原因是商户号余额不足。",
    CaseKind.REFUND_ABNORMAL: "微信退不回付款人的账户（例如银行卡已注销）。钱还在医院的商户号里。",
    CaseKind.REFUND_CLOSED: "微信关闭了这笔退款，钱没有退给患者。",
    CaseKind.REFUND_IMPOSSIBLE: "这笔钱不能原路退回：超过一年，或退款次数已用完。",
    CaseKind.UNKNOWN_REFUND: "微信通知了一笔退款，系统里没有这个单号，可能有人在商户平台手工退的。",
    CaseKind.REFUND_TWICE: "已经线下转账，之后微信的退款又成功了：患者可能收到了两次钱。",
    CaseKind.STATEMENT_LATE: "微信的日账单到下午两点还没有取到。",
    CaseKind.STATEMENT_BROKEN: "微信的日账单内容与自己的合计不符，没有采用。",
}

_TODO: Mapping[CaseRemedy, str] = {
    CaseRemedy.ASK_AGAIN: "点“向微信查询”。微信的回答就是结果：系统按它记账，异常会自动办结。",
    CaseRemedy.SEND_AGAIN: "点“重新提交退款”。仍用原来的退款单号，不会退两次。",
    CaseRemedy.REFUND_UNAPPLIED: _HELD + "一人写明理由提出退回，另一人复核后，系统原路退给付款人。",
    CaseRemedy.OFFLINE_TRANSFER: "先用医院银行账户转账给患者，再填写收款人和银行回单号；"
    "另一人对照银行流水复核后才记账。",
    CaseRemedy.CLOSE: "这笔款没有需要移动的钱了。写明核实结果后关闭。",
}
_TODO_OF: Mapping[tuple[CaseKind, CaseRemedy], str] = {
    (CaseKind.REFUND_STUCK, CaseRemedy.SEND_AGAIN): "先看原因：余额不足时给商户号充值。"
    "再点“重新提交退款”；仍用原来的退款单号，不会退两次。不要在商户平台另退一笔。",
    (CaseKind.REFUND_ABNORMAL, CaseRemedy.OFFLINE_TRANSFER): "向患者要一张本人的银行卡。"
    "先用医院银行账户转账，再登记回单号；或者登记卡号，由微信退到这张卡。另一人复核后才办理。",
    (
        CaseKind.REFUND_STUCK,
        CaseRemedy.OFFLINE_TRANSFER,
    ): "付款人的微信账户退不进去，再提交也没有用。"
    "向患者要一张本人的银行卡，用医院银行账户转账后登记回单号，另一人复核后记账。",
    (CaseKind.REFUND_CLOSED, CaseRemedy.SEND_AGAIN): "点“重新提交退款”：原单号已作废，"
    "系统用新单号退仍欠的金额。",
    (CaseKind.UNKNOWN_REFUND, CaseRemedy.CLOSE): "到微信商户平台查这笔退款是谁、为什么退的，"
    "写明后关闭。今后请只在本系统里退款。",
    (CaseKind.REFUND_TWICE, CaseRemedy.CLOSE): "对照银行流水和微信账单，联系患者退还多收的钱，"
    "写明结果后关闭。",
    (CaseKind.STATEMENT_LATE, CaseRemedy.CLOSE): "到“账单”页重新取得；取到后本异常自动关闭。",
    (
        CaseKind.STATEMENT_BROKEN,
        CaseRemedy.CLOSE,
    ): "到“账单”页重新取得；一直有误时联系微信支付客服。",
}
_REASONS: Mapping[str, str] = {
    **REFUND_FAILURES,
    "limit: age": "付款已超过 365 天",
    "limit: count": "退款次数已用完",
    "no payment left that could be refunded": "没有可以退的支付",
    "scan": "窗口扫付款码",
    "not_ready": "微信还没有出账单",
    "bill_hash": "下载的账单校验不符",
    "other_account": "不是当前商户号的账单",
    "timeout": "微信没有回答",
    # The kind of the case says it already.
    "abnormal": "",
    "closed": "",
}


def todo(kind: CaseKind, remedy: CaseRemedy) -> str:
    """What to do about a case of this kind as it stands."""
    return _TODO_OF.get((kind, remedy)) or _TODO[remedy]


def reason(detail: str) -> str:
    """A case's short detail in Chinese where it is one of ours or the channel's codes; nothing
    where the page shows the number anyway."""
    if detail.startswith("transaction "):
        return ""
    if detail.isupper() and detail not in _REASONS:
        return f"{refund_failure(detail)}（{detail}）"
    return _REASONS.get(detail, detail)


def age(since: dt.datetime, at: dt.datetime) -> str:
    """How long something has waited: 5 分钟, 3 小时, 2 天."""
    minutes = int((at - since).total_seconds() // 60)
    if minutes < 60:
        return f"{max(minutes, 0)} 分钟"
    return f"{minutes // 60} 小时" if minutes < 48 * 60 else f"{minutes // (24 * 60)} 天"
