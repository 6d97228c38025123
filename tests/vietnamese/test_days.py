"""Days of leave, alone and by visits."""

import pytest

from vietnamese.days import parse_days

LENGTHS = [
    ("sảy thai 8 tuần nghỉ 20 ngày lương 9 triệu", 20),
    ("ốm 4 ngày lương 9tr6", 4),
    ("nghi om 3 ngay dc bao nhieu tien ad", 3),
    ("nghỉ ốm bốn ngày", 4),
    ("ốm năm ngày lương 10 triệu", 5),
    ("nằm viện mười hai ngày", 12),
    ("nghỉ 1 ngày được bao nhiêu", 1),
    ("ốm 3ngày", 3),
    ("nghỉ 7 ngày làm việc", 7),
    ("khám thai 5 lần mỗi lần 2 ngày lương 12 triệu", 10),
    ("kham thai 5 lan moi lan 2 ngay", 10),
    ("khám thai 3 lần, mỗi lần nghỉ 1 ngày", 3),
    ("khám 5 lần x 2 ngày lương 12tr", 10),
    ("mỗi lần 2 ngày, tất cả 4 lần", 8),
    ("khám bốn lần, 2 ngày một lần", 8),
    ("khám 5 lần, 2 ngày/lần", 10),
    ("khám 2 lần, tổng nghỉ 3 ngày", 3),
    ("nộp sau 45 ngày, đã nghỉ 3 ngày", 3),
    ("nghỉ từ ngày 3/8/2026, ốm 6 ngày", 6),
]
OPEN = [
    "khám thai mỗi lần 2 ngày được bao nhiêu",
    "sau 10 ngày thì có tiền",
    "nộp trễ 3 ngày",
    "ốm 3-5 ngày",
    "ốm 2 ngày rưỡi",
    "3 ngày trước em bị ốm",
    "ngày 20/5 em nghỉ",
    "nghỉ mấy ngày",
    "làm ngày 8 tiếng",
    "nghỉ 0 ngày",
    "nghỉ 500 ngày",
]


@pytest.mark.parametrize(("text", "days"), LENGTHS)
def test_days_of_leave(text: str, days: int) -> None:
    assert parse_days(text) == days


@pytest.mark.parametrize("text", OPEN)
def test_days_that_stay_open(text: str) -> None:
    assert parse_days(text) is None
