"""Sheet of the staff log-ins: 登录账号."""

from collections.abc import Iterable

from hospital.identity import actions, queries
from hospital.identity.states import Role
from hospital.onboarding.kinds import Choice, Code, Line, Secret, Several
from hospital.onboarding.sheets.organisation import PRACTITIONERS, active, refers
from hospital.onboarding.tables import Book, Column, Problem, Sheet


def _first_passwords(book: Book) -> Iterable[Problem]:
    """A new account needs a first password; an existing one keeps its own whatever stands here."""
    for row in book.of(STAFF.title):
        if row.has("username") and "initial_password" in row.values:
            missing = not row.values["initial_password"]
            if missing and queries.staff_account(username=row.values["username"]) is None:
                yield row.problem("initial_password", "新账号必须填写初始密码")


def _working_practitioners(book: Book) -> Iterable[Problem]:
    people = book.by_code(PRACTITIONERS.title)
    for row in book.of(STAFF.title):
        person = people.get(row.values.get("practitioner") or "")
        if person and row.values.get("is_active") and person.values.get("is_active") is False:
            yield row.problem("practitioner", "该医生已停用；请把账号的“启用”也改为“否”")


STAFF = Sheet(
    title="登录账号",
    note="工作人员的登录账号和岗位角色。一人一号，不要共用。",
    key=("username",),
    name_field="display_name",
    save=actions.save_staff,
    checks=(_first_passwords, _working_practitioners),
    elsewhere="登录账号不在这里导入，请在“人员”页面新建和修改",
    columns=(
        Column(
            "登录名",
            "username",
            Code(hint="小写字母、数字、点和短横", longest=40, lower=True),
            required=True,
            example="guahao",
            width=14,
        ),
        Column("姓名", "display_name", Line(longest=40), required=True, example="林小满", width=12),
        Column(
            "角色",
            "roles",
            Several.of(Choice.of(Role)),
            required=True,
            note="可填多个，用“、”隔开",
            example="挂号员",
            width=22,
        ),
        refers("医生工号", "practitioner", "医生", note="账号属于某位医生时填写"),
        refers("科室范围", "department", "科室", note="只管一个科室时填写；不填为全院"),
        Column(
            "初始密码",
            "initial_password",
            Secret(),
            note="至少 10 个字符。只在新建账号时使用，已有账号的密码不会改动；"
            "首次登录后请本人修改，导入后请从表格中删除",
            width=18,
            secret=True,
        ),
        active("账号"),
    ),
)
