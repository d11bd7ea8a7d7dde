"""Addresses of the messaging area: a person's inbox."""

from __future__ import annotations

from django.urls import path

from hospital.messaging.views import callbacks as heard
from hospital.messaging.views import patient as views

callbacks = [path("wechat/account", heard.account, name="messaging-wechat-account")]
patient = [
    path("messages/", views.inbox, name="messaging-inbox"),
    path("messages/read/", views.read_all, name="messaging-read-all"),
    path("messages/<str:token>/", views.open_message, name="messaging-open"),
]
