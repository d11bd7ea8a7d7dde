"""Addresses of the identity area: WeChat log-in and display for patients, log-in for staff."""

from __future__ import annotations

from django.urls import path

from hospital.identity.views import (
    devices,
    loans,
    lock,
    log_ins,
    networks,
    people,
    requests,
    roles,
    second_factor,
    second_step,
)
from hospital.identity.views import patient as patient_views
from hospital.identity.views import staff as staff_views

patient = [
    path("login/", patient_views.wechat_login, name="identity-wechat-login"),
    path("login/return/", patient_views.wechat_return, name="identity-wechat-return"),
    path("display/", patient_views.care, name="identity-care"),
    path("wait/", patient_views.wait, name="identity-wait"),
]
staff = [
    path("people/", people.people, name="identity-people"),
    path("people/new/", people.new, name="identity-person-new"),
    path("people/practitioners/", people.practitioners, name="identity-practitioners"),
    path("people/colleagues/", people.colleagues, name="identity-colleagues"),
    path("people/<int:account_id>/", people.person, name="identity-person"),
    path("people/<int:account_id>/roles/", people.roles, name="identity-person-roles"),
    path("people/<int:account_id>/may/", people.may, name="identity-person-may"),
    path("people/<int:account_id>/off/", people.switch_off, name="identity-person-off"),
    path("people/<int:account_id>/on/", people.switch_on, name="identity-person-on"),
    path(
        "people/<int:account_id>/password/",
        people.reset_password,
        name="identity-person-password",
    ),
    path("roles/", roles.roles, name="identity-roles"),
    path("roles/new/", roles.new, name="identity-role-new"),
    path("roles/<slug:code>/", roles.role, name="identity-role"),
    path("roles/<slug:code>/change/", roles.change, name="identity-role-change"),
    path("roles/<slug:code>/retire/", roles.retire, name="identity-role-retire"),
    path("access/", requests.requests, name="identity-requests"),
    path("access/who/", requests.access, name="identity-access"),
    path("access/<int:request_id>/", requests.one, name="identity-request"),
    path("access/<int:request_id>/decide/", requests.decide, name="identity-request-decide"),
    path("loans/", loans.loans, name="identity-loans"),
    path("loans/<int:delegation_id>/end/", loans.take_back, name="identity-loan-end"),
    path("login/", staff_views.login, name="identity-staff-login"),
    path("login/code/", second_step.code, name="identity-staff-code"),
    path("login/enrol/", second_step.enrol, name="identity-staff-enrol"),
    path("lock/", lock.lock, name="identity-lock"),
    path("lock/state/", lock.state, name="identity-lock-state"),
    path("unlock/", lock.unlock, name="identity-unlock"),
    path("second-factor/", second_factor.second_factor, name="identity-second-factor"),
    path("second-factor/recovery/", second_factor.recovery_codes, name="identity-recovery-codes"),
    path("sessions/", log_ins.own, name="identity-sessions"),
    path("sessions/others/end/", log_ins.end_others, name="identity-sessions-end-others"),
    path("sessions/<int:session_id>/end/", log_ins.end_own, name="identity-session-end"),
    path("log-ins/", log_ins.everybody, name="identity-log-ins"),
    path("log-ins/locked/", log_ins.locked, name="identity-locked"),
    path("log-ins/<int:session_id>/end/", log_ins.force_end, name="identity-log-in-end"),
    path("log-ins/unlock/<int:account_id>/", log_ins.unlock, name="identity-unlock-account"),
    path("log-ins/factor/<int:account_id>/", log_ins.reset_factor, name="identity-factor-reset"),
    path("log-ins/devices/", devices.devices, name="identity-devices"),
    path("log-ins/devices/<int:device_id>/renew/", devices.renew, name="identity-device-renew"),
    path("log-ins/devices/<int:device_id>/revoke/", devices.revoke, name="identity-device-revoke"),
    path("log-ins/networks/", networks.networks, name="identity-networks"),
    path("log-ins/networks/<slug:role>/", networks.network, name="identity-network"),
    path("password/", staff_views.password, name="identity-staff-password"),
    path("logout/", staff_views.logout, name="identity-staff-logout"),
]
kiosk = [
    path("pair/", devices.pair, name="identity-kiosk-pair"),
]
