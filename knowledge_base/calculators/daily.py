"""What work pays by the day (antenatal visits, miscarriage, sickness) and what is withheld by the month."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Annotated

from knowledge_base.calculators.inputs import Average, Count, Dong, EventDay, one_of
from knowledge_base.calculators.result import Result, answered, refused, say
from knowledge_base.dated import Rules
from knowledge_base.expressions import to_dong

Kind = Annotated[str, one_of("antenatal", "miscarriage")]
# L41 Đ51: from then on a visit gives the same days near or far, in health or illness.
VISITS_ALIKE = date(2025, 7, 1)
EMPLOYEE_RATES = {
    "pension": "compulsory.employee_pension_rate",
    "health": "compulsory.employee_health_rate",
    "unemployment": "compulsory.employee_unemployment_rate",
}
EMPLOYER_RATES = {
    "pension": "compulsory.employer_pension_rate",
    "sickness_maternity": "compulsory.employer_sickness_maternity_rate",
    "accident": "compulsory.employer_accident_rate",
    "health": "compulsory.employer_health_rate",
    "unemployment": "compulsory.employer_unemployment_rate",
}


def _antenatal_days(rules: Rules) -> tuple[int, int]:
    """Working days of one pregnancy's visits: the usual most, and the most of any case."""
    visits = rules.amount("maternity.antenatal_visits")
    usual = visits * rules.amount("maternity.antenatal_days_per_visit")
    if rules.on >= VISITS_ALIKE:
        return usual, usual
    return usual, visits * rules.amount("maternity.antenatal_days_per_visit_far")


def _miscarriage_days(rules: Rules, weeks: int | None) -> tuple[int | None, int]:
    """Calendar days after so many weeks of pregnancy (None when not told), and the most of any case."""
    days = [int(item) for item in rules.rates("maternity.miscarriage_days")]
    if weeks is None:
        return None, days[-1]
    longest = days[bisect_right(rules.rates("maternity.miscarriage_week_limits"), Decimal(weeks))]
    return longest, longest


def daily_maternity(
    rules: Rules,
    *,
    kind: Kind,
    average_salary: Average,
    leave_start: EventDay,
    days: Count | None = None,
    weeks: Count | None = None,
) -> Result:
    """The benefit for days of antenatal visits (khám thai) or after a miscarriage (sảy thai).

    `days` are working days for visits and calendar days after a miscarriage; when not told, as many
    as the law allows. `weeks` of pregnancy decide how many a miscarriage gives; without weeks and
    days only the amount of one day is known.
    """
    usual: int | None
    if kind == "antenatal":
        usual, longest = _antenatal_days(rules)
        divisor = rules.amount("maternity.working_days_divisor")
    else:
        usual, longest = _miscarriage_days(rules, weeks)
        divisor = rules.amount("maternity.calendar_days_divisor")
    if days is not None and not 1 <= days <= longest:
        reason = say(f"daily_maternity.{kind}_days_out_of_bounds", longest=longest)
        return refused(rules, "out_of_bounds", reason, {"max_days": longest})
    monthly = rules.rate("maternity.benefit_rate") * average_salary
    daily = to_dong(monthly / divisor)
    taken = usual if days is None else days
    one_day = say("daily_maternity.one_day", salary=monthly, divisor=divisor, daily=daily)
    limit = "by_weeks" if usual is None else f"{kind}_longest"
    limit_line = say(f"daily_maternity.{limit}", longest=longest)
    if taken is None:
        answer = say("daily_maternity.miscarriage_daily", daily=daily)
        return answered(rules, {"daily": daily, "max_days": longest}, answer, one_day, limit_line)
    total = to_dong(monthly * taken / divisor)
    return answered(
        rules,
        {"days": taken, "max_days": longest, "daily": daily, "total": total},
        say(f"daily_maternity.{kind}{'_most' if days is None else ''}", days=taken, daily=daily, total=total),
        one_day,
        limit_line,
        _as_birth(rules, weeks) if kind == "miscarriage" else None,
    )


def _as_birth(rules: Rules, weeks: int | None) -> str | None:
    """The reminder that a foetus of this age may count as a birth (L41 Đ52 k2)."""
    rule = "maternity.stillbirth_as_birth_weeks"
    if weeks is None or rules.on < rules.since(rule) or weeks < rules.amount(rule):
        return None
    return say(
        "daily_maternity.as_birth",
        weeks=rules.amount(rule),
        needed=rules.amount("maternity.minimum_months"),
        lookback=rules.amount("maternity.lookback_months"),
    )


def sickness(
    rules: Rules, *, average_salary: Average, leave_start: EventDay, days: Count | None = None
) -> Result:
    """The benefit for working days of sickness, or of care for a sick child; of one day when not told."""
    if days == 0:
        return refused(rules, "out_of_bounds", say("sickness.no_day"), {"minimum_days": 1})
    rate = rules.rate("sickness.benefit_rate")
    divisor = rules.amount("sickness.daily_divisor")
    daily = to_dong(rate * average_salary / divisor)
    one_day = say("sickness.one_day", rate=rate, salary=average_salary, divisor=divisor, daily=daily)
    if days is None:
        return answered(rules, {"daily": daily}, say("sickness.daily", daily=daily), one_day)
    total = to_dong(rate * average_salary * days / divisor)
    return answered(
        rules,
        {"days": days, "daily": daily, "total": total},
        say("sickness.answer", days=days, total=total),
        one_day,
        say("sickness.condition"),
    )


def _parts(rules: Rules, names: Mapping[str, str], salary: int) -> tuple[Decimal, dict[str, int]]:
    """The rate of all funds together and each fund's amount."""
    rates = {fund: rules.rate(name) for fund, name in names.items()}
    return sum(rates.values(), Decimal(0)), {fund: to_dong(rate * salary) for fund, rate in rates.items()}


def compulsory_contribution(rules: Rules, *, salary: Dong) -> Result:
    """What a worker and the employer pay a month on the salary that contributions are paid on."""
    employee_rate, employee = _parts(rules, EMPLOYEE_RATES, salary)
    employer_rate, employer = _parts(rules, EMPLOYER_RATES, salary)
    employee_pays = to_dong(employee_rate * salary)
    employer_pays = to_dong(employer_rate * salary)
    return answered(
        rules,
        {
            "employee_pays": employee_pays,
            "employer_pays": employer_pays,
            "total": to_dong((employee_rate + employer_rate) * salary),
            **{f"employee_{fund}": amount for fund, amount in employee.items()},
            **{f"employer_{fund}": amount for fund, amount in employer.items()},
        },
        say("compulsory_contribution.answer", amount=employee_pays),
        say("compulsory_contribution.employee", rate=employee_rate, salary=salary, **employee),
        say("compulsory_contribution.employer", rate=employer_rate, amount=employer_pays),
        say("compulsory_contribution.employer_parts", **employer),
        say("compulsory_contribution.salary"),
    )
