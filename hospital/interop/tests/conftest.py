"""What the tests of platforms begin with: ten in the morning of one day, and a platform."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import time_machine

from hospital.testing.partners import Program, a_partner
from hospital.testing.schedules import NOW


@pytest.fixture
def at_now() -> Iterator[None]:
    """The clock stands at NOW."""
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def program() -> Program:
    """The program of a platform that may do everything."""
    return Program(a_partner())
