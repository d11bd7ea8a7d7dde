"""Words for the pages about access: areas, scopes and reach in Chinese."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Final

from hospital.identity.reach import Reach
from hospital.identity.states import DataScope
from hospital.kernel.permissions import Permission

AREAS: Final = {
    "registration": "预约挂号",
    "scheduling": "排班号源",
    "patients": "患者",
    "payments": "支付与退款",
    "messaging": "消息与公众号",
    "master": "基础数据",
    "catalogue": "价格",
    "identity": "人员与权限",
    "window": "挂号窗口",
    "desk": "系统与参数",
    "monitoring": "运行监控",
    "interop": "外部平台",
    "kernel": "审计",
    "audit": "审计",
}
NONE: Final = "没有"


def area_label(permission: Permission) -> str:
    """The part of the hospital's work a permission belongs to."""
    return AREAS.get(permission.area, permission.area)


def scope_label(scope: str) -> str:
    """How far a grant reaches; "" is not granted."""
    return str(DataScope(scope).label) if scope else NONE


def period(start: dt.date | None, end: dt.date | None) -> str:
    """A half-open period of days as people say it: "2026-11-23 起", "… 至 2026-12-31"."""
    begins = f"{start} 起" if start else "批准之日起"
    return f"{begins}，至 {end - dt.timedelta(days=1)}" if end else begins


def reach_text(reach: Reach, departments: Mapping[int, str]) -> str:
    """Whose data somebody reaches: "全院", "针灸科、骨伤科", "本人的工作", or nobody's."""
    if reach.is_everything:
        return str(DataScope.HOSPITAL.label)
    parts = [departments.get(pk, "已停用的科室") for pk in sorted(reach.department_ids)]
    if reach.practitioner_ids:
        parts.append("本人的工作")
    return "、".join(parts) or "没有科室，暂时看不到任何数据"
