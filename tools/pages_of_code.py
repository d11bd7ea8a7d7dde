"""Generated pages about the shape of the code: who may open what, floors, lifecycles."""

import ast
import re
from collections import defaultdict
from pathlib import Path

from hospital.identity.access import Access
from hospital.identity.states import Role
from hospital.kernel.permissions import all_permissions
from tools import inventory
from tools.inventory import Address, Lifecycle
from tools.tables import first_sentence, page, table

_AUDIENCES = {
    "patient": "a patient who came through WeChat",
    "staff": "a member of staff with the permission",
    "screen": "anybody, read only, no log-in",
    "callback": "an outside system that proves itself by signature",
    "device": "a kiosk of the hospital, paired by a code",
    "partner": "a program of an outside platform, with a token of its own",
    "api": "a member of staff with the permission, as JSON",
    "public": "anybody",
}


# Areas say their floor in their docstring; here the column says it.
_FLOOR_WORDS = re.compile(r"^Floor \d+\. | \(floor \d+\)")


def access() -> str:
    """Every address with its mark, then every permission with its roles."""
    found = inventory.addresses()
    audiences = "\n".join(f"- **{kind}**: {who}" for kind, who in _AUDIENCES.items())
    addresses = table(
        ("address", "name", "who", "permission", "view"), [_address_row(entry) for entry in found]
    )
    roles = {str(role): str(role.label) for role in Role}
    permissions = table(
        ("permission", "may", *roles.values()),
        [
            (f"`{one.code}`", one.label, *("●" if role in one.roles else "" for role in roles))
            for one in all_permissions()
        ],
    )
    return page(
        "Access",
        "Every address wears exactly one mark (law 6); below the marks a log-in is required.",
        f"{audiences}\n\n{addresses}",
        f"## Permissions and the roles that hold them by default\n\n{permissions}",
    )


def floors() -> str:
    """The floors that exist, what stands on each, and the references between tables."""
    height = inventory.floors()
    standing: dict[int, list[str]] = defaultdict(list)
    for area in inventory.areas():
        standing[height[area]].append(area)
    floor_rows = [
        (str(number), f"`{area}`", _first_line(area))
        for number in sorted(standing, reverse=True)
        for area in standing[number]
    ]
    reference_rows = [
        (
            f"`{one.model._meta.label}.{one.field}`",
            f"`{one.target._meta.label}`",
            f"{height[one.model._meta.app_label]} → {height[one.target._meta.app_label]}",
        )
        for one in inventory.references()
        if one.model._meta.app_label != one.target._meta.app_label
    ]
    return page(
        "Floors",
        "Imports and foreign keys go down only; neighbours on a floor do not know each other.",
        table(("floor", "area", "what it is"), floor_rows),
        "## Foreign keys between areas\n\n" + table(("from", "to", "floors"), reference_rows),
    )


def states() -> str:
    """A drawing of every lifecycle."""
    return page(
        "States",
        "Drawn from each area's `states.py`; the same list feeds `move()` and the trigger.",
        *(_drawing(lifecycle) for lifecycle in inventory.lifecycles()),
    )


def _address_row(entry: Address) -> tuple[str, ...]:
    mark = entry.access or Access("public")
    kind = mark.kind if entry.access else "**no mark**"
    permission = f"`{mark.permission.code}`" if mark.permission else ""
    return (f"`{entry.route}`", entry.name, kind, permission, f"`{entry.place}`")


def _first_line(area: str) -> str:
    path = Path(inventory.ROOT, "hospital", area, "__init__.py")
    doc = ast.get_docstring(ast.parse(path.read_text("utf-8"))) or ""
    return first_sentence(_FLOOR_WORDS.sub("", doc))


def _drawing(life: Lifecycle) -> str:
    name = life.model._meta.label
    lines = [
        "stateDiagram-v2",
        *(f"    {state}: {label} {state}" for state, label in life.states),
        f"    [*] --> {life.first}",
        *(f"    {old} --> {new}" for old, new in life.moves),
        *(f"    {state} --> [*]" for state in life.last),
    ]
    drawing = "\n".join(lines)
    return f"## {name}\n\n{first_sentence(life.model.__doc__)}\n\n```mermaid\n{drawing}\n```"
