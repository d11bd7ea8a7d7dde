"""Made-up patients: valid, the same for the same seed, never in production."""

from __future__ import annotations

import datetime as dt
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from hypothesis import given
from hypothesis import strategies as st
from pytest_django.fixtures import Settings

from hospital.patients import contacts, documents, queries
from hospital.patients.models import IdentityVerification, Patient, PatientCard, PatientIdentifier
from hospital.patients.synthetic import somebody
from hospital.testing.people import a_patient

TODAY = dt.date(2026, 11, 22)


@given(st.integers(0, 5), st.integers(1, 200_000))
def test_everybody_passes_every_check(seed: int, index: int) -> None:
    one = somebody(seed, index, on=TODAY)

    told = documents.parse_resident_id(one.number, on=TODAY)
    assert (told.number, told.sex, told.birth_date) == (one.number, one.sex, one.birth_date)
    assert contacts.clean_name(one.name) == one.name
    assert contacts.clean_phone(one.phone) == one.phone
    assert contacts.clean_address(one.address) == one.address
    assert somebody(seed, index, on=TODAY) == one


@pytest.mark.django_db
def test_the_command_fills_the_index() -> None:
    before = a_patient()
    out = StringIO()

    call_command("seed_patients", 200, stdout=out)

    assert out.getvalue().splitlines() == ["200/200", "已生成 200 位模拟患者。"]
    made = Patient.objects.exclude(pk=before.pk)
    assert made.count() == 200
    assert PatientIdentifier.objects.filter(patient__in=made).count() == 199
    assert IdentityVerification.objects.filter(patient__in=made).count() == 199
    assert PatientCard.objects.count() == 67
    one = made.filter(identifiers__isnull=False).first()
    assert one is not None
    number = one.identifiers.get().value
    assert [hit.patient_id for hit in queries.find(number)] == [one.pk]
    assert all(queries.is_outpatient_no(row.outpatient_no) for row in made)
    with pytest.raises(CommandError, match="已经生成过"):
        call_command("seed_patients", 10, stdout=out)
    call_command("seed_patients", 10, "--seed", "2", stdout=out)
    assert Patient.objects.count() == 211


@pytest.mark.django_db
def test_production_refuses(settings: Settings) -> None:
    settings.PRODUCTION = True

    with pytest.raises(CommandError, match="生产环境"):
        call_command("seed_patients", 1)

    assert not Patient.objects.exists()
