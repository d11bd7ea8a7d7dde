"""Hostile requests to the callbacks, as many and as varied as wanted, the same ones for a seed.

Every kind starts from a genuine request and breaks what makes it believable, or makes it too much
to swallow. Kinds whose signature is right are what WeChat itself might send to harm or by mistake.
"""

from __future__ import annotations

import base64
import json
import random
import string
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Final
from urllib.parse import urlencode

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from hospital.testing import callbacks
from hospital.wechat import sealing, signing
from hospital.wechat.config import WeChatConfig

ACCOUNT: Final = callbacks.ADDRESS
PAY: Final = "/callback/wechat/pay"
REFUND: Final = "/callback/wechat/refund"
HUGE: Final = 10 * 1024 * 1024
_LETTERS: Final = string.ascii_letters + string.digits
_REFUSED: Final = frozenset(
    {
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.METHOD_NOT_ALLOWED,
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    }
)
#: WeChat's own, and of no use: said to have arrived, so that it does not come again.
_TAKEN: Final = frozenset({HTTPStatus.OK})
#: WeChat's own, and unreadable with our key: WeChat is to try again.
_OURS: Final = frozenset({HTTPStatus.INTERNAL_SERVER_ERROR})


@dataclass(frozen=True, kw_only=True)
class Attack:
    """One request; `announced` is the Content-Length when it is a lie, `answers` what may come."""

    kind: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    method: str = "POST"
    announced: int | None = None
    answers: frozenset[HTTPStatus] = _REFUSED

    @property
    def target(self) -> str:
        return f"{self.path}?{urlencode(self.query)}" if self.query else self.path


@dataclass(frozen=True, kw_only=True)
class World:
    """What an attacker starts from: the account, WeChat's pay key, a message already handled."""

    config: WeChatConfig
    pay_serial: str
    pay_key: RSAPrivateKey
    stamp: int
    known: bytes


Maker = Callable[[World, random.Random], Attack]


def attacks(world: World, *, count: int, seed: int) -> Iterator[Attack]:
    """So many attacks, every kind in turn."""
    dice = random.Random(seed)
    makers = [*_ACCOUNT_KINDS, *_PAY_KINDS]
    for number in range(count):
        yield makers[number % len(makers)](world, dice)


# ---------------------------------------------------------------- the account's callback


def _word(dice: random.Random, length: int = 16) -> str:
    return "".join(dice.choice(_LETTERS) for _ in range(length))


def _text(world: World, dice: random.Random, kind: str = "text") -> bytes:
    return callbacks.message(
        f"o{_word(dice, 27)}",
        MsgType=kind,
        MsgId=str(dice.randrange(10**17, 10**18)),
        Content=_word(dice),
    )


def _sealed(
    world: World,
    dice: random.Random,
    document: bytes,
    *,
    kind: str,
    stamp: int | None = None,
    appid: str = "",
    token: str = "",
) -> Attack:
    """A request that is right but for what is asked for."""
    config = world.config
    sealed = sealing.seal(
        document, key=sealing.aes_key(config.aes_key), appid=appid or config.appid
    )
    return _signed(world, dice, sealed, kind=kind, stamp=stamp, token=token)


def _signed(
    world: World,
    dice: random.Random,
    sealed: str,
    *,
    kind: str,
    stamp: int | None = None,
    token: str = "",
) -> Attack:
    when, nonce, secret = str(stamp or world.stamp), _word(dice), token or world.config.token
    query = {
        "signature": sealing.signature(secret, when, nonce),
        "timestamp": when,
        "nonce": nonce,
        "encrypt_type": "aes",
        "msg_signature": sealing.signature(secret, when, nonce, sealed),
    }
    body = f"<xml><ToUserName>gh_1</ToUserName><Encrypt>{sealed}</Encrypt></xml>".encode()
    return Attack(kind=kind, path=ACCOUNT, query=query, body=body)


def _bad_signature(world: World, dice: random.Random) -> Attack:
    good = _sealed(world, dice, _text(world, dice), kind="bad_signature")
    name = dice.choice(["msg_signature", "nonce", "timestamp"])
    wrong = {
        "msg_signature": dice.choice(["", "0" * 40, _word(dice, 40), "签" * 40, "a" * 5000]),
        "nonce": _word(dice),
        "timestamp": str(world.stamp + dice.randrange(1, 200)),
    }[name]
    return replace(good, query={**good.query, name: wrong})


def _lacks_a_part(world: World, dice: random.Random) -> Attack:
    good = _sealed(world, dice, _text(world, dice), kind="lacks_a_part")
    name = dice.choice(["msg_signature", "nonce", "timestamp", "encrypt_type"])
    return replace(good, query={key: value for key, value in good.query.items() if key != name})


def _other_token(world: World, dice: random.Random) -> Attack:
    return _sealed(world, dice, _text(world, dice), kind="other_token", token=_word(dice))


def _stale(world: World, dice: random.Random) -> Attack:
    away = dice.choice([-1, 1]) * dice.randrange(330, 10**6)
    return _sealed(world, dice, _text(world, dice), kind="stale", stamp=world.stamp + away)


def _odd_stamp(world: World, dice: random.Random) -> Attack:
    good = _sealed(world, dice, _text(world, dice), kind="odd_stamp")
    stamp = dice.choice(["", "now", "-1", "1e9", "１７００", " 17", "9" * 400, "0x10", "NaN"])
    return replace(good, query={**good.query, "timestamp": stamp})


def _replay(world: World, dice: random.Random) -> Attack:
    """A true message again, newly signed or stale: there is one effect, and it has been."""
    if dice.random() < 0.5:
        return replace(_sealed(world, dice, world.known, kind="replay"), answers=_TAKEN)
    late = world.stamp - dice.randrange(330, 9999)
    return _sealed(world, dice, world.known, kind="replay_stale", stamp=late)


def _other_app(world: World, dice: random.Random) -> Attack:
    other = dice.choice([f"wx{_word(dice)}", "", f"{world.config.appid}x", world.config.appid[:-1]])
    return _sealed(world, dice, _text(world, dice), kind="other_app", appid=other or "x")


def _bomb(dice: random.Random) -> bytes:
    levels = dice.randrange(3, 10)
    entities = "".join(
        f'<!ENTITY b{level} "{f"&b{level - 1};" * 10}">' for level in range(1, levels)
    )
    return (
        f'<?xml version="1.0"?><!DOCTYPE xml [<!ENTITY b0 "ha">{entities}]>'
        f"<xml><Encrypt>&b{levels - 1};</Encrypt><MsgType>&b{levels - 1};</MsgType></xml>"
    ).encode()


def _entity_bomb(world: World, dice: random.Random) -> Attack:
    inside = _sealed(world, dice, _bomb(dice), kind="entity_bomb")
    return inside if dice.random() < 0.5 else replace(inside, body=_bomb(dice))


def _outside_entity(world: World, dice: random.Random) -> Attack:
    where = dice.choice(["file:///etc/passwd", "http://127.0.0.1:9/x", "/dev/random"])
    body = f'<!DOCTYPE x [<!ENTITY e SYSTEM "{where}">]><xml><Encrypt>&e;</Encrypt></xml>'.encode()
    return replace(_sealed(world, dice, b"", kind="outside_entity"), body=body)


def _huge(world: World, dice: random.Random) -> Attack:
    """Announced as ten megabytes and more; whoever reads it has lost."""
    path = dice.choice([ACCOUNT, PAY, REFUND])
    good = _sealed(world, dice, _text(world, dice), kind="huge")
    announced = HUGE + dice.randrange(10**9)
    refused = frozenset({HTTPStatus.REQUEST_ENTITY_TOO_LARGE})
    return replace(good, path=path, body=b"", announced=announced, answers=refused)


def _large(world: World, dice: random.Random) -> Attack:
    """Just over or under the limit, and nothing but noise."""
    size = 64 * 1024 + dice.randrange(-2000, 2000)
    good = _sealed(world, dice, b"", kind="large")
    return replace(good, body=dice.choice([b"<", b"<a>", b"\0", b"A"]) * (size // 3))


def _unknown_type(world: World, dice: random.Random) -> Attack:
    document = _text(world, dice, kind=dice.choice(["hologram", _word(dice), "文本"]))
    return replace(_sealed(world, dice, document, kind="unknown_type"), answers=_TAKEN)


def _useless(world: World, dice: random.Random) -> Attack:
    """Signed and sealed, and not a message: parts are missing or nonsense."""
    document = _text(world, dice)
    names = ["FromUserName", "CreateTime", "MsgType"]
    name = dice.choice(names).encode()
    broken = document.replace(b"<" + name + b">", b"<x>").replace(b"</" + name + b">", b"</x>")
    return replace(_sealed(world, dice, broken, kind="useless"), answers=_TAKEN)


def _truncated(world: World, dice: random.Random) -> Attack:
    """The signature covers what is there, but what is there is cut, shuffled or invented."""
    key = sealing.aes_key(world.config.aes_key)
    good = sealing.seal(_text(world, dice), key=key, appid=world.config.appid)
    noise = base64.b64encode(dice.randbytes(dice.randrange(0, 200))).decode()
    cut = good[: dice.randrange(0, len(good) - 4)]
    return _signed(world, dice, dice.choice([cut, noise, "", "=", good[::-1]]), kind="truncated")


def _plain(world: World, dice: random.Random) -> Attack:
    """Unsealed at an account that seals, with a right plain signature."""
    when, nonce = str(world.stamp), _word(dice)
    query = {
        "signature": sealing.signature(world.config.token, when, nonce),
        "timestamp": when,
        "nonce": nonce,
    } | dice.choice([{}, {"encrypt_type": "raw"}, {"encrypt_type": ""}, {"encrypt_type": "AES"}])
    return Attack(kind="plain", path=ACCOUNT, query=query, body=_text(world, dice))


def _not_xml(world: World, dice: random.Random) -> Attack:
    good = _sealed(world, dice, b"", kind="not_xml")
    bodies = [
        b"",
        b"{}",
        b"\xff\xfe<\0x\0>\0",
        dice.randbytes(dice.randrange(1, 400)),
        b"<xml>" * dice.randrange(2, 2000),
        b"<xml>" + b"<a></a>" * 3000 + b"</xml>",
        b"<xml><Encrypt>\xf0\x28\x8c\x28</Encrypt></xml>",
    ]
    return replace(good, body=dice.choice(bodies))


def _flipped(world: World, dice: random.Random) -> Attack:
    """One byte of a right body is another one."""
    good = _sealed(world, dice, _text(world, dice), kind="flipped")
    start = good.body.index(b"<Encrypt>") + len("<Encrypt>")
    place = dice.randrange(start, good.body.index(b"</Encrypt>") - 4)
    wrong = b"A" if good.body[place : place + 1] != b"A" else b"B"
    return replace(good, body=good.body[:place] + wrong + good.body[place + 1 :])


def _asks(world: World, dice: random.Random) -> Attack:
    """The check of the address, unsigned, stale or sealed with another key; and other methods."""
    if dice.random() < 0.4:
        method = dice.choice(["PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE"])
        return replace(_sealed(world, dice, b"x", kind="asks"), method=method)
    query = {"timestamp": str(world.stamp), "nonce": _word(dice), "echostr": _word(dice)}
    query |= dice.choice([{"signature": _word(dice, 40)}, {"msg_signature": "0" * 40}, {}])
    return Attack(kind="asks", path=ACCOUNT, query=query, method="GET")


_ACCOUNT_KINDS: Final[list[Maker]] = [
    _bad_signature,
    _lacks_a_part,
    _other_token,
    _stale,
    _odd_stamp,
    _replay,
    _other_app,
    _entity_bomb,
    _outside_entity,
    _huge,
    _large,
    _unknown_type,
    _useless,
    _truncated,
    _plain,
    _not_xml,
    _flipped,
    _asks,
]


# ---------------------------------------------------------------- the notices of payments


def _notice(world: World, dice: random.Random, *, key: bytes, kind: str) -> bytes:
    nonce = _word(dice, 12)
    facts = json.dumps({"out_trade_no": _word(dice), "trade_state": "SUCCESS"}).encode()
    sealed = AESGCM(key).encrypt(nonce.encode(), facts, b"transaction")
    ciphertext = base64.b64encode(sealed).decode()
    resource = {"nonce": nonce, "associated_data": "transaction", "ciphertext": ciphertext}
    return json.dumps({"id": _word(dice), "event_type": kind, "resource": resource}).encode()


def _posted(
    world: World, dice: random.Random, body: bytes, *, kind: str, stamp: int | None = None
) -> Attack:
    """A notice whose signature is WeChat's own."""
    when, nonce = str(stamp or world.stamp), _word(dice)
    signature = signing.sign(key=world.pay_key, text=signing.lines(when, nonce, body))
    headers = {
        "Wechatpay-Timestamp": when,
        "Wechatpay-Nonce": nonce,
        "Wechatpay-Signature": signature,
        "Wechatpay-Serial": world.pay_serial,
        "Wechatpay-Signature-Type": signing.SCHEME,
    }
    path = dice.choice([PAY, REFUND])
    return Attack(kind=kind, path=path, body=body, headers=headers)


def _notice_unproved(world: World, dice: random.Random) -> Attack:
    body = _notice(world, dice, key=world.config.apiv3_key, kind="TRANSACTION.SUCCESS")
    forged = base64.b64encode(dice.randbytes(256)).decode()
    wrong = dice.choice(
        [
            {"Wechatpay-Signature": forged},
            {"Wechatpay-Signature": f"WECHATPAY/SIGNTEST/{forged[:40]}"},
            {"Wechatpay-Signature": ""},
            {"Wechatpay-Signature": "签名"},
            {"Wechatpay-Serial": "PUB_KEY_ID_0000000000000000"},
            {"Wechatpay-Serial": _word(dice, 40)},
            {"Wechatpay-Timestamp": dice.choice(["", "-1", "x", "9" * 30])},
            {"Wechatpay-Signature-Type": "NONE"},
        ]
    )
    when, nonce = str(world.stamp), _word(dice)
    headers = {
        "Wechatpay-Timestamp": when,
        "Wechatpay-Nonce": nonce,
        "Wechatpay-Signature": forged,
        "Wechatpay-Serial": world.pay_serial,
    } | wrong
    return Attack(
        kind="notice_unproved", path=dice.choice([PAY, REFUND]), body=body, headers=headers
    )


def _notice_stale(world: World, dice: random.Random) -> Attack:
    body = _notice(world, dice, key=world.config.apiv3_key, kind="TRANSACTION.SUCCESS")
    away = dice.choice([-1, 1]) * dice.randrange(330, 10**6)
    return _posted(world, dice, body, kind="notice_stale", stamp=world.stamp + away)


def _notice_changed(world: World, dice: random.Random) -> Attack:
    body = _notice(world, dice, key=world.config.apiv3_key, kind="TRANSACTION.SUCCESS")
    good = _posted(world, dice, body, kind="notice_changed")
    return replace(good, body=body + dice.choice([b" ", b"\n", b"{}", dice.randbytes(3)]))


def _notice_unreadable(world: World, dice: random.Random) -> Attack:
    """WeChat's signature over what our key does not open, or what is no notice at all."""
    other = _notice(world, dice, key=dice.randbytes(32), kind="TRANSACTION.SUCCESS")
    bodies = [
        other,
        other[: dice.randrange(0, len(other))],
        b"",
        b"[]",
        b"null",
        b'{"resource":null}',
        b'{"id":1,"event_type":2,"resource":{"nonce":3,"ciphertext":4}}',
        b"[" * 5000,
        dice.randbytes(100),
    ]
    attack = _posted(world, dice, dice.choice(bodies), kind="notice_unreadable")
    return replace(attack, answers=_OURS)


def _notice_empty(world: World, dice: random.Random) -> Attack:
    method = dice.choice(["GET", "POST", "PUT"])
    path = dice.choice([PAY, REFUND])
    return Attack(kind="notice_empty", path=path, method=method, body=dice.randbytes(20))


_PAY_KINDS: Final[list[Maker]] = [
    _notice_unproved,
    _notice_stale,
    _notice_changed,
    _notice_unreadable,
    _notice_empty,
]
