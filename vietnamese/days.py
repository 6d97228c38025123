"""Read how many days of leave a message speaks of: `nghỉ 20 ngày`, `5 lần mỗi lần 2 ngày`."""

import re
from datetime import date

from vietnamese.dates import find_dates
from vietnamese.numbers import NUMBER, read_number
from vietnamese.text import Found, Reading

_DAYS = re.compile(rf"(?P<number>{NUMBER})\s*(?:ngay|ngayf)(?![a-z])(?!\s*(?:ruoi|truoc|nua|sau|nay|[0-9]))")
_TIMES = re.compile(rf"(?<!lan )(?<!thu )(?P<number>{NUMBER})\s*(?:lan|luot)(?![a-z])")
_EACH = r"(?:moi|tung|1|mot)\s+(?:lan|luot)(?![a-z])"
_EACH_BEFORE = re.compile(rf"(?<![a-z0-9]){_EACH}[^.;?!\n0-9]{{0,20}}$|(?:lan|luot)\s*(?:x|\*|nhan)\s*$")
_EACH_AFTER = re.compile(rf"\s*(?:/\s*(?:lan|luot)|{_EACH})")
# A moment, a deadline or an estimate, not a length: `sau 5 ngày`, `quá 45 ngày`, `3-5 ngày`.
_NO_LENGTH_BEFORE = re.compile(r"(?<![a-z])(?:sau|cach day|cach|qua|han|tre|cham)\s*$|[0-9]\s*[-–~]\s*$")
_GREATEST = 366


def parse_days(text: str) -> int | None:
    """The days of leave, visits × days each where a visit's days are told; None when they stay open."""
    reading = Reading.of(text)
    # The day does not matter here: only where dates stand.
    dates = find_dates(reading, date(2000, 1, 1))
    found = find_days(reading.without((mention.start, mention.end) for mention in dates))
    return found.value if found else None


def find_days(reading: Reading) -> Found[int] | None:
    """As `parse_days`, for a prepared message in which dates are already hidden."""
    for match in _DAYS.finditer(reading.folded):
        days = read_number(reading, *match.span("number"))
        before = reading.folded[: match.start()]
        if not days or _NO_LENGTH_BEFORE.search(before):
            continue
        if _EACH_BEFORE.search(before) or _EACH_AFTER.match(reading.folded, match.end()):
            times = _times(reading)
            if times is None:
                return None
            days *= times
        return reading.found(days, *match.span()) if days <= _GREATEST else None
    return None


def _times(reading: Reading) -> int | None:
    """How many visits; `mỗi lần` and `một lần` count none."""
    for match in _TIMES.finditer(reading.folded):
        times = read_number(reading, *match.span("number"))
        if times is not None and times > 1:
            return times
    return None
