"""./manage.py seed_patients N [--seed S]: fill a test database with made-up patients."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from hospital.kernel import clock
from hospital.kernel.actors import SYSTEM
from hospital.kernel.errors import Refusal
from hospital.patients.actions.seeding import seed_patients

_TOLD_EVERY = 20_000


class Command(BaseCommand):
    help = "Make N patients who do not exist, for tests and measuring (生成模拟患者)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("count", type=int, help="how many")
        parser.add_argument("--seed", type=int, default=1, help="another seed, other people")

    def handle(self, *_: Any, **options: Any) -> None:
        if settings.PRODUCTION:
            raise CommandError("生产环境不能生成模拟患者。")
        count: int = options["count"]
        if count < 1:
            raise CommandError("数量应至少为 1。")
        seeded = seed_patients(count=count, seed=options["seed"], by=SYSTEM, at=clock.now())
        try:
            for done in seeded:
                if done % _TOLD_EVERY == 0 or done == count:
                    self.stdout.write(f"{done}/{count}")
        except Refusal as refusal:
            raise CommandError(refusal.message) from refusal
        self.stdout.write(f"已生成 {count} 位模拟患者。")
