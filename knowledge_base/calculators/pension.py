"""Pension (lương hưu): retirement date, rate, monthly amount and lump sum."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from knowledge_base.calculators.history import Contributions, adjusted_average, credited_years
from knowledge_base.calculators.inputs import Average, Count, Day, Flag, Sex
from knowledge_base.calculators.levels import rate_on
from knowledge_base.calculators.months import month_of, shift, spoken_month
from knowledge_base.calculators.result import Result, answered, refused, say
from knowledge_base.dated import Rules
from knowledge_base.errors import InvalidInput
from knowledge_base.expressions import plain, to_dong

RETIREMENT_AGE = {"female": "pension.retirement_age_female", "male": "pension.retirement_age_male"}
EARLY_MEMBER_AGE = {"female": "pension.early_member_age_female", "male": "pension.early_member_age_male"}
BASE_YEARS = {"female": "pension.base_years_female", "male": "pension.base_years_male"}
LUMP_SUM_YEARS = {"female": "pension.lump_sum_years_female", "male": "pension.lump_sum_years_male"}


def pension(
    rules: Rules,
    *,
    sex: Sex,
    months_paid: Count | None = None,
    average_income: Average | None = None,
    contributions: Contributions | None = None,
    birth_date: Day | None = None,
    months_paid_after_age: Count = 0,
    voluntary_before_2021: Flag = False,
    birth_year_only: Flag = False,
) -> Result:
    """The pension of months paid on an average income, and from when.

    Without an income the rate alone is worked out; with a birth date alone the day it starts.
    `months_paid_after_age` are those of them paid after the retirement age; `voluntary_before_2021`
    says that all were paid voluntarily and the first before 2021 (earlier retirement age).
    `birth_year_only`: the month is not known, so that of each end of the year is told.
    """
    if contributions is None:
        if months_paid is None:
            if birth_date is None:
                raise InvalidInput("give months_paid, contributions or birth_date")
            return _retirement(rules, sex, birth_date, birth_year_only)
    else:
        if months_paid is not None or average_income is not None:
            raise InvalidInput("give either contributions or months_paid and average_income")
        months_paid = len(contributions)
        average_income = adjusted_average(rules, contributions)
    outputs: dict[str, object] = {"eligible": False}
    retirement_line = None
    if birth_date is not None:
        reached = _age_reached(rules, sex, birth_date, months_paid, voluntary_before_2021)
        starts = _pension_start(rules, reached, months_paid)
        outputs["retirement_date"] = starts.isoformat()
        retirement_line = _retirement_line(birth_date, reached, starts)
    needed = rules.amount("pension.minimum_years")
    if months_paid < needed * 12:  # never rounded: the years needed must be whole
        missing = needed * 12 - months_paid
        reason = say("pension.too_short", needed=needed, missing=missing)
        outputs |= {"missing_months": missing}
        longest = rules.amount("voluntary.missing_years_maximum")
        completed = say("pension.may_complete", longest=longest) if missing <= longest else None
        return refused(rules, "not_eligible", reason, outputs, completed)
    years = credited_years(rules, months_paid)
    rate, rate_line = _rate(rules, sex, years)
    if average_income is None:
        outputs |= {"eligible": True, "rate": rate}
        then = say("pension.years", years=plain(years), then=rate_line)
        return answered(rules, outputs, say("pension.rate_alone", rate=rate), then, retirement_line)
    monthly, average = to_dong(rate * average_income), to_dong(average_income)
    lump_sum, lump_sum_line = _lump_sum(rules, sex, years, average_income, months_paid_after_age)
    outputs |= {"eligible": True, "rate": rate, "monthly": monthly, "lump_sum": lump_sum}
    outputs |= {"average_income": average}
    return answered(
        rules,
        outputs,
        say("pension.answer", monthly=monthly),
        say("pension.years", years=plain(years), then=rate_line),
        say("pension.working", rate=rate, average=average, monthly=monthly),
        lump_sum_line,
        retirement_line,
    )


def _retirement(rules: Rules, sex: str, birth_date: date, year_only: bool) -> Result:
    """When somebody reaches the retirement age, and when a pension would start."""
    if year_only:
        return _retirement_of_year(rules, sex, birth_date.year)
    reached = _age_reached(rules, sex, birth_date, 0, False)
    starts = shift(reached, 1)
    line = _retirement_line(birth_date, reached, starts)
    return answered(rules, {"retirement_date": starts.isoformat()}, line, _years_needed(rules))


def _retirement_of_year(rules: Rules, sex: str, year: int) -> Result:
    """From when to when those of one year reach the retirement age; alone, the year counts as 1 January."""
    starts: list[date] = []
    lines = []
    for month in (1, 12):
        born = date(year, month, 1)
        reached = _age_reached(rules, sex, born, 0, False)
        starts.append(shift(reached, 1))
        lines.append(
            say("pension.born_in", born=spoken_month(born), then=_retirement_line(born, reached, starts[-1]))
        )
    outputs = {"retirement_date": starts[0].isoformat(), "latest_retirement_date": starts[-1].isoformat()}
    return answered(rules, outputs, *lines, say("pension.by_month"), _years_needed(rules))


def _years_needed(rules: Rules) -> str:
    return say("pension.years_needed", needed=rules.amount("pension.minimum_years"))


def _retirement_line(birth_date: date, reached: date, starts: date) -> str:
    age = 12 * (reached.year - birth_date.year) + reached.month - birth_date.month
    return say("pension.retirement", age=age, reached=spoken_month(reached), starts=starts)


def _uncapped_rate(rules: Rules, sex: str, years: Decimal) -> tuple[Decimal, str]:
    """The rate before the highest one, and the line that works it out."""
    base_years = rules.amount(BASE_YEARS[sex])
    if sex == "male" and years < base_years:
        base_years = rules.amount("pension.minimum_years")
        base, step = rules.rate("pension.short_male_base_rate"), rules.rate("pension.short_male_rate_step")
    else:
        base, step = rules.rate("pension.base_rate"), rules.rate("pension.rate_step")
    rate = base + (years - base_years) * step
    if years == base_years:
        return rate, say("pension.base_rate", base=base, base_years=base_years)
    more = plain(years - base_years)
    line = say("pension.rate", base=base, base_years=base_years, more=more, step=step, rate=rate)
    return rate.normalize(), line


def _rate(rules: Rules, sex: str, years: Decimal) -> tuple[Decimal, str]:
    rate, line = _uncapped_rate(rules, sex, years)
    highest = rules.rate("pension.maximum_rate")
    if rate > highest:
        return highest, say("pension.highest_rate", rate=highest)
    return rate, line


def _lump_sum(
    rules: Rules, sex: str, years: Decimal, average: Decimal, months_after_age: int
) -> tuple[int, str | None]:
    """The lump sum for years beyond those of the highest rate; years after the age count more (L41 Đ100)."""
    if _uncapped_rate(rules, sex, years)[0] <= rules.rate("pension.maximum_rate"):
        return 0, None
    above = max(Decimal(0), years - rules.amount(LUMP_SUM_YEARS[sex]))
    late = min(above, credited_years(rules, months_after_age))
    factor = (above - late) * rules.rate("pension.lump_sum_per_year")
    if late:
        factor += late * rules.rate("pension.lump_sum_per_year_after_age")
    amount = to_dong(factor * average)
    line = say("pension.lump_sum", above=plain(above), factor=plain(factor), amount=amount)
    return amount, line


def _age_reached(rules: Rules, sex: str, birth_date: date, months_paid: int, early_member: bool) -> date:
    """The month in which the retirement age is reached: that of the first year whose age is reached in it."""
    born = month_of(birth_date)
    if early_member and months_paid >= 12 * rules.amount("pension.early_member_years"):
        return shift(born, rules.amount(EARLY_MEMBER_AGE[sex]))

    def reached_by_age_of(year: int) -> date:
        return shift(born, int(rate_on(rules, RETIREMENT_AGE[sex], date(year, 1, 1))))

    year = reached_by_age_of(date.max.year).year
    while reached_by_age_of(year - 1).year < year:
        year -= 1
    return reached_by_age_of(year)


def _pension_start(rules: Rules, reached: date, months_paid: int) -> date:
    """The first of the month after the age, or the later day on which the months paid came to suffice."""
    starts = shift(reached, 1)
    while (
        starts < rules.on
        and months_paid < 12 * rate_on(rules, "pension.minimum_years", starts)
        and months_paid >= 12 * rules.amount("pension.minimum_years")
    ):
        starts = shift(starts, 1)
    return starts
