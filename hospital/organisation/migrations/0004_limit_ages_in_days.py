"""Ages of a department in days, for the newborn (M1.12)."""

from django.db import migrations, models
from django.db.models import F, Q


class Migration(migrations.Migration):
    dependencies = [("organisation", "0003_keep_readings")]

    operations = [
        migrations.AddField(
            model_name="department",
            name="min_age_days",
            field=models.PositiveIntegerField(null=True),
        ),
        migrations.AddField(
            model_name="department",
            name="max_age_days",
            field=models.PositiveIntegerField(null=True),
        ),
        migrations.AddConstraint(
            model_name="department",
            constraint=models.CheckConstraint(
                condition=Q(min_age_days__isnull=True)
                | Q(max_age_days__isnull=True)
                | Q(min_age_days__lte=F("max_age_days")),
                name="department_days_in_order",
            ),
        ),
    ]
