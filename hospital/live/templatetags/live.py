"""{% live_topics "bill:12" "schedules" %}: the element that makes a page listen."""

from collections.abc import Sequence

from django import template
from django.conf import settings
from django.template import Context
from django.utils.html import format_html
from django.utils.safestring import SafeString

from hospital.live import tickets

register = template.Library()


@register.simple_tag(takes_context=True)
def live_topics(context: Context, *topics: str | Sequence[str]) -> SafeString:
    """A <meta name="live-stream"> for the page's topics (words or lists of them), in block head.

    `own_topics` of the context go with them: what concerns the reader rather than the page.
    """
    topics = (*topics, context.get("own_topics") or [])
    names = [name for topic in topics for name in ([topic] if isinstance(topic, str) else topic)]
    url = f"{settings.LIVE_URL}/live/?ticket={tickets.issue(names)}"
    return format_html('<meta name="live-stream" content="{}">', url)
