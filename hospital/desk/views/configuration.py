"""参数: every threshold of the hospital, what it is, was and will be; a change is shown first."""

import datetime as dt
from dataclasses import dataclass
from http import HTTPStatus

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from hospital.desk.forms import BACK, ChangeForm, as_typed
from hospital.desk.permissions import CONFIGURE, CONFIGURE_POLICY, VIEW_CONFIGURATION
from hospital.identity import queries as identity
from hospital.identity.access import PermissionMissing, StaffRequest, staff_page
from hospital.kernel import clock, settings_rows
from hospital.kernel.errors import Invalid, NotFound, Stale
from hospital.kernel.models import ConfigurationRow
from hospital.kernel.permissions import Permission
from hospital.kernel.settings_rows import HOSPITAL, AnySetting, Scope, Standing
from hospital.organisation import queries as organisation
from hospital.ui import wording
from hospital.ui.typed import typed, typed_id

_AREAS = {
    "identity": "登录与安全",
    "patients": "就诊人",
    "scheduling": "排班与号源",
    "registration": "挂号",
    "payments": "支付与退款",
    "messaging": "消息",
    "monitoring": "监控",
}


@dataclass(frozen=True)
class Line:
    """One setting in the list."""

    setting: AnySetting
    value: str
    is_default: bool
    exceptions: int
    planned: int


@dataclass(frozen=True)
class Place:
    """One scope of a setting on its page: what holds there, since when, and what is planned."""

    name: str
    value: str
    row: ConfigurationRow | None
    by: str
    planned: list[tuple[str, dt.datetime]]


@dataclass(frozen=True)
class Past:
    """One line of the history."""

    row: ConfigurationRow
    name: str
    value: str
    by: str
    is_planned: bool


@dataclass(frozen=True)
class Difference:
    """What a change would do, before it is done."""

    name: str
    before: str
    after: str
    valid_from: dt.datetime | None
    untouched: list[str]
    overtaken: list[tuple[str, dt.datetime]]
    is_nothing: bool
    seen: int


@staff_page(VIEW_CONFIGURATION)
@require_safe
def configuration(request: StaffRequest) -> HttpResponse:
    """All settings by area, with what holds now; found by their words or their key."""
    wanted = typed(request.GET, "q", most=40).lower()
    groups: dict[str, list[Line]] = {name: [] for name in _AREAS.values()}
    standings = settings_rows.standings(at=clock.now())
    for setting in settings_rows.all_settings():
        if wanted in f"{setting.label}{setting.key}{setting.rule}".lower():
            area = _AREAS.get(setting.area, setting.area)
            groups.setdefault(area, []).append(_line(setting, standings[setting.key]))
    context = {
        "groups": [(name, lines) for name, lines in groups.items() if lines],
        "wanted": wanted,
    }
    return render(request, "desk/staff/configuration.html", context)


@staff_page(VIEW_CONFIGURATION)
@require_safe
def setting(request: StaffRequest, key: str) -> HttpResponse:
    """One setting: where it stands, what it was, and the form to change it."""
    shown = _Shown.of(request, key)
    form = shown.form()
    form.initial = _initial(request, shown.setting, shown.standings)
    return shown.answer(form)


@staff_page(VIEW_CONFIGURATION)
@require_POST
def change(request: StaffRequest, key: str) -> HttpResponse:
    """Show what a change would do; the same form again, with step=save, does it."""
    shown = _Shown.of(request, key)
    needed = _needed(shown.setting)
    if not identity.may(request.user, needed):
        raise PermissionMissing(permission=needed.label)
    form = shown.form(request.POST)
    if not form.is_valid():
        return shown.answer(form, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    difference = _difference(shown, form)
    if request.POST.get("step") != "save" or difference.is_nothing:
        return shown.answer(form, difference=difference)
    try:
        _save(request, shown, form)
    except Invalid as refusal:
        for field, sentences in refusal.errors.items():
            form.add_error(field, sentences)
        return shown.answer(form, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    except Stale as refusal:
        form.add_error(None, refusal.message)
        return shown.answer(form, status=HTTPStatus.CONFLICT)
    messages.success(request, f"“{shown.setting.label}”已修改。")
    return redirect("desk-setting", key)


@dataclass(frozen=True)
class _Shown:
    """A setting's page: the setting, how its scopes stand at a moment, and what they are called."""

    request: StaffRequest
    setting: AnySetting
    standings: list[Standing]
    names: dict[str, str]
    at: dt.datetime

    @classmethod
    def of(cls, request: StaffRequest, key: str) -> "_Shown":
        found = settings_rows.setting(key)
        if found is None:
            raise NotFound("没有这个参数。")
        at = clock.now()
        return cls(request, found, settings_rows.standings(at=at, key=key)[key], _names(found), at)

    def form(self, data: QueryDict | None = None) -> ChangeForm:
        return ChangeForm(data, setting=self.setting, scopes=list(self.names.items()))

    def answer(
        self, form: ChangeForm, *, difference: Difference | None = None, status: int = HTTPStatus.OK
    ) -> HttpResponse:
        rows = settings_rows.history(setting=self.setting)
        people = _people(rows)
        needed = _needed(self.setting)
        context = {
            "setting": self.setting,
            "default": _words(self.setting, self.setting.default),
            "least": _words(self.setting, self.setting.minimum),
            "most": _words(self.setting, self.setting.maximum),
            "places": [_place(self, one, people) for one in self.standings],
            "history": [_past(self, row, people) for row in rows],
            "form": form,
            "difference": difference,
            "may_change": identity.may(self.request.user, needed),
            "needed": needed.label,
        }
        return render(self.request, "desk/staff/setting.html", context, status=status)


def _save(request: StaffRequest, shown: _Shown, form: ChangeForm) -> None:
    seen = typed_id(request.POST.get("seen", ""))
    settings_rows.set_value(
        setting=shown.setting,
        value=form.cleaned_data["parsed"],
        scope=form.chosen,
        valid_from=form.cleaned_data["valid_from"],
        reason=form.cleaned_data["reason"],
        seen=-1 if seen is None else seen,
        by=request.actor,
        at=shown.at,
    )


def _needed(found: AnySetting) -> Permission:
    return CONFIGURE_POLICY if found.is_policy else CONFIGURE


def _line(found: AnySetting, standings: list[Standing]) -> Line:
    hospital, *narrower = standings
    return Line(
        setting=found,
        value=_held(found, hospital),
        is_default=hospital.row is None,
        exceptions=sum(one.row is not None for one in narrower),
        planned=sum(len(one.planned) for one in (hospital, *narrower)),
    )


def _place(shown: _Shown, one: Standing, people: dict[str, str]) -> Place:
    return Place(
        name=_name(shown.names, one.scope),
        value=_held(shown.setting, one),
        row=one.row,
        by=people[one.row.set_by] if one.row else "",
        planned=[(_words(shown.setting, row.value), row.valid_from) for row in one.planned],
    )


def _past(shown: _Shown, row: ConfigurationRow, people: dict[str, str]) -> Past:
    return Past(
        row=row,
        name=_name(shown.names, Scope(row.scope_kind, row.scope_id)),
        value=_words(shown.setting, row.value),
        by=people[row.set_by],
        is_planned=row.valid_from > shown.at,
    )


def _difference(shown: _Shown, form: ChangeForm) -> Difference:
    found, names, scope = shown.setting, shown.names, form.chosen
    by_scope = {one.scope: one for one in shown.standings}
    mine = by_scope.get(scope) or Standing(scope=scope, row=None, planned=(), latest_id=0)
    is_everywhere = scope == HOSPITAL
    wider = f"不单独设置（按全院 {_held(found, shown.standings[0])}）"
    before = _held(found, mine) if is_everywhere or mine.row else wider
    parsed = form.cleaned_data["parsed"]
    back = _words(found, found.default) if is_everywhere else wider
    after = back if parsed is None else _words(found, parsed)
    valid_from = form.cleaned_data["valid_from"]
    own = [one for one in shown.standings if is_everywhere and one.scope != scope and one.row]
    later = [row for row in mine.planned if valid_from is None or row.valid_from > valid_from]
    return Difference(
        name=_name(names, scope),
        before=before,
        after=after,
        valid_from=valid_from,
        untouched=[f"{_name(names, one.scope)}（{_held(found, one)}）" for one in own],
        overtaken=[(_words(found, row.value), row.valid_from) for row in later],
        is_nothing=before == after and not mine.planned,
        seen=mine.latest_id,
    )


def _initial(
    request: StaffRequest, found: AnySetting, standings: list[Standing]
) -> dict[str, object]:
    """What the form starts with: the hospital's value, or what stood before the row `undo`."""
    undo = typed_id(typed(request.GET, "undo", most=18))
    rows = settings_rows.history(setting=found)
    row = next((one for one in rows if one.pk == undo), None)
    if row is None:
        value = standings[0].row.value if standings[0].row else found.default
        return {"scope": str(HOSPITAL), "value": as_typed(found, value)}
    place = (row.scope_kind, row.scope_id)
    earlier = [
        one
        for one in rows
        if (one.scope_kind, one.scope_id) == place and one.valid_from < row.valid_from
    ]
    value = max(earlier, key=lambda one: one.valid_from).value if earlier else None
    back = {"way": BACK} if value is None else {"value": as_typed(found, value)}
    reason = f"撤回{wording.day_text(row.valid_from)}起的修改"
    return {"scope": f"{row.scope_kind}:{row.scope_id}", "reason": reason, **back}


def _held(found: AnySetting, standing: Standing) -> str:
    """What holds for a scope that stands in the table: its own value or the default."""
    return _words(found, standing.row.value if standing.row else found.default)


def _words(found: AnySetting, value: object) -> str:
    """A value as people read it; None is no value of its own."""
    if value is None:
        return "不单独设置"
    if isinstance(value, bool):
        return "是" if value else "否"
    return f"{as_typed(found, value)} {found.unit}".strip()


def _names(found: AnySetting) -> dict[str, str]:
    """The scopes a setting can be set for, as the form posts them, with their names."""
    names = {str(HOSPITAL): "全院"}
    if "department" in found.scopes:
        rows = organisation.bookable_departments()
        names |= {f"department:{row.id}": f"科室：{row.name}" for row in rows}
    return names


def _name(names: dict[str, str], scope: Scope) -> str:
    return names.get(str(scope), f"已停用的范围 {scope}")


def _people(rows: list[ConfigurationRow]) -> dict[str, str]:
    """Who changed it, by the text in the rows."""
    actors = {row.set_by for row in rows}
    return dict.fromkeys(actors, "系统") | identity.staff_names(actors=actors)
