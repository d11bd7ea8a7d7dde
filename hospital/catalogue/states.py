"""The words of the catalogue: fee categories of the fiscal receipt and kinds of clinic.

Categories are the outpatient items of the fiscal receipt (chapter 8, CV07.10.001).
"""

from typing import Final

from django.db.models import TextChoices

from hospital.kernel.states import Moves


class FeeCategory(TextChoices):
    """费用归类: under which line of the receipt, and revenue account, a charge appears."""

    REGISTRATION = "registration", "挂号费"
    CONSULTATION = "consultation", "诊察费"
    EXAMINATION = "examination", "检查费"
    LABORATORY = "laboratory", "化验费"
    TREATMENT = "treatment", "治疗费"
    SURGERY = "surgery", "手术费"
    SUPPLY = "supply", "卫生材料费"
    WESTERN_DRUG = "western_drug", "西药费"
    HERB = "herb", "中草药费"
    PATENT_DRUG = "patent_drug", "中成药费"
    PHARMACY_SERVICE = "pharmacy_service", "药事服务费"
    GENERAL_CARE = "general_care", "一般诊疗费"
    OTHER = "other", "其他"


class ServiceKind(TextChoices):
    """号别: what kind of clinic a number is for."""

    GENERAL = "general", "普通"
    SPECIALTY = "specialty", "专科"
    EXPERT = "expert", "专家"
    EMINENT = "eminent", "名医"
    PREMIUM = "premium", "特需"
    EVENING = "evening", "夜诊"
    EMERGENCY = "emergency", "急诊"
    REFILL = "refill", "便民"


class PriceChangeStatus(TextChoices):
    """Where a price somebody typed stands: finance decides (chapter 7)."""

    WAITING = "waiting", "待批准"
    APPROVED = "approved", "已批准"
    REJECTED = "rejected", "已驳回"


PRICE_CHANGE_MOVES: Final[Moves] = frozenset(
    {
        (PriceChangeStatus.WAITING, PriceChangeStatus.APPROVED),
        (PriceChangeStatus.WAITING, PriceChangeStatus.REJECTED),
    }
)
