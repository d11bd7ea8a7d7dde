"""What the phone shows: the shell at the root and one fragment per screen. Reads only."""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from wechat_sandbox import people
from wechat_sandbox.phone import account_menu, bills, cashier, chats, desk, looks
from wechat_sandbox.phone.pages import ASKED, held, holder_of, page, render
from wechat_sandbox.records import User
from wechat_sandbox.sandbox import Sandbox, sandbox_of

LOOPBACK = {"localhost", "127.0.0.1", "::1"}
EMPTY = {
    chats.ACCOUNT_CHAT: "你已关注公众号，点下面的菜单开始",
    chats.PAY_CHAT: "付款和退款的凭证会出现在这里",
    chats.SMS_CHAT: "发到这个号码的短信会出现在这里",
}
ABOUT = {chats.ACCOUNT_CHAT: "/phone/account", chats.PAY_CHAT: "/phone/services"}


async def phone(request: Request) -> Response:
    """The whole phone; the choice of a holder comes first when nobody holds it.

    `?as=<openid>` is a phone of its own in this tab, whatever the browser's cookie says, and
    `?as=` without one asks who holds it.

    Under another name of this machine (localhost) the hospital's pages in the frame would count as
    foreign and lose their log-in, so the browser is sent to the one name everybody uses.
    """
    sandbox, user = sandbox_of(request), holder_of(request)
    at, known_as = request.url.hostname, urlsplit(sandbox.settings.base).hostname
    if at != known_as and {at, known_as} <= LOOPBACK:
        query = f"?{request.url.query}" if request.url.query else ""
        return RedirectResponse(f"{sandbox.settings.base}/{query}")
    apart = request.query_params.get(ASKED)
    if apart is not None and not (user and apart == user.openid):
        user = None
    first = _home(sandbox, user) if user else _holders(sandbox, None, "")
    return _shell(sandbox, user, first, apart=apart is not None)


async def choose(request: Request) -> Response:
    """The choice of a holder as a page, which then goes on to `next` on this origin."""
    goes_on = request.query_params.get("next", "/")
    if not goes_on.startswith("/") or goes_on.startswith(("//", "/\\")):
        goes_on = "/"
    sandbox = sandbox_of(request)
    return _shell(sandbox, None, _holders(sandbox, None, goes_on))


async def cashier_page(request: Request) -> Response:
    """Paying from an ordinary browser tab: the sheet as a page that goes back where it came from.

    The browser does not say which page sent it, so the address to return to counts as the page.
    """
    if holder_of(request) is None:
        target = f"{request.url.path}?{request.url.query}"
        return RedirectResponse(
            str(request.url_for("phone-choose").include_query_params(next=target))
        )
    sandbox = sandbox_of(request)
    return _shell(sandbox, holder_of(request), render("screens/cashier.html"))


@held
async def home(request: Request, sandbox: Sandbox, user: User) -> Response:
    """The four tabs."""
    return page(_home(sandbox, user))


@held
async def holders(request: Request, sandbox: Sandbox, user: User) -> Response:
    """Everybody who could hold this phone."""
    return page(_holders(sandbox, user, ""))


@held
async def chat(request: Request, sandbox: Sandbox, user: User) -> Response:
    """One chat with all its cards."""
    name = request.path_params["name"]
    if name not in chats.IN_WECHAT:
        return page("", 404)
    return page(
        render(
            "screens/chat.html",
            chat=name,
            title=chats.title_of(sandbox, name),
            about=ABOUT[name],
            empty=EMPTY[name],
            cards=chats.cards(sandbox, user, name),
            menu=account_menu.entries(sandbox),
            look=looks.look_of(user),
            account_look=looks.ACCOUNT,
        )
    )


@held
async def messages(request: Request, sandbox: Sandbox, user: User) -> Response:
    """短信: what arrived for the number in this phone."""
    return page(
        render(
            "screens/sms.html",
            empty=EMPTY[chats.SMS_CHAT],
            cards=chats.cards(sandbox, user, chats.SMS_CHAT),
            number=user.phone_number,
        )
    )


@held
async def apps(request: Request, sandbox: Sandbox, user: User) -> Response:
    """The phone's own start screen."""
    return page(
        render(
            "screens/apps.html",
            unread=sum(chat.unread for chat in chats.overview(sandbox, user)),
            sms_unread=chats.chat(sandbox, user, chats.SMS_CHAT).unread,
            today=looks.local(sandbox.clock.now()),
            weekdays=looks.WEEKDAYS,
        )
    )


@held
async def minis(request: Request, sandbox: Sandbox, user: User) -> Response:
    """小程序: those the stand-in was told about."""
    return page(render("screens/minis.html", minis=sandbox.settings.mini_programs))


@held
async def account(request: Request, sandbox: Sandbox, user: User) -> Response:
    """The Official Account's own page: follow, unfollow, refuse messages."""
    return page(
        render(
            "screens/account.html",
            account_name=sandbox.settings.account_name,
            account_look=looks.ACCOUNT,
            holder=user,
        )
    )


@held
async def services(request: Request, sandbox: Sandbox, user: User) -> Response:
    """服务: bills and wallet."""
    return page(render("screens/services.html", balance=looks.yuan(user.balance_fen)))


@held
async def wallet(request: Request, sandbox: Sandbox, user: User) -> Response:
    """钱包: change, the bank card, the password."""
    return page(
        render(
            "screens/wallet.html",
            holder=user,
            balance=looks.yuan(user.balance_fen),
            balance_plain=f"{user.balance_fen / 100:.2f}",
            card_name=chats.CARD_NAME,
            card_works=cashier.card_works(sandbox, user),
        )
    )


@held
async def settings(request: Request, sandbox: Sandbox, user: User) -> Response:
    """设置: who this is, and leaving."""
    return page(render("screens/settings.html", holder=user, number=user.phone_number))


@held
async def bill_list(request: Request, sandbox: Sandbox, user: User) -> Response:
    """账单 by month."""
    return page(render("screens/bills.html", months=bills.months(sandbox, user)))


@held
async def bill(request: Request, sandbox: Sandbox, user: User) -> Response:
    """One payment with its refunds; another person's is not found."""
    number = request.path_params["out_trade_no"]
    found = bills.bill_for(sandbox, user, number)
    if found is None:
        return page("", 404)
    return page(render("screens/bill.html", bill=found, src=f"/phone/bills/{number}"))


async def avatar(request: Request) -> Response:
    """A person's face as a picture of its own, for pages that show `headimgurl`."""
    user = people.find(sandbox_of(request), request.path_params["openid"])
    if user is None:
        return page("", 404)
    text = render("avatar.svg", letter=user.nickname[:1], colour=user.colour)
    return Response(text, media_type="image/svg+xml")


def _shell(sandbox: Sandbox, user: User | None, first: str, *, apart: bool = False) -> Response:
    now = sandbox.clock.now()
    return page(
        render(
            "phone.html",
            account_name=sandbox.settings.account_name,
            holder=user,
            apart=apart,
            heard=chats.marks(chats.newest(sandbox, user)) if user else "",
            clock_offset_ms=int(sandbox.clock.offset_s * 1000),
            time=f"{looks.local(now):%H:%M}",
            first=first,
            drawer=desk.shown(sandbox, user),
        )
    )


def _home(sandbox: Sandbox, user: User) -> str:
    now = sandbox.clock.now()
    listed = chats.overview(sandbox, user)
    return render(
        "screens/home.html",
        chats=[
            {
                "name": chat.name,
                "title": chat.title,
                "look": chat.look,
                "preview": chat.preview,
                "unread": chat.unread,
                "when": looks.list_time(chat.newest.at, now) if chat.newest else "",
            }
            for chat in listed
        ],
        unread=sum(chat.unread for chat in listed),
        account_name=sandbox.settings.account_name,
        account_look=looks.ACCOUNT,
        pay_look=looks.WECHAT_PAY,
        holder=user,
        look=looks.look_of(user),
        wechat_id=looks.wechat_id(user),
    )


def _holders(sandbox: Sandbox, user: User | None, goes_on: str) -> str:
    return render(
        "screens/holders.html",
        people=desk.persons(sandbox, user),
        back=user is not None,
        next=goes_on,
    )
