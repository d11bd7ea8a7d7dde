"""Addresses of payments."""

from django.urls import path

from hospital.payments.views import callbacks as notices
from hospital.payments.views import cases, cash, collect, pay_code, requests, statements
from hospital.payments.views import patient as pages
from hospital.payments.views import staff as desk

public = [
    # Printed on paper: with a host of up to 27 characters the address stays within 60 (M5.4).
    path("p/<slug:token>", pay_code.code, name="payments-code"),
]
patient = [
    path("pay/<slug:token>/", pages.pay, name="payments-pay"),
    path("pay/<slug:token>/status/", pages.status, name="payments-status"),
    path("pay/<slug:token>/ask/", pages.ask, name="payments-ask"),
    path("code/<slug:token>/", pay_code.page, name="payments-code-page"),
    path("code/<slug:token>/status/", pay_code.status, name="payments-code-status"),
    path("code/<slug:token>/ask/", pay_code.ask, name="payments-code-ask"),
]
staff = [
    path("payments/<int:payment_id>/ask/", desk.ask_again, name="payments-ask-again"),
    path("refunds/<int:refund_id>/again/", desk.refund_again, name="payments-refund-again"),
    path("cases/", cases.cases, name="payments-cases"),
    path("cases/<int:case_id>/", cases.case, name="payments-case"),
    path("cases/<int:case_id>/press/", cases.press, name="payments-case-press"),
    path("cases/<int:case_id>/propose/", cases.propose, name="payments-case-propose"),
    path("cases/<int:case_id>/transfer/", cases.transfer, name="payments-case-transfer"),
    path("cases/<int:case_id>/close/", cases.close, name="payments-case-close"),
    path("decisions/<int:decision_id>/", cases.decide, name="payments-decide"),
    path("transfers/<int:transfer_id>/", cases.decide_transfer, name="payments-decide-transfer"),
    path("transfers/<int:transfer_id>/reveal/", cases.reveal, name="payments-transfer-reveal"),
    path("approvals/", requests.approvals, name="payments-approvals"),
    path("refund-requests/", requests.requests, name="payments-refund-requests"),
    path("refund-requests/<int:request_id>/", requests.one, name="payments-refund-request"),
    path(
        "refund-requests/<int:request_id>/decide/", requests.decide, name="payments-decide-refund"
    ),
    path("bills/<slug:number>/refund/", requests.ask, name="payments-ask-refund"),
    path("bills/<slug:number>/refund/sum/", requests.total, name="payments-refund-sum"),
    path("cash-owed/", cash.owed, name="payments-cash-owed"),
    path("bills/<slug:number>/cash-back/", cash.hand_back, name="payments-cash-back"),
    path("collect/<slug:number>/cash/", collect.take_cash, name="payments-collect-cash"),
    path("collect/<slug:number>/cash-back/", cash.hand_back_today, name="payments-collect-back"),
    path("cash-owed/mine/", cash.given, name="payments-cash-given"),
    path("collect/mine/", cash.mine, name="payments-cash-mine"),
    path("collect/", collect.find, name="payments-collect-find"),
    path("collect/<slug:number>/", collect.collect, name="payments-collect"),
    path("collect/<slug:number>/charge/", collect.charge, name="payments-collect-charge"),
    path("collect/<slug:number>/show/", collect.show_code, name="payments-collect-show"),
    path("collect/<slug:number>/stop/", collect.stop, name="payments-collect-stop"),
    path("collect/<slug:number>/ask/", collect.ask, name="payments-collect-ask"),
    path("collect/<slug:number>/status/", collect.status, name="payments-collect-status"),
    path("collect/<slug:number>/code/", collect.make_slip, name="payments-slip-make"),
    path("collect/<slug:number>/code/revoke/", collect.revoke_slip, name="payments-slip-revoke"),
    path("collect/<slug:number>/slip/", collect.slip, name="payments-slip"),
    path("statements/", statements.statements, name="payments-statements"),
    path("statements/expect/", statements.expect, name="payments-statements-expect"),
    path("statements/<int:statement_id>/fetch/", statements.fetch, name="payments-statement-fetch"),
]
callbacks = [
    path("wechat/pay", notices.payment_notice, name="payments-wechat-pay-notice"),
    path("wechat/refund", notices.refund_notice, name="payments-wechat-refund-notice"),
]
