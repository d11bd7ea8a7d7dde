"""Fixed vocabularies of the patients area: sex, kinds of document, assurance, relationship."""

from __future__ import annotations

from django.db.models import TextChoices


class Sex(TextChoices):
    """Sex as in GB/T 2261.1; "not stated" is UNKNOWN."""

    MALE = "male", "男"
    FEMALE = "female", "女"
    UNKNOWN = "unknown", "未说明"


class DocumentKind(TextChoices):
    """Documents accepted at registration (M3.1)."""

    RESIDENT_ID = "resident_id", "居民身份证"
    HOUSEHOLD_BOOK = "household_book", "户口簿"
    PASSPORT = "passport", "护照"
    HK_MACAU_PERMIT = "hk_macau_permit", "港澳居民来往内地通行证"
    TAIWAN_PERMIT = "taiwan_permit", "台湾居民来往大陆通行证"
    RESIDENCE_PERMIT = "residence_permit", "港澳台居民居住证"
    FOREIGNER_CARD = "foreigner_card", "外国人永久居留身份证"
    OFFICER_CARD = "officer_card", "军官证"
    OTHER = "other", "其他证件"


class Assurance(TextChoices):
    """How sure we are who somebody is (M3.3), weakest first."""

    NONE = "none", "未实名"
    DECLARED = "declared", "自报"
    DOCUMENT = "document", "证件"
    VERIFIED = "verified", "已核验"


class Relationship(TextChoices):
    """Who the patient is to the WeChat user (GB/T 4761, one digit)."""

    SELF = "self", "本人"
    SPOUSE = "spouse", "配偶"
    SON = "son", "儿子"
    DAUGHTER = "daughter", "女儿"
    GRANDCHILD = "grandchild", "孙辈"
    PARENT = "parent", "父母"
    GRANDPARENT = "grandparent", "祖辈"
    SIBLING = "sibling", "兄弟姐妹"
    OTHER = "other", "其他"
