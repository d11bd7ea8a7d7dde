"""The web process's way in (granian, WSGI). Each of its threads keeps one database connection.

A new connection costs more than most pages; commands, jobs and tests open theirs as they need.
"""

import gc
import os

from django.core.wsgi import get_wsgi_application
from django.db import connections

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hospital.config.settings")
application = get_wsgi_application()
connections.settings["default"]["CONN_MAX_AGE"] = None

from hospital.kernel import heartbeats  # noqa: E402 - its model needs the application's registry

heartbeats.keep_beating("web")

# What a start leaves behind stays: looking through it for garbage again and again is for nothing.
gc.collect()
gc.freeze()
gc.set_threshold(10_000, 20, 20)
