"""The account's approved templates: which kind goes out under which template id and keys.

Read from the JSON list of settings.WECHAT_TEMPLATES_FILE, the same file the stand-in takes:
`[{"kind": "N01", "template_id": "…", "title": "…", "fields": {"doctor": "thing3", …},
"keys": {"thing3": "医生", …}, "product": "template"}]`. `title` and `keys` are for people and for
the stand-in; `product` is "template" (the default) or "subscription". A kind may have one of each:
they are tried in the order of the file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from django.conf import settings

from hospital.messaging import fitting
from hospital.messaging.registry import KINDS, Kind
from hospital.messaging.states import WECHAT, Channel


class BadTemplates(Exception):
    """The template file cannot be used; the process must not start with it."""


@dataclass(frozen=True, slots=True)
class Template:
    """One approved template; `keys` maps our field names to WeChat's keys, `labels` those keys to
    what WeChat prints beside the value."""

    template_id: str
    keys: dict[str, str]
    product: Channel = Channel.TEMPLATE
    title: str = ""
    labels: dict[str, str] = field(default_factory=dict)

    def values(self, fields: Mapping[str, str]) -> dict[str, str]:
        """Return what to send, by WeChat key. Raises fitting.DoesNotFit."""
        return {key: fitting.fit(fields[name], key=key) for name, key in self.keys.items()}


Templates = dict[str, tuple[Template, ...]]


def read(listed: Any) -> Templates:
    """Return the templates by kind, in the order of the file. Raises BadTemplates."""
    templates: Templates = {}
    for entry in listed or []:
        try:
            kind = KINDS[entry["kind"]]
            template = _template(entry, kind)
        except (KeyError, TypeError, ValueError, AttributeError, fitting.DoesNotFit) as problem:
            message = f"unusable message template {entry!r}: {problem!r}"
            raise BadTemplates(message) from problem
        earlier = templates.get(kind.code, ())
        if template.product in {one.product for one in earlier}:
            message = f"two {template.product.value} entries for {kind.code}"
            raise BadTemplates(message)
        templates[kind.code] = (*earlier, template)
    return templates


def channels_of(kind: Kind) -> list[Channel]:
    """The channels a kind is tried through, in order; the inbox needs no trying (M8.3).

    Members of staff are no followers: they get an SMS, and the page. Without a template the
    template channel stands there all the same, and will say why it fails.
    """
    if kind.audience == "staff":
        return [Channel.SMS]
    listed = [template.product for template in _known().get(kind.code, ())]
    return [*(listed or [Channel.TEMPLATE]), *([Channel.SMS] if kind.sms else [])]


def template_of(kind: Kind, channel: Channel) -> Template | None:
    """The approved template of a kind for one of WeChat's two channels."""
    found = _known().get(kind.code, ())
    return next((one for one in found if one.product is channel), None)


def kinds_of(template_id: str) -> list[str]:
    """The codes of the kinds that go out under a template id."""
    return [
        code
        for code, listed in _known().items()
        if template_id in {template.template_id for template in listed}
    ]


def _template(entry: Any, kind: Kind) -> Template:
    product = Channel(entry.get("product", Channel.TEMPLATE.value))
    if product not in WECHAT:
        message = f"{product.value} is no product of WeChat's"
        raise ValueError(message)
    keys = dict(entry["fields"])
    for name, key in keys.items():
        if name not in kind.fields:
            message = f"{kind.code} has no field {name!r}"
            raise ValueError(message)
        fitting.type_of(key)
    return Template(
        template_id=str(entry["template_id"]),
        keys=keys,
        product=product,
        title=str(entry.get("title", "")),
        labels=dict(entry.get("keys", {})),
    )


# The list in force and what was read from it; settings are made once per process.
_read: Final[list[tuple[Any, Templates]]] = []


def _known() -> Templates:
    listed = settings.WECHAT_TEMPLATES
    if not _read or _read[0][0] is not listed:
        _read[:] = [(listed, read(listed))]
    return _read[0][1]
