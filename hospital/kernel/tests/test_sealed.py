"""Sealed bytes: what was sealed comes back, and nothing else does."""

import pytest
from cryptography.exceptions import InvalidTag
from hypothesis import given, settings
from hypothesis import strategies as st

from hospital.kernel import sealed


@settings(max_examples=30)
@given(st.binary(max_size=200))
def test_sealed_bytes_come_back(content: bytes) -> None:
    value = sealed.seal_bytes(content)
    assert sealed.unseal_bytes(value) == content
    assert sealed.seal_bytes(content) != value


def test_changed_bytes_do_not_open() -> None:
    value = sealed.seal_bytes(b"bill")
    with pytest.raises(InvalidTag):
        sealed.unseal_bytes(value[:-1] + bytes([value[-1] ^ 1]))
