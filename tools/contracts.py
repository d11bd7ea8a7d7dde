"""Import contract "doors": another area is entered through its public files only (law 1).

`hospital.a.* -> hospital.b.x` is legal when x is one of `public`, when b is one of `open`
(libraries without hospital nouns), or when a is one of `composers`. Tests import what they like.
"""

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output

Violation = tuple[str, str, int | None, str]


class Doors(Contract):
    """Walks direct imports; an indirect one is somebody else's direct import."""

    type_name = "doors"

    root = fields.StringField()
    public = fields.ListField(subfield=fields.StringField())
    open = fields.ListField(subfield=fields.StringField(), required=False)
    composers = fields.ListField(subfield=fields.StringField(), required=False)

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:  # noqa: FBT001
        violations = [
            violation
            for importer in sorted(graph.modules)
            for imported in sorted(graph.find_modules_directly_imported_by(importer))
            if self._is_closed(importer, imported)
            for violation in _places(graph, importer, imported)
        ]
        return ContractCheck(kept=not violations, metadata={"violations": violations})

    def render_broken_contract(self, check: ContractCheck) -> None:
        for importer, imported, line, text in check.metadata["violations"]:
            output.print_error(f"{importer} -> {imported} (l.{line}: {text})", bold=False)
        output.new_line()

    def _is_closed(self, importer: str, imported: str) -> bool:
        area, inner = self._place(importer)
        other, door = self._place(imported)
        if not area or not other or area == other or "tests" in inner:
            return False
        if area in self._words("composers") or other in self._words("open"):
            return False
        return bool(door) and door[0] not in self._words("public")

    def _place(self, module: str) -> tuple[str, list[str]]:
        """The area of a module and the path inside it; ("", []) outside the root package."""
        root, *rest = module.split(".")
        if [root] != self._words("root") or not rest:
            return "", []
        return rest[0], rest[1:]

    def _words(self, field: str) -> list[str]:
        # import-linter puts plain values where the class declares fields; types cannot see that.
        value: object = getattr(self, field)
        return [str(word) for word in value] if isinstance(value, list) else [str(value)]


def _places(graph: ImportGraph, importer: str, imported: str) -> list[Violation]:
    details = graph.get_import_details(importer=importer, imported=imported)
    return [
        (importer, imported, detail.get("line_number"), detail.get("line_contents", ""))
        for detail in details
    ]
