"""./manage.py serve: the web process (granian, WSGI workers with threads)."""

from argparse import ArgumentParser

from django.core.management.base import BaseCommand
from granian.constants import Interfaces
from granian.server import Server


class Command(BaseCommand):
    help = "Serve the pages."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--workers", type=int, default=2)
        parser.add_argument("--threads", type=int, default=8, help="threads a worker")

    def handle(
        self, *, host: str, port: int, workers: int, threads: int, **options: object
    ) -> None:
        Server(
            "hospital.config.wsgi:application",
            address=host,
            port=port,
            interface=Interfaces.WSGI,
            workers=workers,
            blocking_threads=threads,
            backlog=2048,
            backpressure=1024,
            respawn_failed_workers=True,
            log_access=False,
        ).serve()
