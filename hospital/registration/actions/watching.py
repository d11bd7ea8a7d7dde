"""放号提醒: a user asks to be told some minutes before a session's numbers come out, once."""

import datetime as dt

from django.db import transaction

from hospital.kernel.actors import Actor
from hospital.kernel.errors import NotFound, Refusal
from hospital.registration import notices, thresholds
from hospital.registration.models import ReleaseWatch
from hospital.scheduling import queries as sessions
from hospital.scheduling.queries import SessionFacts
from hospital.scheduling.states import Offer


class NothingToWatch(Refusal):
    code = "NOTHING_TO_WATCH"
    default_message = "这次出诊已经放号或已停诊，请直接看号。"


def watch_release(*, wechat_user_id: int, schedule_id: int, at: dt.datetime) -> ReleaseWatch:
    """Ask to be told of a release; asking twice is asking once. Raises NotFound, NothingToWatch."""
    session = sessions.session_facts(schedule_id=schedule_id)
    if not session.is_bookable or session.walk_in_only:
        raise NothingToWatch("这个科室不在线上放号，请到医院现场挂号。")
    if sessions.offer_of(session, at=at).state != Offer.NOT_RELEASED:
        raise NothingToWatch
    watch, _ = ReleaseWatch.objects.get_or_create(
        wechat_user_id=wechat_user_id, schedule_id=schedule_id, defaults={"created_at": at}
    )
    return watch


def unwatch_release(*, wechat_user_id: int, schedule_id: int) -> None:
    """Ask no longer. Raises NotFound when it was not asked for."""
    found = ReleaseWatch.objects.filter(wechat_user_id=wechat_user_id, schedule_id=schedule_id)
    if not found.delete()[0]:
        raise NotFound("没有找到这个放号提醒。")


def tell_watchers(*, by: Actor, at: dt.datetime) -> int:
    """Tell everybody whose session is released within minutes (N39); how many."""
    until = at + dt.timedelta(minutes=thresholds.WATCH_MINUTES.value())
    return sum(
        _tell(session, by=by, at=at) for session in sessions.released_between(after=at, until=until)
    )


@transaction.atomic
def _tell(session: SessionFacts, *, by: Actor, at: dt.datetime) -> int:
    asked = ReleaseWatch.objects.filter(schedule_id=session.id, told_at__isnull=True)
    watches = list(asked.select_for_update(skip_locked=True).order_by("pk"))
    for watch in watches:
        ReleaseWatch.objects.filter(pk=watch.pk).update(told_at=at)
        notices.release_near(watch, session, by=by, at=at)
    return len(watches)
