"""Normalising and folding."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vietnamese.text import fold, is_accent_free, normalise

TYPED = st.text(
    alphabet=st.characters(min_codepoint=0x20, max_codepoint=0x1EFF, exclude_categories=["Cs"]), max_size=80
)


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("  xin   chào  ", "xin chào"),
        ("một\t hai", "một hai"),
        ("một\r\nhai", "một\nhai"),
        ("một \n\n\n hai", "một\nhai"),
        ("a\x00b\x07c", "abc"),
        ("zero\u200bwidth\ufeff", "zerowidth"),
        ("b\u0309o hie\u0302\u0309m", "b\u0309o hiểm".replace("\u0309", "", 1)),
        ("tie\u0302\u0301ng", "tiếng"),
        ("right\u202eleft", "rightleft"),
        ("", ""),
    ],
)
def test_makes_text_safe_and_uniform(text: str, safe: str) -> None:
    assert normalise(text) == safe


def test_bounds_the_length() -> None:
    assert len(normalise("a" * 5000)) == 2000
    assert normalise("một hai", max_length=4) == "một"


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Bảo hiểm xã hội tự nguyện", "bao hiem xa hoi tu nguyen"),
        ("ĐỒNG đồng ĐÓNG", "dong dong dong"),
        ("Ðồng", "dong"),
        ("nghèo ngheò NGHÈO", "ngheo ngheo ngheo"),
        ("1.500.000₫", "1.500.000₫"),
        ("tie\u0302\u0301ng", "tieng"),
    ],
)
def test_folds_to_plain_letters(text: str, folded: str) -> None:
    assert fold(text) == folded


@pytest.mark.parametrize(
    ("text", "accent_free"),
    [
        ("muc dong bhxh tu nguyen", True),
        ("ho can ngheo muc 1tr5 dong 12 thang la bn ạ", True),
        ("5tr", True),
        ("mức đóng bảo hiểm tự nguyện", False),
        ("muốn đôi mức đóg bhxh", False),
        ("năm", False),
    ],
)
def test_tells_writing_without_accents(text: str, accent_free: bool) -> None:
    assert is_accent_free(text) is accent_free


@given(TYPED)
def test_folding_keeps_length_and_settles(text: str) -> None:
    composed = unicodedata.normalize("NFC", text)
    assert len(fold(composed)) == len(composed)
    assert fold(fold(composed)) == fold(composed)


@given(st.text(max_size=80))
def test_normalising_settles_and_is_safe(text: str) -> None:
    safe = normalise(text)
    assert normalise(safe) == safe
    assert safe == unicodedata.normalize("NFC", safe)
    assert not any(unicodedata.category(char) == "Cc" and char != "\n" for char in safe)
    safe.encode()
