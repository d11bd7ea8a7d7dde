"""What WeChat's typed keys accept, and that no number is ever cut in two."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hospital.messaging import approved, fitting
from hospital.messaging.registry import KINDS

DEMO = Path(__file__).parents[3] / "demo" / "wechat_templates.json"


@pytest.mark.parametrize(
    ("value", "key", "sent"),
    [
        ("针灸推拿科", "thing1", "针灸推拿科"),
        ("", "thing1", "—"),
        ("两\n行 文\t字", "thing1", "两 行 文 字"),
        ("11月24日 周二 08:30-09:00", "thing4", "11月24日 08:30-09:00"),
        ("11月24日（星期二）08:30-09:00", "thing4", "11月24日08:30-09:00"),
        (
            "一二三四五六七八九十一二三四五六七八九十",
            "thing1",
            "一二三四五六七八九十一二三四五六七八九十",
        ),
        (
            "一二三四五六七八九十一二三四五六七八九十一",
            "thing1",
            "一二三四五六七八九十一二三四五六七八九…",
        ),
        ("到门诊楼三楼东侧针灸推拿科取号机 A0123", "thing1", "到门诊楼三楼东侧针灸推拿科… A0123"),
        ("到门诊楼三楼东侧针灸推拿科取号机A0123号", "thing1", "到门诊楼三楼东侧针灸推拿科取号机…"),
        (
            "门诊楼三楼东侧针灸推拿科候诊区 针灸一诊室",
            "thing1",
            "门诊楼三楼东侧针灸推拿科候… 针灸一诊室",
        ),
        ("陈知行→欧阳若谷", "thing1", "陈知行→欧阳若谷"),
        (f"{'阿' * 15}→{'买' * 15}", "thing1", f"{'阿' * 8}…→{'买' * 9}…"),
        (f"陈知行→{'买' * 15}", "thing1", f"陈知行→{'买' * 15}"),
        (f"陈知行→{'买' * 17}", "thing1", f"陈知行→{'买' * 15}…"),
        (f"{'阿' * 17}→陈知行", "thing1", f"{'阿' * 15}…→陈知行"),
        (f"{'阿' * 15} 国家中医肿瘤重点专科", "thing1", f"{'阿' * 15} 国家中…"),
        ("A1234567890123456789012345", "thing1", "见详情"),
        ("A012", "character_string5", "A012"),
        ("第 12 号", "character_string5", "12"),
        ("¥1,234.00", "amount3", "¥1,234.00"),
        ("14:32", "time3", "14:32"),
        ("2026年11月24日 08:30", "time3", "2026年11月24日 08:30"),
        ("退款成功", "phrase3", "退款成功"),
        ("退款异常，正在处理", "phrase3", "退款异常正"),
        ("12", "number1", "12"),
    ],
)
def test_values_are_fitted_to_their_key(value: str, key: str, sent: str) -> None:
    assert fitting.fit(value, key=key) == sent


@pytest.mark.parametrize(
    ("value", "key"),
    [
        ("无需退款", "amount3"),
        ("明天", "time3"),
        ("十二", "character_string5"),
        ("1" * 33, "character_string5"),
        ("A012", "number1"),
        ("12", "phrase1"),
    ],
)
def test_what_a_key_can_never_hold_is_an_error(value: str, key: str) -> None:
    with pytest.raises(fitting.DoesNotFit):
        fitting.fit(value, key=key)


@pytest.mark.parametrize("key", ["first", "remark", "thing", "banana1", "Thing1"])
def test_untyped_keys_are_an_error(key: str) -> None:
    with pytest.raises(fitting.DoesNotFit):
        fitting.fit("x", key=key)


@given(st.text(st.sampled_from("门诊楼三东侧 A0129-:.𠮷"), max_size=60), st.integers(5, 32))
def test_a_shortened_text_fits_and_cuts_no_code(text: str, limit: int) -> None:
    text = " ".join(text.split())

    short = fitting.shorten(text, limit=limit)

    assert fitting.units(short) <= limit
    if short.endswith("…"):
        kept = short[:-1]
        assert text.startswith(kept)
        rest = text[len(kept) :].lstrip()
        # The character before and the one after the cut never belong to one code.
        touching = text[len(kept) : len(kept) + 1] == rest[:1]
        assert not (touching and re.fullmatch("[A0129:.-]{2}", kept[-1:] + rest[:1]))


CODES = st.from_regex(
    r"[A-Z]?[0-9]{1,12}(?:[.:,/-][0-9]{1,6})?|¥[0-9]{1,6}\.[0-9]{2}", fullmatch=True
)
WORDS = st.text(
    st.sampled_from("门诊楼三东侧针灸推拿科陈知行，（）·𠮷周二"), min_size=1, max_size=12
)


@example([("·", "0"), ("周三", "¥0.00"), ("··", "¥000000.00")], "thing1")
@given(
    st.lists(st.tuples(WORDS, CODES), max_size=6), st.sampled_from(["thing1", "name2", "const3"])
)
def test_every_code_that_is_left_is_a_whole_one(parts: list[tuple[str, str]], key: str) -> None:
    """However words and codes are mixed, what is left of a text holds its first codes, whole."""
    text = "".join(f"{word}{code}" for word, code in parts)

    kept = fitting.fit(text, key=key)

    assert fitting.units(kept) <= (10 if key == "name2" else 20)
    codes = re.findall(fitting._CODE, text)
    left = re.findall(fitting._CODE, kept)
    assert left == codes[: len(left)]


@pytest.mark.parametrize("key", [f"{name}1" for name in fitting.TYPES])
@given(text=st.text(max_size=60))
def test_whatever_is_typed_fits_or_is_refused_outright(key: str, text: str) -> None:
    try:
        sent = fitting.fit(text, key=key)
    except fitting.DoesNotFit:
        return
    assert 0 < fitting.units(sent) <= 32
    assert "\n" not in sent
    assert fitting.fit(sent, key=key) == sent, "what fits is left alone"


def test_every_type_says_its_limit() -> None:
    assert fitting.LIMITS.keys() == fitting.TYPES.keys()


def test_the_demo_templates_serve_every_kind_and_field() -> None:
    listed = json.loads(DEMO.read_text("utf-8"))

    templates = approved.read(listed)

    assert templates.keys() == {code for code, one in KINDS.items() if one.audience == "patient"}
    for entry in listed:
        assert entry["fields"].keys() == KINDS[entry["kind"]].fields.keys()
        assert list(entry["fields"].values()) == list(entry["keys"])


@pytest.mark.parametrize(
    "entry",
    [
        {"kind": "N99", "template_id": "x", "fields": {}},
        {"kind": "N01", "fields": {}},
        {"kind": "N01", "template_id": "x", "fields": {"weather": "thing1"}},
        {"kind": "N01", "template_id": "x", "fields": {"doctor": "first"}},
        {"kind": "N01", "template_id": "x", "fields": "doctor"},
        "N01",
    ],
)
def test_a_wrong_template_file_is_refused(entry: object) -> None:
    with pytest.raises(approved.BadTemplates):
        approved.read([entry])


def test_no_templates_are_no_error() -> None:
    assert approved.read({}) == {}
    assert approved.read([]) == {}
