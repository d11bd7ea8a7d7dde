"""What the system administrator types about a platform, as values."""

from __future__ import annotations

from typing import Any

from django import forms

from hospital.interop.actions import MOST_A_DAY, MOST_A_MINUTE, Terms
from hospital.interop.models import Partner
from hospital.interop.states import Scope


def _number(label: str, help_text: str, *, least: int, most: int) -> forms.IntegerField:
    sentence = f"请填写 {least} 到 {most} 之间的整数。"
    errors = {"required": sentence, "invalid": sentence}
    return forms.IntegerField(
        label=label,
        help_text=help_text,
        min_value=least,
        max_value=most,
        error_messages=errors | {"min_value": sentence, "max_value": sentence},
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
    )


class PartnerForm(forms.Form):
    """One platform: its names, what it may do and how much."""

    name = forms.CharField(
        label="平台名称",
        max_length=60,
        error_messages={"required": "请填写平台名称。", "max_length": "不超过 60 个字。"},
    )
    contact = forms.CharField(
        label="联系人",
        max_length=100,
        required=False,
        help_text="姓名和电话，出问题时找谁",
        error_messages={"max_length": "不超过 100 个字。"},
    )
    daily_quota = _number(
        "每日预约额度", "一天最多预约多少个号，退号不退额度", least=0, most=MOST_A_DAY
    )
    session_percent = _number(
        "每次出诊占比（%）", "最多占一次出诊线上号源的百分之几", least=0, most=100
    )
    per_minute = _number("每分钟调用上限", "超过的调用要等下一分钟", least=1, most=MOST_A_MINUTE)
    scopes = forms.MultipleChoiceField(
        label="可以做什么",
        choices=Scope.choices,
        error_messages={
            "required": "请至少选择一项。",
            "invalid_choice": "没有这一项，请重新选择。",
        },
        widget=forms.CheckboxSelectMultiple,
    )

    @property
    def terms(self) -> Terms:
        """What was typed, once it is valid."""
        told = self.cleaned_data
        return Terms(
            name=told["name"],
            contact=told["contact"],
            scopes=[Scope(word) for word in told["scopes"]],
            daily_quota=told["daily_quota"],
            session_percent=told["session_percent"],
            per_minute=told["per_minute"],
        )


class NewPartnerForm(PartnerForm):
    """A platform to be taken in; its code is chosen once."""

    code = forms.CharField(
        label="客户端编号",
        max_length=30,
        help_text="小写字母、数字和连字符，对方登录用，确定后不能修改",
        error_messages={"required": "请填写客户端编号。", "max_length": "不超过 30 位。"},
        widget=forms.TextInput(attrs={"autocapitalize": "none", "spellcheck": "false"}),
    )
    field_order = ("name", "code", "contact", "daily_quota", "session_percent", "per_minute")


def initial_of(partner: Partner) -> dict[str, Any]:
    """A partner's terms as the form shows them."""
    return {name: getattr(partner, name) for name in PartnerForm.base_fields}
