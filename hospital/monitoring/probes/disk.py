"""Is there room where our processes write: the program's own folder and temporary files."""

from __future__ import annotations

import datetime as dt
import shutil
import tempfile
from pathlib import Path
from typing import Final

from django.conf import settings

from hospital.kernel import heartbeats
from hospital.monitoring.reading import Finding, Probe, size
from hospital.monitoring.states import Group
from hospital.monitoring.thresholds import DISK_FREE


def free(at: dt.datetime) -> Finding:
    """The fullest of the places we write to, on the machine that looks."""
    places = {Path(settings.ROOT), Path(tempfile.gettempdir())}
    share, left = min(_free(place) for place in places)
    return Finding(f"{heartbeats.host()} 上还剩 {size(left)}（{share:.0f}%）。", round(share, 1))


def _free(place: Path) -> tuple[float, int]:
    usage = shutil.disk_usage(place)
    return 100 * usage.free / usage.total, usage.free


PROBES: Final = (
    Probe(
        key="disk_free",
        group=Group.DISK,
        label="磁盘剩余",
        unit="%",
        read=free,
        limits=DISK_FREE,
    ),
)
