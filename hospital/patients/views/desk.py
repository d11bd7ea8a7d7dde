"""建档: the card desk. One box finds a patient, the form makes one; the keyboard is enough."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Final

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from hospital.identity import queries as identity
from hospital.identity.access import StaffRequest, note_refusal, staff_page
from hospital.kernel import clock, serials
from hospital.kernel.errors import Invalid, NotAllowed, Refusal
from hospital.patients import (
    actions,
    contacts,
    desk_forms,
    documents,
    queries,
    reader_text,
    thresholds,
)
from hospital.patients.actions import Custody, NameOnFileDiffers, ProbablyKnown
from hospital.patients.desk_forms import NewbornForm, PersonForm, UnidentifiedForm
from hospital.patients.permissions import EDIT_PATIENT, FIND_PATIENT, UPGRADE_IDENTITY
from hospital.patients.queries import Candidate, FoundPatient
from hospital.patients.reader_text import Card
from hospital.patients.states import Sex, VerificationMethod
from hospital.patients.views import comparing
from hospital.patients.views.places import tabs
from hospital.ui.typed import typed

_MOST_TYPED: Final = 4000
#: The field a refusal is about; others head the form.
_FIELDS: Final[dict[type[Refusal], str]] = {
    actions.GuardianNotKnown: "guardian_no",
    actions.OtherResidentId: "document_no",
}


@sensitive_post_parameters("text")
@staff_page(FIND_PATIENT)
@require_http_methods(["GET", "HEAD", "POST"])
def find(request: StaffRequest) -> HttpResponse:
    """The place of work. What is typed is posted, because addresses of pages are written down."""
    text = typed(request.POST, "text", most=_MOST_TYPED)
    if actions.is_pass(text):
        return _show(request, text)
    card = reader_text.read(text)
    if card is not None and _may_edit(request):
        return _read(request, card)
    text = card.number if card is not None else text
    hits = queries.find(text)
    if len(hits) == 1 and any(letter.isdecimal() for letter in text):
        return redirect("patients-record", number=hits[0].outpatient_no)
    stopped = queries.card_by_number(text) if text and not hits else None
    if text.strip() and not hits and stopped is None and _may_edit(request):
        return _form_page(
            request, _blank(desk_forms.from_text(text)), note="没有找到，可以直接建档。"
        )
    context = {
        "tabs": tabs(request, "patients-desk"),
        "text": text.strip(),
        "rows": [_line(hit) for hit in hits],
        "stopped": stopped,
        "may_edit": _may_edit(request),
    }
    return render(request, "patients/staff/find.html", context)


def _show(request: StaffRequest, token: str) -> HttpResponse:
    """The record behind the QR code on a patient's phone, read by a scanner."""
    try:
        patient = actions.redeem_pass(token=token, by=request.actor, at=clock.now())
    except actions.PassOver as refusal:
        context = {"tabs": tabs(request, "patients-desk"), "over": refusal.message, "rows": []}
        return render(request, "patients/staff/find.html", context, status=HTTPStatus.CONFLICT)
    return redirect("patients-record", number=patient.outpatient_no)


@sensitive_post_parameters()
@staff_page(EDIT_PATIENT)
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: StaffRequest) -> HttpResponse:
    """The form for a person; the document's owner is found, look-alikes are asked about."""
    if request.method != "POST":
        return _form_page(request, _blank({}))
    form = PersonForm(request.POST, at=clock.now())
    if not form.is_valid():
        return _form_page(request, form, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    known = _known_to(request, form)
    if known is not None:
        return redirect("patients-record", number=known.outpatient_no)
    try:
        found = actions.find_or_create(
            facts=form.facts(),
            method=form.method(),
            key=form.cleaned_data["key"],
            custody=_custody(form),
            judgement=form.judgement(),
            by=request.actor,
            at=clock.now(),
        )
    except Invalid as problem:
        form.show(problem)
        return _form_page(request, form, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    except ProbablyKnown as refusal:
        form.ask(refusal.candidates)
        return _form_page(request, form, refusal.candidates, status=HTTPStatus.CONFLICT)
    except NameOnFileDiffers as refusal:
        return _ask_about(request, form, refusal)
    except Refusal as refusal:
        note_refusal(request, refusal)
        form.add_error(_FIELDS.get(type(refusal)), refusal.message)
        return _form_page(request, form, status=HTTPStatus.CONFLICT)
    messages.success(request, "已建档。" if found.is_new else "已核对身份，使用原有档案。")
    return redirect("patients-record", number=_number(found.patient_id))


@sensitive_post_parameters()
@staff_page(EDIT_PATIENT)
@require_POST
def told(request: StaffRequest) -> HttpResponse:
    """The part of the form that depends on the document typed so far."""
    form = PersonForm(request.POST, at=clock.now())
    asks_guardian = "no_guardian" not in request.POST
    context = {"form": form, "told": form.told(), "asks_guardian": asks_guardian}
    form.errors.clear()  # somebody still typing is not told off yet
    return render(request, "patients/staff/new.html#told", context)


@staff_page(EDIT_PATIENT)
@require_http_methods(["GET", "HEAD", "POST"])
def newborn(request: StaffRequest) -> HttpResponse:
    """A child under its mother's name, with a temporary number."""
    blank = {"key": serials.opaque(), "birth_date": clock.today()}
    form = NewbornForm(request.POST or None, initial=blank)
    if request.method == "POST" and form.is_valid():
        told = form.cleaned_data
        try:
            child = actions.register_newborn(
                mother_id=_person_of(told["mother_no"], "mother_no"),
                sex=Sex(told["sex"]),
                birth_date=told["birth_date"],
                birth_order=told["birth_order"],
                key=told["key"],
                by=request.actor,
                at=clock.now(),
            )
        except Invalid as problem:
            for field, sentences in problem.errors.items():
                form.add_error(field or None, sentences)
        except actions.GuardianNotKnown as refusal:
            form.add_error("mother_no", refusal.message)
        else:
            days = thresholds.NEWBORN_DAYS.value()
            messages.success(request, f"新生儿已登记，请提醒家长在出生后 {days} 天内补登证件。")
            return redirect("patients-record", number=child.outpatient_no)
    return _side_page(request, "newborn", form)


@staff_page(EDIT_PATIENT)
@require_http_methods(["GET", "HEAD", "POST"])
def unidentified(request: StaffRequest) -> HttpResponse:
    """A rescue patient without a document, with a temporary number."""
    form = UnidentifiedForm(request.POST or None, initial={"key": serials.opaque()})
    if request.method == "POST" and form.is_valid():
        told = form.cleaned_data
        try:
            patient = actions.register_unidentified(
                name=told["name"],
                sex=Sex(told["sex"]),
                age=told["age"],
                note=told["note"],
                key=told["key"],
                by=request.actor,
                at=clock.now(),
            )
        except Invalid as problem:
            for field, sentences in problem.errors.items():
                form.add_error(field or None, sentences)
        else:
            hours = thresholds.RESCUE_HOURS.value()
            messages.success(request, f"已登记，抢救不受影响；请在 {hours} 小时内补实名。")
            return redirect("patients-record", number=patient.outpatient_no)
    return _side_page(request, "unidentified", form)


@staff_page(FIND_PATIENT)
@require_safe
def upgrades(request: StaffRequest) -> HttpResponse:
    """Patients who are not real-name yet, and until when that is borne with."""
    rows = queries.to_upgrade(at=clock.now())
    context = {
        "tabs": tabs(request, "patients-upgrades"),
        "rows": rows,
        "is_cut": len(rows) >= queries.UPGRADES_AT_MOST,
    }
    return render(request, "patients/staff/upgrades.html", context)


def _read(request: StaffRequest, card: Card) -> HttpResponse:
    """A card in the reader: its owner's record, the proof kept; else the form, filled."""
    form = _blank(desk_forms.from_card(card))
    try:
        document = documents.check(card.kind, card.number, on=clock.today())
    except documents.BadDocument:
        return _form_page(request, form, note="读到的证件号码有误，请核对后手工修改。")
    owner = queries.document_owner(kind=document.kind, number=document.number)
    if owner is None:
        return _form_page(request, form, note="已读卡，还没有档案。补手机号后按回车建档。")
    if not identity.may(request.user, UPGRADE_IDENTITY):
        return redirect("patients-record", number=owner.outpatient_no)
    facts = {**desk_forms.from_card(card), "key": serials.opaque()}
    filled = PersonForm(_as_posted(facts), at=clock.now())
    if not filled.is_valid() or not contacts.is_same_name(owner.name, filled.facts().name):
        return _form_page(request, form, note="证件已有档案，姓名或其他内容需要核对。")
    actions.prove_identity(
        patient_id=owner.pk,
        facts=filled.facts(),
        method=VerificationMethod.READER,
        by=request.actor,
        at=clock.now(),
    )
    messages.success(request, "已读卡核验。")
    return redirect("patients-record", number=owner.outpatient_no)


def _ask_about(request: StaffRequest, form: PersonForm, refusal: NameOnFileDiffers) -> HttpResponse:
    """The document's owner has another name: one candidate, and the reason is asked for."""
    facts = actions.check_facts(form.facts(), at=clock.now())
    owner = queries.patient(patient_id=int(str(refusal.details["patient_id"])))
    asked = [queries.compare_with(person=facts, patient=owner)]
    form.ask(asked)
    return _form_page(
        request, form, asked, note=refusal.message, owner_only=True, status=HTTPStatus.CONFLICT
    )


def _form_page(
    request: StaffRequest,
    form: PersonForm,
    candidates: Sequence[Candidate] = (),
    *,
    note: str = "",
    owner_only: bool = False,
    status: int = HTTPStatus.OK,
) -> HttpResponse:
    context = {
        "tabs": tabs(request, "patients-new"),
        "form": form,
        "told": form.told(),
        "asks_guardian": True,
        "note": note,
        "comparison": comparing.comparison(form, candidates) if candidates else None,
        "owner_only": owner_only,
        "may_choose": identity.may(request.user, UPGRADE_IDENTITY),
        "decision": form["decision"].value() or "",
    }
    return render(request, "patients/staff/new.html", context, status=status)


def _side_page(
    request: StaffRequest, name: str, form: NewbornForm | UnidentifiedForm
) -> HttpResponse:
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK
    context = {"tabs": tabs(request, f"patients-{name}"), "form": form}
    return render(request, f"patients/staff/{name}.html", context, status=status)


def _blank(initial: dict[str, object]) -> PersonForm:
    return PersonForm(at=clock.now(), initial={**initial, "key": serials.opaque()})


def _as_posted(values: dict[str, object]) -> dict[str, str]:
    return {key: str(value) for key, value in values.items() if value is not None}


def _known_to(request: StaffRequest, form: PersonForm) -> FoundPatient | None:
    """The document's owner, for staff who may find but not upgrade (chapter 7)."""
    if identity.may(request.user, UPGRADE_IDENTITY):
        return None
    if form.judgement().use_id is not None:
        raise NotAllowed("为原有档案登记证件，请找挂号员或住院登记员。")
    person = actions.check_facts(form.facts(), at=clock.now())
    owner = queries.document_owner(kind=person.document.kind, number=person.document.number)
    return queries.found(owner) if owner is not None else None


def _custody(form: PersonForm) -> Custody | None:
    number = form.cleaned_data["guardian_no"]
    if not number.strip():
        return None
    relation = desk_forms.relation(form.cleaned_data["guardian_relation"])
    return Custody(_person_of(number, "guardian_no"), relation)


def _person_of(number: str, field: str) -> int:
    """Return the one patient a number names. Raises Invalid."""
    hits = queries.find(number) if any(letter.isdecimal() for letter in number) else []
    if len(hits) != 1:
        raise Invalid({field: ["没有找到这个号码的患者，请先为其建档。"]})
    return hits[0].patient_id


def _number(patient_id: int) -> str:
    return queries.patient(patient_id=patient_id).outpatient_no


def _may_edit(request: StaffRequest) -> bool:
    return identity.may(request.user, EDIT_PATIENT)


def _line(hit: FoundPatient) -> dict[str, object]:
    return {"patient": hit, "documents": "、".join(hit.masked_documents)}
