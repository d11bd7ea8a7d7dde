"""Sheets of the organisation: 院区, 科室, 诊室, 医生."""

from collections.abc import Iterable
from typing import Final

from hospital.onboarding.kinds import (
    Age,
    Choice,
    Code,
    Day,
    Floor,
    Integer,
    Kind,
    Line,
    Portrait,
    Reading,
    Several,
    Text,
    YesNo,
)
from hospital.onboarding.tables import Book, Column, Problem, Sheet
from hospital.organisation import actions, queries
from hospital.organisation.states import LocationKind, Sex, SexLimit, Title

TELEPHONE = Line(hint="电话，如 0750-8812345", longest=40)
_MOST_DAYS: Final = 366
REFERENCE = Line(hint="填编码，或不重复的名称", longest=80)


def active(noun: str) -> Column:
    """启用: how a row is switched off; rows are never removed."""
    note = f"停用的{noun}填“否”，不要删除整行"
    return Column("启用", "is_active", YesNo(), default=True, note=note, example="是", width=8)


def period(noun: str) -> tuple[Column, Column]:
    """生效日期, 失效日期: planned beginnings and ends; workbooks of earlier years lack them."""
    return (
        Column(
            "生效日期",
            "valid_from",
            Day(),
            note=f"{noun}从这一天起使用；一直在用的不填",
            width=14,
            may_lack=True,
        ),
        Column(
            "失效日期",
            "valid_to",
            Day(),
            note=f"{noun}从这一天起不再使用，之后不再出诊；长期有效不填",
            width=14,
            may_lack=True,
        ),
    )


def days_of_age() -> tuple[Column, Column]:
    """日龄下限, 日龄上限: for the newborn (M1.12); workbooks of earlier years lack them."""
    return (
        Column(
            "日龄下限",
            "min_age_days",
            Integer(hint="出生后的天数，整数", most=_MOST_DAYS),
            note="只在按天计算时填。填 29：就诊当日出生满 29 天的可以挂，满 28 天的不能",
            width=10,
            may_lack=True,
        ),
        Column(
            "日龄上限",
            "max_age_days",
            Integer(hint="出生后的天数，整数", most=_MOST_DAYS),
            note="只在按天计算时填，含这一天。新生儿科填 28：就诊当日出生满 28 天还能挂，"
            "满 29 天不能",
            width=10,
            may_lack=True,
        ),
    )


def reading(longest: int) -> Column:
    """拼音: only where the dictionary reads a name wrongly; workbooks of earlier years lack it."""
    return Column(
        "拼音",
        "reading",
        Reading(longest=longest),
        default="",
        note="多音字、生僻字读得不对时填写；不填按名称自动生成",
        width=24,
        may_lack=True,
    )


def refers(
    heading: str, field: str, to: str, *, required: bool = False, note: str = "", example: str = ""
) -> Column:
    """A column that holds the code or unique name of a row in another sheet."""
    return Column(
        heading,
        field,
        REFERENCE,
        required=required,
        note=note,
        example=example,
        width=16,
        refers_to=to,
    )


def refers_to_several(heading: str, field: str, to: str, *, note: str, example: str) -> Column:
    """Like `refers`, for one or more rows in one cell."""
    kind: Kind = Several.of(REFERENCE)
    return Column(
        heading, field, kind, required=True, note=note, example=example, width=24, refers_to=to
    )


def _licences(book: Book) -> Iterable[Problem]:
    """M15.2: nobody works without a valid licence."""
    for row in book.of(PRACTITIONERS.title):
        works = row.has("licence_end_date", "is_active") and row.values["is_active"]
        if works and row.values["licence_end_date"] < book.today:
            reason = "执业证已到期；请更新日期，或把“启用”改为“否”"
            yield row.problem("licence_end_date", reason)


def _ages(book: Book) -> Iterable[Problem]:
    for row in book.of(DEPARTMENTS.title):
        wrong = actions.wrong_ages(
            min_age_months=row.values.get("min_age_months"),
            max_age_months=row.values.get("max_age_months"),
            min_age_days=row.values.get("min_age_days"),
            max_age_days=row.values.get("max_age_days"),
        )
        yield from (row.problem(field, why) for field, why in wrong.items())


def _booking(book: Book) -> Iterable[Problem]:
    for row in book.of(DEPARTMENTS.title):
        if row.values.get("is_bookable") and row.values.get("walk_in_only"):
            yield row.problem("walk_in_only", "仅现场就诊的科室，“开放预约”应填“否”")


CAMPUSES = Sheet(
    title="院区",
    note="医院的每个院区一行。",
    key=("code",),
    name_field="name",
    save=actions.save_campus,
    names=queries.campus_names,
    slug="campuses",
    saved=lambda _: queries.campus_rows(),
    listed=("code", "name", "address", "telephone"),
    acts=("organisation.save_campus",),
    columns=(
        Column("院区编码", "code", Code(), required=True, example="BB", width=12),
        Column("院区名称", "name", Line(), required=True, example="院本部", width=18),
        Column(
            "地址", "address", Line(longest=200), default="", example="杏林县人民路 1 号", width=36
        ),
        Column("电话", "telephone", TELEPHONE, default="", example="0750-8812345", width=18),
    ),
)

DEPARTMENTS = Sheet(
    title="科室",
    note="科室和科室分类。最上级是患者看到的分类（如“内科”），其下才是出诊的科室。",
    key=("code",),
    name_field="name",
    save=actions.save_department,
    names=queries.department_names,
    parent="parent",
    parents=queries.department_parents,
    checks=(_ages, _booking),
    slug="departments",
    saved=lambda _: queries.department_rows(),
    listed=("code", "name", "parent", "floor", "is_bookable", "telephone"),
    acts=("organisation.save_department",),
    columns=(
        Column("科室编码", "code", Code(), required=True, example="PWB", width=12),
        Column("科室名称", "name", Line(), required=True, example="脾胃病科", width=18),
        refers("上级科室", "parent", "科室", note="分类本身不填", example="内科"),
        Column(
            "开放预约",
            "is_bookable",
            YesNo(),
            default=True,
            note="患者能否在手机上预约；分类填“否”",
            example="是",
            width=10,
        ),
        Column(
            "仅现场就诊",
            "walk_in_only",
            YesNo(),
            default=False,
            note="如急诊科：列出但不能预约，“开放预约”填“否”",
            example="否",
            width=12,
        ),
        Column(
            "性别限制",
            "sex_limit",
            Choice.of(SexLimit, aliases={"男性": SexLimit.MALE, "女性": SexLimit.FEMALE}),
            default=SexLimit.NONE,
            note="只接诊一种性别时填写",
            example="不限",
            width=10,
        ),
        Column(
            "年龄下限",
            "min_age_months",
            Age(),
            note="含这个年龄，如 14岁；按就诊当日计算",
            example="14岁",
            width=10,
        ),
        Column(
            "年龄上限",
            "max_age_months",
            Age(),
            note="不含这个年龄：儿科看到 14 周岁填 15岁",
            width=10,
        ),
        *days_of_age(),
        Column(
            "常见病症",
            "hint",
            Line(longest=200),
            default="",
            note="患者按病症搜索科室用，以“、”隔开",
            example="胃痛、腹胀、腹泻",
            width=36,
        ),
        Column("科室介绍", "introduction", Text(longest=2000), default="", width=40),
        Column("楼层", "floor", Floor(), default="", example="2楼", width=8),
        Column(
            "位置说明",
            "location_text",
            Line(longest=100),
            default="",
            note="告诉患者怎么走",
            example="门诊楼 2 楼 B 区",
            width=24,
        ),
        Column("电话", "telephone", TELEPHONE, default="", width=16),
        Column(
            "排序",
            "sort_order",
            Integer(most=9999),
            default=0,
            note="小的在前；相同时按拼音",
            example="10",
            width=8,
        ),
        active("科室"),
        *period("科室"),
        reading(300),
    ),
)

LOCATIONS = Sheet(
    title="诊室",
    note="楼栋、楼层、诊区、诊室和窗口，都是一行。",
    key=("code",),
    name_field="name",
    save=actions.save_location,
    names=queries.location_names,
    parent="parent",
    parents=queries.location_parents,
    slug="locations",
    page_title="位置",
    saved=lambda _: queries.location_rows(),
    listed=("code", "name", "kind", "campus", "parent", "department", "floor"),
    acts=("organisation.save_location",),
    columns=(
        Column("位置编码", "code", Code(), required=True, example="M201", width=12),
        Column("名称", "name", Line(), required=True, example="201诊室", width=18),
        Column(
            "类型",
            "kind",
            Choice.of(LocationKind),
            default=LocationKind.ROOM,
            note="不填为诊室",
            example="诊室",
            width=10,
        ),
        refers("院区", "campus", "院区", required=True, example="院本部"),
        refers("上级位置", "parent", "诊室", note="所在的诊区、楼层或楼栋"),
        refers("所属科室", "department", "科室", example="脾胃病科"),
        Column("楼层", "floor", Floor(), default="", example="2楼", width=8),
        active("位置"),
        *period("位置"),
    ),
)

PRACTITIONERS = Sheet(
    title="医生",
    note="出诊的医生。照片在系统的医生页面上传；没有照片时显示姓氏头像。",
    key=("code",),
    name_field="name",
    save=actions.save_practitioner,
    names=queries.practitioner_names,
    checks=(_licences,),
    slug="practitioners",
    saved=lambda today: queries.practitioner_rows(on=today),
    listed=("code", "name", "sex", "title", "departments", "licence_end_date"),
    acts=(
        "organisation.save_practitioner",
        "organisation.assign_practitioner",
        "organisation.save_photo",
    ),
    also_told=(Column("照片", "photo", Portrait()),),
    columns=(
        Column("工号", "code", Code(), required=True, example="0101", width=10),
        Column("姓名", "name", Line(longest=40), required=True, example="陈知行", width=12),
        Column("性别", "sex", Choice.of(Sex), required=True, example="男", width=8),
        Column(
            "职称",
            "title",
            Choice.of(Title, aliases={"住院医师": Title.RESIDENT, "主治中医师": Title.ATTENDING}),
            required=True,
            note="决定挂号费",
            example="主任医师",
            width=14,
        ),
        refers_to_several(
            "所属科室",
            "departments",
            "科室",
            note="可填多个，用“、”隔开",
            example="脾胃病科",
        ),
        Column(
            "擅长",
            "specialty",
            Line(longest=300),
            default="",
            example="慢性胃炎、功能性消化不良的中医治疗",
            width=40,
        ),
        Column("简介", "introduction", Text(longest=2000), default="", width=50),
        Column(
            "执业证有效期至",
            "licence_end_date",
            Day(),
            required=True,
            note="当天仍可出诊，第二天起不再排班",
            example="2031-12-31",
            width=16,
        ),
        active("医生"),
        *period("医生"),
        reading(200),
    ),
)

ROLES = Sheet(
    title="任职",
    note="医生在科室任职的起止日期。只需填写计划中的变动；当前的任职由“医生”表的所属科室得出。",
    key=("practitioner", "department", "valid_from"),
    save=actions.save_role,
    required=False,
    slug="roles",
    saved=lambda _: queries.role_rows(),
    listed=("practitioner", "department", "valid_from", "valid_to"),
    acts=("organisation.save_role",),
    columns=(
        refers("医生", "practitioner", "医生", required=True, example="陈知行"),
        refers("科室", "department", "科室", required=True, example="脾胃病科"),
        Column("生效日期", "valid_from", Day(), required=True, example="2027-01-01", width=14),
        Column(
            "失效日期",
            "valid_to",
            Day(),
            note="从这一天起不再任职；长期有效不填。与生效日期相同表示取消",
            width=14,
        ),
    ),
)
