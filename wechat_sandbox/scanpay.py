"""A cashier's scan as WeChat carries it out: charge a payment code, take the charge back.

One core for both products (v2 `micropay`, v3 `codepay`). An order goes USERPAYING -> SUCCESS or
PAYERROR; `reverse` ends any of them as REVOKED and gives the money back if it had left.
"""

from __future__ import annotations

from dataclasses import dataclass

from wechat_sandbox import ids, orders, paycodes, people, wallet
from wechat_sandbox.faults import Point
from wechat_sandbox.records import Order, PendingFault, Scan, User
from wechat_sandbox.sandbox import Sandbox

TRADE_TYPE = "MICROPAY"
ORDER_LIFE_S = 600
REVERSIBLE_S = 7 * 24 * 3600
SAYS = {
    "AUTHCODEEXPIRE": "二维码已过期，请用户在微信上刷新后再试",
    "AUTH_CODE_ERROR": "授权码参数错误",
    "AUTH_CODE_INVALID": "请扫描微信支付被扫条码/二维码",
    "NOTENOUGH": "余额不足",
    "ORDERCLOSED": "订单已关闭",
    "ORDERPAID": "订单已支付",
    "ORDERREVERSED": "订单已撤销",
    "ORDERNOTEXIST": "此交易订单号不存在",
    "OUT_TRADE_NO_USED": "商户订单号重复",
    "REVERSE_EXPIRE": "订单无法撤销",
    "SYSTEMERROR": "系统错误，请重试",
    "TRADE_ERROR": "交易错误",
    "USERPAYING": "需要用户输入支付密码",
}
OF_CODE = {
    "malformed": "AUTH_CODE_ERROR",
    "unknown": "AUTH_CODE_INVALID",
    "used": "AUTH_CODE_INVALID",
    "old": "AUTHCODEEXPIRE",
}
OF_STATE = {
    "SUCCESS": "ORDERPAID",
    "REFUND": "ORDERPAID",
    "REVOKED": "ORDERREVERSED",
    "CLOSED": "ORDERCLOSED",
    "PAYERROR": "TRADE_ERROR",
}


class ScanRefused(Exception):
    """v2's `err_code`; `recall` asks the merchant to call `reverse` again."""

    def __init__(self, code: str, *, recall: bool = False) -> None:
        super().__init__(SAYS[code])
        self.code = code
        self.recall = recall


@dataclass(frozen=True)
class Ask:
    """What the merchant wants to charge; `request` is the whole call, for the repeat rule."""

    appid: str
    out_trade_no: str
    auth_code: str
    total_fen: int
    description: str
    attach: str
    device_id: str
    expires_at: float | None
    request: str


def charge(sandbox: Sandbox, ask: Ask, subject: str) -> Order:
    """Charge the holder of the code; the order is SUCCESS or USERPAYING. Raises ScanRefused."""
    known = orders.find(sandbox, ask.out_trade_no)
    if known is not None:
        raise ScanRefused(_code_of_repeat(known, ask))
    try:
        user = paycodes.holder(sandbox, ask.auth_code)
    except paycodes.NoCode as no:
        raise ScanRefused(OF_CODE[no.reason]) from no
    fault = sandbox.faults.strikes(Point.SCAN, f"{subject} {user.openid}")
    kind = "" if fault is None else fault.kind
    if kind == "scan_code_expired":
        raise ScanRefused("AUTHCODEEXPIRE")
    with sandbox.store.write():
        paycodes.use(sandbox, ask.auth_code)
        _create(sandbox, ask)
        _begin(sandbox, ask, user, fault)
    order = again(sandbox, ask.out_trade_no)
    if kind == "scan_not_enough":
        paycodes.fail(sandbox, order, user.openid)
        raise ScanRefused("NOTENOUGH")
    if kind == "scan_error_then_paid":
        raise ScanRefused("SYSTEMERROR")
    if kind or ask.total_fen > sandbox.settings.password_above_fen:
        sandbox.hub.publish(user.openid, "scanpay", ask.out_trade_no)
        return order
    paycodes.land(sandbox, order, user)
    return again(sandbox, ask.out_trade_no)


def reverse(sandbox: Sandbox, order: Order | None, subject: str) -> Order:
    """End a scanned order for good; money that left goes back. Raises ScanRefused."""
    if order is None:
        raise ScanRefused("ORDERNOTEXIST")
    if order.trade_type != TRADE_TYPE or order.state == "REFUND":
        raise ScanRefused("TRADE_ERROR")
    if sandbox.faults.strikes(Point.REVERSE, subject):
        raise ScanRefused("SYSTEMERROR", recall=True)
    if order.state == "REVOKED":
        return order
    if sandbox.clock.now() > order.created_at + REVERSIBLE_S:
        raise ScanRefused("REVERSE_EXPIRE")
    scan = paycodes.scan_of(sandbox, order.out_trade_no)
    if scan is not None and scan.lands_on_reverse and order.state == "USERPAYING":
        paycodes.land(sandbox, order, people.ensure(sandbox, scan.openid))
        order = again(sandbox, order.out_trade_no)
    _revoke(sandbox, order)
    if scan is not None:
        sandbox.hub.publish(scan.openid, "scanpay", order.out_trade_no)
    return again(sandbox, order.out_trade_no)


def finish_due(sandbox: Sandbox) -> None:
    """Let the passwords arrive whose moment has come."""
    ready = sandbox.store.all(
        Scan,
        "SELECT scans.* FROM scans JOIN orders USING (out_trade_no)"
        " WHERE lands_at <= ? AND orders.state = 'USERPAYING'",
        sandbox.clock.now(),
    )
    for scan in ready:
        order = again(sandbox, scan.out_trade_no)
        paycodes.land(sandbox, order, people.ensure(sandbox, scan.openid))


def again(sandbox: Sandbox, out_trade_no: str) -> Order:
    """The order as it stands now."""
    order = orders.find(sandbox, out_trade_no)
    if order is None:
        raise LookupError(out_trade_no)
    return order


def _code_of_repeat(known: Order, ask: Ask) -> str:
    if known.request != ask.request:
        return "OUT_TRADE_NO_USED"
    return OF_STATE.get(known.state, "USERPAYING")


def _begin(sandbox: Sandbox, ask: Ask, user: User, fault: PendingFault | None) -> None:
    """Remember who was scanned and by which ways the payment may still arrive."""
    kind = "" if fault is None else fault.kind
    lands = kind in ("userpaying_then_success", "userpaying_late_success", "scan_error_then_paid")
    sandbox.store.insert(
        "scans",
        out_trade_no=ask.out_trade_no,
        auth_code=ask.auth_code,
        openid=user.openid,
        asks=kind not in ("scan_error_then_paid", "scan_not_enough"),
        lands_at=sandbox.clock.now() + fault.seconds if lands and fault else None,
        lands_on_reverse=kind == "userpaying_late_success",
    )
    sandbox.wake()


def _create(sandbox: Sandbox, ask: Ask) -> None:
    now = sandbox.clock.now()
    sandbox.store.insert(
        "orders",
        out_trade_no=ask.out_trade_no,
        appid=ask.appid,
        mchid=sandbox.keys.mchid,
        trade_type=TRADE_TYPE,
        description=ask.description,
        attach=ask.attach,
        notify_url="",
        total_fen=ask.total_fen,
        openid="",
        payer_openid="",
        device_id=ask.device_id,
        request=ask.request,
        state="USERPAYING",
        transaction_id=None,
        bank_type="",
        created_at=now,
        expires_at=ask.expires_at or now + ORDER_LIFE_S,
        success_at=None,
        closed_at=None,
    )


def _revoke(sandbox: Sandbox, order: Order) -> None:
    now = sandbox.clock.now()
    with sandbox.store.write():
        sandbox.store.run(
            "UPDATE orders SET state = 'REVOKED', closed_at = ? WHERE out_trade_no = ?",
            now,
            order.out_trade_no,
        )
        if order.success_at is None:
            return
        wallet.take_back(sandbox, people.ensure(sandbox, order.payer_openid), order)
        sandbox.store.insert(
            "reversals", out_trade_no=order.out_trade_no, refund_id=ids.refund_id(now), at=now
        )
