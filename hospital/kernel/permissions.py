"""Named permissions. Areas declare them as constants; the registry feeds roles and docs (law 6)."""

from dataclasses import dataclass, field

_registry: dict[str, "Permission"] = {}


@dataclass(frozen=True)
class Permission:
    """May do one thing: `code` "area.verb_noun", Chinese `label`, codes of default roles."""

    code: str
    label: str
    roles: tuple[str, ...] = field(default=())

    def __post_init__(self) -> None:
        known = _registry.setdefault(self.code, self)
        if known != self:
            raise ValueError(f"permission {self.code} is declared twice")


def all_permissions() -> list[Permission]:
    """Every declared permission, by code."""
    return [_registry[code] for code in sorted(_registry)]
