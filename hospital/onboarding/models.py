"""The one table of onboarding: workbooks handed in on the page, kept from preview to result.

The master data themselves belong to their areas; a workbook's bytes go when it is carried out.
"""

from django.db import models
from django.db.models import Q


class WorkbookUpload(models.Model):
    """A workbook somebody handed in, with what an import of it would do (or did).

    `sheet` is the slug of the only sheet to be read, "" for all. `preview` is the digest of the
    changes that were shown; just those are carried out.
    """

    file_name = models.CharField(max_length=200)
    sheet = models.CharField(max_length=30, blank=True)
    content = models.BinaryField()
    uploaded_by = models.CharField(max_length=40)
    uploaded_at = models.DateTimeField()
    checked_at = models.DateTimeField()
    report = models.JSONField()
    preview = models.CharField(max_length=64)
    done_at = models.DateTimeField(null=True)
    done_by = models.CharField(max_length=40, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(done_at__isnull=True, done_by="")
                | (Q(done_at__isnull=False) & ~Q(done_by="")),
                name="workbook_upload_done_by",
            )
        ]
        indexes = [models.Index(fields=["uploaded_at"], name="workbook_upload_age")]

    def __str__(self) -> str:
        return f"workbook upload {self.pk}"
