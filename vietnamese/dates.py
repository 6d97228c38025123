"""Find the dates, months and years people name, and resolve them against the day they write."""

import calendar
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from vietnamese.numbers import WORDS, read_number
from vietnamese.text import CLAIMED, Reading

Precision = Literal["day", "month", "year"]
Relation = Literal["before", "after", "from", "until"]


@dataclass(frozen=True)
class DateMention:
    """A stretch of days `start_date`..`end_date` inclusive; `relation` is the preposition before it, if any.

    `start` and `end` are character positions in the NFC text.
    """

    start_date: date
    end_date: date
    precision: Precision
    start: int
    end: int
    text: str
    relation: Relation | None = None

    def as_of(self, today: date) -> date:
        """The day of the stretch to answer for: today when it lies inside, else the nearest end."""
        return min(max(today, self.start_date), self.end_date)


_DAY = r"(?P<day>0?[1-9]|[12][0-9]|3[01])"
_MONTH = r"(?P<month>0?[1-9]|1[0-2])"
_YEAR = r"(?P<year>(?:19[3-9]|20[0-9])[0-9])"
_ALONE = r"(?<![0-9])(?<![0-9][.,/\-])"
_DONE = r"(?![0-9])(?![.,/\-][0-9])"
_MONTH_WORD = r"(?:thang|thag|thg|thangs|thasng)"
# What may be counted: `6 tháng 1 lần`, `3 tháng 4 người` name no month.
COUNTED = (
    r"(?:lan|nguoi|ng|ngay|tuan|tuoi|khau|thanh|tv|mieng|nhan|con|be|dua|chau|the|phan|ky|dot|gio|tieng"
    r"|buoi|h"
    r"|cong|cty|so|vo|vk|me|bo|cu|quyen|nam|thang|th|thg|quy|nghin|ngan|trieu|tr|k|ty|dong|d|vnd|lit"
    r"|tram|chuc|ruoi)"
    r"(?![a-z])|%"
)
_NOT_COUNTED = rf"(?!\s*(?:{COUNTED}))(?![.,]?[0-9])(?!\s*[.,]?[0-9]*\s*(?:tr|trieu|k|nghin|ngan)(?![a-z]))"
_NEXT_TO = (
    r"(?:\s*,?\s*nam\s+(?P<which>nay|ngoai|truoc|sau|toi|roi)(?![a-z])"
    r"|\s+(?P<near>toi(?:\s+day)?|sap toi|vua roi|vua qua|roi)(?![a-z]))?"
)
_PART = r"(?:(?P<part>dau|giua|cuoi)\s+)?"

_ISO = re.compile(rf"{_ALONE}{_YEAR}-(?P<month>0[1-9]|1[0-2])-(?P<day>0[1-9]|[12][0-9]|3[01]){_DONE}")
_FULL = re.compile(
    rf"{_ALONE}{_DAY}\s?(?:/\s?{_MONTH}\s?/\s?|-{_MONTH.replace('month', 'month_b')}-"
    rf"|\.{_MONTH.replace('month', 'month_c')}\.(?=[0-9]{{4}}))(?P<year>(?:19|20)[0-9]{{2}}"
    rf"|[0-9]{{2}}){_DONE}"
)
_DAY_OF_MONTH = re.compile(
    rf"(?P<lead>(?<![a-z])(?:ngay|mung|mong|hom|m)\s*)?{_ALONE}(?<!thu )"
    rf"(?<!be ){_DAY}\s*{_MONTH_WORD}\s*{_MONTH}"
    rf"(?:\s*(?:nam|/|-|,\s*nam)?\s*{_YEAR}{_DONE}|{_NEXT_TO}(?P<bare>){_NOT_COUNTED})"
)
_DAY_SLASH_MONTH = re.compile(
    rf"(?P<lead>(?<![a-z])(?:ngay|mung|mong|hom)\s*)?"
    rf"{_ALONE}{_DAY}\s?(?P<mark>[/-])\s?{_MONTH}{_DONE}(?:\s*,?\s*nam\s+{_YEAR}{_DONE}|{_NEXT_TO})"
    r"(?!\s*(?:thang|thag|th|nguoi|ng|tuan|luong|gia|tien|so|phan|nam)(?![a-z]))(?!\s*[%/])"
)
_QUARTER = re.compile(
    rf"(?<![a-z])(?<![0-9] )(?<![0-9])quy\s*(?P<quarter>[1-4]|iv|i{{1,3}})(?![a-z0-9])(?:\s*(?:/|-"
    rf"|nam)?\s*{_YEAR}{_DONE}"
    rf"|{_NEXT_TO}(?!\s*(?:lan|nguoi)(?![a-z])))"
)
_MONTH_OF_YEAR = re.compile(
    rf"{_PART}(?:(?<![a-z])(?P<lead>{_MONTH_WORD}|th|t)\s*)?{_ALONE}{_MONTH}"
    rf"(?:\s?(?:/|-|\.)\s?|\s*,?\s*nam\s*|\s)(?P<year>(?:19[3-9]|20[0-9])[0-9]|(?<=/)[2-4][0-9]){_DONE}"
)
_MONTH_AFTER_YEAR = re.compile(
    rf"(?<![a-z])nam\s*{_YEAR}\s*,?\s*(?P<lead>{_MONTH_WORD})\s*{_MONTH}(?![0-9a-z])(?!\s*[/-])"
    r"(?!\s*(?:lan|nguoi|ng|trieu|tr|k|nghin|ngan)(?![a-z]))"
)
_MONTH_ALONE = re.compile(
    rf"{_PART}(?<![a-z])(?P<lead>{_MONTH_WORD}|th|t)\s?{_ALONE}{_MONTH}(?![0-9a-z])"
    rf"(?!\s*/){_NEXT_TO}{_NOT_COUNTED}"
)
_MONTH_IN_WORDS = re.compile(
    rf"{_PART}(?<![a-z])thang\s+(?P<words>gieng|chap|muoi (?:mot|hai)|muoi|mot|hai|ba|tu|sau|bay|tam|chin"
    rf"|nam(?=\s+nam\s|\s*/))(?![a-z])(?:\s*,?\s*(?:nam|/)\s*{_YEAR}{_DONE}|{_NEXT_TO}{_NOT_COUNTED}"
    rf"(?!\s+[a-z]*\s*(?:trieu|tram)))"
)
_NEAR_MONTH = re.compile(
    rf"{_PART}(?<![a-z])thang\s+(?P<which>truoc|roi|vua roi|vua qua|nay|sau|toi)(?![a-z0-9])"
)
_NEAR_YEAR = re.compile(
    rf"{_PART}(?<![a-z])(?:(?P<next>sang nam)(?!\s*[0-9]{{4}})|nam\s+(?P<which>ngoai|truoc|roi|vua roi"
    rf"|qua|nay|sau|toi(?!\s+(?:gio|nay))))(?![a-z0-9])"
)
_NEAR_DAY = re.compile(
    r"(?<![a-z])(?:(?P<today>hom nay|hnay|bua nay)|(?P<yesterday>hom qua|hqua|bua qua)|"
    r"(?P<tomorrow>ngay mai))(?![a-z])"
)
_YEAR_NAMED = re.compile(rf"{_PART}(?<![a-z])nam\s*{_YEAR}{_DONE}(?![a-z])")
_YEAR_BARE = re.compile(
    rf"{_PART}(?<![a-z0-9])(?<![0-9][.,/]){_YEAR}(?![0-9a-z%])(?![.,/][0-9])(?!\s*(?:nghin|ngan|trieu|tr|k|ty|dong(?!\s+[a-z])|d|vnd|nguoi|ng)(?![a-z]))"
)
_PART_ALONE = re.compile(r"(?<![a-z])(?P<part>dau|giua|cuoi)\s+nam(?![a-z])(?!\s*(?:[0-9]|hoc|thu))")

_MONTH_VALUES = {
    "gieng": 1, "mot": 1, "hai": 2, "ba": 3, "tu": 4, "nam": 5, "sau": 6, "bay": 7,
    "tam": 8, "chin": 9, "muoi": 10, "muoi mot": 11, "muoi hai": 12, "chap": 12,
}  # fmt: skip
_MONTH_SPELLINGS = {"tu": "tư", "nam": "năm", "sau": "sáu", "bay": "bảy", "tam": "tám"}
_QUARTERS = {"1": 1, "2": 2, "3": 3, "4": 4, "i": 1, "ii": 2, "iii": 3, "iv": 4}
_LEGAL_BEFORE = re.compile(
    r"(?:nghi dinh|nd|thong tu|tt|luat|qd|quyet dinh|nghi quyet|nq|cong van|cv|so|mau|dieu|khoan"
    r"|huyet ap|nong do)\s*(?:so\s*)?$"
)
_LEGAL_AFTER = re.compile(r"\s*/\s*(?:nd|tt|qd|nq|qh|cp|bhxh|ubnd|hdnd)")
_LAW_BEFORE = re.compile(r"(?<![a-z])(?:luat|bo luat|phap lenh)(?![a-z])[^,.;?!\n]{0,30}$")
_DAY_CUE_BEFORE = re.compile(r"(?<![a-z])(?:tu|den|toi|truoc|sau|het|sinh|vao|qua|han|de|dot)\s*$")
_YEAR_CUE_BEFORE = re.compile(
    r"(?:(?<![a-z])(?:tu|den|toi|hoi|sinh|sn|sang|truoc|sau|qua|giai doan|het|doi|dau|giua|cuoi)|(?:"
    r"(?:19|20)[0-9]{2}|" + CLAIMED + r")\s?(?:[-–,]|va|hay|hoac|voi|den|toi))\s*$"
)
_SCHOOL_YEAR_BEFORE = re.compile(r"nam hoc[^a-z]*$")
_COUNT_BEFORE = re.compile(
    rf"(?:[0-9]|(?P<words>{WORDS})|(?<![a-z])(?:moi|hang|tung|theo|may|vai|nhieu|nhung|cac|nua|ca"
    rf"|nguyen|tron|bao nhieu|du))\s*$"
)
_BEFORE = re.compile(r"(?<![a-z])(?:truoc|trc|trk)\s+(?:ngay\s*|thoi diem\s*)?$")
_AFTER = re.compile(r"(?<![a-z])sau\s+(?:ngay\s*)?$")
_FROM = re.compile(r"(?<![a-z])(?P<word>tu|tinh tu|ke tu|bat dau tu)\s+(?:ngay\s*|dau\s*)?$")
_UNTIL = re.compile(r"(?<![a-z])(?P<word>den|toi|het|cho den|cho toi|den het)\s+(?:ngay\s*|cuoi\s*|het\s*)?$")
_SOON = re.compile(r"(?<![a-z])(?:du sinh|du kien|sap|se|den ky|chuan bi)(?![a-z])")
_PAST = re.compile(r"(?<![a-z])(?:hoi|vua roi|luc truoc)(?![a-z])")

Span = tuple[date, date, Precision]


def parse_dates(text: str, today: date) -> list[DateMention]:
    """Every date named, in order. A month without a year is of this year unless words say other."""
    return find_dates(Reading.of(text), today)


def format_date(day: date) -> str:
    """01/07/2026."""
    return f"{day.day:02}/{day.month:02}/{day.year:04}"


def find_dates(reading: Reading, today: date) -> list[DateMention]:
    """As `parse_dates`, for a message already prepared."""
    found: list[DateMention] = []
    for pattern, resolve in _READERS:
        matches = list(pattern.finditer(reading.folded))
        mentions = list(_mentions(reading, matches, resolve, today))
        found += mentions
        reading = reading.without((mention.start, mention.end) for mention in mentions)
    return sorted(found, key=lambda mention: mention.start)


def _mentions(
    reading: Reading,
    matches: list[re.Match[str]],
    resolve: Callable[[Reading, re.Match[str], date], Span | None],
    today: date,
) -> Iterator[DateMention]:
    for match in matches:
        span = resolve(reading, match, today)
        if span is None:
            continue
        first, last, precision = _narrow(span, match.groupdict().get("part"))
        start, end = match.span()
        relation = _relation(reading, start)
        yield DateMention(first, last, precision, start, end, reading.text[start:end], relation)


def _before(reading: Reading, start: int, length: int = 16) -> str:
    return reading.folded[max(0, start - length) : start]


def _is_counted(reading: Reading, start: int) -> bool:
    """Whether a number or `mỗi`, `mấy`, `nhiều` … stands before: `3 tháng trước` is no month of the year."""
    before = _before(reading, start)
    match = _COUNT_BEFORE.search(before)
    if match is None or match["words"] is None:
        return match is not None
    offset = start - len(before)
    counted = read_number(reading, offset + match.start("words"), offset + match.end("words")) is not None
    return counted or match["words"].endswith(("chuc", "tram"))  # `cả chục năm rồi` is no number either


def _relation(reading: Reading, start: int) -> Relation | None:
    before = _before(reading, start)
    if _BEFORE.search(before):
        return "before"
    if _AFTER.search(before):
        return "after"
    if _preposition(reading, _FROM, start, {"từ", "tu"}):
        return "from"
    # Without accents `toi` is more often `tôi` (I) than `tới` (until).
    if _preposition(reading, _UNTIL, start, {"đến", "den", "tới", "hết", "het"}):
        return "until"
    return None


def _preposition(reading: Reading, pattern: re.Pattern[str], start: int, spellings: set[str]) -> bool:
    match = pattern.search(_before(reading, start))
    if not match:
        return False
    offset = max(0, start - 16)
    return bool(spellings & set(reading.written(offset + match.start(), offset + match.end()).split()))


def _narrow(span: Span, part: str | None) -> Span:
    """`đầu`, `giữa`, `cuối` (start, middle, end) take a third of the month or year."""
    first, last, precision = span
    if part is None or precision == "day":
        return span
    third = {"dau": 0, "giua": 1, "cuoi": 2}[part]
    if precision == "month":
        starts = [first, first.replace(day=11), first.replace(day=21), last + timedelta(days=1)]
    else:
        starts = [first, first.replace(month=5), first.replace(month=9), last + timedelta(days=1)]
    return starts[third], starts[third + 1] - timedelta(days=1), precision


def _day(year: int, month: int, day: int) -> Span | None:
    if day > calendar.monthrange(year, month)[1]:
        return None
    return date(year, month, day), date(year, month, day), "day"


def _months(year: int, month: int, count: int = 1) -> Span:
    last = month + count - 1
    return date(year, month, 1), date(year, last, calendar.monthrange(year, last)[1]), "month"


def _year(year: int) -> Span:
    return date(year, 1, 1), date(year, 12, 31), "year"


def _shift_year(which: str | None, today: date) -> int | None:
    """The year that `năm nay`, `năm ngoái`, `năm sau` … mean."""
    if which is None:
        return None
    return today.year + {"nay": 0, "sau": 1, "toi": 1}.get(which, -1)


def _guess_year(reading: Reading, match: re.Match[str], today: date, month: int) -> int:
    """The year of a month named without one: this year, unless the words around look ahead or back."""
    groups = match.groupdict()
    shifted = _shift_year(groups.get("which"), today)
    if shifted is not None:
        return shifted
    near = groups.get("near") or ""
    before = _before(reading, match.start(), 48)
    if (near.startswith(("toi", "sap")) or _SOON.search(before)) and month < today.month:
        return today.year + 1
    if (near.startswith(("roi", "vua")) or _PAST.search(before[-24:])) and month > today.month:
        return today.year - 1
    return today.year


def _is_law(reading: Reading, match: re.Match[str]) -> bool:
    """`Nghị định 12/2025`, `41/2024/QH15` number laws, `Luật BHXH 2024` names one."""
    return bool(
        _LEGAL_BEFORE.search(_before(reading, match.start(), 20))
        or _LEGAL_AFTER.match(reading.folded, match.end())
    )


def _read_full(reading: Reading, match: re.Match[str], today: date) -> Span | None:
    groups = match.groupdict()
    month = int(groups.get("month") or groups.get("month_b") or groups["month_c"])
    year = int(groups["year"])
    if year < 100:
        year += 2000 if year < 50 else 1900
    return None if _is_law(reading, match) else _day(year, month, int(groups["day"]))


def _read_day_of_month(reading: Reading, match: re.Match[str], today: date) -> Span | None:
    month = int(match["month"])
    year = int(match["year"]) if match["year"] else _guess_year(reading, match, today, month)
    return _day(year, month, int(match["day"]))


def _read_day_slash_month(reading: Reading, match: re.Match[str], today: date) -> Span | None:
    day, month = match["day"], int(match["month"])
    cued = match["lead"] or _DAY_CUE_BEFORE.search(_before(reading, match.start()))
    clear = match["mark"] == "/" and (int(day) > 12 or day.startswith("0"))
    if not (cued or clear) or (not cued and day == "24") or _is_law(reading, match):
        return None
    year = int(match["year"]) if match["year"] else _guess_year(reading, match, today, month)
    return _day(year, month, int(day))


def _read_quarter(reading: Reading, match: re.Match[str], today: date) -> Span | None:
    month = _QUARTERS[match["quarter"]] * 3 - 2
    year = int(match["year"]) if match["year"] else _guess_year(reading, match, today, month)
    return _months(year, month, 3)


def _read_month_of_year(reading: Reading, match: re.Match[str], today: date) -> Span | None:
    bare = not match["lead"]
    separated = re.search(r"[/.\-]", match[0]) is not None
    if (bare and not separated) or _is_law(reading, match):
        return None
    year = int(match["year"])
    if year < 100:
        if bare:
            return None
        year += 2000
    return _months(year, int(match["month"]))


def _read_month_alone(reading: Reading, match: re.Match[str], today: date) -> Span | None:
    if _is_counted(reading, match.start()):
        return None
    month = int(match["month"])
    # `t2` to `t7` are days of the week as well.
    weekday = match["lead"] == "t" and 2 <= month <= 7
    if weekday and not _DAY_CUE_BEFORE.search(_before(reading, match.start())):
        return None
    return _months(_guess_year(reading, match, today, month), month)


def _read_month_in_words(reading: Reading, match: re.Match[str], today: date) -> Span | None:
    word = match["words"]
    spelling = _MONTH_SPELLINGS.get(word)
    written = reading.written(*match.span("words"))
    if spelling and written != spelling and not (reading.accent_free and word != "sau"):
        return None
    if _is_counted(reading, match.start()):
        return None
    month = _MONTH_VALUES[word]
    year = int(match["year"]) if match["year"] else _guess_year(reading, match, today, month)
    return _months(year, month)


def _read_near_month(reading: Reading, match: re.Match[str], today: date) -> Span | None:
    which = match["which"]
    written = reading.written(*match.span("which"))
    if _is_counted(reading, match.start()) or (which == "toi" and written != "tới"):
        return None
    index = today.year * 12 + today.month - 1 + {"nay": 0, "sau": 1, "toi": 1}.get(which, -1)
    return _months(index // 12, index % 12 + 1)


def _read_near_year(reading: Reading, match: re.Match[str], today: date) -> Span | None:
    which = match["which"]
    written = reading.written(*match.span("which")) if which else ""
    if which and _is_counted(reading, match.start()):
        return None
    if which == "toi" and written != "tới":
        return None
    if which == "roi" and written not in {"rồi", "roi"}:
        return None
    year = today.year + 1 if which is None else _shift_year(which, today)
    return None if year is None else _year(year)


def _read_near_day(reading: Reading, match: re.Match[str], today: date) -> Span | None:
    day = today + timedelta(days={"today": 0, "yesterday": -1, "tomorrow": 1}[str(match.lastgroup)])
    return day, day, "day"


def _read_year(reading: Reading, match: re.Match[str], today: date) -> Span | None:
    if _LAW_BEFORE.search(_before(reading, match.start(), 40)):
        return None
    return _year(int(match["year"]))


def _read_bare_year(reading: Reading, match: re.Match[str], today: date) -> Span | None:
    before = _before(reading, match.start())
    # A year about now needs no preposition: `hệ số trượt giá 2026`.
    near = abs(int(match["year"]) - today.year) <= 1
    cued = match["part"] or near or match.start() == 0 or _YEAR_CUE_BEFORE.search(before)
    if _SCHOOL_YEAR_BEFORE.search(before) or not cued:
        return None
    return _read_year(reading, match, today)


def _read_part_of_year(reading: Reading, match: re.Match[str], today: date) -> Span | None:
    return None if _is_counted(reading, match.start()) else _year(today.year)


_READERS: tuple[tuple[re.Pattern[str], Callable[[Reading, re.Match[str], date], Span | None]], ...] = (
    (_ISO, _read_full),
    (_FULL, _read_full),
    (_DAY_OF_MONTH, _read_day_of_month),
    (_QUARTER, _read_quarter),
    (_MONTH_AFTER_YEAR, _read_month_of_year),
    (_MONTH_OF_YEAR, _read_month_of_year),
    (_DAY_SLASH_MONTH, _read_day_slash_month),
    (_MONTH_ALONE, _read_month_alone),
    (_MONTH_IN_WORDS, _read_month_in_words),
    (_NEAR_MONTH, _read_near_month),
    (_NEAR_YEAR, _read_near_year),
    (_NEAR_DAY, _read_near_day),
    (_YEAR_NAMED, _read_year),
    (_YEAR_BARE, _read_bare_year),
    (_PART_ALONE, _read_part_of_year),
)
