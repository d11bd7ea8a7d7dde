"""候补: waiting in line for a number of a full session (SM3 waitlist → pending).

While somebody waits, the session's numbers are kept for the list (`Schedule.has_waiting`), and a
sweep every minute offers what came free, first come first served. An offer is an ordinary unpaid
booking, so everything that ends one ends the other. Locks: user and patient, session, entry, slot.
"""

import datetime as dt
from typing import Final

from django.db import connection, transaction
from django.db.models import F, QuerySet

from hospital.kernel import clock, request_keys
from hospital.kernel.actors import Actor
from hospital.kernel.errors import NotFound, Refusal, Stale
from hospital.kernel.states import move
from hospital.live import actions as live
from hospital.patients import queries as patients
from hospital.registration import notices, rules, thresholds
from hospital.registration.actions.booking import look_back, place
from hospital.registration.models import Appointment, WaitlistEntry
from hospital.registration.offering import LEAST, offer_until
from hospital.registration.states import (
    ON_WAITLIST,
    AppointmentStatus,
    BookingKind,
    PaidWhen,
    WaitlistStatus,
)
from hospital.scheduling import actions as scheduling
from hospital.scheduling import queries as sessions
from hospital.scheduling.actions import SlotTaken
from hospital.scheduling.queries import SessionFacts

_SERVED: Final = """
    WITH due AS (
        SELECT entry.id, CASE
            WHEN appointment.status NOT IN ('cancelled', 'entered_in_error') THEN 'taken'
            WHEN appointment.cancel_reason = 'payment_timeout' THEN 'passed'
            WHEN appointment.cancel_reason = 'user' THEN 'left' ELSE 'cleared' END AS fate
        FROM registration_waitlistentry entry
        JOIN registration_appointment appointment ON appointment.id = entry.appointment_id
        WHERE entry.status = 'offered' AND appointment.status <> 'pending'
        AND (%(patient)s::bigint IS NULL OR entry.patient_id = %(patient)s)
        ORDER BY entry.id FOR NO KEY UPDATE OF entry SKIP LOCKED
    ), moved AS (
        UPDATE registration_waitlistentry entry SET status = due.fate
        FROM due WHERE entry.id = due.id RETURNING entry.id, entry.status
    ), noted AS (
        INSERT INTO kernel_transition
            (subject_type, subject_id, from_status, to_status, by, at, reason)
        SELECT 'registration.waitlistentry', id, 'offered', status, %(by)s, %(at)s, '' FROM moved
    )
    SELECT count(*) FROM moved
"""
_NO_NUMBER: Final = "候补期间没有空号"


class StillFree(Refusal):
    code = "STILL_FREE"
    default_message = "现在就有号，请直接预约，不必候补。"


class WaitlistFull(Refusal):
    code = "WAITLIST_FULL"
    default_message = "这次出诊的候补人数已满，请看看其他时间。"


class WaitlistLimit(Refusal):
    code = "WAITLIST_LIMIT"
    default_message = "该就诊人同时候补的出诊已达上限，可先退出一个。"


class WaitlistOver(Refusal):
    code = "WAITLIST_OVER"
    default_message = "离就诊时间太近，已不能候补，可到挂号窗口看看。"


class CannotLeave(Refusal):
    code = "CANNOT_LEAVE"
    default_message = "这次候补已经结束。"


@transaction.atomic
def join_waitlist(
    *, wechat_user_id: int, patient_id: int, schedule_id: int, by: Actor, at: dt.datetime
) -> WaitlistEntry:
    """Wait in line for a number of a full session; joining twice keeps the place.

    Who is owed a first offer after a 停诊 goes ahead of the others (M1.8). Raises the refusals of
    `rules` that M1.3 puts before the number, then WaitlistLimit, WaitlistFull, WaitlistOver,
    StillFree; NotFound.
    """
    person = patients.lock_bound_patient(wechat_user_id=wechat_user_id, patient_id=patient_id)
    session = sessions.session_facts(schedule_id=schedule_id)
    wish = rules.Wish(patient_id, wechat_user_id, session, at)
    rules.check_waiting(person, wish, look_back(wish))
    settle_offers(patient_id=patient_id, by=by, at=at)
    mine = WaitlistEntry.objects.filter(patient_id=patient_id, status__in=ON_WAITLIST)
    known = mine.filter(schedule_id=schedule_id).first()
    if known is not None:
        return known
    if mine.filter(schedule__isnull=False).count() >= thresholds.WAITLIST_PATIENT.value():
        raise WaitlistLimit
    scheduling.lock_list(schedule_id=schedule_id)
    closes_at = sessions.list_closes_at(session, at=at)
    if closes_at <= at:
        raise WaitlistOver
    in_line = _in_line(schedule_id).count()
    if in_line >= thresholds.WAITLIST_SESSION.value():
        raise WaitlistFull
    if not in_line and sessions.free_for_list(schedule_id=schedule_id, at=at):
        raise StillFree
    entry = _take_right(mine, session, at=at) or WaitlistEntry(
        patient_id=patient_id,
        department_id=session.department_id,
        practitioner_id=session.practitioner_id,
        status=WaitlistStatus.WAITING,
        created_at=at,
    )
    entry.wechat_user_id = wechat_user_id
    entry.schedule_id = schedule_id
    entry.valid_until = closes_at
    entry.save()
    scheduling.keep_for_list(schedule_id=schedule_id, is_kept=True)
    return entry


@transaction.atomic
def leave_waitlist(*, entry_id: int, by: Actor, at: dt.datetime) -> None:
    """Wait no longer; whether it is this person's is the page's question. Raises NotFound,
    CannotLeave: what was offered already is given back as a booking."""
    entry = WaitlistEntry.objects.filter(pk=entry_id).first()
    if entry is None:
        raise NotFound("没有找到这个候补。")
    if entry.status == WaitlistStatus.OFFERED:
        raise CannotLeave("已经为您留了号，不需要的话请取消那个预约。")
    if entry.status != WaitlistStatus.WAITING:
        raise CannotLeave
    try:
        move(entry, WaitlistStatus.LEFT, by=by, at=at)
    except Stale as stale:
        raise CannotLeave from stale


def owe_first_offer(*, appointment: Appointment, by: Actor, at: dt.datetime) -> None:
    """Write down that a booking the hospital called off gives the right to the first offer, for a
    day (M1.8). Repeating it owes nothing twice."""
    valid = dt.timedelta(hours=thresholds.FIRST_OFFER_HOURS.value())
    WaitlistEntry.objects.get_or_create(
        owed_for=appointment,
        defaults={
            "patient_id": appointment.patient_id,
            "wechat_user_id": appointment.wechat_user_id,
            "department_id": appointment.department_id,
            "practitioner_id": appointment.practitioner_id,
            "status": WaitlistStatus.WAITING,
            "created_at": at,
            "valid_until": at + valid,
        },
    )


@transaction.atomic
def offer_again(*, schedule_id: int, by: Actor, at: dt.datetime) -> int:
    """A stopped session is held after all: those it sent away stand first in its list (SM1), in
    the order of their numbers. Returns how many."""
    scheduling.lock_list(schedule_id=schedule_id)
    session = sessions.facts_of(schedule_ids=[schedule_id]).get(schedule_id)
    if session is None or (over_at := sessions.list_over_at(session)) <= at:
        return 0
    owed = WaitlistEntry.objects.filter(
        owed_for__schedule_id=schedule_id,
        schedule__isnull=True,
        status=WaitlistStatus.WAITING,
        wechat_user__isnull=False,
    )
    count = owed.update(schedule_id=schedule_id, valid_until=over_at)
    if count:
        scheduling.keep_for_list(schedule_id=schedule_id, is_kept=True)
    return count


def serve_waitlists(*, by: Actor, at: dt.datetime) -> int:
    """Offer what came free, in order, to everybody who waits; end the lists whose time is over.

    Any run may be missed or doubled. Returns how many offers were made.
    """
    settle_offers(by=by, at=at)
    offers = 0
    for session in sessions.sessions_with_list():
        over = _in_line(session.id).filter(valid_until__lte=at)
        for entry_id in list(over.values_list("pk", flat=True)):
            _clear(entry_id, session, reason=_NO_NUMBER, by=by, at=at)
        offers += _serve(session, by=by, at=at)
        _end_list(session.id)
    rights = WaitlistEntry.objects.filter(
        status=WaitlistStatus.WAITING, schedule__isnull=True, valid_until__lte=at
    )
    for entry_id in rights.order_by("pk").values_list("pk", flat=True):
        _clear(entry_id, None, reason="首选权到期", by=by, at=at)
    return offers


def clear_waitlist(*, schedule_id: int, reason: str, by: Actor, at: dt.datetime) -> int:
    """Send away everybody who still waits for a session, each told once (N03); how many."""
    session = sessions.facts_of(schedule_ids=[schedule_id]).get(schedule_id)
    ids = list(_in_line(schedule_id).values_list("pk", flat=True))
    cleared = sum(_clear(entry_id, session, reason=reason, by=by, at=at) for entry_id in ids)
    _end_list(schedule_id)
    return cleared


def settle_offers(*, by: Actor, at: dt.datetime, patient_id: int | None = None) -> int:
    """Bring places in line up to what became of the numbers offered: paid, let go, given back.

    Booking and paying know nothing of the list and pay nothing for it. Returns how many.
    """
    with connection.cursor() as cursor:
        cursor.execute(_SERVED, {"patient": patient_id, "by": str(by), "at": at})
        (count,) = cursor.fetchone()
    return int(count)


def _serve(session: SessionFacts, *, by: Actor, at: dt.datetime) -> int:
    """Offer a session's numbers until they or the people in line run out."""
    offers = 0
    for entry_id in _in_line(session.id).values_list("pk", flat=True):
        if not sessions.free_for_list(schedule_id=session.id, at=at):
            break
        try:
            offers += _offer(entry_id, session, by=by, at=at)
        except SlotTaken:  # another run was faster: the rest wait for the next number
            break
        except Refusal as refusal:  # the turn came, but the patient may not book any more
            said = notices.in_brief(refusal)
            _clear(entry_id, session, reason=refusal.message, said=said, by=by, at=at)
    return offers


@transaction.atomic
def _offer(entry_id: int, session: SessionFacts, *, by: Actor, at: dt.datetime) -> bool:
    """Hold a number for the one whose turn it is; False when somebody else saw to it."""
    known = WaitlistEntry.objects.get(pk=entry_id)
    assert known.wechat_user_id is not None, "only people with a phone are in line"
    person = patients.lock_bound_patient(
        wechat_user_id=known.wechat_user_id, patient_id=known.patient_id
    )
    entry = WaitlistEntry.objects.select_for_update(no_key=True).get(pk=entry_id)
    if entry.status != WaitlistStatus.WAITING:
        return False
    wish = rules.Wish(entry.patient_id, entry.wechat_user_id, session, at)
    rules.check_waiting(person, wish, look_back(wish), is_offer=True)
    quote = sessions.fee_of(session)
    slot = scheduling.hold_slot(
        schedule_id=session.id, until=_until(session, at=at), for_list=True, by=by, at=at
    )
    is_today = session.visit_date == clock.hospital_day(at)
    appointment = place(
        wish,
        slot,
        claim=request_keys.claim(
            key=f"waitlist-{entry.pk}",
            scope="registration.offer",
            inputs={"entry": entry.pk},
            at=at,
        ),
        kind=BookingKind.SAME_DAY if is_today else BookingKind.ADVANCE,
        paid_when=PaidWhen.BOOKING,
        lines=quote.lines,
        by=by,
        at=at,
    )
    move(
        entry,
        WaitlistStatus.OFFERED,
        by=by,
        at=at,
        offered_at=at,
        offer_until=appointment.hold_until,
        appointment=appointment,
    )
    if appointment.status == AppointmentStatus.PENDING:
        notices.offered(appointment, by=by, at=at)
    else:  # nothing to pay: the number is the patient's, and N01 has said so
        move(entry, WaitlistStatus.TAKEN, by=by, at=at)
    live.publish(f"waitlist:{entry.pk}")
    return True


@transaction.atomic
def _clear(
    entry_id: int,
    session: SessionFacts | None,
    *,
    reason: str,
    said: str = "",
    by: Actor,
    at: dt.datetime,
) -> bool:
    found = WaitlistEntry.objects.select_for_update(no_key=True, of=("self",))
    entry = found.select_related("patient").get(pk=entry_id)
    if entry.status != WaitlistStatus.WAITING:
        return False
    move(entry, WaitlistStatus.CLEARED, by=by, at=at, reason=reason)
    if session is not None:
        notices.waited_in_vain(entry, session, reason=said or reason, by=by, at=at)
    live.publish(f"waitlist:{entry.pk}")
    return True


@transaction.atomic
def _end_list(schedule_id: int) -> None:
    """Give the numbers back to everybody once nobody waits; who joins meanwhile waits behind the
    lock on the session."""
    scheduling.lock_list(schedule_id=schedule_id)
    if not _in_line(schedule_id).exists():
        scheduling.keep_for_list(schedule_id=schedule_id, is_kept=False)


def _in_line(schedule_id: int) -> QuerySet[WaitlistEntry]:
    """Who waits for a session, whose turn is first first: those owed it, then as they came."""
    waiting = WaitlistEntry.objects.filter(schedule_id=schedule_id, status=WaitlistStatus.WAITING)
    return waiting.order_by(
        F("owed_for__slot__sequence_no").asc(nulls_last=True), "created_at", "pk"
    )


def _take_right(
    mine: QuerySet[WaitlistEntry], session: SessionFacts, *, at: dt.datetime
) -> WaitlistEntry | None:
    """The right to a first offer that this session answers: the same doctor's or department's."""
    rights = mine.filter(
        schedule__isnull=True, valid_until__gt=at, department_id=session.department_id
    )
    return rights.order_by("pk").first()


def _until(session: SessionFacts, *, at: dt.datetime) -> dt.datetime:
    closes_at, cleared_at = sessions.closes_at(session), sessions.list_closes_at(session, at=at)
    if at < cleared_at and clock.hospital_day(at) < session.visit_date:
        # Behind an offer of the evening nobody is next: the number is for everybody by then.
        closes_at = min(closes_at, max(cleared_at, at + LEAST))
    return offer_until(
        at=at,
        closes_at=closes_at,
        longest=dt.timedelta(hours=thresholds.OFFER_HOURS.value()),
        morning=dt.time.fromisoformat(thresholds.OFFER_MORNING.value()),
    )
