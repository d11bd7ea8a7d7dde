"""Untrusted input of the card desk as typed values; the rules stay in actions and documents."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from django import forms
from django.urls import reverse_lazy

from hospital.kernel import sealed
from hospital.kernel.clock import hospital_day
from hospital.kernel.errors import Invalid
from hospital.patients import actions, documents
from hospital.patients.actions import Facts, Judgement
from hospital.patients.queries import Candidate
from hospital.patients.reader_text import Card
from hospital.patients.reference import COUNTRIES, ETHNIC_GROUPS
from hospital.patients.states import (
    CardStatus,
    DocumentKind,
    GuardianRelation,
    Sex,
    VerificationMethod,
)
from hospital.ui.typed import typed_id

SOMEBODY_NEW: Final = "new"
GUARDIAN_CHOICES: Final = GuardianRelation.choices
_UNKNOWN: Final = [("", "未填")]
_SEXES: Final = [(Sex.MALE.value, Sex.MALE.label), (Sex.FEMALE.value, Sex.FEMALE.label)]
_ASK_AGAIN: Final = {
    "hx-post": reverse_lazy("patients-desk-told"),
    "hx-trigger": "change",
    "hx-target": "#told",
    "hx-swap": "outerHTML",
}
_QUIET: Final = {"autocomplete": "off", "spellcheck": "false"}


class PersonForm(forms.Form):
    """Who stands at the desk, typed by hand or filled by a reader; nothing typed is ever lost."""

    name = forms.CharField(
        label="姓名",
        max_length=100,
        error_messages={"required": "请填写姓名。", "max_length": "姓名太长。"},
        widget=forms.TextInput(attrs=_QUIET),
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
        max_length=100,
        error_messages={"required": "请填写证件号码。", "max_length": "证件号码太长。"},
        widget=forms.TextInput(attrs={**_QUIET, **_ASK_AGAIN}),
    )
    phone = forms.CharField(
        label="手机号", required=False, max_length=40, widget=forms.TextInput(attrs=_QUIET)
    )
    sex = forms.ChoiceField(label="性别", choices=_SEXES, required=False, widget=forms.RadioSelect)
    birth_date = forms.DateField(
        label="出生日期",
        required=False,
        error_messages={"invalid": "请选择出生日期。"},
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date", **_ASK_AGAIN}),
    )
    guardian_no = forms.CharField(
        label="监护人的证件号或门诊号",
        required=False,
        max_length=60,
        widget=forms.TextInput(attrs=_QUIET),
    )
    guardian_relation = forms.ChoiceField(
        label="监护人是孩子的", choices=GuardianRelation.choices, required=False
    )
    address = forms.CharField(
        label="住址", required=False, max_length=200, widget=forms.TextInput(attrs=_QUIET)
    )
    ethnic_group = forms.ChoiceField(
        label="民族",
        required=False,
        choices=[*_UNKNOWN, *((row.code, row.name) for row in ETHNIC_GROUPS.values())],
    )
    nationality = forms.ChoiceField(
        label="国籍或地区",
        required=False,
        choices=[("", "按证件"), *COUNTRIES.items()],
    )
    name_note = forms.CharField(
        label="生僻字写法", required=False, max_length=40, widget=forms.TextInput(attrs=_QUIET)
    )
    valid_from = forms.DateField(required=False, widget=forms.HiddenInput)
    valid_until = forms.DateField(required=False, widget=forms.HiddenInput)
    reading = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)
    reason = forms.CharField(
        label="原因",
        required=False,
        max_length=200,
        widget=forms.TextInput(attrs={**_QUIET, "list": "reasons"}),
    )
    decision = forms.CharField(required=False, max_length=20)
    seen = forms.CharField(required=False, max_length=400, widget=forms.HiddenInput)
    key = forms.CharField(max_length=64, widget=forms.HiddenInput)

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        *,
        at: dt.datetime,
        initial: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(data, initial=dict(initial or {}))
        self._at = at

    def clean(self) -> dict[str, Any]:
        """Check the person even when something is missing, so that all errors show at once."""
        try:
            actions.check_facts(self.facts(), at=self._at)
        except Invalid as problem:
            self.show(problem)
        return self.cleaned_data

    def facts(self) -> Facts:
        """Return what was typed as the argument of the actions."""
        told = self.cleaned_data
        return Facts(
            name=told.get("name", ""),
            document_kind=DocumentKind(told.get("document_kind", DocumentKind.RESIDENT_ID)),
            document_no=told.get("document_no", ""),
            phone=told.get("phone", ""),
            sex=Sex(told["sex"]) if told.get("sex") else None,
            birth_date=told.get("birth_date"),
            name_note=told.get("name_note", ""),
            ethnic_group=told.get("ethnic_group", ""),
            nationality=told.get("nationality", ""),
            address=told.get("address", ""),
            valid_from=told.get("valid_from"),
            valid_until=told.get("valid_until"),
        )

    def method(self) -> VerificationMethod:
        """Say whether name and number are still what the reader read (M3.3)."""
        told = self.cleaned_data
        mark = reading_mark(told.get("name", ""), told.get("document_no", ""))
        was_read = bool(told.get("reading")) and told["reading"] == mark
        return VerificationMethod.READER if was_read else VerificationMethod.HAND

    def judgement(self) -> Judgement:
        """Return what was decided about the look-alikes that were on the screen."""
        told = self.cleaned_data
        decision = told.get("decision", "")
        found = (typed_id(one) for one in told.get("seen", "").split(","))
        seen = [one for one in found if one is not None]
        chosen = typed_id(decision)
        is_somebody = chosen in seen
        return Judgement(
            use_id=chosen if is_somebody else None,
            reason=told.get("reason", "") if is_somebody or decision == SOMEBODY_NEW else "",
            seen=frozenset(seen),
        )

    def ask(self, candidates: Sequence[Candidate]) -> None:
        """Show the form again with these look-alikes; what was typed stays."""
        seen = ",".join(str(one.patient.pk) for one in candidates)
        if self.cleaned_data.get("decision") and not self.cleaned_data.get("reason"):
            self.add_error("reason", "请写明原因。")
        self.data = {**{name: self.data.get(name) for name in self.data}, "seen": seen}

    def show(self, problem: Invalid) -> None:
        """Put a rule's sentences at the fields they are about."""
        for field, sentences in problem.errors.items():
            if field not in self.errors:
                self.add_error(field if field in self.fields else None, sentences)

    def told(self) -> dict[str, object]:
        """Return what the document typed so far tells, and what the page must still ask."""
        on = hospital_day(self._at)
        kind = self._typed("document_kind")
        known = DocumentKind(kind) if kind in DocumentKind.values else DocumentKind.RESIDENT_ID
        document, error = None, ""
        if text := self._typed("document_no"):
            try:
                document = documents.check(known, text, on=on)
            except documents.BadDocument as problem:
                error = problem.message
        tells = document.birth_date is not None if document else known in documents.TELLING
        born = (document.birth_date if document else None) or _date(self._typed("birth_date"))
        return {
            "document": document,
            "error": error,
            "asks_person": not tells,
            "is_child": born is not None and actions.is_child(born, on=on),
        }

    def _typed(self, name: str) -> str:
        return str(self[name].value() or "").strip()


class NewbornForm(forms.Form):
    """A child that has no document yet, known by its mother."""

    mother_no = forms.CharField(
        label="母亲的证件号、门诊号或就诊卡号",
        max_length=60,
        error_messages={"required": "请填写母亲的号码。"},
        widget=forms.TextInput(attrs=_QUIET),
    )
    sex = forms.ChoiceField(
        label="性别",
        choices=_SEXES,
        widget=forms.RadioSelect,
        error_messages={"required": "请选择性别。"},
    )
    birth_date = forms.DateField(
        label="出生日期",
        error_messages={"required": "请选择出生日期。", "invalid": "请选择出生日期。"},
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
    )
    birth_order = forms.ChoiceField(
        label="同胎",
        required=False,
        choices=[("", "单胎"), *((one, f"多胎·{one}") for one in actions.BIRTH_ORDERS[1:])],
    )
    key = forms.CharField(max_length=64, widget=forms.HiddenInput)


class UnidentifiedForm(forms.Form):
    """A rescue patient nobody can name for certain."""

    name = forms.CharField(
        label="姓名（有人说出才填）",
        required=False,
        max_length=100,
        widget=forms.TextInput(attrs=_QUIET),
    )
    sex = forms.ChoiceField(
        label="性别",
        choices=[*_SEXES, (Sex.UNKNOWN.value, "看不出")],
        widget=forms.RadioSelect,
        error_messages={"required": "请选择性别。"},
    )
    age = forms.IntegerField(
        label="估计年龄（岁）",
        error_messages={"required": "请估计年龄。", "invalid": "请填写整岁数。"},
    )
    note = forms.CharField(
        label="送来的经过和特征",
        max_length=200,
        error_messages={"required": "请填写送来的经过，例如：120 于桃源路送来，男，蓝色外套。"},
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    key = forms.CharField(max_length=64, widget=forms.HiddenInput)


class ContactForm(forms.Form):
    """How to reach a patient, told at the desk."""

    phone = PersonForm.base_fields["phone"]
    address = PersonForm.base_fields["address"]
    ethnic_group = PersonForm.base_fields["ethnic_group"]
    name_note = PersonForm.base_fields["name_note"]
    reason = forms.CharField(
        label="修改原因",
        max_length=200,
        error_messages={"required": "请填写修改的原因。"},
        widget=forms.TextInput(attrs=_QUIET),
    )


def reading_mark(name: str, number: str) -> str:
    """Return the mark that name and number come from a reader and were not typed over."""
    plain = f"{name.strip()}\0{documents.normalise(number)}"
    return sealed.blind_index(plain, "patients.reading")


def from_card(card: Card) -> dict[str, object]:
    """Return what a reader read as the first values of a PersonForm."""
    return {
        "name": card.name,
        "document_kind": card.kind,
        "document_no": card.number,
        "sex": card.sex,
        "birth_date": card.birth_date,
        "ethnic_group": card.ethnic_group,
        "address": card.address,
        "valid_from": card.valid_from,
        "valid_until": card.valid_until,
        "reading": reading_mark(card.name, card.number),
    }


def from_text(text: str) -> dict[str, object]:
    """Return what was typed into the search box as the first value of the field it fits."""
    plain = text.strip()
    number = documents.normalise(plain)
    if re.fullmatch(r"(\+?86)?1[3-9][0-9]{9}", number):
        return {"phone": plain}
    for shape, kind in _SHAPES:
        if shape.fullmatch(number):
            return {"document_no": number, "document_kind": kind}
    return {"name": plain} if plain and not re.search(r"[0-9A-Za-z]", plain) else {}


def card_status(text: str) -> CardStatus:
    """Return the wanted status of a card. Raises Invalid."""
    if text not in CardStatus.values:
        raise Invalid({"": ["请选择要做的处理。"]})
    return CardStatus(text)


def relation(text: str) -> GuardianRelation:
    """Return a guardian's relation; anything unknown is "other"."""
    return GuardianRelation(text) if text in GuardianRelation.values else GuardianRelation.OTHER


_SHAPES: Final = (
    (re.compile(r"8[123][0-9]{15}[0-9X]"), DocumentKind.RESIDENCE_PERMIT),
    (re.compile(r"9[0-9]{16}[0-9X]|[A-Z]{3}[0-9]{12}"), DocumentKind.FOREIGNER_CARD),
    (re.compile(r"[0-9]{17}[0-9X]|[0-9]{15}"), DocumentKind.RESIDENT_ID),
    (re.compile(r"[HM]([0-9]{8}|[0-9]{10})"), DocumentKind.HK_MACAU_PERMIT),
    (re.compile(r"[A-Z]{1,2}[0-9]{7,8}"), DocumentKind.PASSPORT),
)


def _date(text: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text[:10])
    except ValueError:
        return None
