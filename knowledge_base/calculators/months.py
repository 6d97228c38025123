"""Calendar months, held as the first day of the month."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date


def month_of(day: date) -> date:
    """The month a day falls in."""
    return day.replace(day=1)


def shift(month: date, by: int) -> date:
    """A month `by` months later (earlier when negative). Raises ValueError outside years 1 to 9999."""
    years, index = divmod(month.year * 12 + month.month - 1 + by, 12)
    return date(years, index + 1, 1)


def months_between(first: date, last: date) -> Iterator[date]:
    """Every month from `first` to `last`, both included."""
    while first <= last:
        yield first
        first = shift(first, 1)


def month_text(month: date) -> str:
    """`2026-09`, as inputs and outputs write a month."""
    return f"{month.year:04}-{month.month:02}"


def spoken_month(month: date) -> str:
    """`9/2026`, as a citizen reads it."""
    return f"{month.month}/{month.year}"
