"""Unemployment benefit (trợ cấp thất nghiệp): how much a month and for how many months."""

from __future__ import annotations

from typing import Annotated

from knowledge_base.calculators.inputs import Average, Count, one_of
from knowledge_base.calculators.result import Result, answered, refused, say
from knowledge_base.dated import Rules
from knowledge_base.errors import InvalidInput
from knowledge_base.expressions import to_dong

MINIMUM_WAGES = (
    "unemployment.minimum_wage_region_1",
    "unemployment.minimum_wage_region_2",
    "unemployment.minimum_wage_region_3",
    "unemployment.minimum_wage_region_4",
)
# Why the job ended: leaving against the law, or with a pension due, gives no benefit (LVL Đ38).
Left = Annotated[str, one_of("ended", "left_unlawfully", "pension_due")]


def unemployment(
    rules: Rules,
    *,
    months_paid: Count,
    average_salary: Average,
    region: Count | None = None,
    left: Left = "ended",
    months_paid_in_window: Count | None = None,
) -> Result:
    """The benefit after months insured on an average salary (đồng a month) in a wage region.

    The region matters only when the benefit reaches the ceiling. `months_paid_in_window` are the
    months insured in the window before the job ended.
    """
    if region is not None and not 1 <= region <= len(MINIMUM_WAGES):
        reason = say("unemployment.no_region", last=len(MINIMUM_WAGES))
        return refused(rules, "out_of_bounds", reason, {"maximum_region": len(MINIMUM_WAGES)})
    if left != "ended":
        return refused(rules, "not_eligible", say(f"unemployment.{left}"), {"total": 0})
    needed = rules.amount("unemployment.minimum_months")
    counted = months_paid if months_paid_in_window is None else min(months_paid, months_paid_in_window)
    if counted < needed:
        reason = say(
            "unemployment.too_short",
            needed=needed,
            window=rules.amount("unemployment.lookback_months"),
            counted=counted,
        )
        return refused(rules, "not_eligible", reason, {"total": 0})
    rate = rules.rate("unemployment.benefit_rate")
    multiple = rules.rate("unemployment.ceiling_multiple")
    # Without a region the lowest ceiling decides whether it can matter at all.
    minimum_wage = rules.amount(MINIMUM_WAGES[region - 1 if region else -1])
    ceiling = multiple * minimum_wage
    if region is None and rate * average_salary > ceiling:
        raise InvalidInput(
            "missing input region: on this salary the ceiling of the wage region (1 to 4) decides"
        )
    monthly = to_dong(min(rate * average_salary, ceiling))
    months = _months(rules, months_paid)
    return answered(
        rules,
        {"monthly": monthly, "months": months, "total": months * monthly},
        say("unemployment.answer", monthly=monthly, months=months, total=months * monthly),
        say("unemployment.monthly", rate=rate, salary=average_salary, amount=to_dong(rate * average_salary)),
        say(
            "unemployment.capped",
            multiple=multiple,
            wage=minimum_wage,
            region=region or 0,
            ceiling=to_dong(ceiling),
        )
        if rate * average_salary > ceiling
        else None,
        say("unemployment.months", paid=months_paid, months=months),
    )


def _months(rules: Rules, months_paid: int) -> int:
    """Months of benefit: the first for the first months insured, one more for each further whole step."""
    base = rules.amount("unemployment.base_benefit_months")
    first_step = rules.amount("unemployment.first_step_months")
    step = rules.amount("unemployment.months_per_extra_month")
    extra = max(0, months_paid - first_step) // step
    return min(base + extra, rules.amount("unemployment.maximum_months"))
