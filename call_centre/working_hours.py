"""When the office answers: working minutes across lunch, nights, weekends, holidays and Tết."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from knowledge_base.office import Office

OFFICE_TIME = ZoneInfo("Asia/Ho_Chi_Minh")
# Further ahead nobody can promise anything; it also ends the search when no day is a working day.
HORIZON_DAYS = 60
TET = "Tết Nguyên đán"
# Its first day is from 21 January to 20 February; days off begin a day or two before and end within the week.
TET_BEGINS = timedelta(days=19)  # 20 January, counted from New Year
TET_ENDS = timedelta(days=55)  # 25 February


def _spans(office: Office, moment: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Opening spans that end after `moment`, in order, within the horizon."""
    local = moment.astimezone(OFFICE_TIME)
    for offset in range(HORIZON_DAYS):
        day = local.date() + timedelta(days=offset)
        if day in office.holidays:
            continue
        for start, end in sorted(office.working_hours.get(day.weekday(), ())):
            opens = datetime.combine(day, start, OFFICE_TIME)
            closes = datetime.combine(day, end, OFFICE_TIME)
            if closes > local:
                yield opens, closes


def is_open(office: Office, moment: datetime) -> bool:
    """Whether agents are at work at `moment`; the closing minute itself is outside."""
    first = next(_spans(office, moment), None)
    return first is not None and first[0] <= moment < first[1]


def next_opening(office: Office, moment: datetime) -> datetime | None:
    """The next moment at or after `moment` when the office is open; None within 60 days."""
    first = next(_spans(office, moment), None)
    return None if first is None else max(first[0], moment.astimezone(OFFICE_TIME))


def add_working_minutes(office: Office, moment: datetime, minutes: int) -> datetime | None:
    """The moment when `minutes` of working time have passed since `moment`, in the office's time.

    A promise that ends exactly at closing time stays on that day. None when the office does not open
    for that long within 60 days.
    """
    left = timedelta(minutes=minutes)
    local = moment.astimezone(OFFICE_TIME)
    for opens, closes in _spans(office, moment):
        start = max(opens, local)
        if start + left <= closes:
            return start + left
        left -= closes - start
    return None


def _tet_is_missing(office: Office, year: int) -> bool:
    return not any(day.year == year and name.startswith(TET) for day, name in office.holidays.items())


def may_be_tet(office: Office, moment: datetime) -> bool:
    """Whether `moment` may be a day off of a Tết that office.yml does not have: then nothing is promised."""
    day = moment.astimezone(OFFICE_TIME).date()
    return TET_BEGINS <= day - date(day.year, 1, 1) <= TET_ENDS and _tet_is_missing(office, day.year)


def holidays_missing_for(office: Office, today: date) -> int | None:
    """The year whose Tết is not in office.yml though promises will soon reach it; None when all is well."""
    horizon = today + timedelta(days=HORIZON_DAYS + 31)
    for year in (today.year, horizon.year):
        if date(year, 1, 1) + TET_ENDS >= today and _tet_is_missing(office, year):
            return year
    return None


def utc_now() -> datetime:
    """The present moment, aware."""
    return datetime.now(UTC)
