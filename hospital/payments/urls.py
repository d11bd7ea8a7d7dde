"""Addresses of payments."""

from django.urls import path

from hospital.payments.views import callbacks as notices
from hospital.payments.views import patient as pages
from hospital.payments.views import staff as desk

patient = [
    path("pay/<slug:token>/", pages.pay, name="payments-pay"),
    path("pay/<slug:token>/status/", pages.status, name="payments-status"),
    path("pay/<slug:token>/ask/", pages.ask, name="payments-ask"),
]
staff = [
    path("payments/<int:payment_id>/ask/", desk.ask_again, name="payments-ask-again"),
    path("refunds/<int:refund_id>/again/", desk.refund_again, name="payments-refund-again"),
]
callbacks = [
    path("wechat/pay", notices.payment_notice, name="payments-wechat-pay-notice"),
    path("wechat/refund", notices.refund_notice, name="payments-wechat-refund-notice"),
]
