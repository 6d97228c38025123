"""What the words of a message say of its place in the conversation."""

from __future__ import annotations

import pytest

from bot.actions.context import asks_to_look_up, fits_any_subject, names_another_subject, overview
from vietnamese.text import fold


@pytest.mark.parametrize(
    ("text", "topic"),
    [
        ("bảo hiểm y tế", "health.household_premium"),
        ("Tư vấn giúp em về thẻ BHYT hộ gia đình với ạ", "health.household_premium"),
        ("bhxh tự nguyện", "voluntary.benefits"),
        ("cho mình hỏi bảo hiểm xã hội tự nguyện", "voluntary.benefits"),
        ("chế độ thai sản", "maternity.overview"),
        ("sinh con được hưởng gì", "maternity.overview"),
        ("nghỉ đẻ thì được hưởng như thế nào", "maternity.overview"),
        ("sinh con thứ hai được hưởng gì", None),
        ("bhtn", "unemployment.conditions"),
        ("em muốn rút bhxh 1 lần", "one_off.conditions"),
        ("Lương hưu ạ?", "pension.conditions"),
        ("thế còn bhyt thì sao", "health.household_premium"),
        ("bhyt học sinh", "health.student_premium"),
        ("mua bhyt ở đâu", None),
        ("bhxh tự nguyện bao nhiêu", None),
        ("mất thẻ bhyt", None),
        ("ạ", None),
    ],
)
def test_a_bare_subject_asks_for_its_overview(text: str, topic: str | None) -> None:
    assert overview(fold(text)) == topic


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ("nộp hồ sơ ở đâu", True),
        ("cần giấy tờ gì ạ?", True),
        ("bao lâu thì có tiền", True),
        ("mua thẻ ở đâu", False),
        ("gì", False),
    ],
)
def test_words_that_fit_any_subject(text: str, fits: bool) -> None:
    assert fits_any_subject(fold(text)) == fits


@pytest.mark.parametrize(
    ("text", "subject", "other"),
    [
        ("còn cận nghèo?", "voluntary", False),
        ("bhyt hộ cận nghèo", "voluntary", True),
        ("đóng tự nguyện thì sao", "voluntary", False),
        ("thai sản đóng tự nguyện", "voluntary", False),
    ],
)
def test_another_subject_is_named(text: str, subject: str, other: bool) -> None:
    assert names_another_subject(fold(text), subject) == other


def test_asking_to_be_looked_up() -> None:
    assert asks_to_look_up(fold("kiểm tra giùm em thẻ còn hạn không"))
    assert not asks_to_look_up(fold("kiểm tra thẻ ở đâu"))
