"""Django's handle on the wire to WeChat."""

from django.apps import AppConfig


class WechatConfig(AppConfig):
    name = "hospital.wechat"
    label = "wechat"
