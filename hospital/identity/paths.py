"""Where a person may be sent after log-in: only paths of our own, of the right audience.

An open redirect would let a stranger's link end on a stranger's page with our name before it.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import unquote, urlsplit

from django.utils.http import url_has_allowed_host_and_scheme

PATIENT_HOME: Final = "/m/"
STAFF_HOME: Final = "/staff/"
_LONGEST: Final = 500


def own_path(text: str | None, *, home: str) -> str:
    """Return `text` when it is a path below `home` ("/m/", "/staff/"), else `home`."""
    if not text or len(text) > _LONGEST or not text.startswith(home):
        return home
    if "\\" in text or not text.isprintable():
        return home
    if not url_has_allowed_host_and_scheme(text, allowed_hosts=None):
        return home
    # A browser folds "/m/../x" and "/m/%2e%2e/x" before it asks; the prefix must survive that.
    return home if ".." in unquote(urlsplit(text).path) else text
