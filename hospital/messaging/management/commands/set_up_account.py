"""./manage.py set_up_account FILE.json: give the Official Account its first menu and answers."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from hospital.kernel import clock
from hospital.kernel.actors import SYSTEM
from hospital.messaging import setting_up
from hospital.messaging.account_gateway import Published

_SAID = {
    None: "the menu is as it was",
    Published.DONE: "the menu is published",
    Published.REFUSED: "WeChat refused the menu; the page 公众号菜单 says why",
    Published.UNANSWERED: "WeChat did not answer; the worker goes on publishing",
}


class Command(BaseCommand):
    help = "Publish the account's first menu and answers (form: hospital/messaging/setting_up.py)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="a JSON file such as demo/account.json")

    def handle(self, *_: Any, file: Path, **options: object) -> None:
        document = json.loads(file.read_text("utf-8"))
        done = setting_up.set_up_account(document=document, by=SYSTEM, at=clock.now())
        self.stdout.write(_SAID[done])
