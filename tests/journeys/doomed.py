"""A process that pays a bill and is killed on the way: `python -m tests.journeys.doomed NOW TOKEN
USER FEN` with the story's time, the bill's token, the payer's id and the amount shown."""

import datetime as dt
import os
import sys

import time_machine


def main(now: str, token: str, user_id: str, fen: str) -> None:
    """Place the order; whoever started this does not let it come back."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hospital.config.settings")
    import django

    django.setup()
    from hospital.kernel.actors import Actor
    from hospital.payments import gateway

    at = dt.datetime.fromisoformat(now)
    with time_machine.travel(at, tick=True):
        gateway.start_wechat_payment(
            token=token,
            wechat_user_id=int(user_id),
            shown_fen=int(fen),
            by=Actor("patient", int(user_id)),
            at=at,
        )


if __name__ == "__main__":
    main(*sys.argv[1:])
