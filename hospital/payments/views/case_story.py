"""Who proposed and decided what about a case, as timeline events for the kit."""

import datetime as dt
from dataclasses import dataclass

from hospital.payments.models import CaseDecision, OfflineTransfer, PaymentCase
from hospital.payments.queries import CasePage

Step = CaseDecision | OfflineTransfer
# Cases about a bill without a payment are filed under its id.
OF_BILL = "bill "


@dataclass(frozen=True)
class Event:
    """One line of a timeline."""

    at: dt.datetime
    title: str
    by: str = ""
    note: str = ""


def number_of(case: PaymentCase) -> str:
    """What a case is called by: a number somebody can look up."""
    if case.bill is not None and case.number.startswith(OF_BILL):
        return case.bill.number
    return case.number


def steps(row: CasePage) -> tuple[Step, ...]:
    """Everything proposed about a case."""
    return (*row.decisions, *row.transfers)


def actors(row: CasePage) -> list[str]:
    """Everybody who had a hand in it."""
    asked = [name for step in steps(row) for name in (step.asked_by, step.decided_by)]
    return [*asked, row.case.closed_by]


def history(row: CasePage, names: dict[str, str]) -> list[Event]:
    """What two persons said about it, oldest first; `names` are those of `actors`."""
    events = [Event(row.case.opened_at, "发现异常", "系统")]
    for step in steps(row):
        events += _of(step, names)
    if row.case.closed_at is not None:
        by, note = names[row.case.closed_by], row.case.closing_note
        events.append(Event(row.case.closed_at, "关闭", by, note))
    return sorted(events, key=lambda event: event.at)


def _of(step: Step, names: dict[str, str]) -> list[Event]:
    if isinstance(step, CaseDecision):
        what, said = "退回这笔款", step.note
    else:
        what, said = step.get_way_display(), step.proof
    events = [Event(step.asked_at, f"提出：{what}", names[step.asked_by], said)]
    if step.decided_at is not None:
        label, by = step.get_status_display(), names[step.decided_by]
        events.append(Event(step.decided_at, label, by, step.decision_note))
    return events
