"""Whatever a merchant's server answers, the stand-in reads it or says that it cannot."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wechat_sandbox import inbound, replies, sealing, xml
from wechat_sandbox.account_records import Inbound
from wechat_sandbox.sandbox import Sandbox
from wechat_sandbox.settings import Settings

OPENID = "oABCDEFGHIJKLMNOPQRSTUVWXYZ1"
MESSAGE = Inbound(1, OPENID, "text", "", "", 7, "", 0.0, "sending", 0, None, 1, False, True)
WORDS = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=40)
SCRAPS = st.sampled_from(
    [
        '<?xml version="1.0"?>',
        '<?xml version="1.0" encoding="klingon"?>',
        '<?xml version="1.0" encoding="utf-16"?>',
        "<!DOCTYPE xml [<!ENTITY a 'b'>]>",
        "<xml>",
        "</xml>",
        "<Encrypt>",
        "</Encrypt>",
        "<MsgType>text</MsgType>",
        f"<ToUserName>{OPENID}</ToUserName>",
        "<CreateTime>1</CreateTime>",
        "<![CDATA[",
        "]]>",
        "&a;",
        "<Articles><item/></Articles>",
        "\ufeff",
    ]
)


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    made = Sandbox(Settings(data=tmp_path_factory.mktemp("replies"), base="http://127.0.0.1"))
    yield made
    made.store.close()


def read(sandbox: Sandbox, answer: bytes, mode: str) -> replies.Reply | None:
    """The reply; None also for what cannot be used. Anything else escapes."""
    try:
        return replies.read(sandbox, MESSAGE, answer, mode)
    except replies.Unusable:
        return None


@given(parts=st.lists(SCRAPS | WORDS, max_size=12), mode=st.sampled_from(["plain", "aes"]))
def test_scraps_of_xml(sandbox: Sandbox, parts: list[str], mode: str) -> None:
    read(sandbox, "".join(parts).encode(), mode)


@given(answer=st.binary(max_size=200))
def test_any_bytes(sandbox: Sandbox, answer: bytes) -> None:
    assert read(sandbox, answer, "plain") is None


@given(text=WORDS.filter(lambda text: text.strip() != ""), mode=st.sampled_from(["plain", "aes"]))
def test_what_is_written_is_read(sandbox: Sandbox, text: str, mode: str) -> None:
    plain = xml.write(
        [
            ("ToUserName", OPENID),
            ("FromUserName", inbound.account_name(sandbox)),
            ("CreateTime", 1_800_000_000),
            ("MsgType", "text"),
            ("Content", text),
        ]
    )
    answer = plain if mode == "plain" else sealed(sandbox, plain)
    reply = read(sandbox, answer, mode)
    assert reply is not None
    assert reply.text == text


def sealed(sandbox: Sandbox, plain: bytes, *, appid: str = "", token: str = "") -> bytes:
    """As a merchant's server in safe mode answers; `appid` and `token` put wrong ones in."""
    keys = sandbox.keys
    encrypted = sealing.seal(keys.aes_key, appid or keys.appid, plain)
    signed = sealing.signature(token or keys.token, "1800000000", "n", encrypted)
    return xml.write(
        [
            ("Encrypt", encrypted),
            ("MsgSignature", signed),
            ("TimeStamp", 1_800_000_000),
            ("Nonce", "n"),
        ]
    )


@given(at=st.integers(0, 300), bit=st.integers(0, 7))
def test_a_changed_seal_is_never_opened(sandbox: Sandbox, at: int, bit: int) -> None:
    plain = xml.write([("ToUserName", OPENID), ("MsgType", "text"), ("Content", "x")])
    answer = bytearray(sealed(sandbox, plain))
    answer[at % len(answer)] ^= 1 << bit
    assert read(sandbox, bytes(answer), "aes") is None


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"token": "another"}, "wrong MsgSignature"),
        ({"appid": "wx0000000000000000"}, "sealed for another appid"),
    ],
)
def test_a_seal_must_be_the_accounts_own(
    sandbox: Sandbox, wrong: dict[str, str], says: str
) -> None:
    plain = xml.write([("ToUserName", OPENID), ("MsgType", "text"), ("Content", "x")])
    with pytest.raises(replies.Unusable, match=says):
        replies.read(sandbox, MESSAGE, sealed(sandbox, plain, **wrong), "aes")


def test_seals_are_padded_to_blocks_of_32(sandbox: Sandbox) -> None:
    for length in range(33):
        text = sealing.seal(sandbox.keys.aes_key, "wx", b"x" * length)
        assert len(base64.b64decode(text)) % 32 == 0
        assert sealing.unseal(sandbox.keys.aes_key, text) == (b"x" * length, "wx")


def test_the_signature_vector() -> None:
    """Token test, nonce test, as published."""
    made = sealing.signature("test", "1410685589", "test")
    assert made == "f21891de399b4e33a1a93c9a7b8a8fffb5a443ff"


def test_articles_and_media(sandbox: Sandbox) -> None:
    head = (
        f"<xml><ToUserName>{OPENID}</ToUserName>"
        f"<FromUserName>{inbound.account_name(sandbox)}</FromUserName>"
        "<CreateTime>1800000000</CreateTime>"
    )
    image = f"{head}<MsgType>image</MsgType><Image><MediaId>m</MediaId></Image></xml>"
    shown = read(sandbox, image.encode(), "plain")
    assert shown is not None
    assert (shown.kind, shown.text) == ("image", "[image]")
    service = f"{head}<MsgType>transfer_customer_service</MsgType></xml>"
    assert replies.read(sandbox, MESSAGE, service.encode(), "plain") is None
    for broken in ("<MsgType>news</MsgType>", "<MsgType>image</MsgType>", "<MsgType>x</MsgType>"):
        with pytest.raises(replies.Unusable):
            replies.read(sandbox, MESSAGE, f"{head}{broken}</xml>".encode(), "plain")


def test_an_old_folder_gets_the_new_columns(tmp_path: Path) -> None:
    first = Sandbox(Settings(data=tmp_path, base="http://127.0.0.1"))
    first.store.run("ALTER TABLE users DROP COLUMN phone_number")
    first.store.run("ALTER TABLE messages DROP COLUMN result")
    first.store.close()
    again = Sandbox(Settings(data=tmp_path, base="http://127.0.0.1"))
    assert again.store.texts("SELECT phone_number FROM users") == []
    assert again.store.texts("SELECT result FROM messages") == []
    assert again.keys.sms_key == first.keys.sms_key
    again.store.close()
