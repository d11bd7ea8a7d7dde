"""The audit's words: what areas, keys and subjects of entries are called, and coded values."""

from collections.abc import Iterator, Mapping
from typing import Final

from hospital.identity import queries as identity
from hospital.identity.states import DataScope, Verdict
from hospital.kernel.errors import Refusal
from hospital.kernel.permissions import all_permissions
from hospital.patients.states import (
    IDENTIFIER_LABELS,
    Assurance,
    GuardianRelation,
    Relationship,
    VerificationMethod,
)

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
KEYS: Final = {
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
    "reading": "更正的拼音",
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
    "account_id": "员工账号",
    "taker_id": "借给（员工账号）",
    "candidates": "相似的患者",
    "score": "得分",
    "vetoes": "不能认作同一人的理由",
    "card_id": "就诊卡",
    "pass_id": "就诊二维码",
    "guardian_id": "监护人（患者）",
    "other_id": "另一份档案（患者）",
    "fields": "改动的内容",
    "changes": "改动行数",
    "file": "文件",
    "photo": "照片",
    "networks": "可登录的网络",
    "session": "登录",
    "enrolled": "绑定验证器",
    "verdict": "审核意见",
    "why": "原因",
    "seed": "随机种子",
    "size_bytes": "大小（字节）",
    "is_good": "是否成功",
    "probe": "监控项目",
    "level": "级别",
}
#: The same key says something else in these areas.
KEYS_OF_AREA: Final = {
    ("identity", "code"): "原因",
    ("identity", "proof"): "登录凭据",
    ("patients", "code"): "原因",
    ("patients", "document"): "证件类型",
    ("identity", "wanted"): "申请的权限",
}
#: Words of ours that stand as values.
VALUES: Final = {
    "name": "姓名",
    "phone": "手机号",
    "documents": "证件号码",
    "address": "地址",
    "ethnic_group": "民族",
    "name_note": "姓名备注",
    "birth_date": "出生日期",
    "sex": "性别",
    "nationality": "国籍",
    "network": "网络不允许",
}
SUBJECTS: Final = {
    "patients.patient": "患者",
    "patients.patientbinding": "就诊人绑定",
    "patients.patientidentifier": "患者证件",
    "patients.patientcard": "就诊卡",
    "patients.patientlink": "同一人的报告",
    "patients.guardian": "监护关系",
    "patients.datacopy": "数据副本",
    "identity.accessrequest": "权限申请",
    "identity.breakglass": "紧急查阅",
    "identity.delegation": "临时授权",
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
#: How somebody proved who they are when they logged in.
_PROOFS: Final = {
    "password": "密码",
    "code": "动态口令",
    "recovery_code": "恢复码",
    "enrolment": "首次绑定验证器",
}

#: What forbids taking two for one (M3.8).
_VETOES: Final = {"twins": "可能是双胞胎", "other_id": "身份证号不同", "other_sex": "性别不同"}


def codes() -> Mapping[str, Mapping[str, str]]:
    """Key → code → word, for keys whose values are codes of ours; read once for a page."""
    roles = identity.role_labels()
    permissions = {one.code: one.label for one in all_permissions()}
    scopes = {str(code): str(label) for code, label in DataScope.choices}
    relations = dict([*Relationship.choices, *GuardianRelation.choices])
    return {
        "proof": _PROOFS,
        "role": roles,
        "roles": roles,
        "permissions": permissions,
        "document": IDENTIFIER_LABELS,
        "method": dict(VerificationMethod.choices),
        "assurance": dict(Assurance.choices),
        "relationship": relations,
        "verdict": dict(Verdict.choices),
        "vetoes": _VETOES,
        "code": {kind.code: kind.default_message.rstrip("。") for kind in _refusals(Refusal)},
        **dict.fromkeys(permissions, scopes),
    }


def _refusals(kind: type[Refusal]) -> Iterator[type[Refusal]]:
    for one in kind.__subclasses__():
        yield one
        yield from _refusals(one)
