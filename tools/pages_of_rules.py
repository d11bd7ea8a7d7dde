"""The generated page that says which test proves which rule, from the names of the tests."""

import ast
import re
from collections import defaultdict
from pathlib import Path
from typing import Final

from tools.inventory import ROOT
from tools.tables import page, table

#: The rules of the handbook that are built, and what each is about.
RULES: Final = {
    "SM1": "the life of a session",
    "SM2": "the life of a number; never more taken than there are",
    "SM3": "the life of a booking",
    "M1.1": "horizon and daily release",
    "M1.2": "what is shown of a session, and the nearest free times when a number is gone",
    "M1.3": "the checks before a number, in one order, each with a code",
    "M1.4": "how much one person may book",
    "M1.5": "hold, order, pay within the time; never oversold",
    "M1.6": "timeouts, and money that comes after them",
    "M1.7": "cancelling",
    "M1.8": "a session called off",
    "M1.9": "another doctor takes a session over",
    "M1.10": "staying away, restrictions, appeals",
    "M1.11": "the same day, evenings, walk-in departments",
    "M1.12": "whom a department sees",
    "M1.13": "paid at the hospital: collected in time or given on",
    "M1.14": "continuation numbers",
    "M1.15": "against touts",
    "M1.16": "the rush at the release",
    "M1.17": "emergencies before money",
    "M2.1": "bands and running numbers",
    "M2.2": "shares of the channels, and what happens to what is left",
    "M2.3": "fewer numbers than are taken",
    "M2.4": "add-on numbers",
    "M2.5": "the price of the day of the visit",
    "M2.6": "how numbers are used; many sessions changed at once",
    "M15.1": "from template to published roster",
    "M15.2": "what no roster may hold",
    "M15.3": "leave and what it touches",
    "M15.4": "holidays and the working days for them",
    "M15.5": "where a roster is shown",
    "H3.1": "registering at the window by the keyboard",
    "H3.2": "collecting a booking",
    "H3.3": "cash, codes, cancelling and exchanging at the window",
    "H3.4": "the window goes on when the platform is away",
    "N01": "told: booked",
    "N02": "told: to be paid",
    "N03": "told: released for lack of payment",
    "N04": "told: the visit is near",
    "N05": "told: given back",
    "N06": "told: called off",
    "N07": "told: another doctor",
    "N08": "told: a number for who waited",
    "N13": "told: stayed away",
    "N14": "told: restricted, and free again",
    "N27": "told: a continuation number",
    "E1": "a thousand people for forty numbers",
    "E2": "money that comes when the number has gone",
    "E3": "a doctor stops in the middle of the day",
    "E13": "half an hour without WeChat",
}
#: Parts of these rules that wait for an area to come.
WAITING: Final = {
    "SM1": "forced close by the doctor: the doctor's workstation",
    "M1.14": "the trigger: the doctor's workstation",
    "M1.17": "pharmacy and laboratory that accept guaranteed bills; the cashier's night shift",
    "M15.5": "screens of the waiting area; the leaders' figures",
    "H3.3": "payment by card",
    "E3": "screens of the waiting area",
}
_AREAS: Final = ("M1.", "M2.", "M15.", "H3.")
_RULE: Final = re.compile(r"(?:(m|h)(\d+)_(\d+)_|(sm|n|e)(\d+)_)")


def rules() -> str:
    """The table of rules, then every test under its rule."""
    found = proofs()
    return page(
        "Rules",
        "Which test proves which rule of the handbook: a test that proves one carries its number "
        "in its name (`test_m1_07_…` proves M1.7). A rule without a test does not get past "
        "`tests/architecture/test_rules.py`.",
        table(
            ("rule", "about", "tests", "what waits for a later area"),
            [
                (rule, about, str(len(found[rule])), WAITING.get(rule, ""))
                for rule, about in RULES.items()
            ],
        ),
        *(f"## {rule}: {about}\n\n{_listed(found[rule])}" for rule, about in RULES.items()),
    )


def proofs() -> dict[str, list[tuple[str, str]]]:
    """Rule → its tests as (file, name), of all rules that tests name."""
    found: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for folder in ("hospital", "tests"):
        for path in sorted((ROOT / folder).rglob("test_*.py")):
            for name in _tests(path):
                for rule in rules_of(name):
                    found[rule].append((str(path.relative_to(ROOT)), name))
    return found


def rules_of(name: str) -> list[str]:
    """The rules a test's name begins with: "M1.10" and "N13" for test_m1_10_n13_…"""
    found = []
    rest = name.removeprefix("test_")
    while match := _RULE.match(rest):
        chapter, number, part, kind, place = match.groups()
        found.append(f"{chapter.upper()}{number}.{int(part)}" if chapter else kind.upper() + place)
        rest = rest[match.end() :]
    return found


def strangers(found: dict[str, list[tuple[str, str]]]) -> list[str]:
    """Rules of these chapters that tests name and nobody has heard of."""
    return sorted(rule for rule in found if rule.startswith(_AREAS) and rule not in RULES)


def _tests(path: Path) -> list[str]:
    tree = ast.parse(path.read_text("utf-8"))
    return [
        node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name.startswith("test_")
    ]


def _listed(tests: list[tuple[str, str]]) -> str:
    by_file: dict[str, list[str]] = defaultdict(list)
    for path, name in tests:
        by_file[path].append(f"`{name}`")
    return "\n".join(f"- {path}: {', '.join(names)}" for path, names in by_file.items())
