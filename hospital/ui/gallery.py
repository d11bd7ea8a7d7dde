"""The gallery: every component in every state, in any theme, on one page per audience.

Mounted outside production by config/urls. `?audience=staff`, `?theme=dark`, `?care=1` and
`?only=sheet` choose what is shown; the gallery test walks all of them under axe-core. A new
component gets an entry here, a template `ui/gallery/<name>.html`, and thereby its tests.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from http import HTTPStatus
from typing import Literal

from django import forms
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from hospital.kernel import clock

Audience = Literal["patient", "staff", "screen"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One component of the gallery; `audiences` says on which pages it belongs."""

    name: str
    title: str
    audiences: tuple[Audience, ...] = ("patient", "staff")

    @property
    def template(self) -> str:
        return f"ui/gallery/{self.name}.html"


ENTRIES = (
    Entry("button", "按钮"),
    Entry("avatar", "头像"),
    Entry("tag", "标签与状态"),
    Entry("icon", "图标"),
    Entry("banner", "提示条"),
    Entry("hold", "号源保留倒计时", ("patient",)),
    Entry("who", "当前就诊人", ("patient",)),
    Entry("search_box", "搜索框", ("patient",)),
    Entry("date_strip", "日期条", ("patient",)),
    Entry("person_card", "医生卡与号源", ("patient",)),
    Entry("bands", "时段", ("patient",)),
    Entry("sheet", "半屏弹窗"),
    Entry("confirm", "确认后提交"),
    Entry("patient_picker", "选择就诊人", ("patient",)),
    Entry("cell", "列表", ("patient",)),
    Entry("two", "分类与列表", ("patient",)),
    Entry("tiles", "功能入口", ("patient",)),
    Entry("card", "卡片、键值与金额"),
    Entry("when", "医生与就诊时间", ("patient",)),
    Entry("ticket", "就诊凭条", ("patient",)),
    Entry("steps", "步骤"),
    Entry("result", "结果页"),
    Entry("empty", "空与出错"),
    Entry("skeleton", "骨架屏"),
    Entry("bottom_bar", "底栏", ("patient",)),
    Entry("field", "表单"),
    Entry("combobox", "拼音组合框"),
    Entry("tabs", "页签"),
    Entry("code", "条形码与二维码"),
    Entry("toast", "轻提示"),
    Entry("live", "实时更新"),
    Entry("progress", "进度"),
    Entry("timeline", "经过"),
    Entry("stat", "指标", ("staff",)),
    Entry("data_table", "表格", ("staff",)),
    Entry("key", "快捷键", ("staff",)),
)


class GalleryForm(forms.Form):
    """A form with one field of each kind; bound with gaps, it shows every error."""

    name = forms.CharField(label="姓名", max_length=20)
    phone = forms.CharField(label="手机号", help_text="用于接收就诊通知")
    kind = forms.ChoiceField(
        label="证件类型", choices=[("id", "居民身份证"), ("hk", "港澳居民来往内地通行证")]
    )
    birth_date = forms.DateField(
        label="出生日期", widget=forms.DateInput(attrs={"type": "date"}), required=False
    )
    sex = forms.ChoiceField(
        label="性别", choices=[("male", "男"), ("female", "女")], widget=forms.RadioSelect
    )
    days = forms.MultipleChoiceField(
        label="出诊日",
        choices=[("1", "周一"), ("2", "周二"), ("3", "周三")],
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )
    note = forms.CharField(label="备注", widget=forms.Textarea(attrs={"rows": 3}), required=False)
    agree = forms.BooleanField(label="我已阅读并同意《就诊人信息使用说明》")


def gallery(request: HttpRequest) -> HttpResponse:
    """Show the components of one audience; a screen has a page of its own."""
    audience = request.GET.get("audience", "patient")
    if audience == "screen":
        return render(request, "ui/gallery_screen.html", {"now": clock.now()})
    only = request.GET.get("only", "")
    if only == "options":
        return render(request, "ui/components/options.html", _options(request))
    if only == "now":
        return HttpResponse(f"<b>{clock.now():%M:%S.%f}</b>")
    if only == "sheet-fragment":
        return render(request, "ui/gallery_sheet.html", {"bands": _bands()})
    if only == "refusal":
        return _refusal(request)
    shown = [entry for entry in ENTRIES if audience in entry.audiences and only in {"", entry.name}]
    context = {
        **sample(),
        "entries": shown,
        "audience": audience,
        "theme": request.GET.get("theme", ""),
        "care": request.GET.get("care") == "1",
    }
    page = "ui/gallery_staff.html" if audience == "staff" else "ui/gallery_patient.html"
    return render(request, page, context)


def _refusal(request: HttpRequest) -> HttpResponse:
    """Answer as the middleware does when a rule says no to an htmx request."""
    words = {"title": "未能完成", "message": "这个号刚刚被约走了，请换一个时段。"}
    response = render(request, "ui/refusal_notice.html", words, status=HTTPStatus.CONFLICT)
    response["X-Refusal"] = "SLOT_TAKEN"
    return response


def sample() -> dict[str, object]:
    """Return the data all gallery templates draw from: believable, and awkward on purpose."""
    now = clock.now()
    bound = GalleryForm({"name": "欧阳上官婉儿", "phone": "1380013", "kind": "id"})
    bound.add_error("phone", "请输入 11 位手机号")
    bound.add_error(None, "证件号已由另一个微信号添加，请到挂号窗口核对身份。")
    return {
        "now": now,
        "soon": now + dt.timedelta(seconds=95),
        "later": now + dt.timedelta(minutes=14, seconds=32),
        "past": now - dt.timedelta(minutes=1),
        "days": _days(),
        "bands": _bands(),
        "steps": _steps(),
        "events": _events(now),
        "form": GalleryForm(auto_id="blank_%s"),
        "bound": bound,
        "people": _people(),
        "tiles": _tiles(),
        "tabs": _tabs(),
        "page": Paginator(range(230), 25).page(2),
    }


def _days() -> list[dict[str, object]]:
    states = ["有号", "约满", "有号", "停诊", "有号", "未放号", "有号"]
    return [
        {
            "day": clock.today() + dt.timedelta(days=index),
            "url": "#date_strip",
            "state": state,
            "is_open": state == "有号",
            "is_current": index == 0,
        }
        for index, state in enumerate(states)
    ]


def _bands() -> list[dict[str, object]]:
    left = [0, 2, 1, 3, 0, 4, 12, 5]
    return [
        {"starts": dt.time(14 + index // 3, index % 3 * 20), "left": count, "url": "#bands"}
        for index, count in enumerate(left)
    ]


def _steps() -> list[dict[str, str]]:
    return [
        {"label": "挂号", "note": "已完成", "state": "done"},
        {"label": "报到", "note": "14:05 起", "state": "now"},
        {"label": "候诊", "note": "看大屏叫号", "state": ""},
        {"label": "就诊", "note": "302 诊室", "state": ""},
    ]


def _events(now: dt.datetime) -> list[dict[str, object]]:
    rows = [
        ("预约提交", "微信用户", "", "info"),
        ("支付成功", "微信支付", "¥25.00 · 4200001234202611230012345678", "brand"),
        ("已停诊", "门诊办 · 何雨桐", "医生会诊", "warn"),
        ("退款失败，已重试", "系统", "商户余额不足", "danger"),
        ("退款成功", "系统", "原路退回 ¥25.00", "brand"),
    ]
    return [
        {
            "title": title,
            "by": by,
            "note": note,
            "tone": tone,
            "at": now + dt.timedelta(minutes=index),
        }
        for index, (title, by, note, tone) in enumerate(rows)
    ]


def _people() -> list[dict[str, object]]:
    rows = [
        ("陈桂芳", "本人 · 女 71岁 · 440***********1233"),
        ("欧阳上官婉儿", "女儿 · 女 3岁2个月 · 440***********0021"),
        ("Anastasia Kuznetsova", "其他 · 女 34岁 · 护照 *****21"),
    ]
    return [
        {"name": name, "note": note, "url": "#patient_picker", "is_current": index == 0}
        for index, (name, note) in enumerate(rows)
    ]


def _tiles() -> list[dict[str, object]]:
    rows = [
        ("预约挂号", "calendar-check", ""),
        ("我的预约", "clipboard-list", "2"),
        ("门诊缴费", "wallet", "1"),
        ("报告查询", "report-medical", ""),
        ("就诊人", "users", ""),
        ("消息", "message", "12"),
        ("就诊指引", "map-pin", ""),
        ("长辈版", "text-size", ""),
    ]
    return [
        {"label": label, "icon": icon, "count": count, "url": "#tiles"}
        for label, icon, count in rows
    ]


def _tabs() -> list[dict[str, object]]:
    rows = [("待就诊", 2, True), ("待支付", 1, False), ("已完成", 14, False), ("已取消", "", False)]
    return [
        {"label": label, "count": count, "active": active, "url": "#tabs"}
        for label, count, active in rows
    ]


def _options(request: HttpRequest) -> dict[str, object]:
    departments = [
        ("ZJTN", "针灸推拿科", "zjtnk", "门诊楼 3 层"),
        ("GS", "骨伤科", "gsk", "门诊楼 2 层"),
        ("PW", "脾胃病科", "pwbk", "门诊楼 2 层"),
        ("ZWB", "治未病中心", "zwbzx", "门诊楼 5 层"),
    ]
    text = request.GET.get("department_text", "").strip().lower()
    found = [
        {"value": code, "label": name, "hint": place}
        for code, name, initials, place in departments
        if text and (text in name or initials.startswith(text))
    ]
    return {"options": found, "prefix": "department"}
