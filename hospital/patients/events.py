"""News of the patients area: ids only."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class BindingChanged:
    """A WeChat user may act for a patient from now on, or no longer; `what` is added or ended."""

    binding_id: int
    what: str


@dataclass(frozen=True)
class PhoneChanged:
    """A patient is reached under another phone from now on."""

    patient_id: int


@dataclass(frozen=True)
class PhoneCodeAsked:
    """Somebody waits for a code by SMS."""

    code_id: int


@dataclass(frozen=True)
class CopyAsked:
    """Somebody waits for a copy of a patient's data."""

    copy_id: int
