"""Addresses of the messaging area: a person's inbox and wishes, the desk's log and call list."""

from __future__ import annotations

from django.urls import path

from hospital.messaging.views import account
from hospital.messaging.views import callbacks as heard
from hospital.messaging.views import patient as views
from hospital.messaging.views import staff as desk

callbacks = [path("wechat/account", heard.account, name="messaging-wechat-account")]
patient = [
    path("messages/", views.inbox, name="messaging-inbox"),
    path("messages/read/", views.read_all, name="messaging-read-all"),
    path("messages/settings/", views.settings, name="messaging-settings"),
    path("messages/<str:token>/", views.open_message, name="messaging-open"),
]
staff = [
    path("account/menu/", account.menu, name="messaging-menu"),
    path("account/menu/start/", account.start, name="messaging-menu-start"),
    path("account/menu/<int:menu_id>/", account.edit, name="messaging-menu-edit"),
    path("account/menu/<int:menu_id>/publish/", account.publish, name="messaging-menu-publish"),
    path("account/menu/<int:menu_id>/discard/", account.discard, name="messaging-menu-discard"),
    path("account/replies/", account.replies, name="messaging-replies"),
    path("account/replies/<slug:kind>/", account.reply, name="messaging-reply-new"),
    path("account/replies/<slug:kind>/<int:rule_id>/", account.reply, name="messaging-reply"),
    path("messages/", desk.log, name="messaging-log"),
    path("messages/calls/", desk.calls, name="messaging-calls"),
    path("messages/calls/<int:task_id>/phone/", desk.call_phone, name="messaging-call-phone"),
    path("messages/calls/<int:task_id>/close/", desk.close_call, name="messaging-call-close"),
    path("messages/kinds/", desk.kinds, name="messaging-kinds"),
    path("messages/<int:message_id>/", desk.one, name="messaging-story"),
    path("messages/<int:message_id>/resend/", desk.resend, name="messaging-resend"),
]
