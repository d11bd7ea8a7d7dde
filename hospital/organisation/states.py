"""The words this area uses for titles, sexes and kinds of places; labels are what people read."""

from django.db.models import TextChoices


class Title(TextChoices):
    """A practitioner's title; fees depend on it (M2.5)."""

    EMINENT = "eminent", "名中医"
    CHIEF = "chief", "主任医师"
    ASSOCIATE_CHIEF = "associate_chief", "副主任医师"
    ATTENDING = "attending", "主治医师"
    RESIDENT = "resident", "医师"


class Sex(TextChoices):
    """A practitioner's sex."""

    MALE = "male", "男"
    FEMALE = "female", "女"


class SexLimit(TextChoices):
    """Whom a department treats (M1.12); empty means everybody."""

    NONE = "", "不限"
    MALE = "male", "男"
    FEMALE = "female", "女"


class LocationKind(TextChoices):
    """What a place is, from wide to narrow."""

    BUILDING = "building", "楼栋"
    FLOOR = "floor", "楼层"
    AREA = "area", "诊区"
    ROOM = "room", "诊室"
    WINDOW = "window", "窗口"
