"""Dates, months and years, read on 22 November 2026."""

from datetime import date

import pytest

from vietnamese.dates import format_date, parse_dates

TODAY = date(2026, 11, 22)

# text, first day, last day, precision, relation
ONE_DATE = [
    ("20/8/2026", "2026-08-20", "2026-08-20", "day", None),
    ("20/08/2026", "2026-08-20", "2026-08-20", "day", None),
    ("20-8-26", "2026-08-20", "2026-08-20", "day", None),
    ("20.8.2026", "2026-08-20", "2026-08-20", "day", None),
    ("2026-08-20", "2026-08-20", "2026-08-20", "day", None),
    ("ngày 1/7/2025", "2025-07-01", "2025-07-01", "day", None),
    ("từ 01/7/2026", "2026-07-01", "2026-07-01", "day", "from"),
    ("tu ngay 1/7/2026", "2026-07-01", "2026-07-01", "day", "from"),
    ("trước 01/7/2025", "2025-07-01", "2025-07-01", "day", "before"),
    ("sau ngày 01/7/2025", "2025-07-01", "2025-07-01", "day", "after"),
    ("5/12/85", "1985-12-05", "1985-12-05", "day", None),
    ("mùng 10 tháng 9", "2026-09-10", "2026-09-10", "day", None),
    ("mung 10 thang 9", "2026-09-10", "2026-09-10", "day", None),
    ("ngày 10 tháng 9 năm 2025", "2025-09-10", "2025-09-10", "day", None),
    ("10 tháng 9 năm 2025", "2025-09-10", "2025-09-10", "day", None),
    ("25 tháng 12", "2026-12-25", "2026-12-25", "day", None),
    ("ngày 10/9", "2026-09-10", "2026-09-10", "day", None),
    ("ngay 10-9", "2026-09-10", "2026-09-10", "day", None),
    ("sinh ngày 3/11", "2026-11-03", "2026-11-03", "day", None),
    ("nghi tu 1/10", "2026-10-01", "2026-10-01", "day", "from"),
    ("20/12 mới xin", "2026-12-20", "2026-12-20", "day", None),
    ("01/7", "2026-07-01", "2026-07-01", "day", None),
    ("ngày 20/3 năm sau", "2027-03-20", "2027-03-20", "day", None),
    ("hôm nay", "2026-11-22", "2026-11-22", "day", None),
    ("hnay", "2026-11-22", "2026-11-22", "day", None),
    ("hôm qua", "2026-11-21", "2026-11-21", "day", None),
    ("ngày mai", "2026-11-23", "2026-11-23", "day", None),
    ("t8/2026", "2026-08-01", "2026-08-31", "month", None),
    ("T8/2026", "2026-08-01", "2026-08-31", "month", None),
    ("th8/2026", "2026-08-01", "2026-08-31", "month", None),
    ("tháng 8/2026", "2026-08-01", "2026-08-31", "month", None),
    ("thang 8/2026", "2026-08-01", "2026-08-31", "month", None),
    ("thág 8/2026", "2026-08-01", "2026-08-31", "month", None),
    ("thag 7/2026", "2026-07-01", "2026-07-31", "month", None),
    ("tháng 7/26", "2026-07-01", "2026-07-31", "month", None),
    ("tháng 8-2026", "2026-08-01", "2026-08-31", "month", None),
    ("tháng 8 năm 2026", "2026-08-01", "2026-08-31", "month", None),
    ("thang 8 nam 2026", "2026-08-01", "2026-08-31", "month", None),
    ("tháng 8 2026", "2026-08-01", "2026-08-31", "month", None),
    ("8/2026", "2026-08-01", "2026-08-31", "month", None),
    ("02/2027", "2027-02-01", "2027-02-28", "month", None),
    ("sinh 5/1971", "1971-05-01", "1971-05-31", "month", None),
    ("tháng 9", "2026-09-01", "2026-09-30", "month", None),
    ("thang 9", "2026-09-01", "2026-09-30", "month", None),
    ("t12", "2026-12-01", "2026-12-31", "month", None),
    ("từ t7", "2026-07-01", "2026-07-31", "month", "from"),
    ("từ tháng 7", "2026-07-01", "2026-07-31", "month", "from"),
    ("đến tháng 3", "2026-03-01", "2026-03-31", "month", "until"),
    ("tới tháng 3", "2026-03-01", "2026-03-31", "month", "until"),
    ("trước tháng 7/2025", "2025-07-01", "2025-07-31", "month", "before"),
    ("truoc thang 7/2025", "2025-07-01", "2025-07-31", "month", "before"),
    ("tháng 5 năm ngoái", "2025-05-01", "2025-05-31", "month", None),
    ("năm 2025 tháng 5 đóng bao nhiêu", "2025-05-01", "2025-05-31", "month", None),
    ("từ năm 2018 tháng 3", "2018-03-01", "2018-03-31", "month", "from"),
    ("năm 2024 tháng 1 lần", "2024-01-01", "2024-12-31", "year", None),
    ("2019 dong bhxh tn nhieu", "2019-01-01", "2019-12-31", "year", None),
    ("tháng 3 năm sau", "2027-03-01", "2027-03-31", "month", None),
    ("tháng 7 năm nay", "2026-07-01", "2026-07-31", "month", None),
    ("dự sinh tháng 2", "2027-02-01", "2027-02-28", "month", None),
    ("du sinh thang 12", "2026-12-01", "2026-12-31", "month", None),
    ("hồi tháng 12", "2025-12-01", "2025-12-31", "month", None),
    ("tháng 1 tới", "2027-01-01", "2027-01-31", "month", None),
    ("tháng sáu", "2026-06-01", "2026-06-30", "month", None),
    ("tháng bảy năm 2025", "2025-07-01", "2025-07-31", "month", None),
    ("tháng mười hai", "2026-12-01", "2026-12-31", "month", None),
    ("tháng trước", "2026-10-01", "2026-10-31", "month", None),
    ("thang truoc", "2026-10-01", "2026-10-31", "month", None),
    ("tháng này", "2026-11-01", "2026-11-30", "month", None),
    ("thang nay", "2026-11-01", "2026-11-30", "month", None),
    ("tháng sau", "2026-12-01", "2026-12-31", "month", None),
    ("thang sau", "2026-12-01", "2026-12-31", "month", None),
    ("tháng tới", "2026-12-01", "2026-12-31", "month", None),
    ("cuối tháng 6", "2026-06-21", "2026-06-30", "month", None),
    ("đầu tháng 10", "2026-10-01", "2026-10-10", "month", None),
    ("giữa tháng 11", "2026-11-11", "2026-11-20", "month", None),
    ("cuối tháng này", "2026-11-21", "2026-11-30", "month", None),
    ("quý IV/2026", "2026-10-01", "2026-12-31", "month", None),
    ("quý 1 năm 2027", "2027-01-01", "2027-03-31", "month", None),
    ("năm 2024", "2024-01-01", "2024-12-31", "year", None),
    ("nam 2024", "2024-01-01", "2024-12-31", "year", None),
    ("trước năm 2014", "2014-01-01", "2014-12-31", "year", "before"),
    ("từ 2018", "2018-01-01", "2018-12-31", "year", "from"),
    ("sau 2014", "2014-01-01", "2014-12-31", "year", "after"),
    ("hệ số trượt giá 2026", "2026-01-01", "2026-12-31", "year", None),
    ("sn 1965", "1965-01-01", "1965-12-31", "year", None),
    ("sn 1965 nam", "1965-01-01", "1965-12-31", "year", None),
    ("sinh năm 1985", "1985-01-01", "1985-12-31", "year", None),
    ("năm ngoái", "2025-01-01", "2025-12-31", "year", None),
    ("nam ngoai", "2025-01-01", "2025-12-31", "year", None),
    ("năm nay", "2026-01-01", "2026-12-31", "year", None),
    ("nam nay", "2026-01-01", "2026-12-31", "year", None),
    ("sang năm", "2027-01-01", "2027-12-31", "year", None),
    ("năm sau", "2027-01-01", "2027-12-31", "year", None),
    ("nam sau", "2027-01-01", "2027-12-31", "year", None),
    ("đầu năm 2025", "2025-01-01", "2025-04-30", "year", None),
    ("cuối năm nay", "2026-09-01", "2026-12-31", "year", None),
    ("từ đầu năm tới giờ", "2026-01-01", "2026-04-30", "year", "from"),
]

NO_DATE = [
    "",
    "6/12 tháng",
    "1/2",
    "3/4 tiền lương",
    "24/7",
    "đóng cả chục năm rồi",
    "đủ tuổi đủ năm rồi",
    "24/24",
    "160/100",
    "22/14/2026",
    "31/2/2026",
    "6 tháng 1 lần",
    "6 thang 1 lan",
    "12 tháng 4 người",
    "3 tháng, 6 tháng hay 12 tháng",
    "tháng 2 triệu",
    "mỗi tháng 2 triệu",
    "một tháng 5 buổi",
    "mỗi tháng hai triệu",
    "tháng thứ 5",
    "tháng 13",
    "3 tháng trước",
    "2 thang nay",
    "mấy tháng trước",
    "5 năm trước",
    "5 năm sau",
    "7 năm nay",
    "những năm trước",
    "cả năm rồi",
    "năm 2 đại học",
    "Luật BHXH 2024",
    "Luật BHXH năm 2024",
    "Nghị định 159/2025",
    "Nghị định 12/2025/NĐ-CP",
    "thông tư 1/2026",
    "41/2024/QH15",
    "năm học 2026-2027",
    "1.500.000",
    "t2 có làm việc không",
    "người t2",
    "0912345678",
    "vùng 3",
    "con thứ 2 thì sao",
    "5 nam lien tuc",
    "dưới tháng tuổi",
]


@pytest.mark.parametrize(("text", "first", "last", "precision", "relation"), ONE_DATE)
def test_reads_the_date(text: str, first: str, last: str, precision: str, relation: str | None) -> None:
    found = [
        (mention.start_date.isoformat(), mention.end_date.isoformat(), mention.precision, mention.relation)
        for mention in parse_dates(text, TODAY)
    ]
    assert found == [(first, last, precision, relation)]


@pytest.mark.parametrize("text", NO_DATE)
def test_reads_no_date(text: str) -> None:
    assert parse_dates(text, TODAY) == []


def test_reads_a_span_of_time_as_two_dates() -> None:
    mentions = parse_dates("đóng từ tháng 3/2018 tới tháng 6/2024", TODAY)
    assert [(mention.text, mention.relation) for mention in mentions] == [
        ("tháng 3/2018", "from"),
        ("tháng 6/2024", "until"),
    ]
    assert [mention.start_date.year for mention in parse_dates("từ 2010 đến 2022", TODAY)] == [2010, 2022]
    assert [mention.start_date.year for mention in parse_dates("năm 2026 và 2027", TODAY)] == [2026, 2027]


def test_the_month_before_january_is_of_last_year() -> None:
    assert parse_dates("tháng trước", date(2026, 1, 5))[0].start_date == date(2025, 12, 1)
    assert parse_dates("tháng sau", date(2026, 12, 5))[0].start_date == date(2027, 1, 1)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("năm nay", date(2026, 11, 22)),
        ("năm ngoái", date(2025, 12, 31)),
        ("sang năm", date(2027, 1, 1)),
        ("tháng 6", date(2026, 6, 30)),
        ("20/8/2026", date(2026, 8, 20)),
    ],
)
def test_answers_for_the_day_of_the_stretch_nearest_today(text: str, day: date) -> None:
    assert parse_dates(text, TODAY)[0].as_of(TODAY) == day


def test_prints_day_month_year() -> None:
    assert format_date(date(2026, 7, 1)) == "01/07/2026"
