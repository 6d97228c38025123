"""Printing and reading amounts, periods and dates are inverse."""

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from vietnamese.amounts import format_dong, parse_amount
from vietnamese.dates import format_date, parse_dates
from vietnamese.periods import format_months, parse_period
from vietnamese.text import fold

DONG = st.integers(min_value=0, max_value=10**12)
DAYS = st.dates(min_value=date(1930, 1, 1), max_value=date(2099, 12, 31))


@given(DONG)
def test_amounts_printed_in_full(value: int) -> None:
    assert parse_amount(format_dong(value)) == value
    assert parse_amount(f"mức {format_dong(value)} một tháng") == value
    if value >= 1000:
        assert parse_amount(f"{value:,} VND") == value


@given(st.integers(min_value=1, max_value=999), st.integers(min_value=0, max_value=9))
def test_amounts_in_short(millions: int, tenths: int) -> None:
    value = millions * 1_000_000 + tenths * 100_000
    for printed in (
        f"{millions}tr{tenths}",
        f"{millions} triệu {tenths}",
        f"{millions},{tenths} triệu",
        f"{millions}.{tenths}tr",
    ):
        assert parse_amount(printed) == value
        assert parse_amount(fold(printed)) == value


@given(st.integers(min_value=1, max_value=99_999))
def test_amounts_in_thousands(thousands: int) -> None:
    for printed in (
        f"{thousands}k",
        f"{thousands} nghìn",
        f"{thousands:,}k".replace(",", "."),
        f"{thousands} ngàn đồng",
    ):
        assert parse_amount(printed) == thousands * 1000


@given(st.integers(min_value=0, max_value=720))
def test_periods(months: int) -> None:
    assert parse_period(format_months(months)) == months
    assert parse_period(fold(format_months(months))) == months
    assert parse_period(f"đóng {months} tháng một lần") == months


@given(DAYS)
def test_dates(day: date) -> None:
    for printed in (
        format_date(day),
        day.isoformat(),
        f"{day.day}/{day.month}/{day.year}",
        f"{day.day}-{day.month}-{day.year}",
    ):
        assert [mention.start_date for mention in parse_dates(printed, date(2026, 11, 22))] == [day]
    spelt = f"ngày {day.day} tháng {day.month} năm {day.year}"
    assert [mention.start_date for mention in parse_dates(fold(spelt), date(2026, 11, 22))] == [day]


UNITS = ["không", "một", "hai", "ba", "bốn", "năm", "sáu", "bảy", "tám", "chín"]


def in_words(number: int) -> str:
    """1..999 as read aloud in the north."""
    hundreds, rest = divmod(number, 100)
    tens, unit = divmod(rest, 10)
    words = [f"{UNITS[hundreds]} trăm"] if hundreds else []
    if tens == 0 and unit:
        words += ["linh", UNITS[unit]] if hundreds else [UNITS[unit]]
    elif tens:
        words.append("mười" if tens == 1 else f"{UNITS[tens]} mươi")
        last = {0: "", 1: "một" if tens == 1 else "mốt", 5: "lăm"}.get(unit, UNITS[unit])
        words += [last] if last else []
    return " ".join(words)


@given(st.integers(min_value=1, max_value=999), st.integers(min_value=0, max_value=999))
def test_amounts_in_words(millions: int, thousands: int) -> None:
    spoken = f"{in_words(millions)} triệu" + (f" {in_words(thousands)} nghìn" if thousands else "")
    assert parse_amount(spoken) == millions * 1_000_000 + thousands * 1000
    assert parse_amount(fold(spoken)) == millions * 1_000_000 + thousands * 1000
