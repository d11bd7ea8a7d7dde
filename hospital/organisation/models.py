"""Tables of the organisation: everything has a stable code, nothing is deleted, only switched off.

Pinyin and initials are computed when a name is saved, from the name or from a `reading` typed by
hand; lists sort by pinyin because the embedded database has no Chinese collation.
"""

import pgtrigger
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.db import models
from django.db.models import F, Func, Q, Value

from hospital.organisation.states import LocationKind, Sex, SexLimit, Title


def _one(column: str) -> Func:
    return Func(F(column), F(column), Value("[]"), function="int8range")


def _days(start: str, end: str) -> Func:
    return Func(F(start), F(end), function="daterange")


def _period(name: str) -> models.CheckConstraint:
    """A row may hold from a hospital day on, until before another; both may be open."""
    return models.CheckConstraint(
        condition=Q(valid_from__isnull=True)
        | Q(valid_to__isnull=True)
        | Q(valid_from__lt=F("valid_to")),
        name=name,
    )


class Campus(models.Model):
    """院区: one address of the hospital."""

    code = models.CharField(max_length=20, unique=True)
    name = models.CharField(max_length=60)
    address = models.CharField(max_length=200, blank=True)
    telephone = models.CharField(max_length=40, blank=True)

    def __str__(self) -> str:
        return self.name


class Department(models.Model):
    """科室: a node of the tree; the top node above it is the category patients browse by.

    Ages are whole months, half-open: from `min_age_months` on, below `max_age_months`. Where days
    count, as for the newborn, the first and the last are both in. All that is set holds (M1.12).
    """

    code = models.CharField(max_length=20, unique=True)
    name = models.CharField(max_length=60)
    reading = models.CharField(max_length=300, blank=True)
    pinyin = models.CharField(max_length=300)
    initials = models.CharField(max_length=60)
    parent = models.ForeignKey("self", models.PROTECT, null=True, related_name="children")
    hint = models.CharField(max_length=200, blank=True)
    introduction = models.TextField(blank=True)
    sex_limit = models.CharField(max_length=6, choices=SexLimit, blank=True)
    min_age_months = models.PositiveIntegerField(null=True)
    max_age_months = models.PositiveIntegerField(null=True)
    min_age_days = models.PositiveIntegerField(null=True)
    max_age_days = models.PositiveIntegerField(null=True)
    location_text = models.CharField(max_length=100, blank=True)
    floor = models.CharField(max_length=20, blank=True)
    telephone = models.CharField(max_length=40, blank=True)
    is_bookable = models.BooleanField()
    walk_in_only = models.BooleanField()
    sort_order = models.IntegerField()
    is_active = models.BooleanField()
    valid_from = models.DateField(null=True)
    valid_to = models.DateField(null=True)

    class Meta:
        constraints = [
            _period("department_period"),
            models.CheckConstraint(
                condition=Q(sex_limit__in=SexLimit.values), name="department_sex_limit"
            ),
            models.CheckConstraint(
                condition=Q(min_age_months__isnull=True)
                | Q(max_age_months__isnull=True)
                | Q(min_age_months__lt=F("max_age_months")),
                name="department_ages_in_order",
            ),
            models.CheckConstraint(
                condition=Q(min_age_days__isnull=True)
                | Q(max_age_days__isnull=True)
                | Q(min_age_days__lte=F("max_age_days")),
                name="department_days_in_order",
            ),
            models.CheckConstraint(
                condition=~Q(is_bookable=True, walk_in_only=True),
                name="department_bookable_or_walk_in",
            ),
            models.CheckConstraint(
                condition=Q(parent__isnull=True) | ~Q(parent=F("id")),
                name="department_not_its_own_parent",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Location(models.Model):
    """位置: a place of a campus, from building to room or window."""

    code = models.CharField(max_length=20, unique=True)
    name = models.CharField(max_length=60)
    kind = models.CharField(max_length=10, choices=LocationKind)
    campus = models.ForeignKey(Campus, models.PROTECT, related_name="locations")
    parent = models.ForeignKey("self", models.PROTECT, null=True, related_name="children")
    department = models.ForeignKey(Department, models.PROTECT, null=True, related_name="locations")
    floor = models.CharField(max_length=20, blank=True)
    is_active = models.BooleanField()
    valid_from = models.DateField(null=True)
    valid_to = models.DateField(null=True)

    class Meta:
        constraints = [
            _period("location_period"),
            models.CheckConstraint(condition=Q(kind__in=LocationKind.values), name="location_kind"),
            models.CheckConstraint(
                condition=Q(parent__isnull=True) | ~Q(parent=F("id")),
                name="location_not_its_own_parent",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Photo(models.Model):
    """A portrait, small and without metadata, under the digest of its bytes; never changed."""

    digest = models.CharField(max_length=64, primary_key=True)
    content = models.BinaryField()
    created_at = models.DateTimeField()

    class Meta:
        triggers = [pgtrigger.Protect(name="photo_fixed", operation=pgtrigger.Update)]

    def __str__(self) -> str:
        return f"photo {self.digest[:8]}"


class Practitioner(models.Model):
    """医生: a person with a licence; its departments are PractitionerRoles."""

    code = models.CharField(max_length=20, unique=True)
    name = models.CharField(max_length=40)
    reading = models.CharField(max_length=200, blank=True)
    pinyin = models.CharField(max_length=200)
    initials = models.CharField(max_length=40)
    sex = models.CharField(max_length=6, choices=Sex)
    title = models.CharField(max_length=20, choices=Title)
    specialty = models.CharField(max_length=300, blank=True)
    introduction = models.TextField(blank=True)
    licence_end_date = models.DateField()
    photo = models.ForeignKey(Photo, models.PROTECT, null=True, related_name="+")
    is_active = models.BooleanField()
    valid_from = models.DateField(null=True)
    valid_to = models.DateField(null=True)

    class Meta:
        constraints = [
            _period("practitioner_period"),
            models.CheckConstraint(condition=Q(sex__in=Sex.values), name="practitioner_sex"),
            models.CheckConstraint(condition=Q(title__in=Title.values), name="practitioner_title"),
        ]

    def __str__(self) -> str:
        return self.name


class PractitionerRole(models.Model):
    """任职: a practitioner works in a department for a half-open period of hospital days.

    A role ended on the day it began keeps its row as an empty period.
    """

    practitioner = models.ForeignKey(Practitioner, models.PROTECT, related_name="roles")
    department = models.ForeignKey(Department, models.PROTECT, related_name="roles")
    valid_from = models.DateField()
    valid_to = models.DateField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(valid_to__isnull=True) | Q(valid_to__gte=F("valid_from")),
                name="practitioner_role_period",
            ),
            # Ranges of one number stand in for equality: btree_gist is not everywhere (law 8).
            ExclusionConstraint(
                name="practitioner_role_once_at_a_time",
                expressions=[
                    (_one("practitioner_id"), RangeOperators.OVERLAPS),
                    (_one("department_id"), RangeOperators.OVERLAPS),
                    (_days("valid_from", "valid_to"), RangeOperators.OVERLAPS),
                ],
            ),
        ]

    def __str__(self) -> str:
        return f"practitioner role {self.pk}"
