"""An audit entry in words: who, whom, what changed. Values of unknown kinds stay as they are."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist

from hospital.identity import queries as identity
from hospital.kernel import acts, clock, settings_rows
from hospital.kernel.actors import Actor
from hospital.kernel.models import AuditEntry, AuditResult
from hospital.patients.queries.named import NamedPatient, named
from hospital.ui.wording import yuan_text

AREAS: Final = {
    "identity": "账号与权限",
    "patients": "患者",
    "payments": "收费与退款",
    "catalogue": "价格与项目",
    "organisation": "科室与人员",
    "onboarding": "基础资料",
    "scheduling": "排班",
    "registration": "预约挂号",
    "messaging": "消息与公众号",
    "kernel": "系统",
    "desk": "审计与参数",
    "monitoring": "监控",
    "portal": "患者端",
}
#: Keys of before and after that are no column with a Chinese name.
_KEYS: Final = {
    "what": "内容",
    "page": "页面",
    "code": "代码",
    "fen": "金额",
    "bill": "账单",
    "bills": "账单",
    "case": "异常",
    "remedy": "处理方式",
    "proof": "银行回单",
    "kind": "类别",
    "number": "编号",
    "roles": "角色",
    "departments": "科室",
    "price_fen": "价格",
    "price_items": "收费项目",
    "title": "职称",
    "valid_from": "生效日期",
    "valid_to": "失效日期",
    "job": "任务",
    "count": "数量",
    "address": "网络地址",
    "asked_by": "申请人",
    "patient_id": "患者",
    "consent_version": "知情同意版本",
    "is_active": "启用",
    "is_blocked": "停用",
    "display_name": "姓名",
    "practitioner_id": "医护人员",
    "name": "名称",
    "copied_from": "来源版本",
    "round": "发送轮次",
    "reason": "原因",
    "scope": "范围",
    "permissions": "权限",
    "role": "角色",
    "is_on": "是否开启",
    "rows": "行数",
    "permission": "权限",
    "telephone": "电话",
    "pinyin": "拼音",
    "initials": "拼音首字母",
    "parent": "上级",
    "hint": "提示",
    "introduction": "介绍",
    "sex": "性别",
    "sex_limit": "限性别",
    "min_age_months": "最小月龄",
    "max_age_months": "最大月龄",
    "location_text": "就诊位置",
    "floor": "楼层",
    "is_bookable": "可预约",
    "walk_in_only": "仅现场挂号",
    "sort_order": "顺序",
    "campus": "院区",
    "department": "科室",
    "specialty": "专长",
    "licence_end_date": "执业证到期",
    "practitioner": "医护人员",
    "category": "分类",
    "unit": "单位",
    "service_type": "号别",
    "room": "诊室",
    "weekday": "星期",
    "session_period": "午别",
    "starts": "开始",
    "ends": "结束",
    "starts_at": "开始",
    "ends_at": "结束",
    "capacity": "限号数",
    "band_minutes": "时段分钟数",
    "status": "状态",
    "username": "用户名",
    "note": "说明",
    "label": "名称",
    "account": "账号",
    "document": "菜单内容",
    "words": "关键词",
    "answer": "回复内容",
    "match": "匹配方式",
    "priority": "优先顺序",
    "relationship": "关系",
    "phone": "手机号",
    "ethnic_group": "民族",
    "name_note": "姓名备注",
    "assurance": "实名等级",
    "method": "方式",
    "source": "来源",
}
#: Words of ours that stand as values.
_VALUES: Final = {
    "name": "姓名",
    "phone": "手机号",
    "documents": "证件号码",
    "address": "地址",
}
_SUBJECTS: Final = {
    "patients.patient": "患者",
    "patients.patientbinding": "就诊人绑定",
    "identity.staffaccount": "员工账号",
    "identity.wechatuser": "微信用户",
    "payments.payment": "支付",
    "payments.refund": "退款",
    "payments.refundrequest": "退款申请",
    "payments.offlinetransfer": "线下转账",
    "payments.paymentcase": "资金异常",
    "payments.casedecision": "异常处理意见",
    "payments.paycode": "缴费单收款码",
    "billing.bill": "账单",
    "messaging.message": "消息",
    "messaging.menuversion": "公众号菜单",
    "messaging.replyrule": "自动回复",
    "kernel.configurationrow": "参数",
    "organisation.department": "科室",
    "organisation.practitioner": "医护人员",
    "organisation.location": "地点",
    "organisation.campus": "院区",
    "catalogue.priceitem": "收费项目",
    "catalogue.servicetype": "号别",
    "scheduling.scheduletemplate": "出诊模板",
}
_NOTHING: Final = "—"


@dataclass(frozen=True, slots=True)
class Change:
    """One value before and after, in words."""

    label: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Line:
    """One entry as the list and the export show it."""

    id: int
    at: dt.datetime
    who: str
    roles: str
    act: str
    person: NamedPatient | None
    subject: str
    address: str
    device: str
    reason: str
    result: str
    is_refused: bool
    changes: tuple[Change, ...]

    @property
    def summary(self) -> str:
        """What changed, in one line."""
        return "；".join(
            f"{one.label} {one.before} → {one.after}"
            if one.before != _NOTHING
            else f"{one.label} {one.after}"
            for one in self.changes
        )


def lines(entries: Sequence[AuditEntry]) -> list[Line]:
    """The entries in words; names of staff and patients are read once for all of them."""
    names = identity.staff_names(actors=[entry.by for entry in entries])
    patients = named(entry.person_id for entry in entries if entry.person_id is not None)
    labels = identity.role_labels()
    return [
        Line(
            id=entry.pk,
            at=entry.at,
            who=_who(entry.by, names),
            roles="、".join(labels.get(role, role) for role in entry.role.split(",") if role),
            act=acts.label(entry.act),
            person=patients.get(entry.person_id or 0),
            subject=_subject(entry),
            address=entry.address,
            device=entry.device,
            reason=entry.reason,
            result=AuditResult(entry.result).label,
            is_refused=entry.result == AuditResult.REFUSED,
            changes=tuple(changes(entry)),
        )
        for entry in entries
    ]


def changes(entry: AuditEntry) -> Iterable[Change]:
    """Every value the entry holds, before beside after."""
    for key in [*entry.before, *(key for key in entry.after if key not in entry.before)]:
        yield Change(
            label=_label(entry.subject_type, key),
            before=_value(entry.subject_type, key, entry.before.get(key)),
            after=_value(entry.subject_type, key, entry.after.get(key)),
        )


def _who(by: str, names: Mapping[str, str]) -> str:
    actor = Actor.parse(by)
    if actor.kind == "staff":
        return names.get(by, f"员工 {actor.id}")
    return f"患者微信 {actor.id}" if actor.kind == "patient" else "系统"


def _subject(entry: AuditEntry) -> str:
    if not entry.subject_type:
        return ""
    return f"{_SUBJECTS.get(entry.subject_type, entry.subject_type)} {entry.subject_id}"


def _label(subject: str, key: str) -> str:
    setting = next((one for one in settings_rows.all_settings() if one.key == key), None)
    if setting is not None:
        return setting.label
    named_field = str(getattr(_field(subject, key), "verbose_name", ""))
    return _KEYS.get(key) or (named_field if not named_field.isascii() else key)


def _value(subject: str, key: str, value: object) -> str:
    if value is None or value == "" or value == []:
        return _NOTHING
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, int) and (key == "fen" or key.endswith("_fen")):
        return yuan_text(value)
    if isinstance(value, str | int):
        choices = dict(getattr(_field(subject, key), "flatchoices", None) or [])
        return str(choices.get(value, "")) or _plain(value)
    return _plain(value)


def _plain(value: object) -> str:
    if isinstance(value, Mapping):
        return "，".join(f"{_KEYS.get(key, key)}：{_plain(item)}" for key, item in value.items())
    if isinstance(value, list):
        return "、".join(_plain(item) for item in value)
    return _VALUES.get(value) or _moment(value) if isinstance(value, str) else str(value)


def _moment(text: str) -> str:
    """A moment as the hospital's clock showed it; any other text as it is."""
    if len(text) < len("2026-11-23T00:00") or text[10:11] != "T":
        return text
    try:
        at = dt.datetime.fromisoformat(text)
    except ValueError:
        return text
    return f"{clock.local(at):%Y-%m-%d %H:%M}" if at.tzinfo else text


def _field(subject: str, key: str) -> object:
    if not subject:
        return None
    try:
        return apps.get_model(subject)._meta.get_field(key)
    except (LookupError, FieldDoesNotExist):
        return None
