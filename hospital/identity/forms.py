"""Untrusted input of the identity pages as typed values."""

from __future__ import annotations

from django import forms
from django.http import QueryDict  # noqa: TID251  a type only, no HTTP happens here

from hospital.identity.states import Theme

_SWITCH = {"on": True, "off": False}


def password_field(
    label: str = "密码", *, is_new: bool = False, ask: str = "", help_text: str = ""
) -> forms.CharField:
    """A password as it was typed, blanks at its ends too; `ask` is what an empty one is told."""
    return forms.CharField(
        label=label,
        max_length=200,
        strip=False,
        help_text=help_text,
        error_messages={"required": ask or f"请输入{label}。", "max_length": "密码太长。"},
        widget=forms.PasswordInput(
            attrs={"autocomplete": "new-password" if is_new else "current-password"}
        ),
    )


def code_field(label: str, *, ask: str = "", has_focus: bool = False) -> forms.CharField:
    """Six digits from a phone, or a recovery code."""
    attrs: dict[str, object] = {
        "autocomplete": "one-time-code",
        "autocapitalize": "none",
        "spellcheck": "false",
        "inputmode": "text",
    }
    return forms.CharField(
        label=label,
        max_length=40,
        error_messages={"required": ask or "请输入动态口令。", "max_length": "动态口令太长。"},
        widget=forms.TextInput(attrs=attrs | ({"autofocus": True} if has_focus else {})),
    )


class LoginForm(forms.Form):
    """User name and password of a member of staff."""

    username = forms.CharField(
        label="用户名",
        max_length=100,
        error_messages={"required": "请输入用户名。", "max_length": "用户名太长。"},
        widget=forms.TextInput(
            attrs={
                "autocomplete": "username",
                "autocapitalize": "none",
                "spellcheck": "false",
                "autofocus": True,
            }
        ),
    )
    password = password_field()


class PasswordForm(forms.Form):
    """The own password and a new one, typed twice."""

    current = password_field("当前密码")
    new = password_field("新密码", is_new=True, help_text="至少 10 个字符，不要用常见密码")
    again = password_field("再输一次新密码", is_new=True, ask="请再输一次新密码。")

    def clean_again(self) -> str:
        again = str(self.cleaned_data["again"])
        if again != self.cleaned_data.get("new"):
            raise forms.ValidationError("两次输入的新密码不一致。")
        return again


class CodeForm(forms.Form):
    """The second step: six digits from the phone, or a recovery code."""

    one_time_code = code_field("动态口令", has_focus=True)


class RecoveryForm(forms.Form):
    """What new recovery codes ask for."""

    password = password_field()
    one_time_code = code_field("手机上现在的动态口令")


class BindForm(forms.Form):
    """What binding a phone asks for; a phone bound already has to agree."""

    password = password_field()
    old_one_time_code = code_field("原手机上的动态口令，或一个恢复码", ask="请输入原来的动态口令。")
    new_one_time_code = code_field("新手机上的动态口令", ask="请输入新手机上的动态口令。")

    def __init__(self, data: QueryDict | None, *, is_bound: bool) -> None:
        super().__init__(data)
        if not is_bound:
            del self.fields["old_one_time_code"]


class DisplayForm(forms.Form):
    """How a patient wants pages to look; a field left out is not changed."""

    care = forms.ChoiceField(choices=[(word, word) for word in _SWITCH], required=False)
    theme = forms.ChoiceField(choices=Theme.choices, required=False)

    def care_mode(self) -> bool | None:
        """Return whether large type was switched on or off, None when it was not touched."""
        return _SWITCH.get(self.cleaned_data["care"])

    def chosen_theme(self) -> Theme | None:
        """Return the theme chosen, None when it was not touched."""
        theme = self.cleaned_data["theme"]
        return Theme(theme) if theme else None
