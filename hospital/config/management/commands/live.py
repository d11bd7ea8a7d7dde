"""./manage.py live: the live channel's own process (granian, ASGI)."""

from argparse import ArgumentParser

from django.core.management.base import BaseCommand
from granian.constants import Interfaces
from granian.server import Server


class Command(BaseCommand):
    help = "Serve the live channel (server-sent events)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8002)

    def handle(self, *, host: str, port: int, **options: object) -> None:
        # A stream is one request for hours: the default backpressure would stop at 1,024 of them.
        Server(
            "hospital.live.asgi:application",
            address=host,
            port=port,
            interface=Interfaces.ASGI,
            workers=1,
            backlog=4096,
            backpressure=4096,
            log_access=False,
            # Open streams never end by themselves; whoever listens connects again.
            workers_kill_timeout=1,
        ).serve()
