"""Named permissions. Areas declare them as constants; the registry feeds roles and docs (law 6)."""

from collections.abc import Mapping
from dataclasses import dataclass, field

#: How far a permission reaches, from the narrowest to the widest.
SCOPES = ("own", "department", "ward", "hospital")

_registry: dict[str, "Permission"] = {}


@dataclass(frozen=True)
class Permission:
    """May do one thing: `code` "area.verb_noun", Chinese `label`, codes of default roles.

    `narrows` says that its pages look how far it reaches for whoever asks; where they do not, it
    is all or nothing. `scopes` names the roles for which it reaches less than the whole hospital.
    """

    code: str
    label: str
    roles: tuple[str, ...] = field(default=())
    narrows: bool = False
    scopes: Mapping[str, str] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        if not set(self.scopes) <= set(self.roles) or not set(self.scopes.values()) <= set(SCOPES):
            raise ValueError(f"permission {self.code} has a scope nobody uses")
        if self.scopes and not self.narrows:
            raise ValueError(f"permission {self.code} has scopes that its pages do not look at")
        known = _registry.setdefault(self.code, self)
        if known != self:
            raise ValueError(f"permission {self.code} is declared twice")

    @property
    def area(self) -> str:
        """The area that declares it: what stands before the dot."""
        return self.code.partition(".")[0]

    def default_scope(self, role: str) -> str:
        """How far it reaches for a role by default; "" when the role does not hold it."""
        return self.scopes.get(role, "hospital") if role in self.roles else ""


def all_permissions() -> list[Permission]:
    """Every declared permission, by code."""
    return [_registry[code] for code in sorted(_registry)]


def permission(code: str) -> Permission | None:
    """The permission of a code, None when nobody declares it."""
    return _registry.get(code)
