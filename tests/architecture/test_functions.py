"""Chapter 7's function matrix is what the permissions say, and the administrators stay apart."""

from hospital.identity.function_matrix import (
    ADMINISTRATORS_DUTIES,
    CHAPTER_SEVEN,
    FUNCTIONS,
)
from hospital.identity.states import ADMINISTRATORS, Role
from hospital.kernel.permissions import Permission, all_permissions, permission


def differing(permissions: list[Permission]) -> list[str]:
    """What the matrix and these permissions disagree about."""
    owners = {code: one for one in FUNCTIONS for code in one.permissions}
    return [
        f"{one.code}: {sorted(one.roles)}, the matrix: {sorted(map(str, owners[one.code].roles))}"
        if one.code in owners
        else f"{one.code} belongs to no function"
        for one in permissions
        if one.code not in owners or set(one.roles) != set(owners[one.code].roles)
    ]


def test_default_roles_are_those_of_the_function_matrix() -> None:
    assert differing(all_permissions()) == []


def test_a_permission_for_too_many_is_caught() -> None:
    wide = object.__new__(Permission)
    for name, value in {"code": "payments.close_case", "roles": ("finance", "cashier")}.items():
        object.__setattr__(wide, name, value)

    assert differing([wide]) == [
        "payments.close_case: ['cashier', 'finance'], the matrix: ['finance']"
    ]


def test_every_function_is_guarded_once_or_waits_for_its_area() -> None:
    codes = [one.code for one in FUNCTIONS]
    guards = [code for one in FUNCTIONS for code in one.permissions]

    assert len(codes) == len(set(codes))
    assert len(guards) == len(set(guards))
    assert [one.code for one in FUNCTIONS if bool(one.permissions) == bool(one.waits)] == []
    assert [code for code in guards if permission(code) is None] == []


def test_every_shipped_role_has_a_function_of_its_own() -> None:
    used = {role for one in FUNCTIONS if set(one.roles) != set(Role) for role in one.roles}

    # The audit administrator's only function is the log, which the matrix test names below.
    assert set(Role) - used <= {Role.AUDIT_ADMIN}


def test_no_administrator_comes_near_patients_or_another_administrators_duty() -> None:
    for one in FUNCTIONS:
        ours = set(one.roles) & set(ADMINISTRATORS)
        if one.is_patient_data:
            assert not ours, one.code
        if one.is_duty:
            assert set(one.roles) <= set(ADMINISTRATORS), one.code
    assert {
        code for code in ADMINISTRATORS_DUTIES if len(getattr(permission(code), "roles", ())) > 1
    } == {"identity.view_access"}


def test_the_handbooks_matrix_is_there_row_by_row() -> None:
    """The allowed column of chapter 7, function by function, as it is printed there."""
    short = {
        "RC": Role.REGISTRATION_CLERK,
        "OO": Role.OUTPATIENT_OFFICE,
        "DH": Role.DEPARTMENT_HEAD,
        "DR": Role.DOCTOR,
        "AC": Role.ADMISSION_CLERK,
        "TN": Role.TRIAGE_NURSE,
        "ES": Role.EMPI_STEWARD,
        "MA": Role.MEDICAL_AFFAIRS,
        "PH": Role.PHARMACIST,
        "LT": Role.LAB_TECHNICIAN,
        "WN": Role.WARD_NURSE,
        "LA": Role.LAB_AUTHORIZER,
        "XT": Role.EXAM_TECHNICIAN,
        "XR": Role.EXAM_REPORTER,
        "CA": Role.CASHIER,
        "CS": Role.CASHIER_SUPERVISOR,
        "FN": Role.FINANCE,
        "SA": Role.SYSTEM_ADMIN,
        "SE": Role.SECURITY_ADMIN,
        "CE": Role.CONTENT_EDITOR,
        "CR": Role.CONTENT_REVIEWER,
        "HL": Role.HOSPITAL_LEADER,
    }
    printed = {
        "appointment.book": "RC",
        "appointment.cancel_any": "RC OO",
        "appointment.override_limit": "OO",
        "schedule.draft": "DH OO",  # who edits and approves rosters (the next row) drafts too
        "schedule.edit": "OO",
        "schedule.add_on": "DR",
        "patient.create": "RC AC TN",
        "patient.upgrade": "RC AC",
        "empi.review": "ES",
        "empi.merge": "ES",
        "empi.unmerge": "ES MA",
        "queue.manage": "TN",
        "queue.call": "DR",
        "encounter.write": "DR",
        "prescription.review": "PH",
        "prescription.dispense": "PH",
        "lab.collect": "LT WN",
        "lab.authorize": "LA",
        "lab.withdraw": "LA",
        "exam.register": "XT",
        "exam.report": "XR",
        "invoice.issue": "CA CS",
        "shift.close": "CA",
        "shift.audit": "FN",
        "deposit.receive": "AC CA",
        "deposit.refund": "CA CS",
        "deposit.guarantee": "MA",
        "admission.register": "AC",
        "admission.bed": "WN",
        "admission.discharge": "DR WN",
        "admission.settle": "CA",
        "admission.reopen": "FN",
        "recon.cure": "FN",
        "recon.sign": "FN",
        "master.edit": "SA",
        "price.approve": "FN",
        "content.edit": "CE",
        "content.publish": "CR",
        "restriction.lift": "OO",
        "complaint.handle": "MA",
        "bi.view": "HL DH",
        "critical.board": "HL DH MA",
        "access.assign": "SA",
        "access.approve": "SE",
        "patient.export": "DR",
        "patient.break_glass": "DR",
        "patient.break_glass_review": "MA",
    }
    matrix = {one.code: set(one.roles) for one in CHAPTER_SEVEN}

    for code, allowed in printed.items():
        assert matrix[code] == {short[word] for word in allowed.split()}, code
