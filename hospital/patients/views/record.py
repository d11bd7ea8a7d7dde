"""One patient's record at the card desk: masked until revealed, every look and act audited."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Final

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from hospital.identity import queries as identity
from hospital.identity.access import StaffRequest, note_refusal, staff_page
from hospital.kernel import clock, serials
from hospital.kernel.errors import Invalid, NotFound, Refusal
from hospital.patients import actions, desk_forms, queries, reader_text
from hospital.patients.desk_forms import ContactForm, PersonForm
from hospital.patients.models import Patient
from hospital.patients.permissions import (
    EDIT_PATIENT,
    FIND_PATIENT,
    FORCE_UNBIND,
    MANAGE_CARD,
    REVEAL,
    UPGRADE_IDENTITY,
)
from hospital.patients.queries import Record
from hospital.patients.states import CARD_IN_HAND, CARD_MOVES, CardStatus, PatientKind
from hospital.patients.views import telling
from hospital.patients.views.places import tabs
from hospital.ui.typed import typed

_REVEALABLE: Final = {
    "name": "姓名",
    "documents": "证件号码",
    "phone": "手机号",
    "address": "住址",
}


@staff_page(FIND_PATIENT)
@require_safe
def record(request: StaffRequest, number: str) -> HttpResponse:
    """Everything the hospital keeps about who somebody is."""
    return _page(request, number)


@sensitive_post_parameters()
@staff_page(REVEAL)
@require_POST
def reveal(request: StaffRequest, number: str) -> HttpResponse:
    """The record with one value in clear; purpose and person are audited."""
    patient = queries.patient_by_number(outpatient_no=number)
    what = request.POST.get("what", "")
    if what not in _REVEALABLE:
        return _page(request, number, problem="请选择要显示的内容。", status=HTTPStatus.CONFLICT)
    try:
        values = actions.reveal(
            patient_id=patient.pk,
            what=what,
            by=request.actor,
            at=clock.now(),
            reason=typed(request.POST, "reason", most=200),
        )
    except Invalid as problem:
        return _refused(request, number, problem)
    text = "、".join(value for value in values if value) or "没有登记"
    return _page(request, number, shown={"label": _REVEALABLE[what], "text": text})


@sensitive_post_parameters()
@staff_page(EDIT_PATIENT)
@require_http_methods(["GET", "HEAD", "POST"])
def contact(request: StaffRequest, number: str) -> HttpResponse:
    """Change how to reach a patient; seeing the present values is a reveal and is audited."""
    patient = queries.patient_by_number(outpatient_no=number)
    if request.method == "POST":
        form = ContactForm(request.POST)
        if form.is_valid():
            try:
                actions.correct(
                    patient_id=patient.pk, **form.cleaned_data, by=request.actor, at=clock.now()
                )
            except Invalid as problem:
                for field, sentences in problem.errors.items():
                    form.add_error(field or None, sentences)
            else:
                messages.success(request, "已保存。")
                return redirect("patients-record", number=number)
        status = HTTPStatus.UNPROCESSABLE_ENTITY
    else:
        told = {}
        for what in ("phone", "address"):
            (told[what],) = actions.reveal(
                patient_id=patient.pk,
                what=what,
                by=request.actor,
                at=clock.now(),
                reason="窗口修改联系方式",
            )
        kept = {"ethnic_group": patient.ethnic_group, "name_note": patient.name_note}
        form, status = ContactForm(initial={**told, **kept}), HTTPStatus.OK
    context = {"tabs": tabs(request, ""), "patient": patient, "form": form}
    return render(request, "patients/staff/contact.html", context, status=status)


@sensitive_post_parameters()
@staff_page(UPGRADE_IDENTITY)
@require_http_methods(["GET", "HEAD", "POST"])
def prove(request: StaffRequest, number: str) -> HttpResponse:
    """File a document with a patient: a newborn, a rescue patient, a new passport."""
    patient = queries.patient_by_number(outpatient_no=number)
    actions.record_view(patient_id=patient.pk, what="补录证件", by=request.actor, at=clock.now())
    if request.method != "POST":
        initial = {"key": serials.opaque(), "name": _proper_name(patient)}
        return _prove_page(request, number, PersonForm(at=clock.now(), initial=initial))
    if "text" in request.POST:
        return _prove_page(request, number, _from_reader(request.POST["text"], patient))
    form = PersonForm(request.POST, at=clock.now())
    if not form.is_valid():
        return _prove_page(request, number, form, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    try:
        actions.prove_identity(
            patient_id=patient.pk,
            facts=form.facts(),
            method=form.method(),
            reason=form.cleaned_data["reason"],
            by=request.actor,
            at=clock.now(),
        )
    except actions.DocumentOfAnother as refusal:
        other = queries.patient(patient_id=int(str(refusal.details["patient_id"])))
        form.add_error("document_no", refusal.message)
        return _prove_page(
            request, number, form, other=queries.found(other), status=HTTPStatus.CONFLICT
        )
    except Refusal as refusal:
        note_refusal(request, refusal)
        field = "reason" if isinstance(refusal, actions.NameOnFileDiffers) else "document_no"
        form.add_error(field, refusal.message)
        return _prove_page(request, number, form, status=HTTPStatus.CONFLICT)
    messages.success(request, "证件已登记，身份已核验。")
    return redirect("patients-record", number=number)


@staff_page(UPGRADE_IDENTITY)
@require_POST
def report_same(request: StaffRequest, number: str) -> HttpResponse:
    """Keep that this record and another are one person, for those who merge."""
    patient = queries.patient_by_number(outpatient_no=number)
    other = queries.patient_by_number(outpatient_no=typed(request.POST, "other", most=10))

    def act() -> None:
        actions.report_same(
            patient_id=patient.pk,
            other_id=other.pk,
            reason=typed(request.POST, "reason", most=200),
            by=request.actor,
            at=clock.now(),
        )

    return _done(request, number, act, "已记录，等待主索引管理员合并。")


@staff_page(UPGRADE_IDENTITY)
@require_POST
def void(request: StaffRequest, number: str, identifier_id: int) -> HttpResponse:
    """Take a number off that was filed by mistake."""
    found = queries.record(outpatient_no=number, at=clock.now())
    _own(identifier_id, [row.pk for row in found.identifiers])

    def act() -> None:
        actions.void_identifier(
            identifier_id=identifier_id,
            reason=typed(request.POST, "reason", most=200),
            by=request.actor,
            at=clock.now(),
        )

    return _done(request, number, act, "已作废。")


@staff_page(EDIT_PATIENT)
@require_POST
def add_guardian(request: StaffRequest, number: str) -> HttpResponse:
    """Link a child to a guardian who is in the index already."""
    patient = queries.patient_by_number(outpatient_no=number)

    def act() -> None:
        text = typed(request.POST, "guardian_no", most=60)
        hits = queries.find(text) if any(letter.isdecimal() for letter in text) else []
        if len(hits) != 1:
            raise Invalid({"": ["没有找到监护人，请先为监护人建档，再填写其证件号或门诊号。"]})
        actions.add_guardian(
            child_id=patient.pk,
            guardian_id=hits[0].patient_id,
            relationship=desk_forms.relation(request.POST.get("relationship", "")),
            by=request.actor,
            at=clock.now(),
        )

    return _done(request, number, act, "监护人已登记。")


@staff_page(EDIT_PATIENT)
@require_POST
def end_guardian(request: StaffRequest, number: str, link_id: int) -> HttpResponse:
    """End a guardian's say over a child."""
    found = queries.record(outpatient_no=number, at=clock.now())
    _own(link_id, [row.pk for row in found.guardians])

    def act() -> None:
        reason = typed(request.POST, "reason", most=200)
        actions.end_guardian(link_id=link_id, reason=reason, by=request.actor, at=clock.now())

    return _done(request, number, act, "监护关系已解除。")


@staff_page(MANAGE_CARD)
@require_POST
def issue_card(request: StaffRequest, number: str) -> HttpResponse:
    """Give out a card: the number off a blank one, or ours."""
    patient = queries.patient_by_number(outpatient_no=number)

    def act() -> None:
        card_no = typed(request.POST, "number", most=40)
        actions.issue_card(patient_id=patient.pk, number=card_no, by=request.actor, at=clock.now())

    return _done(request, number, act, "就诊卡已发出。")


@staff_page(MANAGE_CARD)
@require_POST
def move_card(request: StaffRequest, number: str, card_id: int) -> HttpResponse:
    """Lose, freeze, use again or take back a card; "replaced" gives a new one."""
    found = queries.record(outpatient_no=number, at=clock.now())
    _own(card_id, [row.pk for row in found.cards])

    def act() -> None:
        to = desk_forms.card_status(request.POST.get("to", ""))
        reason = typed(request.POST, "reason", most=200)
        at = clock.now()
        if to is CardStatus.REPLACED:
            card_no = typed(request.POST, "number", most=40)
            actions.replace_card(
                card_id=card_id, number=card_no, reason=reason, by=request.actor, at=at
            )
        else:
            actions.move_card(card_id=card_id, to=to, reason=reason, by=request.actor, at=at)

    return _done(request, number, act, "就诊卡已处理。")


@staff_page(EDIT_PATIENT)
@require_POST
def health_card(request: StaffRequest, number: str) -> HttpResponse:
    """File the number of an electronic health card as its code says it."""
    patient = queries.patient_by_number(outpatient_no=number)

    def act() -> None:
        text = typed(request.POST, "number", most=100)
        actions.add_health_card(
            patient_id=patient.pk, number=text, by=request.actor, at=clock.now()
        )

    return _done(request, number, act, "电子健康卡已登记。")


@staff_page(FORCE_UNBIND)
@require_POST
def unbind(request: StaffRequest, number: str, binding_id: int) -> HttpResponse:
    """End a WeChat user's right to act for this patient."""
    found = queries.record(outpatient_no=number, at=clock.now())
    _own(binding_id, [row.pk for row in found.bindings])

    def act() -> None:
        reason = typed(request.POST, "reason", most=200)
        actions.force_unbind(binding_id=binding_id, reason=reason, by=request.actor, at=clock.now())

    return _done(request, number, act, "绑定已解除，双方会收到通知。")


def _done(
    request: StaffRequest, number: str, act: Callable[[], None], sentence: str
) -> HttpResponse:
    try:
        act()
    except Invalid as problem:
        return _refused(request, number, problem)
    except NotFound:
        raise
    except Refusal as refusal:
        note_refusal(request, refusal)
        return _page(request, number, problem=refusal.message, status=HTTPStatus.CONFLICT)
    messages.success(request, sentence)
    return redirect("patients-record", number=number)


def _refused(request: StaffRequest, number: str, problem: Invalid) -> HttpResponse:
    sentences = [sentence for some in problem.errors.values() for sentence in some]
    text = " ".join(sentences)
    return _page(request, number, problem=text, status=HTTPStatus.UNPROCESSABLE_ENTITY)


def _page(
    request: StaffRequest,
    number: str,
    *,
    problem: str = "",
    shown: dict[str, str] | None = None,
    status: int = HTTPStatus.OK,
) -> HttpResponse:
    at = clock.now()
    found = queries.record(outpatient_no=number, at=at)
    actions.record_view(patient_id=found.patient.pk, what="患者档案", by=request.actor, at=at)
    names = identity.staff_names(actors=[row.by for row in found.verifications])
    context = {
        "tabs": tabs(request, ""),
        "record": found,
        "facts": telling.facts(found),
        "identifiers": telling.identifiers(found),
        "proofs": telling.proofs(found, names=names),
        "cards": [{"card": card, "acts": _card_acts(card.status)} for card in found.cards],
        "has_card": any(card.status in CARD_IN_HAND for card in found.cards),
        "relations": desk_forms.GUARDIAN_CHOICES,
        "revealable": _REVEALABLE.items(),
        "problem": problem,
        "shown": shown,
        **_rights(request, found),
    }
    return render(request, "patients/staff/record.html", context, status=status)


def _rights(request: StaffRequest, found: Record) -> dict[str, bool]:
    wanted = {
        "may_edit": EDIT_PATIENT,
        "may_prove": UPGRADE_IDENTITY,
        "may_card": MANAGE_CARD,
        "may_unbind": FORCE_UNBIND,
        "may_reveal": REVEAL,
    }
    return {name: identity.may(request.user, wanted[name]) for name in wanted}


def _card_acts(status: str) -> list[tuple[str, str]]:
    words = {**actions.CARD_ACTS, CardStatus.REPLACED: "补换新卡"}
    return [(to.value, word) for to, word in words.items() if (status, to) in CARD_MOVES]


def _prove_page(
    request: StaffRequest,
    number: str,
    form: PersonForm,
    *,
    other: object = None,
    status: int = HTTPStatus.OK,
) -> HttpResponse:
    found = queries.record(outpatient_no=number, at=clock.now())
    context = {
        "tabs": tabs(request, ""),
        "record": found,
        "form": form,
        "told": form.told(),
        "other": other,
        "back": reverse("patients-record", args=[number]),
    }
    return render(request, "patients/staff/prove.html", context, status=status)


def _from_reader(text: str, patient: Patient) -> PersonForm:
    """What a reader read as the form; anything else leaves the form as it began."""
    card = reader_text.read(text)
    filled = desk_forms.from_card(card) if card else {"name": _proper_name(patient)}
    return PersonForm(at=clock.now(), initial={**filled, "key": serials.opaque()})


def _proper_name(patient: Patient) -> str:
    """A placeholder of ours is nobody's name."""
    return patient.name if patient.kind == PatientKind.KNOWN else ""


def _own(wanted: int, ids: list[int]) -> None:
    """A row of another patient's record is no row of this page. Raises NotFound."""
    if wanted not in ids:
        raise NotFound
