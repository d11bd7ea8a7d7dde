"""Components that need logic, as tags of the `ui` library.

A component without logic is a plain include of `ui/components/<name>.html` with explicit
arguments and `only`; one that wraps markup, counts down or draws something is a tag here.
"""

from __future__ import annotations

import datetime as dt
from math import ceil
from typing import TYPE_CHECKING

from django import template
from django.forms import BoundField
from django.template.context import Context
from django.template.loader import render_to_string
from django.template.loader_tags import BLOCK_CONTEXT_KEY
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from hospital.kernel import clock
from hospital.kernel.money import format_yuan
from hospital.ui import codes, fields, icons

if TYPE_CHECKING:
    from django.core.paginator import Page

_SOON_S = 120


def register_all(register: template.Library) -> None:
    """Register every component tag on the `ui` library."""
    for tag in (icon, key, amount, barcode, qr):
        register.simple_tag(tag)
    register.simple_tag(page_title, takes_context=True)
    for block in (card, sheet, bottom_bar, banner, person_card, data_table):
        register.simple_block_tag(block, end_name=f"end{block.__name__}")
    register.inclusion_tag("ui/components/hold.html")(hold)
    register.inclusion_tag("ui/components/field.html")(field)
    register.inclusion_tag("ui/components/form_errors.html")(form_errors)
    register.inclusion_tag("ui/components/pages.html")(pages)
    register.inclusion_tag("ui/components/confirm.html", takes_context=True)(confirm)


def page_title(context: Context) -> str:
    """What the page wrote into its `title` block, once more: the base's hidden heading."""
    blocks = context.render_context.get(BLOCK_CONTEXT_KEY)
    block = blocks.get_block("title") if blocks is not None else None
    return str(block.render(context)).strip() if block is not None else ""


def icon(name: str) -> SafeString:
    """An icon at text size; raises ValueError for a name no sprite has."""
    sprite = icons.sprites().get(name)
    if sprite is None:
        raise ValueError(f"no icon {name!r}: add it to tools/icons.txt and run tools/vendor.sh")
    return format_html(
        '<svg class="x-icon" viewBox="0 0 24 24" aria-hidden="true"><use href="{}#{}"/></svg>',
        static(sprite),
        name,
    )


def key(keys: str, label: str = "") -> SafeString:
    """A key hint: `{% key "F2" "叫号" %}`; several keys are joined by +."""
    caps = "".join(f"<kbd>{part}</kbd>" for part in keys.split("+"))
    return format_html("<span>{} {}</span>", mark_safe(caps), label)  # noqa: S308 (our own keys)


def amount(fen: int) -> SafeString:
    """An amount with its whole yuan large: ¥<b>1,234</b>.00."""
    whole, part = format_yuan(abs(fen)).split(".")
    sign = "−" if fen < 0 else ""
    return format_html('<span class="x-amount">{}¥<b>{}</b>.{}</span>', sign, whole, part)


def barcode(text: str) -> SafeString:
    """A Code 128 bar code of ASCII text with the text under it."""
    return codes.barcode_svg(text)


def qr(text: str, label: str) -> SafeString:
    """A QR code; `label` says to a screen reader what it is."""
    return codes.qr_svg(text, label=label)


def card(content: str, title: str = "", note: str = "", href: str = "") -> str:
    """`{% card title="费用" %}…{% endcard %}`: a white card; `href` makes a link of `note`."""
    values = {"content": content, "title": title, "note": note, "href": href}
    return render_to_string("ui/components/card.html", values)


def sheet(content: str, title: str, subtitle: str = "", *, id: str = "dialog") -> str:
    """`{% sheet title="选择就诊时段" %}…{% endsheet %}`: a dialog; see README for opening it."""
    values = {"content": content, "title": title, "subtitle": subtitle, "id": id}
    return render_to_string("ui/components/sheet.html", values)


def bottom_bar(content: str, label: str = "", fen: int | None = None) -> str:
    """`{% bottom_bar label="个人应付" fen=2500 %}<form…>{% endbottom_bar %}`: the fixed bar."""
    values = {"content": content, "label": label, "fen": fen}
    return render_to_string("ui/components/bottom_bar.html", values)


def banner(content: str, tone: str = "info") -> str:
    """`{% banner tone="warn" %}…{% endbanner %}`: a line of news; info, brand, warn or danger."""
    values = {"content": content, "tone": tone, "icon": _BANNER_ICONS[tone]}
    return render_to_string("ui/components/banner.html", values)


def person_card(
    content: str,
    name: str,
    title: str = "",
    text: str = "",
    tag: str = "",
    href: str = "",
    photo: str = "",
) -> str:
    """`{% person_card name=… title=… text=… tag="专家" photo=url %}sessions{% endperson_card %}`.

    Without a `photo`, or while it does not come, the name's character stands in its place.
    """
    values = {
        "content": content,
        "name": name,
        "title": title,
        "text": text,
        "tag": tag,
        "href": href,
        "photo": photo,
    }
    return render_to_string("ui/components/person_card.html", values)


def data_table(content: str, label: str, columns: str = "") -> str:
    """`{% data_table label="退款" columns="时间|#金额|-操作" %}<tr>…{% enddata_table %}`: a table
    that may scroll. `#` marks a column of figures, `-` a heading only screen readers need; without
    `columns` the page writes its own `<thead>` and `<tbody>`."""
    heads = [
        {"text": column.lstrip("#-"), "is_num": column[:1] == "#", "is_hidden": column[:1] == "-"}
        for column in columns.split("|")
        if column
    ]
    values = {"content": content, "label": label, "heads": heads}
    return render_to_string("ui/components/data_table.html", values)


def hold(until: dt.datetime, text: str, done: str = "已超时") -> dict[str, object]:
    """`{% hold until=… text="请在 | 内完成支付" %}`: the countdown stands at the `|`."""
    left_s = max(0, ceil((until - clock.now()).total_seconds()))
    before, _, after = text.partition("|")
    minutes, seconds = divmod(left_s, 60)
    shown = f"{minutes:02d}:{seconds:02d}"
    if minutes >= 60:
        shown = f"{minutes // 60}:{minutes % 60:02d}:{seconds:02d}"
    return {
        "left_s": left_s,
        "soon_s": _SOON_S,
        "shown": shown,
        "before": before,
        "after": after,
        "done": done,
    }


def field(bound: BoundField, hint: str = "", label: str = "") -> dict[str, object]:
    """`{% field form.name %}`: label, control, hint and errors, tied together for readers."""
    return fields.field_context(bound, hint=hint, label=label)


def form_errors(form: object) -> dict[str, object]:
    """`{% form_errors form %}`: the sentences that belong to no single field."""
    return {"errors": form.non_field_errors()}  # type: ignore[attr-defined]


def pages(page: Page[object], url: str) -> dict[str, object]:
    """`{% pages page url %}`: where we are in a long list; `url` ends in `page=`."""
    return {"page": page, "url": url}


def confirm(
    context: Context,
    *,
    id: str,
    label: str,
    title: str,
    text: str,
    action: str,
    yes: str,
    no: str = "再想想",
    tone: str = "primary",
    key: str = "",
) -> dict[str, object]:
    """`{% confirm id= label= title= text= action= yes= %}`: a button that asks, then posts once.

    `tone` is primary or danger; `key` is the request key that makes a repeated post harmless.
    """
    return {
        "csrf_token": context.get("csrf_token"),
        "id": id,
        "label": label,
        "title": title,
        "text": text,
        "action": action,
        "yes": yes,
        "no": no,
        "tone": tone,
        "key": key,
    }


_BANNER_ICONS = {
    "info": "info-circle",
    "brand": "circle-check",
    "warn": "clock",
    "danger": "alert-triangle",
}
