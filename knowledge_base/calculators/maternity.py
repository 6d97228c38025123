"""Maternity benefits (thai sản): mother, father, recovery, the months looked back on, the voluntary grant."""

from __future__ import annotations

from datetime import date

from knowledge_base.calculators.inputs import Average, Count, EventDay, Flag, Months
from knowledge_base.calculators.levels import reference_level
from knowledge_base.calculators.months import month_of, month_text, shift, spoken_month
from knowledge_base.calculators.result import Result, answered, refused, say
from knowledge_base.dated import Rules
from knowledge_base.expressions import to_dong

# L41 Đ53 k3: from then on the leave need only start, not end, within the window.
LEAVE_ONLY_STARTS_IN_WINDOW = date(2025, 7, 1)


def _no_birth(rules: Rules, children: int, birth_order: int = 1) -> Result | None:
    if children < 1:
        return refused(rules, "out_of_bounds", say("maternity.no_child"), {"minimum_children": 1})
    if birth_order < 1:
        return refused(rules, "out_of_bounds", say("maternity.no_order"), {"minimum_birth_order": 1})
    return None


def _not_enough_months(rules: Rules, months_paid: int | None) -> str | None:
    """Why the months paid before the birth do not suffice; None when they do or were not told."""
    needed = rules.amount("maternity.minimum_months")
    if months_paid is None or months_paid >= needed:
        return None
    return say(
        "maternity.months_missing",
        needed=needed,
        lookback=rules.amount("maternity.lookback_months"),
        paid=months_paid,
    )


def _undecided(rules: Rules, rule: str, children: int, birth_order: int) -> str | None:
    """Why the length of leave is uncertain: the second-child `rule` leaves these births open."""
    if rules.on < rules.since(rule) or birth_order == 1:
        return None
    if birth_order > 2:
        return say("maternity.third_child")
    return say("maternity.second_child_multiple") if children > 1 else None


def _lump_sum(rules: Rules, children: int) -> tuple[int, str]:
    """The one-off grant of a birth and the line that works it out."""
    multiple = rules.rate("maternity.lump_sum_multiple")
    level = reference_level(rules)
    amount = to_dong(multiple * level * children)
    return amount, say(
        "maternity.lump_sum" if children == 1 else "maternity.lump_sum_children",
        multiple=multiple,
        level=level,
        children=children,
        amount=amount,
    )


def maternity_compulsory(
    rules: Rules,
    *,
    birth_date: EventDay,
    average_salary: Average | None = None,
    children: Count = 1,
    birth_order: Count = 1,
    months_paid_in_last_12: Count | None = None,
) -> Result:
    """A mother's leave, benefit and one-off grant; without a salary only what does not depend on it."""
    refusal = _no_birth(rules, children, birth_order)
    if refusal:
        return refusal
    missing = _not_enough_months(rules, months_paid_in_last_12)
    if missing:
        return refused(rules, "not_eligible", missing, {"total": 0})
    second_child = "maternity.leave_months_second_child"
    undecided = _undecided(rules, second_child, children, birth_order)
    if birth_order == 2 and rules.on >= rules.since(second_child):
        leave = rules.amount(second_child)
    else:
        leave = rules.amount("maternity.leave_months")
        if children > 1:
            leave += (children - 1) * rules.amount("maternity.leave_extra_month_per_child")
    lump_sum, lump_sum_line = _lump_sum(rules, children)
    outputs: dict[str, int] = {} if undecided else {"leave_months": leave}
    outputs["lump_sum"] = lump_sum
    monthly_line = None
    monthly = 0
    if average_salary is not None:
        monthly = to_dong(rules.rate("maternity.benefit_rate") * average_salary)
        outputs["monthly_benefit"] = monthly
        monthly_line = say(
            "maternity_compulsory.monthly",
            monthly=monthly,
            months=rules.amount("maternity.salary_average_months"),
        )
    if undecided:
        return refused(rules, "unsure", undecided, outputs, monthly_line, lump_sum_line)
    if average_salary is None:
        answer = say("maternity_compulsory.leave_and_grant", leave=leave, lump_sum=lump_sum)
        return answered(rules, outputs, answer, lump_sum_line)
    total = leave * monthly + lump_sum
    outputs["total"] = total
    return answered(
        rules,
        outputs,
        say("maternity_compulsory.answer", total=total),
        say("maternity_compulsory.leave", leave=leave, monthly=monthly, amount=leave * monthly),
        monthly_line,
        lump_sum_line,
    )


def father_leave(
    rules: Rules,
    *,
    birth_date: EventDay,
    average_salary: Average | None = None,
    children: Count = 1,
    caesarean: Flag = False,
    before_32_weeks: Flag = False,
    birth_order: Count = 1,
    mother_insured: Flag = True,
    months_paid_in_last_12: Count | None = None,
) -> Result:
    """An insured father's leave and benefit when his wife gives birth.

    When the mother is not insured (`mother_insured` false), he also gets the one-off grant if he
    paid the months a mother would need.
    """
    refusal = _no_birth(rules, children, birth_order)
    if refusal:
        return refusal
    outputs: dict[str, int] = {}
    lump_sum, lump_sum_line = 0, None
    if not mother_insured:
        lump_sum_line = _not_enough_months(rules, months_paid_in_last_12)
        if lump_sum_line is None:
            lump_sum, lump_sum_line = _lump_sum(rules, children)
        outputs["lump_sum"] = lump_sum
    undecided = _undecided(rules, "maternity.father_days_second_child", children, birth_order)
    if undecided:
        return refused(rules, "unsure", undecided, outputs, lump_sum_line)
    days = _father_days(rules, children, caesarean, before_32_weeks, birth_order)
    outputs["days"] = days
    outputs["window_days"] = rules.amount("maternity.father_window_days")
    window = "father_leave.window_start" if rules.on >= LEAVE_ONLY_STARTS_IN_WINDOW else "father_leave.window"
    window_line = say(window, days=outputs["window_days"])
    if average_salary is None:
        answer = say("father_leave.days", days=days)
        return answered(rules, outputs, answer, window_line, lump_sum_line)
    divisor = rules.amount("maternity.working_days_divisor")
    benefit = to_dong(average_salary * days / divisor)
    outputs["benefit"] = benefit
    outputs["total"] = benefit + lump_sum
    return answered(
        rules,
        outputs,
        say("father_leave.answer", days=days, benefit=benefit)
        if not lump_sum
        else say("father_leave.answer_with_grant", days=days, total=benefit + lump_sum),
        say("father_leave.working", salary=average_salary, divisor=divisor, days=days, benefit=benefit),
        lump_sum_line,
        window_line,
    )


def _father_days(
    rules: Rules, children: int, caesarean: bool, before_32_weeks: bool, birth_order: int
) -> int:
    if children > 1:
        name = "maternity.father_days_twins_caesarean" if caesarean else "maternity.father_days_twins"
        days = rules.amount(name)
        if children > 2:
            days += (children - 2) * rules.amount("maternity.father_days_extra_per_child")
        return days
    if birth_order == 2 and rules.on >= rules.since("maternity.father_days_second_child"):
        return rules.amount("maternity.father_days_second_child")
    if caesarean or before_32_weeks:
        return rules.amount("maternity.father_days_caesarean_or_before_32_weeks")
    return rules.amount("maternity.father_days_normal")


def maternity_voluntary(
    rules: Rules,
    *,
    birth_date: EventDay,
    children: Count = 1,
    months_paid_in_last_12: Count | None = None,
) -> Result:
    """The maternity grant of the voluntary scheme."""
    refusal = _no_birth(rules, children)
    if refusal:
        return refusal
    none: dict[str, int | bool] = {"eligible": False, "amount": 0}
    if birth_date < rules.since("maternity.voluntary_grant"):
        reason = say("maternity_voluntary.too_early", since=rules.since("maternity.voluntary_grant"))
        return refused(rules, "not_eligible", reason, none)
    needed = rules.amount("maternity.voluntary_minimum_months")
    lookback = rules.amount("maternity.voluntary_lookback_months")
    if months_paid_in_last_12 is not None and months_paid_in_last_12 > lookback:
        reason = say("maternity_voluntary.too_many_months", lookback=lookback)
        return refused(rules, "out_of_bounds", reason, {"maximum_months": lookback})
    if months_paid_in_last_12 is not None and months_paid_in_last_12 < needed:
        reason = say(
            "maternity_voluntary.months_missing",
            needed=needed,
            lookback=lookback,
            paid=months_paid_in_last_12,
        )
        return refused(rules, "not_eligible", reason, none)
    grant = rules.amount("maternity.voluntary_grant")
    amount = children * grant
    filing_days = rules.amount("maternity.voluntary_filing_days")
    return answered(
        rules,
        {"eligible": True, "amount": amount, "filing_days": filing_days},
        say("maternity_voluntary.answer", amount=amount),
        say("maternity_voluntary.per_child", children=children, grant=grant, amount=amount),
        say("maternity_voluntary.condition", needed=needed, lookback=lookback),
        say("maternity_voluntary.filing", days=filing_days),
    )


def recovery_leave(
    rules: Rules,
    *,
    leave_end: EventDay,
    children: Count = 1,
    caesarean: Flag = False,
    days: Count | None = None,
    returned_early: Flag = False,
) -> Result:
    """Recovery leave (dưỡng sức) after maternity leave: the most days and what they pay."""
    refusal = _no_birth(rules, children)
    if refusal:
        return refusal
    if returned_early:
        return refused(rules, "not_eligible", say("recovery_leave.returned_early"), {"total": 0})
    if children > 1:
        most = rules.amount("maternity.recovery_days_multiple_birth")
    elif caesarean:
        most = rules.amount("maternity.recovery_days_caesarean")
    else:
        most = rules.amount("maternity.recovery_days_other")
    if days is not None and not 1 <= days <= most:
        reason = say("recovery_leave.too_many_days", most=most)
        return refused(rules, "out_of_bounds", reason, {"max_days": most})
    taken = days or most
    rate = rules.rate("maternity.recovery_daily_rate")
    level = reference_level(rules)
    daily = rate * level
    total = to_dong(daily * taken)
    return answered(
        rules,
        {"max_days": most, "daily": to_dong(daily), "total": total, "days": taken},
        say("recovery_leave.answer", taken=taken, total=total),
        say("recovery_leave.daily", rate=rate, level=level, daily=to_dong(daily)),
        say("recovery_leave.most", most=most),
    )


def maternity_window(rules: Rules, *, birth_date: EventDay, paid_months: Months) -> Result:
    """The months looked back on before a birth and how many of them were paid (TT 12/2025 Đ8)."""
    counts_from = rules.amount("maternity.birth_day_of_month_counted")
    lookback = rules.amount("maternity.lookback_months")
    needed = rules.amount("maternity.minimum_months")
    birth_month = month_of(birth_date)
    own_month_counts = birth_date.day >= counts_from and birth_month in paid_months
    last = birth_month if own_month_counts else shift(birth_month, -1)
    first = shift(last, 1 - lookback)
    counted = sum(1 for month in paid_months if first <= month <= last)
    outputs = {
        "window_from": month_text(first),
        "window_to": month_text(last),
        "months_counted": counted,
        "eligible": counted >= needed,
    }
    window_line = say(
        "maternity_window.window", lookback=lookback, first=spoken_month(first), last=spoken_month(last)
    )
    if own_month_counts:
        rule_line = say("maternity_window.own_month", day=counts_from)
    elif birth_date.day >= counts_from:
        rule_line = say("maternity_window.own_month_unpaid", day=counts_from)
    else:
        rule_line = say("maternity_window.before_day", day=counts_from)
    if counted < needed:
        reason = say("maternity_window.too_few", counted=counted, needed=needed)
        return refused(rules, "not_eligible", reason, outputs, window_line, rule_line)
    answer = say("maternity_window.enough", counted=counted, needed=needed)
    return answered(rules, outputs, answer, window_line, rule_line)
