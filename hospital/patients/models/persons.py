"""The golden record of the patient index: one row per person (H2).

Phone and address are stored sealed, the phone with a keyed blind index for equality search
(law 15). A merged patient points to its survivor and is never deleted (M3.10). `origins` says of
every golden value where it came from and when (hospital/patients/golden.py, M3.11).
"""

from __future__ import annotations

from django.contrib.postgres.indexes import OpClass
from django.db import models
from django.db.models import F, Q, Value
from django.db.models.functions import Replace

from hospital.kernel.sealed import SealedCharField
from hospital.patients.states import Assurance, PatientKind, Sex
from hospital.ui.masks import mask_name, mask_phone

#: Pinyin is stored with spaces, for sorting; nobody types them into a search box.
PINYIN_AS_TYPED = Replace("pinyin", Value(" "), Value(""))


#: How much of a long name's reading is kept, for sorting and finding.
LONGEST_PINYIN = 200
LONGEST_INITIALS = 40


class Patient(models.Model):
    """A person receiving care (golden record of the patient index)."""

    outpatient_no = models.CharField("门诊号", max_length=10, unique=True)
    kind = models.CharField(max_length=12, choices=PatientKind.choices, default=PatientKind.KNOWN)
    name = models.CharField("姓名", max_length=40)
    name_note = models.CharField("生僻字写法", max_length=40, blank=True, default="")
    pinyin = models.CharField(max_length=LONGEST_PINYIN)
    initials = models.CharField(max_length=LONGEST_INITIALS)
    sex = models.CharField("性别", max_length=7, choices=Sex.choices)
    birth_date = models.DateField("出生日期")
    is_birth_date_estimated = models.BooleanField("出生日期为估计", default=False)
    ethnic_group = models.CharField("民族", max_length=2, blank=True, default="")
    nationality = models.CharField("国籍", max_length=3, blank=True, default="")
    address = SealedCharField("住址", blank=True, default="")
    phone = SealedCharField("手机号", blank=True, default="")
    phone_index = models.CharField(max_length=43, blank=True, default="")
    assurance = models.CharField("实名等级", max_length=8, choices=Assurance.choices)
    is_active = models.BooleanField("有效", default=True)
    merged_into = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="merged_from"
    )
    origins = models.JSONField(default=dict)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(outpatient_no__regex=r"^[0-9]{10}$"),
                name="patients_outpatient_no_shape",
            ),
            models.CheckConstraint(condition=Q(sex__in=Sex.values), name="patients_sex"),
            models.CheckConstraint(condition=Q(kind__in=PatientKind.values), name="patients_kind"),
            models.CheckConstraint(
                condition=Q(ethnic_group__regex=r"^([0-9]{2})?$"), name="patients_ethnic_group"
            ),
            models.CheckConstraint(
                condition=Q(nationality__regex=r"^([A-Z]{3})?$"), name="patients_nationality"
            ),
            models.CheckConstraint(
                condition=Q(assurance__in=Assurance.values), name="patients_assurance"
            ),
            models.CheckConstraint(
                condition=Q(merged_into__isnull=True) | ~Q(merged_into=F("pk")),
                name="patients_not_merged_into_itself",
            ),
            models.CheckConstraint(
                condition=Q(phone="", phone_index="") | (~Q(phone="") & ~Q(phone_index="")),
                name="patients_phone_is_indexed",
            ),
        ]
        indexes = [
            models.Index(fields=["name"], name="patients_name", opclasses=["varchar_pattern_ops"]),
            models.Index(
                fields=["initials"], name="patients_initials", opclasses=["varchar_pattern_ops"]
            ),
            models.Index(OpClass(PINYIN_AS_TYPED, "text_pattern_ops"), name="patients_pinyin"),
            models.Index(
                fields=["phone_index"],
                name="patients_phone_index",
                condition=~Q(phone_index=""),
            ),
            models.Index(fields=["birth_date"], name="patients_birth_date"),
            models.Index(
                fields=["created_at"],
                name="patients_to_upgrade",
                condition=Q(
                    assurance__in=[Assurance.NONE, Assurance.DECLARED],
                    is_active=True,
                    merged_into__isnull=True,
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"patient {self.pk}"

    @property
    def patient_id(self) -> int:
        """Whom an audited act on this row is about."""
        return self.pk

    @property
    def masked_name(self) -> str:
        """The name as lists and messages show it (X12)."""
        return mask_name(self.name)

    @property
    def masked_phone(self) -> str:
        """The phone as lists show it (X12)."""
        return mask_phone(self.phone)
