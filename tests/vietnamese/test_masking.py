"""Personal numbers are found and dotted out; money and dates are left alone."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vietnamese.masking import find_personal_numbers, mask

PERSONAL = [
    ("cccd 079123456789", "citizen_id", "cccd •••••••••789"),
    ("079 123 456 789", "citizen_id", "••••••••••••789"),
    ("079123456789.", "citizen_id", "•••••••••789."),
    ("cmnd 272123456", "old_id", "cmnd ••••••456"),
    ("272 123 456", "old_id", "••••••••456"),
    ("mã số 7912345678", "social_insurance", "mã số •••••••678"),
    ("so bhxh 7912345678 k thay", "social_insurance", "so bhxh •••••••678 k thay"),
    ("thẻ GD4791234567890", "health_card", "thẻ ••••••••••••890"),
    ("the dn4791234567890", "health_card", "the ••••••••••••890"),
    ("GD 4 79 7912345678", "health_card", "•••••••••••••••678"),
    ("0912345678", "phone", "•••••••678"),
    ("0912.345.678", "phone", "•••••••••678"),
    ("0912 345 678", "phone", "•••••••••678"),
    ("0912-345-678 nhé", "phone", "•••••••••678 nhé"),
    ("0 9 1 2 3 4 5 6 7 8", "phone", "••••••••••••••••7 8"),
    ("+84912345678", "phone", "+••••••••678"),
    ("84912345678", "phone", "••••••••678"),
    ("lan.nguyen@example.vn", "email", "••••••••••••••••••.vn"),
    ("stk 12345678 vcb", "bank_account", "stk •••••678 vcb"),
    ("số tài khoản của em là 0071000123456", "bank_account", "số tài khoản của em là ••••••••••456"),
]

HARMLESS = [
    "",
    "1.500.000",
    "1500000",
    "50000000 đồng",
    "500000000",
    "1.000.000.000 đồng",
    "123.456.789 đồng",
    "1.500.000 2.000.000 3.000.000",
    "1900 9068",
    "19009068",
    "20/11/2026",
    "từ 01.07.2025 30.06.2026",
    "2018 2019 2020",
    "12 24 36 48 60 72",
    "41/2024/QH15",
    "tk 500000 đồng",
    "chuyển vào tài khoản em 150.000.000 đồng",
    "mức 5 triệu 6 tháng 4 người",
]


@pytest.mark.parametrize(("text", "kind", "masked"), PERSONAL)
def test_masks_personal_numbers(text: str, kind: str, masked: str) -> None:
    assert [number.kind for number in find_personal_numbers(text)] == [kind]
    assert mask(text) == masked


@pytest.mark.parametrize("text", HARMLESS)
def test_leaves_other_numbers(text: str) -> None:
    assert find_personal_numbers(text) == []
    assert mask(text) == text


def test_masks_each_of_several() -> None:
    assert mask("zalo 0912345678 hoặc 0987654321") == "zalo •••••••678 hoặc •••••••321"


WORDS = st.sampled_from(["sđt", "cccd", "của em", "stk", ",", "-", "lương", "đồng", "k", "tr", "và"])
DIGITS = st.text("0123456789", min_size=1, max_size=16)
MESSAGE = st.lists(WORDS | DIGITS, max_size=8).map(" ".join)


@given(MESSAGE)
def test_masking_again_changes_nothing(text: str) -> None:
    assert mask(mask(text)) == mask(text)


@given(MESSAGE)
def test_nine_digits_in_a_row_never_leak_unless_round(text: str) -> None:
    assert all(digits.endswith("000") for digits in re.findall(r"\d{9,}", mask(text)))


@given(st.from_regex(r"(?:0|84|\+84)[35789][0-9]{8}|0[0-9]{11}|[A-Z]{2}[1-5][0-9]{12}", fullmatch=True))
def test_every_phone_and_card_is_masked_inside_a_sentence(number: str) -> None:
    masked = mask(f"số của em là {number} ạ")
    assert number[-9:] not in masked
    assert masked.endswith(f"{number[-3:]} ạ")
