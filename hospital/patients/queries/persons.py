"""Golden patients: reading and locking one."""

from __future__ import annotations

from hospital.kernel.errors import NotFound
from hospital.patients.models import Patient


def lock_patient(*, patient_id: int) -> None:
    """Lock a patient's row to the end of the caller's transaction. Raises NotFound."""
    rows = Patient.objects.select_for_update(no_key=True).filter(pk=patient_id)
    if not rows.values_list("pk").first():
        raise NotFound("没有找到这位患者。")


def patient(*, patient_id: int) -> Patient:
    """Return one patient for the hospital's own use, following a merge. Raises NotFound."""
    found = Patient.objects.select_related("merged_into").filter(pk=patient_id).first()
    return _golden(found)


def patient_by_number(*, outpatient_no: str) -> Patient:
    """Return the patient of an outpatient number, following a merge. Raises NotFound."""
    if not outpatient_no.isalnum():  # nor may any character a database refuses get there
        raise NotFound("没有找到这位患者。")
    rows = Patient.objects.select_related("merged_into").filter(outpatient_no=outpatient_no)
    return _golden(rows.first())


def _golden(found: Patient | None) -> Patient:
    while found is not None and found.merged_into is not None:
        found = found.merged_into
    if found is None:
        raise NotFound("没有找到这位患者。")
    return found
