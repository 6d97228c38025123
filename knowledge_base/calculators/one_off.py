"""One-off withdrawal (BHXH một lần): what is paid back, less what the State had supported."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated

from knowledge_base.calculators.history import (
    Contributions,
    adjusted_average,
    credited_years,
)
from knowledge_base.calculators.history import (
    support_received as support_of,
)
from knowledge_base.calculators.inputs import Average, Count, Dong, Flag, one_of
from knowledge_base.calculators.result import Result, answered, refused, say
from knowledge_base.dated import Rules
from knowledge_base.errors import InvalidInput
from knowledge_base.expressions import plain, to_dong

FACTOR_CHANGES = date(2014, 1, 1)  # L41 Đ102: two periods, each with its factor
NEW_MEMBERS_FROM = date(2025, 7, 1)  # who joined since then cannot withdraw after merely waiting
# Why one may withdraw (L41 Đ102 k1); waiting is the commonest and the only one new members lack.
Ground = Annotated[str, one_of("waited", "retirement_age", "abroad", "illness", "incapacity")]
SUPPORT_KEPT = ("illness", "incapacity")


def one_off_withdrawal(
    rules: Rules,
    *,
    months_before_2014: Count | None = None,
    months_from_2014: Count | None = None,
    average_income: Average | None = None,
    support_received: Dong | None = None,
    contributions: Contributions | None = None,
    ground: Ground = "waited",
    months_since_last: Count | None = None,
    joined_before_july_2025: Flag | None = None,
) -> Result:
    """The one-off withdrawal of months paid on an average income (đồng a month)."""
    paid_in: Decimal | None = None
    if contributions is not None:
        if {months_before_2014, months_from_2014, average_income, support_received} != {None}:
            raise InvalidInput("give either contributions or months, average_income and support_received")
        average_income = adjusted_average(rules, contributions)
        months_before_2014 = sum(1 for paid in contributions if paid.month < FACTOR_CHANGES)
        months_from_2014 = len(contributions) - months_before_2014
        support_received = support_of(rules, contributions)
        paid_in = rules.rate("voluntary.rate") * sum(paid.income for paid in contributions)
        if joined_before_july_2025 is None:
            joined_before_july_2025 = contributions[0].month < NEW_MEMBERS_FROM
    if average_income is None or (months_before_2014 is None and months_from_2014 is None):
        raise InvalidInput("give average_income and months_before_2014 or months_from_2014, or contributions")
    before, since = months_before_2014 or 0, months_from_2014 or 0
    if before + since < 1:
        return refused(rules, "out_of_bounds", say("one_off_withdrawal.nothing"), {"minimum_months": 1})
    refusal = _not_allowed(rules, ground, before + since, months_since_last, joined_before_july_2025)
    if refusal:
        return refused(rules, "not_eligible", refusal, {"amount": 0})
    if before + since < 12:
        if paid_in is None:
            paid_in = rules.rate("voluntary.rate") * average_income * (before + since)
        limit = rules.rate("one_off.under_one_year_maximum")
        gross = to_dong(min(paid_in, limit * average_income))
        working = say("one_off_withdrawal.under_one_year", limit=limit, gross=gross)
    else:
        # Odd months before 2014 move to the later period.
        years_before, moved = divmod(before, 12)
        years_since = credited_years(rules, since + moved)
        factor = years_since * rules.rate("one_off.factor_from_2014")
        if years_before:
            factor += years_before * rules.rate("one_off.factor_before_2014")
        gross = to_dong(factor * average_income)
        working = say(
            "one_off_withdrawal.working",
            years_before=years_before,
            years_since=plain(years_since),
            factor=plain(factor),
            average=to_dong(average_income),
            gross=gross,
        )
    deducted = 0 if ground in SUPPORT_KEPT else min(support_received or 0, gross)
    amount = gross - deducted
    outputs = {
        "amount": amount,
        "before_deduction": gross,
        "support_deducted": deducted,
        "average_income": to_dong(average_income),
    }
    return answered(
        rules,
        outputs,
        say("one_off_withdrawal.answer", amount=amount),
        working,
        say("one_off_withdrawal.deducted", gross=gross, deducted=deducted, amount=amount)
        if deducted
        else None,
        say("one_off_withdrawal.support_not_told") if support_received is None and not deducted else None,
        say("one_off_withdrawal.loses"),
    )


def _not_allowed(
    rules: Rules, ground: str, months: int, since_last: int | None, joined_before: bool | None
) -> str | None:
    """Why this ground does not allow a withdrawal; a condition that was not told is taken as met."""
    if ground == "retirement_age":
        needed = rules.amount("pension.minimum_years")
        return say("one_off_withdrawal.pension_instead", needed=needed) if months >= needed * 12 else None
    if ground != "waited":
        return None
    waiting = rules.amount("one_off.waiting_months")
    limit = rules.amount("one_off.years_paid_limit")
    if joined_before is False:
        return say("one_off_withdrawal.new_member", since=NEW_MEMBERS_FROM, waiting=waiting)
    if since_last is not None and since_last < waiting:
        return say("one_off_withdrawal.too_soon", waiting=waiting, since_last=since_last)
    if months >= limit * 12:
        return say("one_off_withdrawal.too_long", limit=limit)
    return None
