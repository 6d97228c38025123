"""A history of contributions: its months, its adjusted average income and the support it received."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from knowledge_base.calculators.inputs import PaidMonth, paid_months
from knowledge_base.calculators.levels import rate_on
from knowledge_base.calculators.voluntary import SUPPORT, state_support, support_rates
from knowledge_base.dated import Rules
from knowledge_base.errors import NoValueOnDate

# A month of the compulsory scheme counts like any other but never had state support.
Contributions = Annotated[tuple[PaidMonth, ...], paid_months(*SUPPORT, "compulsory", default="other")]


def adjusted_average(rules: Rules, contributions: tuple[PaidMonth, ...]) -> Decimal:
    """The average income (đồng a month), each month adjusted for prices by the table of the claim's year.

    Raises NoValueOnDate for a year the table does not hold.
    """
    factors = rules.table("one_off.price_adjustment")
    total = Decimal(0)
    for paid in contributions:
        if paid.month.year not in factors:
            raise NoValueOnDate("one_off.price_adjustment", paid.month)
        total += paid.income * factors[paid.month.year]
    return total / len(contributions)


def support_received(rules: Rules, contributions: tuple[PaidMonth, ...]) -> int:
    """State support in đồng over all months since it began, no more months than the law supports."""
    supported = [
        state_support(rules, rate, paid.month)
        for paid in contributions
        if paid.group != "compulsory"
        for rate in support_rates(rules, (paid.group,), paid.month).values()
    ]
    longest = rules.amount("voluntary.support_maximum_months") if supported else 0
    return sum(supported[:longest])


def credited_years(rules: Rules, months: int) -> Decimal:
    """Years of contribution: up to six odd months count as half a year, more as a year (L41 Đ5 k6)."""
    years, odd = divmod(months, 12)
    if not odd:
        return Decimal(years)
    half = odd <= rate_on(rules, "pension.half_year_months", rules.on)
    return years + (Decimal("0.5") if half else Decimal(1))
