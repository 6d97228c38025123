"""Lengths of time in months."""

import pytest

from vietnamese.periods import format_months, parse_period, parse_periods

ONE_PERIOD = [
    ("6 tháng", 6),
    ("6 thang", 6),
    ("6tháng", 6),
    ("3thang", 3),
    ("6th", 6),
    ("6 th", 6),
    ("6thg", 6),
    ("quý này", 3),
    ("mức 3tr đóng năm thì hết bao nhiêu", 12),
    ("6 thág", 6),
    ("6 thag", 6),
    ("1 thàng", 1),
    ("6t", 6),
    ("12t", 12),
    ("12T", 12),
    ("12 THÁNG", 12),
    ("một tháng", 1),
    ("hai tháng", 2),
    ("ba tháng", 3),
    ("ba thang", 3),
    ("sáu tháng", 6),
    ("sau thang", 6),
    ("mười hai tháng", 12),
    ("muoi hai thang", 12),
    ("mười tám tháng", 18),
    ("1 năm", 12),
    ("1 nam", 12),
    ("1nam", 12),
    ("một năm", 12),
    ("mot nam", 12),
    ("hai năm", 24),
    ("15 năm", 180),
    ("15 nắm", 180),
    ("mười năm", 120),
    ("muoi nam", 120),
    ("hai mươi năm", 240),
    ("mười lăm năm", 180),
    ("nửa năm", 6),
    ("nua nam", 6),
    ("năm rưỡi", 18),
    ("nam ruoi", 18),
    ("1 năm rưỡi", 18),
    ("3 năm rưỡi", 42),
    ("3 nam ruoi", 42),
    ("2 năm 3 tháng", 27),
    ("2 nam 3 thang", 27),
    ("7 năm 4 tháng", 88),
    ("20 năm lẻ 5 tháng", 245),
    ("1 năm 6 th", 18),
    ("cả năm", 12),
    ("nguyên năm", 12),
    ("1 quý", 3),
    ("1 quy", 3),
    ("2 quý", 6),
    ("một quý", 3),
    ("theo quý", 3),
    ("theo quy 1 lan", 3),
    ("hàng quý", 3),
    ("đóng quý", 3),
    ("hàng tháng", 1),
    ("hằng tháng", 1),
    ("hang thang", 1),
    ("hàng thág", 1),
    ("mỗi tháng", 1),
    ("moi thang", 1),
    ("từng tháng", 1),
    ("hằng năm", 12),
    ("mỗi năm", 12),
    ("đóng 3 tháng 1 lần", 3),
    ("6 thang mot lan", 6),
    ("12 tháng 4 người", 12),
    ("thiếu 14 tháng", 14),
    ("đóng được 62 thang", 62),
    ("1tr5 12 tháng", 12),
    ("2tr 20 nam", 240),
    ("hơn 20 năm", 240),
    ("dong 5 nam", 60),
]

NO_PERIOD = [
    "",
    "6/12 tháng",
    "tháng 8",
    "thang 8",
    "t8/2026",
    "tháng 8/2026",
    "năm 2026",
    "nam 2026",
    "vùng 3 năm 2026",
    "mùng 10 tháng 9",
    "ngày 10 tháng 9 năm 2026",
    "25 tháng 12",
    "năm nay",
    "năm ngoái",
    "tháng trước",
    "6 tháng tuổi",
    "8 thang tuoi",
    "5 tuổi",
    "57t",
    "70t",
    "61 tuổi 6 tháng",
    "22 tuần",
    "5 ngày",
    "mấy tháng",
    "vài tháng",
    "bao nhiêu tháng",
    "mấy chục năm",
    "hai ba tháng",
    "3-4 năm",
    "4 tháng rưỡi",
    "theo quy định",
    "theo quy dinh",
    "bầu 7 tháng",
    "bé mới 8 tháng",
    "quá hạn 3 tháng",
    "nop tre 2 thang",
    "thẻ hết hạn được 4 tháng rồi",
    "tháng thứ 5",
    "ngày tháng năm sinh",
    "một triệu năm trăm nghìn",
    "Việt Nam",
    "con thứ 2",
    "quý cơ quan",
]


@pytest.mark.parametrize(("text", "months"), ONE_PERIOD)
def test_reads_the_period(text: str, months: int) -> None:
    assert [period.months for period in parse_periods(text)] == [months]


@pytest.mark.parametrize("text", NO_PERIOD)
def test_reads_no_period(text: str) -> None:
    assert parse_periods(text) == []
    assert parse_period(text) is None


def test_a_length_is_preferred_to_a_rhythm() -> None:
    text = "mỗi tháng nộp bao nhiêu nếu đóng 6 tháng"
    assert [(period.months, period.recurring) for period in parse_periods(text)] == [(1, True), (6, False)]
    assert parse_period(text) == 6
    assert parse_period("mỗi tháng nộp bao nhiêu") == 1


@pytest.mark.parametrize(
    ("months", "printed"),
    [(0, "0 tháng"), (1, "1 tháng"), (12, "1 năm"), (18, "1 năm 6 tháng"), (245, "20 năm 5 tháng")],
)
def test_prints_years_and_months(months: int, printed: str) -> None:
    assert format_months(months) == printed
