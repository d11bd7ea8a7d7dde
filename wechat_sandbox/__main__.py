"""`python -m wechat_sandbox --port P --data DIR --export conf.json`"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import socket
import ssl
import sys
from pathlib import Path

import uvicorn

from wechat_sandbox import tls
from wechat_sandbox.app import build
from wechat_sandbox.edge import Edge
from wechat_sandbox.menu import MOST_ENTRIES
from wechat_sandbox.sandbox import Sandbox
from wechat_sandbox.settings import DEFAULT_NOTIFY_URL, Settings, SettingsError, read_templates


def main() -> int:
    """Serve until told to stop; the exit code."""
    options = _parser().parse_args()
    try:
        if os.environ.get("PRODUCTION", "").lower() in ("1", "true", "yes", "on"):
            raise SettingsError("the stand-in for WeChat does not start beside a production system")
        listener = _listen(options.host, options.port)
        secure = None if options.tls_port is None else _listen(options.host, options.tls_port)
        settings = _settings(options, listener, secure)
    except SettingsError as problem:
        sys.stderr.write(f"wechat_sandbox: {problem}\n")
        return 2
    sandbox = Sandbox(settings)
    door = None if secure is None else (secure, tls.context(settings.data))
    if options.export:
        _write_whole(options.export, json.dumps(facts(sandbox), indent=2) + "\n")
    config = uvicorn.Config(
        Edge(build(sandbox), sandbox),
        log_level=options.log_level,
        access_log=options.log_level in ("debug", "info"),
        timeout_graceful_shutdown=2,
        server_header=False,
    )
    Program(config, sandbox, door).run(sockets=[listener])
    return 0


class Program(uvicorn.Server):
    """The HTTP server, which lets the phones' open streams end before it waits for connections."""

    def __init__(
        self,
        config: uvicorn.Config,
        sandbox: Sandbox,
        secure: tuple[socket.socket, ssl.SSLContext] | None,
    ) -> None:
        super().__init__(config)
        self._sandbox = sandbox
        self._secure = secure

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin serving, over TLS too when there is a second listener."""
        await super().startup(sockets)
        if self._secure is None:
            return

        def protocol() -> asyncio.Protocol:
            return self.config.http_protocol_class(  # type: ignore[call-arg]
                config=self.config,
                server_state=self.server_state,
                app_state=self.lifespan.state,
            )

        listener, context = self._secure
        loop = asyncio.get_running_loop()
        server = await loop.create_server(protocol, sock=listener, ssl=context)
        self.servers.append(server)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop serving."""
        self._sandbox.hub.close()
        await super().shutdown(sockets)


def facts(sandbox: Sandbox) -> dict[str, object]:
    """The connection facts a merchant copies from WeChat's consoles."""
    keys, settings = sandbox.keys, sandbox.settings
    secured_files = {"tls_ca": str(keys.folder / tls.CA_FILE)} if settings.tls_base else {}
    return {
        "base": settings.base,
        "api_base": settings.base,
        "mchid": keys.mchid,
        "appid": keys.appid,
        "mp_appid": keys.mp_appid,
        "secret": keys.secret,
        "apiv3_key": keys.apiv3_key,
        "v2_key": keys.v2_key,
        "mch_serial": keys.mch_serial,
        "plat_serial": keys.plat_serial,
        "pub_key_id": keys.pub_key_id,
        "token": keys.token,
        "aes_key": keys.aes_key,
        "mp_secret": keys.mp_secret,
        "message_mode": "safe" if settings.callback_mode == "aes" else settings.callback_mode,
        "sms_url": f"{settings.base}/sms/messages",
        "sms_key": keys.sms_key,
        "notify_url": settings.notify_url or DEFAULT_NOTIFY_URL,
        "files": keys.files() | secured_files,
        **({"tls_base": settings.tls_base} if settings.tls_base else {}),
    }


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m wechat_sandbox",
        description="A local stand-in for WeChat Pay, the Official Account and a phone.",
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8100, help="0 takes a free one")
    parser.add_argument(
        "--tls-port",
        type=int,
        help="serve over TLS there as well, and want the merchant's certificate for /secapi/",
    )
    parser.add_argument("--data", type=Path, required=True, help="folder for keys and state")
    parser.add_argument("--export", type=Path, help="file for the connection facts, as JSON")
    parser.add_argument("--base", help="address clients use, when it differs from host and port")
    parser.add_argument("--notify-scale", type=float, default=1.0, help="1 is WeChat's pace")
    parser.add_argument("--refund-delay", type=float, default=3.0, help="seconds before scaling")
    parser.add_argument("--notify-url", default="", help="the merchant console's default address")
    parser.add_argument(
        "--callback-url", default="", help="the account console's address for messages and events"
    )
    parser.add_argument("--callback-mode", default="plain", choices=["plain", "compatible", "aes"])
    parser.add_argument("--templates", type=Path, help="JSON list of approved message templates")
    parser.add_argument(
        "--redirect-host",
        action="append",
        default=[],
        help="OAuth host to accept besides loopback and private addresses; repeatable",
    )
    parser.add_argument("--account-name", default="杏林中医医院", help="shown on the phone")
    parser.add_argument("--merchant-name", default="杏林中医医院", help="shown on the pay sheet")
    parser.add_argument(
        "--password-above",
        type=int,
        default=100_000,
        metavar="FEN",
        help="a scanned payment code is charged without a password up to this amount",
    )
    parser.add_argument(
        "--entry",
        action="append",
        default=[],
        metavar="NAME=URL",
        help="menu entry of the Official Account's chat; repeatable",
    )
    parser.add_argument(
        "--mini-program",
        action="append",
        default=[],
        metavar="NAME=URL",
        help="page listed on the phone as a mini program; repeatable",
    )
    parser.add_argument("--log-level", default="warning", choices=["debug", "info", "warning"])
    return parser


def _settings(
    options: argparse.Namespace, listener: socket.socket, secure: socket.socket | None
) -> Settings:
    if len(options.entry) > MOST_ENTRIES:
        raise SettingsError(f"a menu has room for {MOST_ENTRIES} of --entry")
    host = "127.0.0.1" if options.host in ("0.0.0.0", "::") else options.host  # noqa: S104
    return Settings(
        data=options.data.resolve(),
        base=(options.base or f"http://{host}:{listener.getsockname()[1]}").rstrip("/"),
        tls_base=f"https://{host}:{secure.getsockname()[1]}" if secure else "",
        notify_scale=options.notify_scale,
        refund_delay_s=options.refund_delay,
        notify_url=options.notify_url,
        templates=read_templates(options.templates) if options.templates else None,
        redirect_hosts=frozenset(options.redirect_host),
        callback_url=options.callback_url,
        callback_mode=options.callback_mode,
        account_name=options.account_name,
        merchant_name=options.merchant_name,
        password_above_fen=options.password_above,
        entries=tuple(_entry("--entry", text) for text in options.entry),
        mini_programs=tuple(_entry("--mini-program", text) for text in options.mini_program),
    )


def _entry(option: str, text: str) -> tuple[str, str]:
    name, mark, url = text.partition("=")
    if not (name and mark and url):
        raise SettingsError(f"{option} {text}: write it as NAME=URL")
    return name, url


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Naming TCP matters: asyncio only switches Nagle's delay (40 ms an answer) off when it is said.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(2048)
    except OSError as problem:
        raise SettingsError(
            f"cannot listen on {host}:{port}: {problem.strerror}. Choose another --port."
        ) from problem
    return listener


def _write_whole(path: Path, text: str) -> None:
    """Write so that a reader waiting for the file never sees half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(path.suffix + ".partial")
    partial.write_text(text, "utf-8")
    partial.replace(path)


if __name__ == "__main__":
    raise SystemExit(main())
