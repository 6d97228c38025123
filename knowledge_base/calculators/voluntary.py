"""Voluntary contribution (BHXH tự nguyện): by the month, for years ahead, for missing years."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Annotated

from knowledge_base.calculators.inputs import Count, Dong, one_of, some_of
from knowledge_base.calculators.levels import periods, rate_on, reference_level
from knowledge_base.calculators.result import Result, answered, refused, say, spoken_list
from knowledge_base.dated import Rules
from knowledge_base.errors import InvalidInput
from knowledge_base.expressions import to_dong

SUPPORT = {
    "poor": "voluntary.support_poor",
    "island": "voluntary.support_island",
    "near_poor": "voluntary.support_near_poor",
    "ethnic_minority": "voluntary.support_ethnic_minority",
    "other": "voluntary.support_other",
}
Groups = Annotated[tuple[str, ...], some_of(*SUPPORT)]
Method = Annotated[str, one_of("years_ahead", "missing_years")]


def support_rates(rules: Rules, groups: Iterable[str], on: date) -> dict[str, Decimal]:
    """State support of each group on a day; nobody had any before it began in 2018."""
    return {
        group: rate_on(rules, SUPPORT[group], on) for group in groups if on >= rules.since(SUPPORT[group])
    }


def state_support(rules: Rules, rate: Decimal, on: date) -> int:
    """State support in đồng for a month: a rate of the contribution on the rural poverty line."""
    return to_dong(
        rate * rate_on(rules, "voluntary.rate", on) * rate_on(rules, "poverty.rural", on),
    )


def voluntary_contribution(
    rules: Rules,
    *,
    income: Dong,
    group: Groups = ("other",),
    months: Count | None = None,
    method: Method | None = None,
    years: Count | None = None,
    missing_months: Count | None = None,
    supported_months_used: Count = 0,
    local_support: Dong = 0,
) -> Result:
    """What a voluntary contributor pays on a chosen income (đồng a month)."""
    if (years is not None) != (method == "years_ahead"):
        raise InvalidInput('years goes with method "years_ahead"')
    if (missing_months is not None) != (method == "missing_years"):
        raise InvalidInput('missing_months goes with method "missing_years"')
    if method and months is not None:
        raise InvalidInput("give either months or method")
    refusal = _outside_bounds(rules, income)
    if refusal:
        return refusal
    if years is not None:
        return _years_ahead(rules, income, years)
    if missing_months is not None:
        return _missing_years(rules, income, missing_months)
    months = 1 if months is None else months
    return _by_period(rules, income, group, months, used=supported_months_used, local=local_support)


def _outside_bounds(rules: Rules, income: int) -> Result | None:
    """The refusal of an income below the poverty line or above the multiple of the reference level."""
    rate = rules.rate("voluntary.rate")
    floor = rules.amount("poverty.rural")
    if income < floor:
        reason = say("voluntary_contribution.below_floor", floor=floor, least=to_dong(rate * floor))
        return refused(rules, "out_of_bounds", reason, {"minimum_income": floor})
    multiple = rules.rate("voluntary.income_ceiling")
    ceiling = to_dong(multiple * reference_level(rules))
    if income > ceiling:
        reason = say(
            "voluntary_contribution.above_ceiling",
            ceiling=ceiling,
            multiple=multiple,
            most=to_dong(rate * ceiling),
        )
        return refused(rules, "out_of_bounds", reason, {"maximum_income": ceiling})
    return None


def _by_period(
    rules: Rules, income: int, groups: tuple[str, ...], months: int, *, used: int, local: int
) -> Result:
    allowed = periods(rules, "voluntary.payment_periods")
    if months not in allowed:
        reason = say("common.periods", periods=spoken_list(allowed))
        return refused(rules, "out_of_bounds", reason, {"periods": list(allowed)})
    rate = rules.rate("voluntary.rate")
    gross = to_dong(rate * income)
    rates = support_rates(rules, groups, rules.on)
    supported, support, support_line = 0, 0, say("voluntary_contribution.no_support_yet")
    if rates:
        group = max(rates, key=lambda name: rates[name])  # several groups: the highest support
        longest = rules.amount("voluntary.support_maximum_months")
        supported = min(months, max(0, longest - used))
        support = state_support(rules, rates[group], rules.on) if supported else 0
        support_line = (
            say(
                "voluntary_contribution.support",
                support=support,
                group=say(f"voluntary_groups.{group}"),
                support_rate=rates[group],
                floor_contribution=to_dong(rate * rules.amount("poverty.rural")),
            )
            if supported
            else say("voluntary_contribution.support_used_up", longest=longest)
        )
    payable = max(0, gross - support - local)
    unsupported = max(0, gross - local)
    total = supported * payable + (months - supported) * unsupported
    partly = 0 < supported < months
    outputs = {
        "monthly_gross": gross,
        "monthly_support": support,
        "monthly_payable": payable,
        "total_payable": total,
        "supported_months": supported,
    }
    return answered(
        rules,
        outputs,
        say("voluntary_contribution.by_month", payable=payable)
        if months == 1
        else say("voluntary_contribution.by_period", total=total, months=months, payable=payable)
        if not partly
        else say("voluntary_contribution.by_period_partly", total=total, months=months),
        say("voluntary_contribution.gross", rate=rate, income=income, gross=gross, then=support_line),
        say("voluntary_contribution.local", local=local) if local else None,
        say(
            "voluntary_contribution.partly",
            supported=supported,
            payable=payable,
            rest=months - supported,
            unsupported=unsupported,
        )
        if partly
        else None,
    )


def _years_ahead(rules: Rules, income: int, years: int) -> Result:
    """One payment for years to come: each month discounted by the fund's return (NĐ 159/2025 Đ6)."""
    longest = rules.amount("voluntary.years_ahead_maximum")
    months = years * 12
    if not 1 <= months <= longest:
        reason = say("voluntary_contribution.too_many_years", longest=Decimal(longest) / 12)
        return refused(rules, "out_of_bounds", reason, {"maximum_years": longest // 12})
    interest = 1 + rules.rate("voluntary.fund_return")
    monthly = rules.rate("voluntary.rate") * income
    total = to_dong(sum((monthly / interest**index for index in range(months)), Decimal(0)))
    return _many_years(rules, income, total, months, "years_ahead")


def _missing_years(rules: Rules, income: int, missing_months: int) -> Result:
    """One payment for missing months: each with the fund's return added (NĐ 159/2025 Đ7)."""
    longest = rules.amount("voluntary.missing_years_maximum")
    if not 1 <= missing_months <= longest:
        reason = say("voluntary_contribution.too_many_missing", longest=longest)
        return refused(rules, "out_of_bounds", reason, {"maximum_missing_months": longest})
    interest = 1 + rules.rate("voluntary.fund_return")
    monthly = rules.rate("voluntary.rate") * income
    total = to_dong(sum((monthly * interest**index for index in range(1, missing_months + 1)), Decimal(0)))
    return _many_years(rules, income, total, missing_months, "missing_years")


def _many_years(rules: Rules, income: int, total: int, months: int, method: str) -> Result:
    """The whole contribution is certain; how state support enters it is not, so it is left out."""
    rate = rules.rate("voluntary.rate")
    gross = to_dong(rate * income)
    return refused(
        rules,
        "unsure",
        say(f"voluntary_contribution.{method}_support"),
        {"monthly_gross": gross, "total_gross": total},
        say(f"voluntary_contribution.{method}", total=total, months=months),
        say("voluntary_contribution.gross_only", rate=rate, income=income, gross=gross),
        say(f"voluntary_contribution.{method}_working", interest=rules.rate("voluntary.fund_return")),
    )
