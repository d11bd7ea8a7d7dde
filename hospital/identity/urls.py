"""Addresses of the identity area: WeChat log-in and display for patients, log-in for staff."""

from __future__ import annotations

from django.urls import path

from hospital.identity.views import patient as patient_views
from hospital.identity.views import staff as staff_views

patient = [
    path("login/", patient_views.wechat_login, name="identity-wechat-login"),
    path("login/return/", patient_views.wechat_return, name="identity-wechat-return"),
    path("display/", patient_views.care, name="identity-care"),
]
staff = [
    path("login/", staff_views.login, name="identity-staff-login"),
    path("password/", staff_views.password, name="identity-staff-password"),
    path("logout/", staff_views.logout, name="identity-staff-logout"),
]
