"""{% live_topics "bill:12" "schedules" %}: the element that makes a page listen."""

from django import template
from django.conf import settings
from django.utils.html import format_html
from django.utils.safestring import SafeString

from hospital.live import tickets

register = template.Library()


@register.simple_tag
def live_topics(*topics: str) -> SafeString:
    """A <meta name="live-stream"> for the page's topics; put it into the page's head block."""
    url = f"{settings.LIVE_URL}/live/?ticket={tickets.issue([str(topic) for topic in topics])}"
    return format_html('<meta name="live-stream" content="{}">', url)
