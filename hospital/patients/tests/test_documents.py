"""Document numbers: M3.2 (resident ID) and M3.13 (all other kinds), as properties and examples."""

from __future__ import annotations

import contextlib
import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hospital.patients import documents
from hospital.patients.documents import BadDocument
from hospital.patients.states import DocumentKind, Sex

TODAY = dt.date(2026, 11, 22)
AREAS = st.sampled_from(["110105", "440524", "440784", "441900", "650102", "522701"])


@st.composite
def resident_ids(draw: st.DrawFn) -> str:
    born = draw(st.dates(min_value=dt.date(1880, 1, 1), max_value=TODAY))
    serial = draw(st.integers(0, 999))
    seventeen = f"{draw(AREAS)}{born:%Y%m%d}{serial:03d}"
    return seventeen + documents.check_character(seventeen)


@pytest.mark.parametrize(
    ("number", "born", "sex"),
    [
        ("11010519491231002X", dt.date(1949, 12, 31), Sex.FEMALE),
        ("440524188001010014", dt.date(1880, 1, 1), Sex.MALE),
        (" 11010519491231002x ", dt.date(1949, 12, 31), Sex.FEMALE),
        ("１１０１０５１９４９１２３１００２Ｘ", dt.date(1949, 12, 31), Sex.FEMALE),
        ("11010519491231OO2X", dt.date(1949, 12, 31), Sex.FEMALE),
    ],
)
def test_it_reads_published_numbers(number: str, born: dt.date, sex: Sex) -> None:
    document = documents.parse_resident_id(number, on=TODAY)

    assert document.kind is DocumentKind.RESIDENT_ID
    assert (document.birth_date, document.sex) == (born, sex)
    assert document.number == documents.normalise(number).replace("O", "0")


@given(resident_ids())
def test_every_well_made_number_passes(number: str) -> None:
    document = documents.parse_resident_id(number, on=TODAY)

    assert document.number == number
    assert f"{document.birth_date:%Y%m%d}" == number[6:14]
    assert (document.sex is Sex.MALE) == (int(number[16]) % 2 == 1)


@given(resident_ids(), st.integers(0, 17), st.sampled_from("0123456789X"))
def test_any_single_wrong_character_fails(number: str, place: int, character: str) -> None:
    if number[place] == character:
        return
    with pytest.raises(BadDocument):
        documents.parse_resident_id(number[:place] + character + number[place + 1 :], on=TODAY)


@given(resident_ids(), st.integers(0, 16))
def test_any_swap_of_different_neighbours_fails(number: str, place: int) -> None:
    one, other = number[place], number[place + 1]
    if one == other:
        return
    with pytest.raises(BadDocument):
        documents.parse_resident_id(number[:place] + other + one + number[place + 2 :], on=TODAY)


@given(AREAS, st.dates(dt.date(1900, 1, 1), dt.date(1999, 12, 31)), st.integers(0, 995))
def test_fifteen_digits_become_eighteen(area: str, born: dt.date, serial: int) -> None:
    fifteen = f"{area}{born:%y%m%d}{serial:03d}"

    document = documents.parse_resident_id(fifteen, on=TODAY)

    assert document.number[:17] == f"{area}{born:%Y%m%d}{serial:03d}"
    assert document.birth_date == born
    assert (document.sex is Sex.MALE) == (serial % 2 == 1)
    assert document.number[:6] + document.number[8:17] == fifteen  # and back again


@given(AREAS, st.dates(dt.date(1880, 1, 1), dt.date(1899, 12, 31)), st.integers(996, 999))
def test_the_last_four_of_fifteen_digits_were_kept_for_centenarians(
    area: str, born: dt.date, serial: int
) -> None:
    fifteen = f"{area}{born:%y%m%d}{serial:03d}"

    document = documents.parse_resident_id(fifteen, on=TODAY)

    assert (document.birth_date, document.number[:17]) == (
        born,
        f"{area}{born:%Y%m%d}{serial:03d}",
    )
    assert document.number[:6] + document.number[8:17] == fifteen


PERMITS = st.sampled_from(
    [
        (DocumentKind.RESIDENCE_PERMIT, "810000"),
        (DocumentKind.RESIDENCE_PERMIT, "820000"),
        (DocumentKind.RESIDENCE_PERMIT, "830000"),
        (DocumentKind.FOREIGNER_CARD, "911840"),
    ]
)


@given(PERMITS, st.dates(dt.date(1900, 1, 1), TODAY), st.integers(0, 999), st.integers(0, 16))
def test_permits_of_eighteen_characters_keep_the_same_promise(
    permit: tuple[DocumentKind, str], born: dt.date, serial: int, place: int
) -> None:
    kind, start = permit
    number = _with_check(f"{start}{born:%Y%m%d}{serial:03d}")

    document = documents.check(kind, number.lower(), on=TODAY)

    assert (document.kind, document.number, document.birth_date) == (kind, number, born)
    wrong = [number[:place] + str((int(number[place]) + 1) % 10) + number[place + 1 :]]
    if number[place] != number[place + 1]:
        wrong.append(number[:place] + number[place + 1] + number[place] + number[place + 2 :])
    for text in wrong:
        with pytest.raises(BadDocument):
            documents.check(kind, text, on=TODAY)


def _digits(count: int) -> st.SearchStrategy[str]:
    return st.integers(0, 10**count - 1).map(lambda value: f"{value:0{count}d}")


SHAPED = st.one_of(
    st.tuples(st.just(DocumentKind.HK_MACAU_PERMIT), st.sampled_from("HM"), _digits(8)),
    st.tuples(st.just(DocumentKind.HK_MACAU_PERMIT), st.sampled_from("HM"), _digits(10)),
    st.tuples(st.just(DocumentKind.TAIWAN_PERMIT), st.just(""), _digits(8)),
    st.tuples(st.just(DocumentKind.PASSPORT), st.sampled_from(["", "E", "EA"]), _digits(9)),
    st.tuples(st.just(DocumentKind.FOREIGNER_CARD), st.just("USA"), _digits(12)),
)


@given(SHAPED)
def test_every_number_of_a_shape_passes_and_tells_nothing(
    told: tuple[DocumentKind, str, str],
) -> None:
    kind, number = told[0], told[1] + told[2]

    assert documents.check(kind, f" {number.lower()} ", on=TODAY) == documents.Document(
        kind, documents.normalise(number)
    )


@given(st.text(max_size=80), st.sampled_from(DocumentKind))
def test_no_input_breaks_the_check(text: str, kind: DocumentKind) -> None:
    with contextlib.suppress(BadDocument):
        document = documents.check(kind, text, on=TODAY)
        assert documents.check(document.kind, document.number, on=TODAY) == document


def _with_check(seventeen: str) -> str:
    return seventeen + documents.check_character(seventeen)


@pytest.mark.parametrize(
    ("number", "sentence"),
    [
        ("", "请填写证件号码。"),
        ("1101051949123100", "18 位"),
        ("110105194912310021", "校验位"),
        (_with_check("11010519491331002"), "出生日期不存在"),
        (_with_check("11010520230229002"), "出生日期不存在"),
        (_with_check("11010520261123002"), "不能晚于今天"),
        (_with_check("11010518751121002"), "超过 150 年"),
        (_with_check("99010519491231002"), "地区"),
        (_with_check("11000519491231002"), "地区"),
        (_with_check("81000019491231002"), "地区"),
    ],
)
def test_it_says_what_is_wrong(number: str, sentence: str) -> None:
    with pytest.raises(BadDocument, match=sentence):
        documents.check(DocumentKind.RESIDENT_ID, number, on=TODAY)


def test_born_today_and_150_years_ago_still_pass() -> None:
    for born in (TODAY, dt.date(1875, 11, 23)):
        number = _with_check(f"440784{born:%Y%m%d}002")
        assert documents.parse_resident_id(number, on=TODAY).birth_date == born


def test_a_household_book_is_filed_as_the_resident_id_it_carries() -> None:
    number = _with_check("44078420200105002")

    document = documents.check(DocumentKind.HOUSEHOLD_BOOK, number, on=TODAY)

    assert document == documents.check(DocumentKind.RESIDENT_ID, number, on=TODAY)


@pytest.mark.parametrize(
    ("kind", "number", "stored"),
    [
        (DocumentKind.PASSPORT, "e 1234-5678", "E12345678"),
        (DocumentKind.PASSPORT, "12345", "12345"),
        (DocumentKind.HK_MACAU_PERMIT, "h12345678", "H12345678"),
        (DocumentKind.HK_MACAU_PERMIT, "M1234567801", "M1234567801"),
        (DocumentKind.TAIWAN_PERMIT, "01234567", "01234567"),
        (DocumentKind.FOREIGNER_CARD, "usa310089112412", "USA310089112412"),
        (DocumentKind.OFFICER_CARD, "军字第1234567号", "军字第1234567号"),
        (DocumentKind.OTHER, "BZ-2026-001", "BZ2026001"),
    ],
)
def test_other_documents_are_stored_in_one_spelling(
    kind: DocumentKind, number: str, stored: str
) -> None:
    document = documents.check(kind, number, on=TODAY)

    assert (document.kind, document.number) == (kind, stored)
    assert document.birth_date is None
    assert document.sex is None


@pytest.mark.parametrize(
    ("kind", "number"),
    [
        (DocumentKind.PASSPORT, "E123"),
        (DocumentKind.PASSPORT, "ABCDEFG"),
        (DocumentKind.PASSPORT, "E12345678901234567"),
        (DocumentKind.HK_MACAU_PERMIT, "H123456789"),
        (DocumentKind.HK_MACAU_PERMIT, "C12345678"),
        (DocumentKind.HK_MACAU_PERMIT, "H1234567"),
        (DocumentKind.TAIWAN_PERMIT, "0123456"),
        (DocumentKind.TAIWAN_PERMIT, "T1234567"),
        (DocumentKind.FOREIGNER_CARD, "US310089112412"),
        (DocumentKind.RESIDENCE_PERMIT, _with_check("44078419900101002")),
        (DocumentKind.RESIDENCE_PERMIT, "810000199001010021"),
        (DocumentKind.FOREIGNER_CARD, _with_check("81000019900101002")),
        (DocumentKind.OFFICER_CARD, "军字第号"),
        (DocumentKind.OTHER, "A1"),
    ],
)
def test_numbers_of_the_wrong_shape_are_refused(kind: DocumentKind, number: str) -> None:
    with pytest.raises(BadDocument):
        documents.check(kind, number, on=TODAY)


@pytest.mark.parametrize(
    ("kind", "seventeen"),
    [
        (DocumentKind.RESIDENCE_PERMIT, "81000019900101002"),
        (DocumentKind.RESIDENCE_PERMIT, "82000019900101003"),
        (DocumentKind.RESIDENCE_PERMIT, "83000019900101004"),
        (DocumentKind.FOREIGNER_CARD, "91184019900101005"),
    ],
)
def test_eighteen_character_permits_tell_sex_and_birth_date(
    kind: DocumentKind, seventeen: str
) -> None:
    document = documents.check(kind, _with_check(seventeen), on=TODAY)

    assert document.birth_date == dt.date(1990, 1, 1)
    assert document.sex is (Sex.MALE if int(seventeen[16]) % 2 else Sex.FEMALE)


@pytest.mark.parametrize(
    ("born", "day", "age"),
    [
        (dt.date(2012, 11, 22), TODAY, 14),
        (dt.date(2012, 11, 23), TODAY, 13),
        (dt.date(2024, 2, 29), dt.date(2025, 2, 28), 0),
        (dt.date(2024, 2, 29), dt.date(2025, 3, 1), 1),
    ],
)
def test_age_in_full_years(born: dt.date, day: dt.date, age: int) -> None:
    assert documents.age_in_years(born, on=day) == age
