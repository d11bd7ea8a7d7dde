"""Every act the code records in the audit has a Chinese label, and so has what it changed (X13)."""

import ast
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

from hospital.desk import audit_terms
from hospital.kernel import acts
from tools.inventory import ROOT, areas


def recorded(tree: ast.Module, names: dict[str, object]) -> Iterator[tuple[int, str]]:
    """Line and pattern of every `act=` in a call; a placeholder stands for any words."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        for keyword in node.keywords:
            if keyword.arg == "act" and (pattern := _pattern(keyword.value, names)):
                yield node.lineno, pattern


def _pattern(value: ast.expr, names: dict[str, object]) -> str:
    if isinstance(value, ast.Constant):
        return re.escape(str(value.value))
    if isinstance(value, ast.JoinedStr):
        parts = (
            re.escape(str(part.value)) if isinstance(part, ast.Constant) else ".+"
            for part in value.values
        )
        return "".join(parts)
    found: object = None
    if isinstance(value, ast.Name):
        found = names.get(value.id)
    elif isinstance(value, ast.Attribute) and isinstance(value.value, ast.Name):
        found = getattr(names.get(value.value.id), value.attr, None)
    # A parameter that only passes an act on has no value here; its callers are looked at.
    return re.escape(found) if isinstance(found, str) else ""


def unlabelled(path: Path) -> list[str]:
    module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
    text = path.read_text("utf-8")
    if "act=" not in text:
        return []
    names = vars(import_module(module.removesuffix(".__init__")))
    known = acts.all_acts()
    return [
        f"{path.relative_to(ROOT)}:{line} {pattern}"
        for line, pattern in recorded(ast.parse(text), names)
        if not any(re.fullmatch(pattern, act) for act in known)
    ]


def test_every_recorded_act_has_a_label() -> None:
    found = [
        line
        for path in sorted((ROOT / "hospital").rglob("*.py"))
        if not {"tests", "testing", "migrations"}.intersection(path.parts)
        for line in unlabelled(path)
    ]
    assert found == []


def test_an_act_without_a_label_is_caught() -> None:
    tree = ast.parse('record(act="kernel.dance")\nrecord(act=f"kernel.{a}.b")\nrecord(act=KNOWN)')
    assert list(recorded(tree, {"KNOWN": "kernel.known"})) == [
        (1, r"kernel\.dance"),
        (2, r"kernel\..+\.b"),
        (3, r"kernel\.known"),
    ]


def changed_keys(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Line and key of every value a call with `act=` says was there before or after."""
    for node in ast.walk(tree):
        told = {one.arg: one.value for one in node.keywords} if isinstance(node, ast.Call) else {}
        for side in (told.get("before"), told.get("after")):
            if "act" not in told or not isinstance(side, ast.Dict):
                continue
            for key in side.keys:
                if isinstance(key, ast.Constant) and isinstance(key.value, str):
                    yield key.lineno, key.value


def test_every_changed_value_has_a_label() -> None:
    known = {*audit_terms.KEYS, *(key for _, key in audit_terms.KEYS_OF_AREA)}
    found = [
        f"{path.relative_to(ROOT)}:{line} {key}"
        for path in sorted((ROOT / "hospital").rglob("*.py"))
        if not {"tests", "testing", "migrations"}.intersection(path.parts)
        if "act=" in (text := path.read_text("utf-8"))
        for line, key in changed_keys(ast.parse(text))
        if key not in known
    ]
    assert found == []
    tree = ast.parse(
        'record(act="a.b", after={"x": 1, **more}, before={"y": 2})\ncall(after={"z": 3})'
    )
    assert list(changed_keys(tree)) == [(1, "y"), (1, "x")]


def test_acts_belong_to_areas_and_no_two_are_called_alike() -> None:
    known = acts.all_acts()
    assert {act.partition(".")[0] for act in known} <= {*areas(), "kernel"}
    assert sorted(set(known.values())) == sorted(known.values())


def swallowed(tree: ast.Module) -> Iterator[int]:
    """Lines where any refusal is caught and neither noted for the audit nor raised again."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.ExceptHandler) or not isinstance(node.type, ast.Name):
            continue
        inside = [one for line in node.body for one in ast.walk(line)]
        noted = any(isinstance(one, ast.Name) and one.id == "note_refusal" for one in inside)
        raised = any(isinstance(one, ast.Raise) for one in inside)
        if node.type.id == "Refusal" and not noted and not raised:
            yield node.lineno


def test_a_staff_page_that_shows_a_refusal_itself_has_it_noted() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{line}"
        for path in sorted((ROOT / "hospital").rglob("views/**/*.py"))
        if "@staff_page" in path.read_text("utf-8")
        for line in swallowed(ast.parse(path.read_text("utf-8")))
    ]
    assert found == []


def test_a_swallowed_refusal_is_caught() -> None:
    tree = ast.parse("try:\n    act()\nexcept Refusal as refusal:\n    show(refusal)\n")
    assert list(swallowed(tree)) == [3]
