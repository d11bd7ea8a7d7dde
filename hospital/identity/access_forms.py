"""What administrators type about people and roles, as values."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from typing import Final

from django import forms
from django.http import QueryDict  # noqa: TID251  a type only, no HTTP happens here

from hospital.identity.actions import Wanted
from hospital.kernel.clock import HOSPITAL_ZONE
from hospital.kernel.errors import Invalid
from hospital.ui.typed import typed, typed_id

#: Empty lines below the roles somebody has.
BLANK_LINES: Final = 2
_LINE: Final = re.compile("role-([0-9]{1,3})")


class PersonForm(forms.Form):
    """Somebody's data; the user name is chosen once."""

    username = forms.CharField(
        label="登录名",
        max_length=40,
        help_text="小写字母、数字和 . _ - ，确定后不能修改",
        error_messages={"required": "请填写登录名。", "max_length": "登录名太长。"},
        widget=forms.TextInput(attrs={"autocapitalize": "none", "spellcheck": "false"}),
    )
    display_name = forms.CharField(
        label="姓名",
        max_length=40,
        error_messages={"required": "请填写姓名。", "max_length": "姓名太长。"},
    )
    phone = forms.CharField(
        label="手机号",
        max_length=11,
        required=False,
        help_text="用于系统告警和联系本人，加密保存",
        error_messages={"max_length": "请填写 11 位手机号。"},
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
    )


def wanted_roles(data: QueryDict) -> list[Wanted]:
    """The lines of the role form: role, department, first and last day. Raises Invalid.

    The last day is part of the period, as people say it.
    """
    wanted = []
    for at in role_lines(data):
        role = typed(data, f"role-{at}", most=40)
        if not role:
            continue
        department = typed(data, f"department-{at}", most=18)
        department_id = typed_id(department)
        if department and department_id is None:
            raise Invalid.of("roles", "没有这个科室。")
        last = _day(typed(data, f"until-{at}", most=10))
        wanted.append(
            Wanted(
                role=role,
                department_id=department_id,
                valid_from=_day(typed(data, f"since-{at}", most=10)),
                valid_to=_day_after(last) if last else None,
            )
        )
    return wanted


def role_lines(data: QueryDict) -> list[int]:
    """The numbers of the lines that were sent, in order: nobody's last roles are left unread."""
    return sorted(int(found[1]) for name in data if (found := _LINE.fullmatch(name)))


def wanted_grants(data: QueryDict) -> dict[str, str]:
    """The role editor's choices: permission → scope, without what is not granted."""
    chosen = {
        name.removeprefix("scope:"): typed(data, name, most=10)
        for name in data
        if name.startswith("scope:")
    }
    return {code: scope for code, scope in chosen.items() if scope}


def moment(text: str) -> dt.datetime | None:
    """A local moment as the browser sends it ("2026-11-23T08:00") in UTC, None when it is none."""
    try:
        found = dt.datetime.fromisoformat(text)
        return (found if found.tzinfo else found.replace(tzinfo=HOSPITAL_ZONE)).astimezone(dt.UTC)
    except (ValueError, OverflowError):  # the first and last days of the calendar have no UTC
        return None


def sentences(errors: Mapping[str, Iterable[str]]) -> list[str]:
    """All that is wrong, for the head of a form."""
    return [sentence for lines in errors.values() for sentence in lines]


def _day_after(last: dt.date) -> dt.date:
    if last == dt.date.max:
        raise Invalid.of("roles", "日期不正确。")
    return last + dt.timedelta(days=1)


def _day(text: str) -> dt.date | None:
    if not text:
        return None
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise Invalid.of("roles", "日期不正确。") from None
