"""What ID readers type, shape by shape, and what is no card."""

from __future__ import annotations

import datetime as dt
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hospital.patients import reader_text
from hospital.patients.states import DocumentKind, Sex

NUMBER = "11010519491231002X"
WHOLE = reader_text.Card(
    number=NUMBER,
    kind=DocumentKind.RESIDENT_ID,
    name="阿依古丽·买买提",
    sex=Sex.FEMALE,
    ethnic_group="05",
    birth_date=dt.date(1949, 12, 31),
    address="北京市朝阳区建国路 93 号院 1 号楼",
    valid_from=dt.date(2015, 3, 1),
    valid_until=dt.date(2035, 3, 1),
)
LABELLED = {
    "姓名": "阿依古丽·买买提",
    "性别": "女",
    "民族": "维吾尔",
    "出生": "1949年12月31日",
    "住址": "北京市朝阳区建国路 93 号院 1 号楼",
    "公民身份号码": NUMBER,
    "签发机关": "北京市公安局朝阳分局",
    "有效期限": "2015.03.01-2035.03.01",
}
VALUES = [
    "阿依古丽·买买提",
    "女",
    "维吾尔",
    "19491231",
    "北京市朝阳区建国路 93 号院 1 号楼",
    NUMBER,
    "北京市公安局朝阳分局",
    "20150301",
    "20350301",
]


@pytest.mark.parametrize(
    "text",
    [
        "\n".join(f"{word}：{value}" for word, value in LABELLED.items()),
        "\r\n".join(f"{word}={value}" for word, value in LABELLED.items()),
        " ".join(f"{word}:{value}" for word, value in LABELLED.items()),
        ",".join(f"{word}:{value}" for word, value in LABELLED.items()),
        "\t".join(VALUES),
        "|".join(VALUES),
        "\n".join(VALUES),
        "|".join([*VALUES[:7], "20150301-20350301"]),
        json.dumps(LABELLED, ensure_ascii=False),
        json.dumps(
            {
                "resultFlag": 0,
                "resultContent": {
                    "partyName": VALUES[0],
                    "gender": "女",
                    "nation": "维吾尔",
                    "bornDay": "19491231",
                    "certAddress": VALUES[4],
                    "certNumber": NUMBER,
                    "certOrg": VALUES[6],
                    "effDate": "20150301",
                    "expDate": "20350301",
                },
            }
        ),
        json.dumps(
            {
                "Name": VALUES[0],
                "Sex": "2",
                "Nation": "05",
                "Born": "1949-12-31",
                "Address": VALUES[4],
                "CardNo": NUMBER.lower(),
                "Police": VALUES[6],
                "StartDate": "2015.03.01",
                "EndDate": "2035.03.01",
            }
        ),
    ],
    ids=[
        "lines", "equals", "spaces", "commas", "tabs", "bars", "values", "period",
        "json", "nested", "english",
    ],
)  # fmt: skip
def test_every_usual_shape_gives_the_same_card(text: str) -> None:
    assert reader_text.read(text) == WHOLE


def test_a_card_without_end_has_none() -> None:
    text = "|".join([*VALUES[:7], "20150301", "长期"])

    card = reader_text.read(text)

    assert card is not None
    assert (card.valid_from, card.valid_until) == (dt.date(2015, 3, 1), None)


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        ("810000199001010021", DocumentKind.RESIDENCE_PERMIT),
        ("911840199001010051", DocumentKind.FOREIGNER_CARD),
        ("USA310089112412", DocumentKind.FOREIGNER_CARD),
        ("110105491231002", DocumentKind.RESIDENT_ID),
    ],
)
def test_the_number_tells_the_kind(number: str, kind: DocumentKind) -> None:
    card = reader_text.read(f"姓名:SMITH JOHN\n性别:男\n证件号码:{number}")

    assert card is not None
    assert (card.kind, card.number, card.name) == (kind, number, "SMITH JOHN")


@pytest.mark.parametrize(
    "text",
    [
        "", NUMBER, "13800138000", "陈晓宁", "cxn", "{", "{}", "[1, 2]", "姓名:陈晓宁",
        "陈晓宁|女", "张三,李四,王五", '{"name": "陈晓宁"}', f"number={NUMBER}", "[" * 3000,
    ],
)  # fmt: skip
def test_anything_else_is_no_card(text: str) -> None:
    assert reader_text.read(text) is None


@given(st.text(max_size=200))
def test_no_text_breaks_it(text: str) -> None:
    reader_text.read(text)
