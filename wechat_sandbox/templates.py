"""The approved templates, and what a value of each typed key may hold.

Without a list every template id is approved, as a start without preparation needs it; the first
template that is named, at the start or later, makes the list the rule.
"""

from __future__ import annotations

import json
import re

from wechat_sandbox.account_records import ApprovedTemplate
from wechat_sandbox.sandbox import Sandbox

TEMPLATE, SUBSCRIPTION, ANY = "template", "subscription", "any"
PRODUCTS = (TEMPLATE, SUBSCRIPTION, ANY)
# What a typed key may hold, as whole-value patterns.
TYPES = {
    "thing": r".{1,20}",
    "character_string": r"[\x21-\x7e]{1,32}",
    "number": r"\d{1,32}(\.\d+)?",
    "letter": r"[A-Za-z]{1,32}",
    "symbol": r"[^\w\s]{1,5}",
    "name": r"[A-Za-z .·]{1,20}|[^A-Za-z]{1,10}|.{1,10}",
    "phrase": r"[\u3400-\u9fff]{1,5}",
    "phone_number": r"[\d+\-*]{1,17}",
    "car_number": r".{1,8}",
    "amount": r"[¥￥$€]?\d{1,10}(,\d{3})*(\.\d{1,2})?元?",
    "time": r"(\d{4}年\d{1,2}月\d{1,2}日 ?)?\d{1,2}:\d{2}(:\d{2})?"
    r"|\d{4}-\d{1,2}-\d{1,2} \d{1,2}:\d{2}(:\d{2})?|\d{4}年\d{1,2}月\d{1,2}日",
    "date": r"\d{4}(年|-|/)\d{1,2}(月|-|/)\d{1,2}日?( \d{1,2}:\d{2}(:\d{2})?)?",
    "const": r".{1,20}",
}
_KEY = re.compile(r"([a-z_]+?)(\d+)")


class NoTemplate(Exception):
    """The id is not approved for this product."""


class WrongData(Exception):
    """A key or value the template does not allow; the message is WeChat's."""


def register(
    sandbox: Sandbox,
    template_id: str,
    title: str,
    keys: dict[str, str],
    *,
    product: str = TEMPLATE,
    permanent: bool = False,
) -> ApprovedTemplate:
    """Approve a template, or change one."""
    sandbox.store.run(
        "INSERT OR REPLACE INTO templates (template_id, product, title, keys, permanent)"
        " VALUES (?, ?, ?, ?, ?)",
        template_id,
        product,
        title,
        json.dumps(keys, ensure_ascii=False),
        permanent,
    )
    return ApprovedTemplate(template_id, product, title, json.dumps(keys), permanent)


def find(sandbox: Sandbox, template_id: str) -> ApprovedTemplate | None:
    """The approved template, None when it is not on the list."""
    return sandbox.store.one(
        ApprovedTemplate, "SELECT * FROM templates WHERE template_id = ?", template_id
    )


def approved(sandbox: Sandbox) -> list[ApprovedTemplate]:
    """The list; empty means that every id is approved."""
    return sandbox.store.all(ApprovedTemplate, "SELECT * FROM templates ORDER BY rowid")


def seed(sandbox: Sandbox) -> None:
    """The templates named at the start."""
    for template in (sandbox.settings.templates or {}).values():
        register(
            sandbox,
            template.template_id,
            template.title,
            template.keys,
            product=template.product,
            permanent=template.permanent,
        )


def check(sandbox: Sandbox, template_id: str, data: object, product: str) -> None:
    """Raises NoTemplate or WrongData unless this may be sent."""
    template = find(sandbox, template_id)
    is_open = template is None and not approved(sandbox)
    fits = is_open or (template is not None and template.product in (product, ANY))
    if not template_id or not fits:
        raise NoTemplate(template_id)
    if not isinstance(data, dict) or not data:
        raise WrongData("argument invalid! data is empty")
    for key, entry in data.items():
        _check_value(key, entry.get("value") if isinstance(entry, dict) else None)
    if template is not None:
        odd = data.keys() ^ json.loads(template.keys).keys()
        if odd:
            raise WrongData(f"argument invalid! data.{sorted(odd)[0]} is invalid")


def _check_value(key: str, value: object) -> None:
    """Old templates have free keys; the typed ones have their limits."""
    if not isinstance(value, str) or value == "" or "\n" in value:
        raise WrongData(f"argument invalid! data.{key}.value invalid")
    typed = _KEY.fullmatch(key)
    pattern = TYPES.get(typed[1]) if typed else None
    if pattern is not None and not re.fullmatch(pattern, value):
        raise WrongData(f"argument invalid! data.{key}.value invalid")
