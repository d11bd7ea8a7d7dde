"""Whether somebody follows the account: the newest word of WeChat's counts, whenever it arrives."""

import datetime as dt

import pytest
from django.db import IntegrityError, transaction

from hospital.identity import actions
from hospital.identity.models import WeChatUser
from hospital.kernel.actors import SYSTEM
from hospital.testing.people import a_wechat_user

pytestmark = pytest.mark.django_db
AT = dt.datetime(2026, 11, 23, 2, tzinfo=dt.UTC)


def record(user: WeChatUser, *, minute: int, is_following: bool) -> bool:
    is_newest = actions.record_following(
        wechat_user_id=user.pk,
        is_following=is_following,
        changed_at=AT + dt.timedelta(minutes=minute),
        by=SYSTEM,
        at=AT + dt.timedelta(hours=1),
    )
    user.refresh_from_db()
    return is_newest


def test_nobody_knows_until_wechat_tells() -> None:
    user = a_wechat_user()

    assert (user.is_following, user.following_changed_at) == (None, None)


def test_the_newest_word_counts_whatever_order_they_come_in() -> None:
    user, other = a_wechat_user(), a_wechat_user()

    assert record(user, minute=2, is_following=False)
    assert not record(user, minute=1, is_following=True)

    assert (user.is_following, user.following_changed_at) == (False, AT + dt.timedelta(minutes=2))
    assert record(user, minute=3, is_following=True)
    assert user.is_following is True
    other.refresh_from_db()
    assert other.is_following is None


def test_the_database_wants_both_or_neither() -> None:
    user = a_wechat_user()

    with pytest.raises(IntegrityError), transaction.atomic():
        WeChatUser.objects.filter(pk=user.pk).update(is_following=True)
