"""What is typed on the configuration page, as the setting's own kind of value."""

from collections.abc import Sequence
from typing import Final

from django import forms

from hospital.kernel import money
from hospital.kernel.errors import Invalid
from hospital.kernel.settings_rows import AnySetting, Scope

#: Chosen in place of a value: the scope's override is taken back.
BACK: Final = "back"
_YES, _NO = "on", "off"


class ChangeForm(forms.Form):
    """One change of one setting: where, to what, from when, why."""

    scope = forms.ChoiceField(label="范围", error_messages={"invalid_choice": "没有这个范围。"})
    way = forms.ChoiceField(label="怎么改", required=False)
    value = forms.CharField(label="改为", max_length=100, required=False)
    valid_from = forms.DateTimeField(
        label="生效时间",
        required=False,
        help_text="不填就是立即生效",
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"],
        error_messages={"invalid": "请填写成 2026-12-01 08:00 的样子。"},
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )
    reason = forms.CharField(
        label="原因",
        max_length=200,
        error_messages={"required": "请写明修改的原因。", "max_length": "原因最多 200 个字。"},
        widget=forms.TextInput(attrs={"placeholder": "如：节前试行，门诊办 12 号会议"}),
    )

    def __init__(self, *args: object, setting: AnySetting, scopes: Sequence[tuple[str, str]]):
        super().__init__(*args)  # type: ignore[arg-type]
        self.setting = setting
        self.fields["scope"].choices = scopes  # type: ignore[attr-defined]
        self.fields["way"].choices = [("", "改为新的值"), (BACK, _taken_back(scopes))]  # type: ignore[attr-defined]
        self.fields["value"].help_text = _hint(setting)
        self.fields["value"].widget = _widget(setting)

    def clean(self) -> None:
        """The value as the setting keeps it, under "parsed"; None takes the override back."""
        if self.cleaned_data.get("way") == BACK:
            self.cleaned_data["parsed"] = None
            return
        try:
            parsed = _parsed(self.setting, self.cleaned_data.get("value", ""))
            self.setting.check(parsed)
        except Invalid as refusal:
            self.add_error("value", refusal.errors["value"])
        else:
            self.cleaned_data["parsed"] = parsed

    @property
    def chosen(self) -> Scope:
        """The scope of a valid form."""
        kind, _, number = self.cleaned_data["scope"].partition(":")
        return Scope(kind, int(number))


def as_typed(setting: AnySetting, value: object) -> str:
    """A value the way the form takes it."""
    if isinstance(value, bool):
        return _YES if value else _NO
    if setting.is_money and isinstance(value, int):
        return money.format_yuan(value).replace(",", "")
    return str(value)


def _taken_back(scopes: Sequence[tuple[str, str]]) -> str:
    return "恢复成默认值" if len(scopes) == 1 else "不再单独设置（按全院的值或默认值）"


def _hint(setting: AnySetting) -> str:
    if setting.minimum is None or setting.maximum is None:
        return f"如 {setting.default}" if setting.pattern else ""
    least, most = as_typed(setting, setting.minimum), as_typed(setting, setting.maximum)
    return f"{least}–{most} {setting.unit}"


def _widget(setting: AnySetting) -> forms.Widget:
    if type(setting.default) is bool:
        return forms.Select(choices=[(_YES, "是"), (_NO, "否")])
    # Not type="number": a browser drops what it cannot read, and the sentence with it.
    mode = "decimal" if setting.is_money else "numeric" if type(setting.default) is int else "text"
    return forms.TextInput(attrs={"inputmode": mode, "autocomplete": "off"})


def _parsed(setting: AnySetting, text: str) -> object:
    """The typed text as the setting's own kind. Raises Invalid."""
    if type(setting.default) is bool:
        return text == _YES
    if type(setting.default) is str:
        return text
    try:
        return money.parse_yuan(text) if setting.is_money else int(text)
    except ValueError:
        word = "金额，如 1000 或 1000.50" if setting.is_money else "整数"
        raise Invalid({"value": [f"请填写{word}。"]}) from None
