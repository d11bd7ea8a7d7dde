"""Which pool a merged number was kept for, so that a channel's use is known afterwards (M2.6)."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("scheduling", "0008_ask_stops")]

    operations = [
        migrations.AddField(
            model_name="slot",
            name="merged_from",
            field=models.CharField(
                blank=True,
                choices=[
                    ("wechat", "微信"),
                    ("window", "窗口"),
                    ("kiosk", "自助机"),
                    ("reserved", "预留"),
                    ("public", "公共"),
                ],
                db_default="",
                max_length=8,
            ),
        ),
    ]
