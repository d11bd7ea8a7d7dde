"""Untrusted input of registration's pages. Forms parse; actions decide."""

from django import forms

from hospital.kernel.errors import Invalid
from hospital.scheduling.states import StopReason

_MOST_NOTE = 80


class StopForm(forms.Form):
    """Why a session is called off: one of M15.3's reasons, and a sentence where none fits."""

    code = forms.ChoiceField(
        label="停诊原因",
        choices=StopReason.choices,
        widget=forms.RadioSelect,
        error_messages={"required": "请选择停诊原因。", "invalid_choice": "请选择停诊原因。"},
    )
    note = forms.CharField(
        label="说明（患者看不到）",
        max_length=_MOST_NOTE,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    def clean(self) -> dict[str, object]:
        facts: dict[str, object] = self.cleaned_data
        if facts.get("code") == StopReason.OTHER and not facts.get("note"):
            self.add_error("note", "选择“其他”时请写明原因。")
        return facts

    @property
    def reason(self) -> str:
        """As it is kept with the session: "病假：发热"."""
        label, note = StopReason(self.cleaned_data["code"]).label, self.cleaned_data["note"]
        return f"{label}：{note}" if note else str(label)


class AnswerForm(forms.Form):
    """Yes or no to the doctor the page named (M1.9)."""

    agrees = forms.ChoiceField(choices=[("yes", "同意"), ("no", "不同意")])
    doctor = forms.IntegerField(required=False, min_value=1)


def answer(data: object) -> tuple[bool, int | None]:
    """Whether somebody agrees, and to whom. Raises Invalid without a clear answer."""
    form = AnswerForm(data)  # type: ignore[arg-type]
    if not form.is_valid():
        raise Invalid.of("agrees", "请选择同意或不同意。")
    return form.cleaned_data["agrees"] == "yes", form.cleaned_data["doctor"]


class _Why(forms.Form):
    reason = forms.CharField(max_length=_MOST_NOTE)


def why(data: object) -> str:
    """The typed reason. Raises Invalid without one."""
    form = _Why(data)  # type: ignore[arg-type]
    if not form.is_valid():
        raise Invalid({"reason": ["请写明原因（80 字以内）。"]}, "请写明原因后再提交。")
    return str(form.cleaned_data["reason"])
