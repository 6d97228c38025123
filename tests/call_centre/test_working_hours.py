"""When a person will answer: lunch, nights, weekends, holidays and Tết counted."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest

from call_centre.working_hours import (
    OFFICE_TIME,
    add_working_minutes,
    holidays_missing_for,
    is_open,
    may_be_tet,
    next_opening,
)
from knowledge_base.office import Office


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=OFFICE_TIME)


@pytest.mark.parametrize(
    ("asked", "minutes", "promised"),
    [
        ("2026-11-23 08:15", 120, "2026-11-23 10:15"),  # Monday morning
        ("2026-11-23 10:30", 120, "2026-11-23 14:30"),  # over lunch: 60 + 60
        ("2026-11-23 12:00", 120, "2026-11-23 15:30"),  # during lunch
        ("2026-11-23 09:30", 120, "2026-11-23 11:30"),  # ends exactly at lunch
        ("2026-11-27 16:30", 120, "2026-11-30 09:00"),  # Friday 16:30: 30 left, the rest on Monday
        ("2026-11-27 17:00", 120, "2026-11-30 09:30"),  # the closing minute is outside
        ("2026-11-28 10:00", 120, "2026-11-30 09:30"),  # Saturday
        ("2026-11-29 23:59", 120, "2026-11-30 09:30"),  # Sunday night
        ("2026-11-24 00:00", 120, "2026-11-24 09:30"),  # midnight
        ("2026-11-24 06:00", 120, "2026-11-24 09:30"),  # before opening
        ("2026-12-31 16:00", 120, "2027-01-04 08:30"),  # Thursday, then 1 January and the weekend
        ("2026-02-13 16:30", 120, "2026-02-23 09:00"),  # Tết: from Friday over 16 to 20 February
        ("2026-02-18 09:00", 120, "2026-02-23 09:30"),  # in the middle of Tết
        ("2026-04-29 16:59", 120, "2026-05-04 09:29"),  # 30 April, 1 May, weekend
        ("2026-11-23 08:00", 1000, "2026-11-25 09:40"),  # 420 - … over three days
    ],
)
def test_promised_time_counts_working_minutes_only(
    office: Office, asked: str, minutes: int, promised: str
) -> None:
    assert add_working_minutes(office, at(asked), minutes) == at(promised)


def test_time_is_read_in_the_office_whatever_the_zone(office: Office) -> None:
    utc = datetime.fromisoformat("2026-11-27T09:30:00+00:00")  # Friday 16:30 in Vietnam
    assert add_working_minutes(office, utc, 120) == at("2026-11-30 09:00")


@pytest.mark.parametrize(
    ("moment", "opened"),
    [
        ("2026-11-23 07:29", False),
        ("2026-11-23 07:30", True),
        ("2026-11-23 11:30", False),
        ("2026-11-23 13:30", True),
        ("2026-11-23 17:00", False),
        ("2026-11-22 09:00", False),
        ("2026-09-02 09:00", False),
    ],
)
def test_office_is_open(office: Office, moment: str, opened: bool) -> None:
    assert is_open(office, at(moment)) is opened


def test_next_opening_skips_tet(office: Office) -> None:
    assert next_opening(office, at("2026-02-13 17:30")) == at("2026-02-23 07:30")


def test_office_that_never_opens_promises_nothing(office: Office) -> None:
    closed = replace(office, working_hours={})
    assert add_working_minutes(closed, at("2026-11-23 08:00"), 10) is None
    assert next_opening(closed, at("2026-11-23 08:00")) is None


def test_missing_tet_of_the_coming_year_is_noticed(office: Office) -> None:
    today = date(2026, 11, 22)
    with_tet = replace(office, holidays={**office.holidays, date(2027, 2, 5): "Tết Nguyên đán"})
    assert holidays_missing_for(office, today) == 2027
    assert holidays_missing_for(with_tet, today) is None
    assert holidays_missing_for(office, date(2026, 2, 1) + timedelta(days=30)) is None


@pytest.mark.parametrize(
    ("moment", "unsure"),
    [
        ("2027-01-19 23:59", False),
        ("2027-01-20 00:00", True),
        ("2027-02-06 09:00", True),
        ("2027-02-25 23:59", True),
        ("2027-02-26 00:00", False),
        ("2026-02-17 09:00", False),  # listed
        ("2026-11-23 09:00", False),
    ],
)
def test_nothing_is_promised_on_days_that_may_be_tet(office: Office, moment: str, *, unsure: bool) -> None:
    assert may_be_tet(office, at(moment)) is unsure
    with_tet = replace(office, holidays={**office.holidays, date(2027, 2, 5): "Tết Nguyên đán"})
    assert not may_be_tet(with_tet, at(moment))
