"""What the `field` tag needs to know of a bound form field: its kind, ids and attributes.

Kinds: text, area, select, radio, check, checks. The control is rendered by Django's own widget
with our classes; the surroundings are ours, so that hint and errors are announced with it.
"""

from __future__ import annotations

from django import forms
from django.forms import BoundField

_KINDS: tuple[tuple[type[forms.Widget], str], ...] = (
    (forms.CheckboxSelectMultiple, "checks"),
    (forms.RadioSelect, "radio"),
    (forms.CheckboxInput, "check"),
    (forms.Select, "select"),
    (forms.Textarea, "area"),
)


def kind_of(widget: forms.Widget) -> str:
    """Return the kind of a widget; anything unknown is a one-line text."""
    return next((kind for widget_type, kind in _KINDS if isinstance(widget, widget_type)), "text")


def field_context(bound: BoundField, *, hint: str, label: str) -> dict[str, object]:
    """Return the context of `ui/components/field.html`."""
    kind = kind_of(bound.field.widget)
    hint_text = hint or str(bound.help_text)
    stem = bound.auto_id or bound.html_name
    hint_id, error_id = f"{stem}-hint", f"{stem}-error"
    described = [error_id] if bound.errors else []
    if hint_text:
        described.append(hint_id)
    attributes: dict[str, str | bool] = {}
    if kind in {"text", "area", "select"}:
        attributes["class"] = "x-input"
    if described:
        attributes["aria-describedby"] = " ".join(described)
    if bound.errors:
        attributes["aria-invalid"] = "true"
    return {
        "bound": bound,
        "kind": kind,
        "label": label or bound.label,
        "hint": hint_text,
        "label_id": f"{stem}-label",
        "hint_id": hint_id,
        "error_id": error_id,
        "described": " ".join(described),
        "control": bound.as_widget(attrs=attributes) if kind not in {"radio", "checks"} else "",
    }
