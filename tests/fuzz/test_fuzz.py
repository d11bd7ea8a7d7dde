"""The short run of `make fuzz`: always the same inputs, so that a red test is red again."""

import logging
from collections.abc import Iterator

import pytest

from tests.fuzz.run import fuzz, input_of
from tests.fuzz.targets import TARGETS

SEED = 20261123
INPUTS = 400


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """Every refusal is logged; a thousand of them would hide what matters."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.parametrize("name", [target.name for target in TARGETS])
def test_broken_bytes_end_in_what_a_reader_promises(name: str) -> None:
    run = fuzz(seed=SEED, inputs=INPUTS, only=name)
    assert run.failures == []
    assert run.inputs == {name: INPUTS}


def test_good_bytes_are_read_and_a_run_can_be_replayed() -> None:
    for target in TARGETS:
        body, rng = input_of(target, SEED, 7)
        assert input_of(target, SEED, 7)[0] == body
        for seed in target.seeds:
            target.read(seed, rng)
