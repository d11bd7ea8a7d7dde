"""The account's approved templates: which kind goes out under which template id and keys.

Read from the JSON list of settings.WECHAT_TEMPLATES_FILE, the same file the stand-in takes:
`[{"kind": "N01", "template_id": "…", "title": "…", "fields": {"doctor": "thing3", …},
"keys": {"thing3": "医生", …}}]`. `title` and `keys` are for people and for the stand-in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hospital.messaging import fitting
from hospital.messaging.registry import KINDS


class BadTemplates(Exception):
    """The template file cannot be used; the process must not start with it."""


@dataclass(frozen=True, slots=True)
class Template:
    """One approved template; `keys` maps our field names to WeChat's keys."""

    template_id: str
    keys: dict[str, str]

    def values(self, fields: Mapping[str, str]) -> dict[str, str]:
        """Return what to send, by WeChat key. Raises fitting.DoesNotFit."""
        return {key: fitting.fit(fields[name], key=key) for name, key in self.keys.items()}


def read(listed: Any) -> dict[str, Template]:
    """Return the templates by kind. Raises BadTemplates, naming the entry."""
    templates: dict[str, Template] = {}
    for entry in listed or []:
        try:
            kind = KINDS[entry["kind"]]
            template = Template(str(entry["template_id"]), dict(entry["fields"]))
            for name, key in template.keys.items():
                if name not in kind.fields:
                    message = f"{kind.code} has no field {name!r}"
                    raise BadTemplates(message)
                fitting.type_of(key)
        except (KeyError, TypeError, ValueError, fitting.DoesNotFit) as problem:
            message = f"unusable message template {entry!r}: {problem!r}"
            raise BadTemplates(message) from problem
        templates[kind.code] = template
    return templates
