"""The XML of WeChat: what is read, what is refused, and that written text comes back."""

import contextlib

import pytest
import xmltodict
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hospital.wechat.xml import MOST_BYTES, BadXml, clean, read_xml, write_xml

BOMB = (
    b'<!DOCTYPE x [<!ENTITY a "0123456789"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">'
    b'<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">]><xml><v>&c;</v></xml>'
)
FILE = b'<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/hostname">]><xml><v>&f;</v></xml>'


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (BOMB, "document_type"),
        (FILE, "document_type"),
        (b'<!DOCTYPE x SYSTEM "http://127.0.0.1/x.dtd"><xml/>', "document_type"),
        (b"<?php echo 1 ?><xml/>", "processing_instruction"),
        (b"", "not_well_formed"),
        (b"<xml><a>", "not_well_formed"),
        (b"<xml>&nbsp;</xml>", "not_well_formed"),
        (b"<xml>\xff</xml>", "not_utf8"),
        ("<xml>号</xml>".encode("gbk"), "not_utf8"),
        ("<xml/>".encode("utf-16"), "not_utf8"),
        ("<xml/>".encode("utf-16-be"), "not_utf8"),
        (b"<xml/><xml/>", "not_well_formed"),
        (b"<a>" * 9 + b"</a>" * 9, "too_deep"),
        (b"<xml>" + b"<a/>" * 2000 + b"</xml>", "too_many_elements"),
        (b"<xml>" + b"a" * MOST_BYTES + b"</xml>", "too_big"),
    ],
)
def test_hostile_xml_is_refused(body: bytes, reason: str) -> None:
    with pytest.raises(BadXml, match=f"^{reason}$"):
        read_xml(body)


def test_a_declared_encoding_changes_nothing() -> None:
    body = '<?xml version="1.0" encoding="gbk"?><xml><a>药</a></xml>'.encode()
    assert read_xml(body).value("a") == "药"


def test_nested_elements_keep_their_order() -> None:
    root = read_xml(
        b"<xml><Event><![CDATA[subscribe_msg_popup_event]]></Event>"
        b"<Event2><List><Id> 1 </Id></List><List><Id>2</Id></List></Event2></xml>"
    )
    event = root.child("Event2")
    assert event is not None
    assert [each.value("Id") for each in event.children] == ["1", "2"]
    assert root.values() == {"Event": "subscribe_msg_popup_event"}


def test_a_name_that_comes_twice_is_not_read_flat() -> None:
    root = read_xml(b"<xml><total_fee>1</total_fee><total_fee>100</total_fee></xml>")
    with pytest.raises(BadXml, match="repeated_element"):
        root.values()


def test_text_that_xml_cannot_hold_is_not_written() -> None:
    with pytest.raises(ValueError, match="body"):
        write_xml({"body": "挂号费\x00"})
    assert clean("挂\x00号\r费\ud800") == "挂号费"


@settings(max_examples=60)
@given(
    st.dictionaries(
        st.from_regex(r"[a-z_]{1,12}", fullmatch=True), st.text().map(clean).map(str.strip)
    )
)
@example({"a": "]]>", "b": "]]]]>><![CDATA[", "c": "&lt;&#0;"})
def test_what_is_written_is_read_by_us_and_by_others(fields: dict[str, str]) -> None:
    body = write_xml(fields)
    assert read_xml(body).values() == fields
    # A foreign reader of the same bytes: it gives None for what is empty.
    theirs = xmltodict.parse(body.decode())["xml"] or {}
    assert {name: text or "" for name, text in theirs.items()} == fields


@settings(max_examples=200)
@given(st.binary(max_size=300) | st.text(alphabet="<>/!?[]&;xa \"'=", max_size=60).map(str.encode))
def test_bytes_end_in_an_element_or_in_bad_xml(body: bytes) -> None:
    with contextlib.suppress(BadXml):
        assert read_xml(body).name
