"""How a name is read where the dictionary reads it wrongly."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("organisation", "0002_keep_periods_and_photos")]

    operations = [
        migrations.AddField(
            model_name="department",
            name="reading",
            field=models.CharField(blank=True, default="", max_length=300),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="practitioner",
            name="reading",
            field=models.CharField(blank=True, default="", max_length=200),
            preserve_default=False,
        ),
    ]
