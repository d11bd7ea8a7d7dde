"""What every call to WeChat Pay needs: no transaction around it, and the order in its bytes."""

from django.conf import settings
from django.db import connection, transaction
from django.urls import reverse

from hospital.payments.models import Payment, Refund
from hospital.payments.states import TradeType
from hospital.wechat import clients
from hospital.wechat.outcomes import OrderOutcome, Unknown
from hospital.wechat.pay import JsapiOrder, NativeOrder, RefundOrder


def query(payment: Payment) -> OrderOutcome:
    """Ask how an order stands. One of a merchant number we had before is not known to be unpaid:
    only that number's keys open it."""
    leave_database()
    if payment.mchid != clients.config().mchid:
        return Unknown(reason="other_account")
    if payment.trade_type == TradeType.SCAN:
        return clients.scan().query(out_trade_no=payment.out_trade_no)
    return clients.pay().query(out_trade_no=payment.out_trade_no)


def jsapi_order(payment: Payment) -> JsapiOrder:
    """The order for its payer's phone, the same bytes whenever it is repeated."""
    assert payment.payer is not None
    return JsapiOrder(
        out_trade_no=payment.out_trade_no,
        openid=payment.payer.openid,
        total_fen=payment.amount_fen,
        description=description(payment),
        notify_url=settings.PUBLIC_URL + reverse("payments-wechat-pay-notice"),
        expires_at=payment.expires_at,
    )


def native_order(payment: Payment) -> NativeOrder:
    """The order behind a code on a screen, the same bytes whenever it is repeated."""
    return NativeOrder(
        out_trade_no=payment.out_trade_no,
        total_fen=payment.amount_fen,
        description=description(payment),
        notify_url=settings.PUBLIC_URL + reverse("payments-wechat-pay-notice"),
        expires_at=payment.expires_at,
    )


def refund_order(refund: Refund) -> RefundOrder:
    """The refund, the same bytes whenever it is repeated; WeChat wants the sum it received."""
    return RefundOrder(
        out_trade_no=refund.payment.out_trade_no,
        out_refund_no=refund.out_refund_no,
        refund_fen=refund.amount_fen,
        total_fen=refund.payment.received_fen or refund.payment.amount_fen,
        reason=refund.reason,
        notify_url=settings.PUBLIC_URL + reverse("payments-wechat-refund-notice"),
    )


def description(payment: Payment) -> str:
    """What the payer reads on the phone."""
    return f"{settings.HOSPITAL_NAME}-{payment.description}"


def leave_database() -> None:
    """Before every call out: refuse to hold a transaction over it, and give the connection back to
    the pool, so that a slow WeChat never starves the other pages (M1.16)."""
    with transaction.atomic(durable=True):
        pass
    if not connection.in_atomic_block:
        connection.close()
