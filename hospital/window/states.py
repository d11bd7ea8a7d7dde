"""Words of the window: why a slip is printed again, on what paper."""

from typing import Final

from django.db.models import TextChoices


class Reprint(TextChoices):
    """Why there is another copy of a slip; empty for the first one."""

    NONE = "", ""
    JAM = "jam", "打印机卡纸"
    PALE = "pale", "字迹不清"
    LOST = "lost", "患者遗失"
    PAID = "paid", "缴费后换票"


#: What a clerk may give as the reason; the other one the system knows.
CHOSEN: Final = (Reprint.JAM, Reprint.PALE, Reprint.LOST)


class Paper(TextChoices):
    """What lies in the printer."""

    ROLL = "80", "80 毫米小票"
    SHEET = "a5", "A5 纸"
