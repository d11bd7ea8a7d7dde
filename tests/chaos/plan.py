"""What will happen in a run, drawn from its seed alone: kills, faults, and every patient's acts.

Real processes answer at their own pace, so two runs of one plan differ in how the pieces meet;
what is tried, by whom and when after the start is the same.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Final

WHO: Final = ("web", "worker", "live", "wechat", "database")
SECONDS_BETWEEN_KILLS: Final = 1.8
LONGEST_FAULT: Final = 2.5

_PAY: Final = (
    *("transactions/jsapi", "transactions/native", "out-trade-no", "refunds"),
    *("pay/micropay", "pay/orderquery", "secapi/pay/reverse"),
)
#: An answer of v2 is proven by its own signature and nothing else.
_PAY_V3: Final = ("transactions/jsapi", "transactions/native", "out-trade-no", "refunds")
_CALLS: Final = (*_PAY, "template/send", "")
_NOTICES: Final = ("TRANSACTION", "REFUND")
_ANY: Final = ("",)

#: Every fault a patient's way can meet, how often it may strike in a row, and which calls it hits.
FAULTS: Final[dict[str, tuple[int, tuple[str, ...]]]] = {
    "http_500": (3, _CALLS),
    "http_429": (2, _CALLS),
    "http_502": (2, _CALLS),
    "http_503": (2, _CALLS),
    "connection_reset": (2, _CALLS),
    "slow": (2, _CALLS),
    "timeout_after_success": (2, _CALLS),
    "response_bad_signature": (3, _PAY),
    "response_stale": (2, _PAY_V3),
    "response_unsigned": (2, _PAY),
    "response_wrong_serial": (2, _PAY_V3),
    "response_swapped_key": (2, _PAY_V3),
    "response_changed_amount": (2, _PAY),
    "notify_lost": (3, _NOTICES),
    "notify_delay": (3, _NOTICES),
    "notify_dup": (3, _NOTICES),
    "notify_concurrent": (5, _NOTICES),
    "notify_bad_signature": (3, _NOTICES),
    "notify_bad_signtest": (2, _NOTICES),
    "notify_bad_stale": (2, _NOTICES),
    "notify_bad_serial": (2, _NOTICES),
    "notify_truncated": (2, _NOTICES),
    "notify_wrong_key": (1, _NOTICES),
    "notify_wrong_amount": (2, _NOTICES),
    "notify_other_merchant": (2, _NOTICES),
    "notify_unknown_order": (2, ("TRANSACTION",)),
    "refund_before_payment": (2, ("TRANSACTION",)),
    "refund_not_enough": (2, _ANY),
    "refund_not_found": (2, _ANY),
    "refund_abnormal": (1, _ANY),
    "refund_closed": (1, _ANY),
    "refund_stuck": (1, _ANY),
    "userpaying": (3, _ANY),
    "userpaying_then_success": (2, _ANY),
    "userpaying_late_success": (2, _ANY),
    "scan_code_expired": (1, _ANY),
    "scan_not_enough": (1, _ANY),
    "scan_error_then_paid": (2, _ANY),
    "reverse_again": (2, _ANY),
    "token_invalid": (2, _ANY),
    "token_expired": (1, _ANY),
    "slow_token": (1, _ANY),
    "busy": (2, _ANY),
    "quota_45009": (1, _ANY),
    "user_blocked": (2, _ANY),
    "not_following": (1, _ANY),
    "bad_field": (1, _ANY),
}
#: Those that wait so many seconds as they are told; the others have times of their own.
TIMED: Final = (
    "slow",
    "timeout_after_success",
    "notify_delay",
    "refund_before_payment",
    "slow_token",
    "userpaying_then_success",
    "scan_error_then_paid",
)
#: In every plan, however short: these make work for the window and for two persons.
ALWAYS: Final = ("notify_unknown_order", "userpaying", "refund_abnormal")

#: How a visit goes on after the booking, and how often; each at least once before any comes twice.
ENDINGS: Final = {
    # on the patient's own phone
    "pay": 6,
    "pay_and_cancel": 6,
    "cancel": 2,
    "leave": 2,
    "leave_the_sheet": 2,
    "dismiss_and_pay": 2,
    "cancel_the_sheet": 2,
    "pay_and_cancel_at_once": 3,
    "pay_and_refund": 4,
    # the cashier scans the code on the patient's phone
    "scan": 3,
    "scan_wrong_password": 2,
    "scan_cancelled": 2,
    "scan_ignored": 1,
    "scan_and_phone_at_once": 2,
    "scan_and_cancel": 2,
    "scan_and_refund": 3,
    # somebody else's phone scans the code on the cashier's screen
    "screen": 3,
    "screen_given_up": 2,
    "screen_given_up_and_paid_at_once": 2,
    "screen_and_refund": 3,
    # somebody else's phone scans the hospital's own code, on a slip
    "slip": 3,
    "slip_revoked_at_once": 2,
    "slip_and_phone_at_once": 2,
    "slip_and_cancel": 2,
    "slip_and_refund": 3,
}
SECONDS_BETWEEN_ROUNDS: Final = 9.0


@dataclass(frozen=True)
class Kill:
    """SIGKILL for one of WHO, so many seconds after the start."""

    at: float
    who: str


@dataclass(frozen=True)
class Strike:
    """A fault that the stand-in is told to have ready from a moment on."""

    at: float
    kind: str
    times: int
    seconds: float | None
    match: str


@dataclass(frozen=True)
class Desk:
    """Whom a visit meets: which window, whose phone scans what is shown there, and, when money is
    asked back, whether all of it, and what the second person answers."""

    window: int
    payer: int
    whole: bool
    agrees: bool


@dataclass(frozen=True)
class Visit:
    """One booking: after which pause, in which session and band, how often buttons are tapped,
    and what becomes of it (one of ENDINGS)."""

    pause: float
    session: int
    band: int
    taps: int
    ending: str
    desk: Desk


@dataclass(frozen=True)
class Round:
    """Finance looks through the cases so many seconds after the start; what the second person
    answers to whatever waits then."""

    at: float
    agrees: bool


@dataclass(frozen=True)
class Script:
    """All that one patient wants."""

    starts_at: float
    visits: tuple[Visit, ...]


@dataclass(frozen=True)
class Plan:
    """A whole run."""

    seed: int
    seconds: float
    kills: tuple[Kill, ...]
    strikes: tuple[Strike, ...]
    scripts: tuple[Script, ...]
    rounds: tuple[Round, ...]

    def lines(self) -> list[str]:
        """The plan for people, in the order things happen."""
        kills = [(kill.at, f"kill {kill.who}") for kill in self.kills]
        strikes = [(it.at, f"fault {it.kind} x{it.times} {it.match}") for it in self.strikes]
        rounds = [(it.at, f"cases, {'yes' if it.agrees else 'no'}") for it in self.rounds]
        return [f"{at:7.2f} s  {what}" for at, what in sorted(kills + strikes + rounds)]


def draw(
    *, seed: int, kills: int, patients: int, sessions: int, bands: int, faults: tuple[str, ...]
) -> Plan:
    """The plan of a seed; `faults` are the kinds the stand-in knows."""
    dice = random.Random(seed)
    seconds = max(8.0, kills * SECONDS_BETWEEN_KILLS)
    return Plan(
        seed=seed,
        seconds=seconds,
        kills=_kills(dice, kills, seconds),
        strikes=_strikes(dice, max(kills * 4 // 5, 8), seconds, faults),
        scripts=_scripts(dice, seconds, patients, sessions, bands),
        rounds=_rounds(dice, seconds),
    )


def _kills(dice: random.Random, count: int, seconds: float) -> tuple[Kill, ...]:
    """Everybody is killed equally often, at random moments and in random order."""
    victims = [WHO[turn % len(WHO)] for turn in range(count)]
    dice.shuffle(victims)
    moments = sorted(dice.uniform(1.0, seconds) for _ in range(count))
    return tuple(Kill(at, who) for at, who in zip(moments, victims, strict=True))


def _strikes(
    dice: random.Random, count: int, seconds: float, faults: tuple[str, ...]
) -> tuple[Strike, ...]:
    usable = [kind for kind in FAULTS if kind in faults]
    assert set(ALWAYS) <= set(usable)
    dice.shuffle(usable)
    # First, and a second time before the others come again.
    usable = [*ALWAYS, *(kind for kind in usable if kind not in ALWAYS), *ALWAYS]
    made = []
    for turn in range(count):
        kind = usable[turn % len(usable)]
        most, calls = FAULTS[kind]
        made.append(
            Strike(
                at=dice.uniform(0.0, seconds * 0.95),
                kind=kind,
                times=dice.randint(1, most),
                seconds=dice.uniform(0.2, LONGEST_FAULT) if kind in TIMED else None,
                match=dice.choice(calls),
            )
        )
    return tuple(sorted(made, key=lambda strike: strike.at))


def _rounds(dice: random.Random, seconds: float) -> tuple[Round, ...]:
    count = max(2, round(seconds / SECONDS_BETWEEN_ROUNDS))
    moments = sorted(dice.uniform(seconds * 0.3, seconds) for _ in range(count))
    # No and yes in turn: what was refused is proposed again.
    return tuple(Round(at, turn % 2 == 1) for turn, at in enumerate(moments))


def _scripts(
    dice: random.Random, seconds: float, patients: int, sessions: int, bands: int
) -> tuple[Script, ...]:
    """What everybody wants; each ending is dealt once before the rest is drawn by weight."""
    wanted = [
        dice.sample(range(sessions), k=min(sessions, dice.choice((1, 1, 2, 3))))
        for _ in range(patients)
    ]
    endings = list(ENDINGS)
    dice.shuffle(endings)
    rest = sum(map(len, wanted)) - len(endings)
    endings += dice.choices(list(ENDINGS), list(ENDINGS.values()), k=max(rest, 0))
    dealt = iter(endings)
    return tuple(
        Script(
            # Whoever wants much comes early, so that nobody is left over when the kills end.
            starts_at=dice.uniform(0.0, seconds * 0.7 / len(where)),
            visits=tuple(
                Visit(
                    pause=dice.uniform(0.1, 2.0),
                    session=session,
                    band=dice.randrange(bands),
                    taps=dice.choice((1, 1, 2, 3)),
                    ending=next(dealt),
                    desk=Desk(
                        window=dice.randrange(1 << 16),
                        payer=dice.randrange(1 << 16),
                        whole=dice.random() < 0.5,
                        agrees=dice.random() < 0.5,
                    ),
                )
                for session in where
            ),
        )
        for where in wanted
    )
