"""Is it alive, is it ready, what does it measure: the three pages machines read.

/healthz answers while the process runs. /readyz looks at the database, migrations, the job queue's
lag and the WeChat token's age, and tells how many workers live. /metrics is Prometheus text, the
monitoring probes among it, and answers only to loopback and the networks of METRICS_NETWORKS.
"""

import datetime as dt
import ipaddress
import math

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, HttpResponseNotFound, JsonResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from hospital.identity.access import client_address, public_page
from hospital.kernel import audit, clock, metrics, shared_tokens
from hospital.monitoring import measurements as probes
from hospital.monitoring import queries as monitoring

_LAG_LIMIT = dt.timedelta(minutes=2)
_OLDEST_DUE = """
    SELECT min(coalesce(j.scheduled_at, now())) FROM procrastinate_jobs j
    WHERE j.status = 'todo' AND coalesce(j.scheduled_at, now()) <= now()
"""


@public_page
def healthz(request: HttpRequest) -> HttpResponse:
    return JsonResponse({"status": "ok"})


@public_page
def readyz(request: HttpRequest) -> HttpResponse:
    try:
        checks = {"database": "ok", **_migrations(), **_jobs(), **_workers(), **_token()}
    except DatabaseError as problem:
        checks = {"database": type(problem).__name__}
    good = all(value.startswith("ok") for value in checks.values())
    return JsonResponse(
        {"status": "ready" if good else "not ready", **checks}, status=200 if good else 503
    )


@public_page
def measurements(request: HttpRequest) -> HttpResponse:
    address = ipaddress.ip_address(client_address(request))
    if not any(address in network for network in settings.METRICS_NETWORKS):
        return HttpResponseNotFound()
    metrics.AUDIT_FAULTS.set(_audit_faults())
    probes.publish()
    return HttpResponse(generate_latest(), content_type=CONTENT_TYPE_LATEST)


def _audit_faults() -> float:
    """What the worker's latest verification found; nothing is known before the first one."""
    try:
        latest = audit.latest_verification()
    except DatabaseError:
        return math.nan
    if latest is None:
        return math.nan
    return 0 if latest.is_sound else max(1, len(latest.findings))


def _migrations() -> dict[str, str]:
    executor = MigrationExecutor(connection)
    waiting = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return {"migrations": f"{len(waiting)} waiting" if waiting else "ok"}


def _jobs() -> dict[str, str]:
    with connection.cursor() as cursor:
        cursor.execute(_OLDEST_DUE)
        (oldest,) = cursor.fetchone()
    if oldest is None:
        return {"jobs": "ok"}
    lag = max(clock.now() - oldest, dt.timedelta())
    text = f"oldest due job waits {int(lag.total_seconds())} s"
    return {"jobs": f"ok, {text}" if lag < _LAG_LIMIT else text}


def _workers() -> dict[str, str]:
    """For whoever watches from outside; pages are served without, so it takes no traffic away."""
    alive = monitoring.workers_alive(at=clock.now())
    return {"workers": f"ok, {alive} alive" if alive else "ok to serve, but no worker is alive"}


def _token() -> dict[str, str]:
    """Its age for people; never a reason to stop: a quiet night lets it run out."""
    left = shared_tokens.time_left("wechat.access_token")
    if left is None:
        return {"wechat_token": "ok, none fetched yet"}
    if left <= dt.timedelta():
        return {"wechat_token": "ok, run out, fetched when next needed"}
    return {"wechat_token": f"ok, {int(left.total_seconds())} s left"}
