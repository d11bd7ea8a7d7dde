import datetime

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("scheduling", "0004_keep_calendar_and_leave"),
    ]

    operations = [
        migrations.AddField(
            model_name="roster",
            name="changed_at",
            field=models.DateTimeField(default=datetime.datetime(2026, 11, 23, tzinfo=datetime.UTC)),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="roster",
            name="changed_by",
            field=models.CharField(default="system", max_length=40),
            preserve_default=False,
        ),
    ]
