"""Chinese text as pinyin, computed when a row is saved and stored beside the text.

The database knows no Chinese collation, so lists sort by the stored pinyin, and search boxes
match what people type against it. Readings have no tones; ü is written v, as on a keyboard.
"""

import unicodedata
from typing import Final

_RARE: Final = "\u3400"  # from here on come ideographs
# Characters that are read differently as a surname; two-character surnames first.
_SURNAMES: Final = {
    "万俟": "mo qi",
    "尉迟": "yu chi",
    "长孙": "zhang sun",
    "澹台": "tan tai",
    "单于": "chan yu",
    "么": "yao",
    "仇": "qiu",
    "佴": "nai",
    "区": "ou",
    "华": "hua",
    "单": "shan",
    "召": "shao",
    "员": "yun",
    "宁": "ning",
    "宓": "mi",
    "尹": "yin",
    "折": "she",
    "晟": "cheng",
    "曾": "zeng",
    "朴": "piao",
    "查": "zha",
    "洗": "xian",
    "冼": "xian",
    "盖": "ge",
    "种": "chong",
    "秘": "bi",
    "繁": "po",
    "纪": "ji",
    "缪": "miao",
    "翟": "zhai",
    "覃": "qin",
    "解": "xie",
    "谌": "chen",
    "逄": "pang",
    "那": "na",
    "阚": "kan",
    "任": "ren",
    "黑": "he",
    "乐": "yue",
}


def pinyin(text: str) -> str:
    """Syllables parted by spaces: "针灸科" is "zhen jiu ke"; other characters stay, lower case."""
    return " ".join(_syllables(text))


def initials(text: str) -> str:
    """First letters: "针灸科" is "zjk"."""
    return "".join(syllable[0] for syllable in _syllables(text))


def name_pinyin(name: str) -> str:
    """Like `pinyin`, for a person: "单小曾" starts with the surname's reading, shan."""
    surname = next((known for known in _SURNAMES if name.startswith(known)), "")
    if not surname:
        return pinyin(name)
    return " ".join([_SURNAMES[surname], *_syllables(name.removeprefix(surname))])


def name_initials(name: str) -> str:
    """First letters of a person's name, with the surname's own reading."""
    return "".join(syllable[0] for syllable in name_pinyin(name).split())


def fold(text: str) -> str:
    """What somebody typed into a search box, made comparable: narrow, lower case, no spaces."""
    narrow = unicodedata.normalize("NFKC", text).casefold().replace("ü", "v")
    return "".join(narrow.split())


def _syllables(text: str) -> list[str]:
    # Its dictionaries are a fifth of the time in which a process starts; most never read a name.
    from pypinyin import Style, lazy_pinyin

    narrow = unicodedata.normalize("NFKC", text).casefold()
    # The library lets `errors` return several syllables; its annotation does not say so.
    read = lazy_pinyin(narrow, style=Style.NORMAL, errors=_letters)  # type: ignore[arg-type]
    return [syllable for syllable in read if syllable]


def _letters(text: str) -> list[str]:
    """Runs of letters and digits between Chinese characters; punctuation has no reading.

    A Chinese character that no dictionary knows stands for its own syllable.
    """
    spaced = (f" {char} " if char >= _RARE else char for char in text)
    return "".join(char if char.isalnum() else " " for char in "".join(spaced)).split()
