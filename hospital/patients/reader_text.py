"""What ID readers type (pure): a card's fields out of text in any of the usual shapes.

Readers act as keyboards or paste. Their makers (华视 CVR-100, 新中新 DKQ, 精伦, 神思, 华大, …)
let the text be set up, and what hospitals find set up is one of three shapes:

- a field a line, "姓名：张三" or "name=张三", also all on one line parted by spaces or commas;
- the values alone in the card's order, parted by tabs, bars, commas or line ends: name, sex, ethnic
  group, birth, address, number, issuing office, validity;
- JSON as the local service of the reader says it, where the card is often nested.

Names of fields are told apart by their words; values alone by what they look like. Everything
that is not a card is no card: None.
"""

from __future__ import annotations

import datetime as dt
import json
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from hospital.patients import documents
from hospital.patients.reference import SEX_OF, ethnic_group_code
from hospital.patients.states import DocumentKind, Sex

_LONGEST: Final = 4000
_DEEPEST: Final = 4


@dataclass(frozen=True, slots=True)
class Card:
    """What stood on a card, as far as the text told; nothing of it is checked."""

    number: str
    kind: DocumentKind
    name: str = ""
    sex: Sex | None = None
    ethnic_group: str = ""
    birth_date: dt.date | None = None
    address: str = ""
    valid_from: dt.date | None = None
    valid_until: dt.date | None = None


#: What readers call a field, in lower case without spaces, dashes and underscores.
_WORDS: Final[Mapping[str, str]] = {
    word: field
    for field, words in {
        "name": "姓名 name partyname peoplename username xm certname fullname 中文姓名",
        "sex": "性别 sex gender peoplesex xb",
        "ethnic_group": "民族 nation nationality peoplenation mz ethnic folk nationname",
        "birth_date": "出生 出生日期 born birth birthday birthdate bornday peoplebirthday csrq",
        "address": "住址 地址 address addr certaddress peopleaddress zz homeaddress",
        "number": (
            "公民身份号码 身份证号 身份证号码 证件号码 号码 居民身份证号码 永久居留证号码 "
            "通行证号码 cardno idcard idcardno idno idnum idnumber certno certnumber number "
            "peopleidcode code cardid sfzh identitynumber"
        ),
        "period": (
            "有效期 有效期限 使用期限 validdate validity period usefullife activity "
            "validperiod effectivedate"
        ),
        "valid_from": (
            "有效期起 有效期开始 有效期起始日期 startdate effdate validdatestart begindate "
            "effectdate userlifeb validstart strartdate"
        ),
        "valid_until": (
            "有效期止 有效期截止 有效期结束 有效期截止日期 enddate expdate validdateend expire "
            "expiredate userlifee validend expirydate"
        ),
        "office": (
            "签发机关 发证机关 issued issue department police certorg grantdept authority "
            "signgov issuedat issueorgan"
        ),
    }.items()
    for word in words.split()
}
_LABELLED: Final = re.compile(
    r"(?:^|[\s,;|，；])[\"']?("
    + "|".join(sorted(map(re.escape, _WORDS), key=len, reverse=True))
    + r")[\"']?\s*[:=：]\s*",
    re.IGNORECASE,
)
_PARTS: Final = re.compile(r"[\t\r\n|,，;；]+")
_DATE: Final = re.compile(r"((?:18|19|20)[0-9]{2})[-./年]?([01]?[0-9])[-./月]?([0-3]?[0-9])日?")
_LONG_TERM: Final = re.compile("长期|永久|long", re.IGNORECASE)
_ID_LIKE: Final = re.compile(r"[0-9]{17}[0-9Xx]|[0-9]{15}")
_FOREIGNER: Final = re.compile(r"[A-Za-z]{3}[0-9]{12}")
#: Values alone need at least a name, a sex and a number to be a card.
_FEWEST_PARTS: Final = 3


def read(text: str) -> Card | None:
    """Return the card a reader typed, None when the text is none."""
    plain = unicodedata.normalize("NFKC", text[:_LONGEST]).replace("\0", "").strip("\ufeff \t\r\n")
    for fields in (_from_json(plain), _from_labels(plain), _from_order(plain)):
        card = _card(fields)
        if card is not None:
            return card
    return None


def _card(fields: Mapping[str, str]) -> Card | None:
    number = documents.normalise(fields.get("number", ""))
    kind = _kind(number)
    if kind is None or not fields.get("name"):
        return None
    start, _, end = _period(fields.get("period", ""))
    card = Card(
        number=number,
        kind=kind,
        name=fields["name"].strip(),
        sex=SEX_OF.get(fields.get("sex", "").strip().upper()),
        ethnic_group=ethnic_group_code(fields.get("ethnic_group", "")),
        birth_date=_date(fields.get("birth_date", "")),
        address=fields.get("address", "").strip(),
        valid_from=_date(fields.get("valid_from", "")) or _date(start),
        valid_until=_date(fields.get("valid_until", "")) or _date(end),
    )
    if card.valid_from and card.valid_until and card.valid_until < card.valid_from:
        return replace(card, valid_from=None, valid_until=None)
    return card


def _kind(number: str) -> DocumentKind | None:
    """Tell a document by its number: readers read chips, and only these three kinds have one."""
    if _FOREIGNER.fullmatch(number):
        return DocumentKind.FOREIGNER_CARD
    if not _ID_LIKE.fullmatch(number):
        return None
    if number.startswith(("81", "82", "83")):
        return DocumentKind.RESIDENCE_PERMIT
    return DocumentKind.FOREIGNER_CARD if number.startswith("9") else DocumentKind.RESIDENT_ID


def _from_json(text: str) -> dict[str, str]:
    if not text.startswith(("{", "[")):
        return {}
    try:
        told = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    fields: dict[str, str] = {}
    for key, value in _pairs(told, deep=0):
        field = _WORDS.get(re.sub(r"[\s_\-]", "", key).casefold())
        if field and value and field not in fields:
            fields[field] = value
    return fields


def _pairs(told: object, *, deep: int) -> Iterator[tuple[str, str]]:
    if deep > _DEEPEST:
        return
    if isinstance(told, dict):
        for key, value in told.items():
            if isinstance(value, dict | list):
                yield from _pairs(value, deep=deep + 1)
            elif isinstance(value, str | int):
                yield str(key), str(value)
    elif isinstance(told, list):
        for value in told:
            yield from _pairs(value, deep=deep + 1)


def _from_labels(text: str) -> dict[str, str]:
    """A value reaches from its label to the next one."""
    found = list(_LABELLED.finditer(text))
    fields: dict[str, str] = {}
    ends = [label.start() for label in found[1:]] + [len(text)]
    for label, end in zip(found, ends, strict=False):
        value = text[label.end() : end]
        field = _WORDS[label.group(1).casefold()]
        fields.setdefault(field, value.strip(" \t\r\n,;|\"'"))
    return fields


def _from_order(text: str) -> dict[str, str]:
    """Values alone: the name comes first, the rest is known by its look, the address is longest."""
    parts = [part.strip() for part in _PARTS.split(text) if part.strip()]
    if len(parts) < _FEWEST_PARTS:
        return {}
    fields = {"name": parts[0]}
    looks: dict[str, list[str]] = {"date": [], "word": []}
    for part in parts[1:]:
        look = _look_of(part)
        if look in looks or look in fields:
            looks["date" if look == "date" else "word"].append(part)
        else:
            fields[look] = part
    if "sex" not in fields:
        return {}
    # The card's order: birth before the address, validity behind the office.
    dates = looks["date"]
    if dates and not _LONG_TERM.search(dates[0]) and not _period(dates[0])[2]:
        fields["birth_date"] = dates.pop(0)
    fields["period"] = "-".join(date.replace("-", ".") for date in dates)
    fields["address"] = next(iter(looks["word"]), "")
    return fields


def _look_of(part: str) -> str:
    """Return the field a value alone must be; "word" when it may be any."""
    if _kind(documents.normalise(part)) is not None:
        return "number"
    if part.upper() in SEX_OF:
        return "sex"
    if ethnic_group_code(part):
        return "ethnic_group"
    return "date" if _DATE.match(part) or _LONG_TERM.search(part) else "word"


def _period(text: str) -> tuple[str, str, str]:
    """Return the start, what stands between, and the end of "2015.01.01-2035.01.01"."""
    found = list(_DATE.finditer(text))
    start = found[0].group() if found else ""
    end = found[1].group() if len(found) > 1 else ""
    return start, "-", end or (text if found and _LONG_TERM.search(text) else "")


def _date(text: str) -> dt.date | None:
    found = _DATE.match(text.strip())
    if found is None or _LONG_TERM.search(text):
        return None
    try:
        return dt.date(*(int(part) for part in found.groups()))
    except ValueError:
        return None
