"""The generated page of chapter 7's function matrix: function × role × permission."""

from hospital.identity.function_matrix import BEYOND, CHAPTER_SEVEN, Function
from hospital.identity.states import DataScope, Role
from hospital.kernel.permissions import permission
from tools.tables import page, table


def functions() -> str:
    """Every function with who holds it by default, how far, and the permissions that guard it."""
    return page(
        "Functions",
        "Who may do what by default; what is not listed is denied. A word in brackets narrows a"
        " role to less than the whole hospital; ○ waits for its area. A hospital's own changes are"
        " rows over this (decision 0036).",
        f"## Chapter 7\n\n{_table(CHAPTER_SEVEN)}",
        f"## What its roles need beyond the matrix\n\n{_table(BEYOND)}",
        f"## Functions role by role\n\n{_by_role()}",
    )


def _table(rows: tuple[Function, ...]) -> str:
    return table(
        ("function", "what", "roles", "guarded by", "note"),
        [
            (
                f"`{one.code}`",
                one.label,
                _roles(one),
                ", ".join(f"`{code}`" for code in one.permissions) or f"waits: {one.waits}",
                _note(one),
            )
            for one in rows
        ],
    )


def _roles(one: Function) -> str:
    if set(one.roles) == set(Role):
        return "everybody"
    names = [f"{role.label}{_reach(one, role)}" for role in one.roles]
    return "、".join(["患者（自己的页面）", *names] if one.by_patient else names)


def _reach(one: Function, role: Role) -> str:
    scopes = {found.default_scope(role) for code in one.permissions if (found := permission(code))}
    narrow = sorted(scopes - {"", DataScope.HOSPITAL.value})
    return f" ({', '.join(narrow)})" if narrow else ""


def _note(one: Function) -> str:
    parts = [one.note, "administrators' duty" if one.is_duty else ""]
    return "; ".join(part for part in parts if part)


def _by_role() -> str:
    rows = [
        (
            str(role.label),
            f"`{role}`",
            "、".join(
                f"{'○ ' if one.waits else ''}{one.label}"
                for one in CHAPTER_SEVEN + BEYOND
                if role in one.roles and set(one.roles) != set(Role)
            ),
        )
        for role in Role
    ]
    return table(("role", "code", "functions"), rows)
