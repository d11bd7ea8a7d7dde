"""How passwords are kept where they are no secret."""

from __future__ import annotations

from django.contrib.auth.hashers import Argon2PasswordHasher


class DemoHasher(Argon2PasswordHasher):
    """Argon2 at the least it can cost: a demo prints its passwords on the screen (DEMO_CODES), and
    thirty of them at the full price keep whoever starts one waiting for ten seconds."""

    time_cost = 1
    memory_cost = 64
    parallelism = 1
