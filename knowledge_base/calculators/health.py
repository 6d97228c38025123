"""Health insurance (BHYT): household, student and supported cards, and the co-payment threshold."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated

from knowledge_base.calculators.inputs import Count, Dong, Flag, one_of
from knowledge_base.calculators.levels import periods, rate_on
from knowledge_base.calculators.result import Result, answered, refused, say, spoken_list
from knowledge_base.dated import Rules
from knowledge_base.errors import InvalidInput
from knowledge_base.expressions import thousands, to_dong

SUPPORT = {
    "near_poor": "health.support_near_poor",
    "near_poor_in_poor_commune": "health.support_near_poor_in_poor_commune",
    "near_poor_in_poor_district": "health.support_near_poor_in_poor_district",
    "average_income_farmer": "health.support_average_income_farmer",
    "local_security_force": "health.support_local_security_force",
    "village_health_worker": "health.support_village_health_worker",
    "village_official": "health.support_village_official",
    "left_difficult_commune": "health.support_left_difficult_commune",
    "artisan": "health.support_artisan",
    "trafficking_victim": "health.support_trafficking_victim",
    "mine_victim": "health.support_mine_victim",
}
Group = Annotated[str, one_of(*SUPPORT)]


def _full_premium(rules: Rules) -> Decimal:
    """The undiscounted premium of one person a month, on the base salary of the day of payment."""
    return rules.rate("health.rate") * rules.amount("wages.base_salary")


def _outside_periods(rules: Rules, months: int) -> Result | None:
    allowed = periods(rules, "health.payment_periods")
    if months in allowed:
        return None
    reason = say("common.periods", periods=spoken_list(allowed))
    return refused(rules, "out_of_bounds", reason, {"periods": list(allowed)})


def household_health(
    rules: Rules, *, members: Count | None = None, member_order: Count | None = None, months: Count = 12
) -> Result:
    """The premium of a household's members, or of the one in the given order, for a period."""
    if (members is None) == (member_order is None):
        raise InvalidInput("give either members (how many pay as a household) or member_order (one person)")
    if members == 0 or member_order == 0:
        return refused(rules, "out_of_bounds", say("household_health.nobody"), {"minimum_members": 1})
    refusal = _outside_periods(rules, months)
    if refusal:
        return refusal
    factors = rules.rates("health.household_factors")
    orders = range(1, members + 1) if members is not None else [member_order or 1]
    shares = [factors[min(order, len(factors)) - 1] for order in orders]
    full = _full_premium(rules)
    monthly = [to_dong(full * share) for share in shares]
    per_member = [months * amount for amount in monthly]
    outputs = {"per_member": per_member, "total": sum(per_member), "per_member_monthly": monthly}
    base = say(
        "household_health.base",
        rate=rules.rate("health.rate"),
        base_salary=rules.amount("wages.base_salary"),
        full=to_dong(full),
    )
    if member_order is not None:
        answer = say("household_health.one", order=member_order, total=per_member[0], months=months)
        return answered(
            rules,
            outputs,
            answer,
            base,
            say(
                "household_health.one_share",
                share=shares[0],
                full=to_dong(full),
                monthly=monthly[0],
                months=months,
                total=per_member[0],
            ),
        )
    total = sum(per_member)
    if members == 1:
        answer = say("household_health.alone", total=total, months=months, monthly=monthly[0])
        return answered(rules, outputs, answer, base)
    return answered(
        rules,
        outputs,
        say("household_health.all", members=len(per_member), total=total, months=months),
        base,
        _shares_line(per_member, shares, len(factors)),
    )


def _shares_line(per_member: list[int], shares: list[Decimal], last: int) -> str:
    """Each member's amount, those who pay the last rate named once."""
    parts = [
        say("household_health.member", order=order, share=share, amount=amount)
        for order, (share, amount) in enumerate(zip(shares, per_member, strict=True), 1)
        if order < last or len(per_member) == last
    ]
    if len(per_member) > last:
        parts.append(say("household_health.rest", order=last, share=shares[-1], amount=per_member[-1]))
    return say("household_health.members", list="; ".join(parts))


def student_health(rules: Rules, *, months: Count = 12) -> Result:
    """What a pupil or student pays after the State's lowest support."""
    return _supported(rules, "health.student_support", "student", months)


def supported_health(rules: Rules, *, group: Group, months: Count = 12) -> Result:
    """What a member of a partly supported group pays after the State's lowest support."""
    return _supported(rules, SUPPORT[group], group, months)


def _supported(rules: Rules, parameter: str, group: str, months: int) -> Result:
    refusal = _outside_periods(rules, months)
    if refusal:
        return refusal
    share = rules.rate(parameter)
    full = to_dong(_full_premium(rules))
    support = to_dong(_full_premium(rules) * share)
    payable = full - support
    total = months * payable
    outputs = {"monthly_support": support, "monthly_payable": payable, "total_payable": total}
    return answered(
        rules,
        outputs,
        say("supported_health.answer", total=total, months=months, payable=payable)
        if payable
        else say("supported_health.free"),
        say(
            "supported_health.base",
            rate=rules.rate("health.rate"),
            base_salary=rules.amount("wages.base_salary"),
            full=full,
        ),
        say("supported_health.support", share=share, group=say(f"supported_groups.{group}"), support=support),
        say("supported_health.local") if payable else None,
    )


def copay_threshold(
    rules: Rules,
    *,
    copaid_before_change: Dong | None = None,
    copaid_since_change: Dong | None = None,
    five_years: Flag | None = None,
) -> Result:
    """The co-payments of a year above which a person of five continuous years co-pays no more.

    When the base salary changes within the year, what was co-paid before counts in base salaries
    of its own time (NĐ 188/2025 Đ18).
    """
    salary = rules.amount("wages.base_salary")
    multiple = rules.rate("health.copay_exempt_multiple")
    threshold = to_dong(multiple * salary)
    low_cost = to_dong(rules.rate("health.low_cost_ratio") * salary)
    years = rules.amount("health.continuous_years")
    given = copaid_before_change is not None or copaid_since_change is not None
    before, since = copaid_before_change or 0, copaid_since_change or 0
    old_salary = int(rate_on(rules, "wages.base_salary", date(rules.on.year, 1, 1)))
    # Reached before the change, the exemption is not worked out again.
    left = (multiple * old_salary - before) * salary / old_salary - since
    passed = left < 0
    remaining = max(0, to_dong(left))
    outputs = {
        "threshold": threshold,
        "low_cost_limit": low_cost,
        "remaining": remaining,
        "exempt": passed and five_years is not False,
    }
    threshold_line = say(
        "copay_threshold.threshold", multiple=multiple, salary=salary, threshold=threshold, years=years
    )
    low_cost_line = say("copay_threshold.low_cost", limit=low_cost)
    if five_years is False:
        reason = say("copay_threshold.not_five_years", years=years)
        return refused(rules, "not_eligible", reason, outputs, threshold_line, low_cost_line)
    if not given:
        return answered(rules, outputs, threshold_line, low_cost_line)
    working = (
        say(
            "copay_threshold.changed",
            multiple=multiple,
            before=thousands(before),
            old_salary=old_salary,
            salary=salary,
            since=thousands(since),
            left=remaining,
        )
        if old_salary != salary
        else say("copay_threshold.same", threshold=threshold, copaid=before + since, left=remaining)
    )
    return answered(
        rules,
        outputs,
        say("copay_threshold.exempt", years=years)
        if passed
        else say("copay_threshold.remaining", remaining=remaining),
        threshold_line,
        None if passed else working,
        low_cost_line,
    )
