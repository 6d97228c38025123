"""Everything a message says, in one call, on 22 November 2026."""

import itertools
import unicodedata
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vietnamese.extraction import extract
from vietnamese.text import fold

TODAY = date(2026, 11, 22)

MESSAGES: list[tuple[str, dict[str, int | str | bool | list[int | str]]]] = [
    ("hộ cận nghèo mức 2tr đóng nửa năm", {"group": "near_poor", "amount": [2_000_000], "period": [6]}),
    ("ho can ngheo muc 2tr dong nua nam", {"group": "near_poor", "amount": [2_000_000], "period": [6]}),
    ("bhyt nhà 5 người 6 tháng", {"members": 5, "period": [6]}),
    ("bhyt nha 5 ng 6th bn ad", {"members": 5, "period": [6]}),
    ("thế còn người thứ 3?", {"member_order": 3}),
    ("6 tháng thì sao?", {"period": [6]}),
    ("còn hộ nghèo?", {"group": "poor"}),
    ("nếu sinh đôi?", {"children": 2}),
    (
        "e sinh con thu 2 thang 8/2026 luong 9tr6",
        {"birth_order": 2, "date": ["2026-08-01"], "amount": [9_600_000]},
    ),
    ("con thu 2 thang 8", {"birth_order": 2, "date": ["2026-08-01"]}),
    (
        "mẹ em 57 tuổi đóng 12 năm, mức 3 triệu",
        {"sex": "female", "age": 57, "period": [144], "amount": [3_000_000]},
    ),
    ("ba toi 61 tuoi 6 thang dong 16 nam", {"age": 61, "period": [192]}),
    ("nam 57t dong 20 nam", {"age": 57, "period": [240]}),
    ("vợ sinh mổ tuần 31", {"caesarean": True, "weeks": 31, "before_32_weeks": True}),
    (
        "lương 8 triệu vùng 1 đóng 40 tháng",
        {"amount": [8_000_000], "region": 1, "period": [40]},
    ),
    (
        "2 vợ chồng với 2 đứa mua 12t hết nhiêu",
        {"members": 4, "period": [12]},
    ),
    (
        "tính từ tháng 3/2018 tới tháng 6/2024 mức 4 triệu 7",
        {"date": ["2018-03-01", "2024-06-01"], "amount": [4_700_000]},
    ),
    ("sinh viên đóng 1 năm bao nhiêu", {"student": True, "period": [12]}),
    ("sđt em 0912345678, cccd 079123456789, lương 5tr", {"amount": [5_000_000]}),
    ("em ở xã đảo đóng 1500000 theo quý", {"group": "island", "amount": [1_500_000], "period": [3]}),
    ("thai 15 tuần bị lưu", {"weeks": 15}),
    ("thủ tục hưởng chế độ thai sản", {}),
    ("Luật BHXH 2024 có gì mới", {}),
    ("rut bhxh 1 lan", {}),
    ("", {}),
]


@pytest.mark.parametrize(("text", "expected"), MESSAGES)
def test_reads_the_whole_message(text: str, expected: dict[str, int | str | bool | list[int | str]]) -> None:
    found: dict[str, int | str | bool | list[int | str]] = {}
    for entity in extract(text, TODAY):
        if entity.name in {"amount", "period", "date"}:
            values = found.setdefault(entity.name, [])
            assert isinstance(values, list)
            values.append(entity.value)
        else:
            assert entity.name not in found
            found[entity.name] = entity.value
    assert found == expected


def test_a_date_says_how_exact_it_is() -> None:
    (entity,) = extract("trước tháng 7/2025", TODAY)
    assert entity.extra == {
        "precision": "month",
        "relation": "before",
        "end": "2025-07-31",
        "as_of": "2025-07-31",
    }


def test_a_rhythm_is_marked() -> None:
    assert [entity.extra for entity in extract("đóng hàng tháng hay 6 tháng", TODAY)] == [
        {"recurring": True},
        {"recurring": False},
    ]


@pytest.mark.parametrize(
    "text",
    [
        "2 triệu rưỡi",
        "nửa năm",
        "hộ cận nghèo",
        "người thứ ba",
        "sinh đôi",
        "mùng 10 tháng 9 năm 2025",
        "nhà có 4 khẩu",
        "con thứ hai",
        "sinh mổ",
        "thai 15 tuần",
        "một triệu năm trăm nghìn",
        "học sinh",
    ],
)
def test_accents_capitals_and_decomposed_typing_make_no_difference(text: str) -> None:
    expected = [(entity.name, entity.value) for entity in extract(text, TODAY)]
    assert expected
    for variant in (fold(text), text.upper(), text.title(), unicodedata.normalize("NFD", text)):
        assert [(entity.name, entity.value) for entity in extract(variant, TODAY)] == expected, variant


NUMBERS = ["5", "12", "2026", "8/2026", "20/8", "1tr5", "500k", "0912345678", "IV", "ba", "sau", "năm", "nửa"]
UNITS = [
    "tháng",
    "thang",
    "nam",
    "tr",
    "triệu",
    "rưỡi",
    "k",
    "đồng",
    "người",
    "ng",
    "tuổi",
    "t",
    "tuần",
    "quý",
    "%",
]
WORDS = [
    "thứ",
    "thu",
    "từ",
    "đến",
    "trước",
    "sinh",
    "con",
    "bé",
    "đầu",
    "mổ",
    "đôi",
    "hộ",
    "nghèo",
    "cận",
    "vợ",
]
SIGNS = [",", ".", "?", "-", "/", "và", "với", "là", "nữ", "mỗi", "vùng", "chồng"]
TYPED = st.sampled_from([*NUMBERS, *UNITS, *WORDS, *SIGNS])


@pytest.mark.parametrize(
    "part", ["1tr", "5 triệu ", "1 tr 5 ", "hai mươi ", "tháng 1 ", "không thuộc ", "1.", "0", "vợ chồng "]
)
def test_long_repetition_is_read_without_failing(part: str) -> None:
    text = (part * 700)[:2000]
    assert all(text[entity.start : entity.end] == entity.text for entity in extract(text, TODAY))


@given(st.lists(TYPED, max_size=25).map(" ".join) | st.text(max_size=100))
def test_never_fails_and_points_into_the_text(text: str) -> None:
    composed = unicodedata.normalize("NFC", text)
    entities = extract(text, TODAY)
    for entity in entities:
        assert 0 <= entity.start < entity.end <= len(composed)
        assert composed[entity.start : entity.end] == entity.text
    numbers = [
        e
        for e in entities
        if e.name in {"amount", "period", "date", "members", "age", "weeks", "member_order"}
    ]
    for one, other in itertools.pairwise(numbers):
        assert one.end <= other.start
