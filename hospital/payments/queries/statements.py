"""Reading the channel's daily statements."""

import datetime as dt

from hospital.kernel.errors import NotFound
from hospital.payments.models import ChannelStatement


def statement(*, statement_id: int) -> ChannelStatement:
    """One statement without its file. Raises NotFound."""
    found = ChannelStatement.objects.defer("packed").filter(pk=statement_id).first()
    if found is None:
        raise NotFound
    return found


def statements(*, mchid: str, since: dt.date) -> list[ChannelStatement]:
    """A merchant's statements from a day on, without their files, newest first."""
    wanted = ChannelStatement.objects.defer("packed").filter(mchid=mchid, day__gte=since)
    return list(wanted.order_by("-day", "kind"))
