"""Untrusted input of the patient pages as typed values; the rules stay in actions and documents."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any, Final

from django import forms
from django.urls import reverse_lazy

from hospital.kernel.clock import hospital_day
from hospital.kernel.errors import Invalid
from hospital.patients import actions, consent, documents
from hospital.patients.states import DocumentKind, Relationship, Sex

_ASK_AGAIN: Final = {
    "hx-post": reverse_lazy("patients-add-told"),
    "hx-trigger": "change",
    "hx-target": "#told",
    "hx-swap": "outerHTML",
}


def _code_field(label: str) -> forms.CharField:
    return forms.CharField(
        label=label,
        error_messages={"max_length": "验证码为 6 位数字。"},
        max_length=20,
        required=False,
        widget=forms.TextInput(
            attrs={"inputmode": "numeric", "autocomplete": "one-time-code", "maxlength": "6"}
        ),
    )


@dataclass(frozen=True, slots=True)
class Told:
    """What the document typed so far tells, and what the page must still ask."""

    document: documents.Document | None
    error: str
    asks_person: bool
    is_child: bool


class AddPatientForm(forms.Form):
    """A person to add; `data` may be half filled, nothing of it is lost when shown again."""

    name = forms.CharField(
        label="姓名",
        error_messages={"required": "请填写姓名。", "max_length": "姓名太长。"},
        max_length=100,
        help_text="与证件上的姓名一致",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    document_kind = forms.ChoiceField(
        label="证件类型",
        choices=DocumentKind.choices,
        initial=DocumentKind.RESIDENT_ID,
        error_messages={"required": "请选择证件类型。", "invalid_choice": "请选择证件类型。"},
        widget=forms.Select(attrs=_ASK_AGAIN),
    )
    document_no = forms.CharField(
        label="证件号码",
        error_messages={"required": "请填写证件号码。", "max_length": "证件号码太长。"},
        max_length=100,
        widget=forms.TextInput(
            attrs={
                "autocomplete": "off",
                "autocapitalize": "characters",
                "spellcheck": "false",
                **_ASK_AGAIN,
            }
        ),
    )
    sex = forms.ChoiceField(
        label="性别",
        choices=[(Sex.MALE.value, Sex.MALE.label), (Sex.FEMALE.value, Sex.FEMALE.label)],
        required=False,
        widget=forms.RadioSelect,
    )
    birth_date = forms.DateField(
        label="出生日期",
        required=False,
        error_messages={"invalid": "请选择出生日期。"},
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date", **_ASK_AGAIN}),
    )
    is_guardian = forms.BooleanField(label=consent.GUARDIAN_PURPOSE, required=False)
    phone = forms.CharField(
        label="手机号",
        error_messages={"required": "请填写手机号。", "max_length": "手机号太长。"},
        max_length=40,
        help_text="验证码会发到这个号码。已在医院建档的，请填建档时的手机号",
        widget=forms.TextInput(attrs={"type": "tel", "inputmode": "tel", "autocomplete": "tel"}),
    )
    relationship = forms.ChoiceField(
        label="就诊人是您的",
        choices=Relationship.choices,
        error_messages={"required": "请选择关系。", "invalid_choice": "请选择关系。"},
        widget=forms.RadioSelect,
    )
    has_consent = forms.BooleanField(
        label="我已阅读并同意个人信息处理说明",
        error_messages={"required": "请阅读并同意个人信息处理说明。"},
    )
    code = _code_field("短信验证码")
    key = forms.CharField(max_length=64, widget=forms.HiddenInput)

    def __init__(
        self,
        data: dict[str, Any] | None = None,
        *,
        at: dt.datetime,
        has_self: bool,
        key: str = "",
    ) -> None:
        super().__init__(data, initial={"key": key})
        self._at = at
        # A second tap still says "self", and is then answered like the first one.
        if has_self and self.data.get("relationship") != Relationship.SELF:
            left = [choice for choice in Relationship.choices if choice[0] != Relationship.SELF]
            self.fields["relationship"].choices = left  # type: ignore[attr-defined]
        elif not has_self:
            self.initial["relationship"] = Relationship.SELF

    def clean(self) -> dict[str, Any]:
        """Check the person even when something is missing, so that all errors show at once."""
        try:
            actions.check_person(**self.person(), at=self._at)
        except Invalid as problem:
            self.show(problem)
        return self.cleaned_data

    def person(self) -> dict[str, Any]:
        """Return what was typed about the person, as the arguments of the action."""
        cleaned = self.cleaned_data
        return {
            "name": cleaned.get("name", ""),
            "document_kind": DocumentKind(cleaned.get("document_kind", DocumentKind.RESIDENT_ID)),
            "document_no": cleaned.get("document_no", ""),
            "phone": cleaned.get("phone", ""),
            "relationship": Relationship(cleaned.get("relationship", Relationship.OTHER)),
            "sex": Sex(cleaned["sex"]) if cleaned.get("sex") else None,
            "birth_date": cleaned.get("birth_date"),
            "is_guardian": cleaned.get("is_guardian", False),
        }

    def show(self, problem: Invalid) -> None:
        """Put a rule's sentences at the fields they are about."""
        for field, sentences in problem.errors.items():
            if field not in self.errors:
                self.add_error(field or None, sentences)

    def told(self) -> Told:
        """Return what the document, as typed so far, tells about the person."""
        on = hospital_day(self._at)
        text = self._typed("document_no")
        kind = DocumentKind(self._typed("document_kind") or DocumentKind.RESIDENT_ID)
        document, error = None, ""
        if text:
            try:
                document = documents.check(kind, text, on=on)
            except documents.BadDocument as problem:
                error = problem.message
        tells = document.birth_date is not None if document else kind in documents.TELLING
        for name in ("sex", "birth_date"):
            self.fields[name].required = not tells  # for the mark beside the label
        born = (document.birth_date if document else None) or self._typed_birth_date()
        return Told(
            document=document,
            error=error,
            asks_person=not tells,
            is_child=born is not None and actions.is_child(born, on=on),
        )

    def _typed(self, name: str) -> str:
        value = self.data.get(self.add_prefix(name), "").strip()
        known = {code for code, _ in DocumentKind.choices}
        return value if name != "document_kind" or value in known else ""

    def _typed_birth_date(self) -> dt.date | None:
        try:
            return dt.date.fromisoformat(self._typed("birth_date"))
        except ValueError:
            return None


class PhoneForm(forms.Form):
    """A new phone for a patient, and the codes that went to both."""

    phone = forms.CharField(
        label="新手机号",
        error_messages={"required": "请填写新手机号。", "max_length": "手机号太长。"},
        max_length=40,
        widget=forms.TextInput(attrs={"type": "tel", "inputmode": "tel", "autocomplete": "tel"}),
    )
    new_code = _code_field("新手机号收到的验证码")
    old_code = _code_field("原手机号收到的验证码")
