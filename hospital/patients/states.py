"""Fixed vocabularies and lifecycles of the patients area: identity, documents, cards, guardians."""

from __future__ import annotations

from typing import Final

from django.db.models import TextChoices

from hospital.kernel.states import Moves


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


class NumberKind(TextChoices):
    """Numbers that name a patient without being a document."""

    HEALTH_CARD = "health_card", "电子健康卡"
    TEMPORARY = "temporary", "临时号"


#: Everything a PatientIdentifier may hold, with the words for it.
IDENTIFIER_LABELS: Final[dict[str, str]] = dict([*DocumentKind.choices, *NumberKind.choices])


class IdentifierStatus(TextChoices):
    """Whether a number still names the patient; only void ones were never the patient's."""

    ACTIVE = "active", "有效"
    REPLACED = "replaced", "已换发"
    VOID = "void", "录错作废"


IDENTIFIER_MOVES: Final[Moves] = frozenset(
    {
        (IdentifierStatus.ACTIVE, IdentifierStatus.REPLACED),
        (IdentifierStatus.ACTIVE, IdentifierStatus.VOID),
    }
)


class PatientKind(TextChoices):
    """Whether the golden record is about somebody known; the other two wait for an upgrade."""

    KNOWN = "known", "普通"
    NEWBORN = "newborn", "新生儿"
    UNIDENTIFIED = "unidentified", "身份不明"


class Source(TextChoices):
    """Where a value came from."""

    PHONE = "phone", "手机填写"
    DESK = "desk", "窗口录入"
    READER = "reader", "读卡器"
    WECHAT = "wechat", "微信实名"
    CREDENTIAL = "credential", "医保电子凭证"
    PARTNER = "partner", "外部平台"
    IMPORT = "import", "旧系统导入"


class VerificationMethod(TextChoices):
    """How identity was proven (M3.3)."""

    HAND = "hand", "手工录入证件"
    READER = "reader", "读卡器读取"
    WECHAT = "wechat", "微信实名"
    E_CREDENTIAL = "e_credential", "医保电子凭证"
    PARTNER = "partner", "外部平台填报证件"


class Assurance(TextChoices):
    """How sure we are who somebody is (M3.3), weakest first."""

    NONE = "none", "未实名"
    DECLARED = "declared", "自报"
    DOCUMENT = "document", "证件"
    VERIFIED = "verified", "已核验"


#: Weakest first, to compare.
ASSURANCE_ORDER: Final = tuple(Assurance)
#: What each way of proving is worth (M3.3).
METHOD_ASSURANCE: Final[dict[VerificationMethod, Assurance]] = {
    VerificationMethod.HAND: Assurance.DOCUMENT,
    VerificationMethod.READER: Assurance.VERIFIED,
    VerificationMethod.WECHAT: Assurance.VERIFIED,
    VerificationMethod.E_CREDENTIAL: Assurance.VERIFIED,
    VerificationMethod.PARTNER: Assurance.DOCUMENT,
}
METHOD_SOURCES: Final[dict[VerificationMethod, Source]] = {
    VerificationMethod.HAND: Source.DESK,
    VerificationMethod.READER: Source.READER,
    VerificationMethod.WECHAT: Source.WECHAT,
    VerificationMethod.E_CREDENTIAL: Source.CREDENTIAL,
    VerificationMethod.PARTNER: Source.PARTNER,
}
#: From here on somebody counts as real-name (M3.1).
REAL_NAME: Final = (Assurance.DOCUMENT, Assurance.VERIFIED)


class CardKind(TextChoices):
    """What is handed over: paper with our number, or plastic that brings its own."""

    BARCODE = "barcode", "条码卡"
    PREPRINTED = "preprinted", "磁条或芯片卡"


class CardStatus(TextChoices):
    """Life of a hospital card (H2.1)."""

    ACTIVE = "active", "使用中"
    LOST = "lost", "已挂失"
    FROZEN = "frozen", "已冻结"
    REPLACED = "replaced", "已补换"
    RETURNED = "returned", "已退卡"


#: A patient has one card of these at a time.
CARD_IN_HAND: Final = (CardStatus.ACTIVE, CardStatus.LOST, CardStatus.FROZEN)
CARD_MOVES: Final[Moves] = frozenset(
    {
        (CardStatus.ACTIVE, CardStatus.LOST),
        (CardStatus.LOST, CardStatus.ACTIVE),
        (CardStatus.ACTIVE, CardStatus.FROZEN),
        (CardStatus.FROZEN, CardStatus.ACTIVE),
        (CardStatus.ACTIVE, CardStatus.REPLACED),
        (CardStatus.LOST, CardStatus.REPLACED),
        (CardStatus.FROZEN, CardStatus.REPLACED),
        (CardStatus.ACTIVE, CardStatus.RETURNED),
        (CardStatus.FROZEN, CardStatus.RETURNED),
    }
)


class GuardianRelation(TextChoices):
    """Who the guardian is to the child."""

    MOTHER = "mother", "母亲"
    FATHER = "father", "父亲"
    GRANDPARENT = "grandparent", "祖父母或外祖父母"
    SIBLING = "sibling", "成年兄姐"
    OTHER = "other", "其他监护人"


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


class CodePurpose(TextChoices):
    """What a code by SMS is for."""

    BIND = "bind", "添加就诊人"
    NEW_PHONE = "new_phone", "更换手机号"
    OLD_PHONE = "old_phone", "更换前的手机号"
