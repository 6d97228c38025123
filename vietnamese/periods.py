"""Find stretches of time in whole months: `6th`, `nửa năm`, `1 quý`, `2 năm 3 tháng`."""

import re
from dataclasses import dataclass
from datetime import date

from vietnamese.dates import find_dates
from vietnamese.numbers import NUMBER, read_number
from vietnamese.text import Reading


@dataclass(frozen=True)
class Period:
    """A length of time in months. `recurring` marks a rhythm (`mỗi tháng`, `hằng năm`) rather than a length.

    `start` and `end` are character positions in the NFC text.
    """

    months: int
    start: int
    end: int
    text: str
    recurring: bool = False


_MONTHS = r"(?:thang|thangs|thasng|thangf|thag|thagg|thangg|thnag|thg|th)"
_YEARS = r"(?:nam|nawm|namw)"
_NO_RANGE = r"(?<![0-9]-)(?<![0-9]–)(?<![0-9] - )(?<![0-9] – )"
_HALF = r"(?P<half>\s*(?:ruoi|ruoi|nua))?"
_NO_AGE = r"(?!\s*(?:tuoi|tuois)(?![a-z]))"

_YEARS_AND_MONTHS = re.compile(
    rf"{_NO_RANGE}(?P<years>{NUMBER})\s*{_YEARS}(?![a-z])(?!\s*(?:19|20)[0-9]{{2}})(?!\s*(?:tram|trieu"
    rf"|nghin|ngan)(?![a-z]))"
    rf"(?:(?P<ruoi>\s*ruoi(?![a-z]))|\s*(?:va\s+|le\s+|,\s*)?(?P<months>{NUMBER})\s*(?:{_MONTHS}|t)"
    rf"(?![a-z]))?{_NO_AGE}"
)
_MONTHS_ALONE = re.compile(
    rf"{_NO_RANGE}(?<!tuoi )(?<!tuoi)(?<!thu )(?P<months>{NUMBER})\s*{_MONTHS}(?![a-z])(?P<ruoi>\s*ruoi"
    rf"(?![a-z]))?{_NO_AGE}"
)
_MONTHS_SHORT = re.compile(rf"{_NO_RANGE}(?<!tuoi )(?<![a-z0-9])(?P<months>[0-9]{{1,2}})t(?![a-z0-9])")
_QUARTERS = re.compile(
    rf"{_NO_RANGE}(?P<quarters>{NUMBER})\s*(?:quy|quys|qui)(?![a-z])(?!\s*(?:dinh|tac|che|trinh|hoach)(?![a-z]))"
)
_EACH = r"(?:hang|hag|hangf|moi|tung|theo)"
_PHRASES = (
    (re.compile(rf"(?<![a-z])nua\s+{_YEARS}(?![a-z])(?!\s*(?:[0-9]|nay))"), 6, False),
    (re.compile(rf"(?<![a-z0-9])(?<![0-9] ){_YEARS}\s+ruoi(?![a-z])"), 18, False),
    (re.compile(rf"(?<![a-z])(?:ca|nguyen|tron|tron mot)\s+{_YEARS}(?![a-z])(?!\s*[0-9])"), 12, False),
    (re.compile(rf"(?<![a-z]){_EACH}\s+{_MONTHS}(?![a-z])(?!\s*[0-9]{{1,2}}\s*/)"), 1, True),
    (re.compile(rf"(?<![a-z]){_EACH}\s+{_YEARS}(?![a-z])(?!\s*(?:[0-9]{{4}}|sinh))"), 12, True),
    (re.compile(rf"(?<![a-z])(?:{_EACH}|dong|nop)\s+qu[yi](?![a-z])(?!\s*(?:dinh|tac|che|trinh|hoach"
        rf"|[0-9i](?!\s*lan)))"), 3, True),
    (re.compile(r"(?<![a-z])qu[yi]\s+(?:nay|sau)(?![a-z])"), 3, False),
    (re.compile(r"(?<=dong )nam(?=\s+(?:thi|het|la)(?![a-z]))|(?<=dong )nam(?=\s*[,.?!]|$)"), 12, False),
)  # fmt: skip
# An unborn or new child's age is no length of insurance: `bầu 7 tháng`, `bé mới 8 tháng`.
_CHILD_BEFORE = re.compile(
    r"(?<![a-z])(?:bau|thai|mang thai|be|baby)\s+(?:(?:nha|em|e|moi|duoc|dc|hon|gan|toi|cua|minh|con|la"
    r"|da)\s+){0,3}$"
)
# Nor is a delay: `quá hạn 3 tháng`, `nộp trễ 2 tháng`, `thẻ hết hạn 4 tháng rồi`.
_DELAY_BEFORE = re.compile(
    r"(?<![a-z])(?:qua han|het han|tre|cham)\s+"
    r"(?:(?:han|nop|dong|duoc|dc|mat|toi|gan|hon|khoang|ca)\s+){0,3}$"
)
_GREATEST = 720


def parse_periods(text: str) -> list[Period]:
    """Every length of time in the text, in order; dates, ages and weeks are none."""
    reading = Reading.of(text)
    # The day does not matter here: only where dates stand.
    dates = find_dates(reading, date(2000, 1, 1))
    return find_periods(reading.without((mention.start, mention.end) for mention in dates))


def parse_period(text: str) -> int | None:
    """Months of the first length of time, one that is no mere rhythm if there is any; None without one."""
    periods = parse_periods(text)
    chosen = next((period for period in periods if not period.recurring), next(iter(periods), None))
    return chosen.months if chosen else None


def format_months(months: int) -> str:
    """`1 năm 6 tháng`."""
    years, rest = divmod(months, 12)
    parts = [f"{years} năm"] if years else []
    if rest or not years:
        parts.append(f"{rest} tháng")
    return " ".join(parts)


def find_periods(reading: Reading) -> list[Period]:
    """As `parse_periods`, for a prepared message in which dates are already hidden."""
    found: list[Period] = []
    for pattern in (_YEARS_AND_MONTHS, _MONTHS_ALONE, _MONTHS_SHORT, _QUARTERS):
        for match in pattern.finditer(reading.folded):
            months = _length(reading, match)
            if months is None or not 0 <= months <= _GREATEST:
                continue
            before = _before(reading, match)
            if not match.groupdict().get("years") and _CHILD_BEFORE.search(before):
                continue
            if _DELAY_BEFORE.search(before):
                continue
            found.append(_period(reading, match, months, recurring=False))
        reading = reading.without((period.start, period.end) for period in found)
    for pattern, months, recurring in _PHRASES:
        for match in pattern.finditer(reading.folded):
            found.append(_period(reading, match, months, recurring=recurring))
        reading = reading.without((period.start, period.end) for period in found)
    return sorted(found, key=lambda period: period.start)


def _before(reading: Reading, match: re.Match[str]) -> str:
    return reading.folded[max(0, match.start() - 24) : match.start()]


def _period(reading: Reading, match: re.Match[str], months: int, recurring: bool) -> Period:
    start, end = match.span()
    return Period(months, start, end, reading.text[start:end], recurring)


def _length(reading: Reading, match: re.Match[str]) -> int | None:
    groups = match.groupdict()
    numbers = {
        name: read_number(reading, *match.span(name))
        for name in ("years", "months", "quarters")
        if groups.get(name)
    }
    if None in numbers.values():
        return None
    years, months = numbers.get("years"), numbers.get("months") or 0
    if groups.get("ruoi"):
        # Half a month is no whole number of months.
        return None if years is None else years * 12 + 6
    if match.re is _MONTHS_SHORT and months > 24:
        return None  # `57t` is an age
    return (years or 0) * 12 + months + (numbers.get("quarters") or 0) * 3
