"""Sweeping out sessions that have ended."""

from __future__ import annotations

from django.contrib.sessions.backends.db import SessionStore


def clear_sessions() -> None:
    """Delete the sessions that have expired; patients leave one each time they come."""
    SessionStore.clear_expired()
