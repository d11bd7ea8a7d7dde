"""The application: every product's routes on one base address, and the timers behind them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.routing import BaseRoute, Route

from wechat_sandbox import (
    abnormal_refunds,
    account_control,
    bills,
    certificates,
    codepay,
    control,
    customer,
    followers,
    menu,
    menu_calls,
    messages,
    micropay,
    mini,
    oauth,
    official,
    pay,
    pay_levers,
    people,
    qr_codes,
    refunds,
    rotation,
    sms,
    subscriptions,
    templates,
    timers,
    v2_refunds,
    v3,
)
from wechat_sandbox.phone.routes import routes as phone_routes
from wechat_sandbox.sandbox import Sandbox


def routes() -> list[BaseRoute]:
    """Tencent's addresses first, the control address and the phone beside them."""
    return [
        *pay.routes,
        *refunds.routes,
        *abnormal_refunds.routes,
        *bills.routes,
        *codepay.routes,
        *micropay.routes,
        *v2_refunds.routes,
        *certificates.routes,
        *official.routes,
        *messages.routes,
        *subscriptions.routes,
        *customer.routes,
        *menu_calls.routes,
        *followers.routes,
        *qr_codes.routes,
        *mini.routes,
        *sms.routes,
        *oauth.routes,
        *control.routes,
        *account_control.routes,
        *pay_levers.routes,
        *rotation.routes,
        Route(
            "/v3/{rest:path}", v3.nothing_here, methods=["GET", "POST", "PUT", "PATCH", "DELETE"]
        ),
        *phone_routes,
    ]


def build(sandbox: Sandbox) -> Starlette:
    """The application over this stand-in; wrap it in `Edge` before serving."""
    people.seed(sandbox)
    menu.seed(sandbox)
    templates.seed(sandbox)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with timers.running(sandbox):
            yield
        sandbox.store.close()

    app = Starlette(routes=routes(), lifespan=lifespan)
    app.state.sandbox = sandbox
    return app
