"""What must hold of every answer, whatever is asked."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge_base.answers import MAX_LENGTH
from knowledge_base.calculators import CALCULATORS, Input, Result, calculate
from knowledge_base.errors import InvalidInput

DAYS = st.dates(date(2014, 1, 1), date(2030, 12, 31))
KNOWN_DAYS = st.dates(date(2025, 7, 1), date(2026, 12, 31))  # every calculator has its figures
INCOMES = st.integers(1_500_000, 46_800_000)
SALARIES = st.integers(0, 200_000_000)
GROUPS = st.sampled_from(["poor", "island", "near_poor", "ethnic_minority", "other"])
PERIODS = st.sampled_from([3, 6, 12])
ANYTHING = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**15), 10**15),
    st.integers(0, 400),
    st.floats(allow_nan=False),
    st.text(max_size=12),
    st.dates().map(date.isoformat),
    st.sampled_from(["poor", "female", "years_ahead", "2026-09", "12.5", "illness"]),
    st.lists(st.sampled_from(["2026-01", "2026-13", "other", 5]), max_size=3),
    st.lists(
        st.fixed_dictionaries(
            {
                "from": st.just("2024-01"),
                "to": st.sampled_from(["2025-06", "2023-01"]),
                "income": st.integers(),
            }
        ),
        max_size=2,
    ),
)
MONEY = frozenset(
    [
        "monthly_gross",
        "monthly_support",
        "monthly_payable",
        "total_payable",
        "total_gross",
        "total",
        "monthly_benefit",
        "lump_sum",
        "benefit",
        "amount",
        "daily",
        "monthly",
        "threshold",
        "low_cost_limit",
        "remaining",
        "support_deducted",
        "before_deduction",
    ]
)


def plausible(input_: Input) -> st.SearchStrategy[Any]:
    """Well-formed values of an input, in and out of the law's bounds."""
    if input_.kind.choices and "{" not in input_.kind.meaning:
        return st.sampled_from(input_.kind.choices)
    meaning = input_.kind.meaning
    if "đồng" in meaning:
        return st.integers(0, 60_000_000)
    if meaning.startswith("a whole number"):
        return st.integers(0, 15) | st.integers(0, 400)
    if meaning.startswith("a date"):
        return DAYS.map(date.isoformat)
    return st.booleans() if meaning == "true or false" else ANYTHING


def ok(name: str, inputs: dict[str, Any], on: date) -> Result:
    result = calculate(name, inputs, on)
    assert result.status == "ok", result.reason
    return result


@pytest.mark.parametrize("name", CALCULATORS)
@pytest.mark.parametrize("values", [lambda input_: ANYTHING, plausible], ids=["anything", "plausible"])
@given(data=st.data())
def test_every_question_gets_a_result_or_is_malformed(
    name: str, values: Callable[[Input], st.SearchStrategy[Any]], data: st.DataObject
) -> None:
    inputs = CALCULATORS[name].inputs.values()
    needed = {input_.name: values(input_) for input_ in inputs if input_.required}
    optional = {input_.name: values(input_) for input_ in inputs if not input_.required}
    question = data.draw(st.fixed_dictionaries(needed, optional=optional))
    on = data.draw(DAYS)
    try:
        result = calculate(name, question, on)
    except InvalidInput as error:
        assert str(error)
        return
    for output in MONEY:
        value = result.outputs.get(output, 0)
        assert type(value) is int and value >= 0, f"{output} is {value!r}"
    assert (result.status == "ok") == (result.reason is None)
    assert len(result.working) <= 6 and len(result.text()) <= MAX_LENGTH
    assert json.loads(json.dumps(result.as_json())) == result.as_json()


@given(
    st.fixed_dictionaries(
        {
            "income": INCOMES,
            "group": GROUPS,
            "months": st.sampled_from([1, 3, 6, 12]),
            "supported_months_used": st.integers(0, 130),
            "local_support": st.integers(0, 500_000),
        }
    ),
    KNOWN_DAYS,
)
def test_voluntary_support_never_exceeds_the_contribution(question: dict[str, Any], on: date) -> None:
    months, local = question["months"], question["local_support"]
    out = ok("voluntary_contribution", question, on).outputs
    assert 0 <= out["monthly_support"] <= out["monthly_gross"]
    assert out["monthly_payable"] == max(0, out["monthly_gross"] - out["monthly_support"] - local)
    assert out["supported_months"] <= months
    unsupported = max(0, out["monthly_gross"] - local)
    supported = out["supported_months"]
    assert out["total_payable"] == supported * out["monthly_payable"] + (months - supported) * unsupported


@given(INCOMES, INCOMES, GROUPS, KNOWN_DAYS)
def test_a_higher_income_never_pays_less(first: int, second: int, group: str, on: date) -> None:
    low, high = (
        ok("voluntary_contribution", {"income": income, "group": group}, on).outputs["total_payable"]
        for income in sorted((first, second))
    )
    assert low <= high


@given(INCOMES, st.integers(1, 5))
def test_years_ahead_cost_less_than_their_months_and_missing_years_more(income: int, years: int) -> None:
    on = date(2026, 11, 21)
    ahead = calculate(
        "voluntary_contribution", {"income": income, "method": "years_ahead", "years": years}, on
    )
    missing = calculate(
        "voluntary_contribution",
        {"income": income, "method": "missing_years", "missing_months": 12 * years},
        on,
    )
    plain = 12 * years * ahead.outputs["monthly_gross"]
    assert ahead.outputs["total_gross"] < plain < missing.outputs["total_gross"]


@given(st.integers(1, 40), PERIODS, st.dates(date(2018, 12, 1), date(2026, 12, 31)))
def test_a_household_pays_the_sum_of_its_members(members: int, months: int, on: date) -> None:
    out = ok("household_health", {"members": members, "months": months}, on).outputs
    assert out["total"] == sum(out["per_member"]) and len(out["per_member"]) == members
    assert out["per_member"] == sorted(out["per_member"], reverse=True)
    assert out["per_member"] == [months * monthly for monthly in out["per_member_monthly"]]
    last = ok("household_health", {"member_order": members, "months": months}, on).outputs
    assert last["per_member"] == out["per_member"][-1:]


@given(
    st.sampled_from(["near_poor", "average_income_farmer", "artisan", "near_poor_in_poor_commune"]),
    PERIODS,
    KNOWN_DAYS,
)
def test_support_and_payment_make_the_whole_premium(group: str, months: int, on: date) -> None:
    full = ok("household_health", {"member_order": 1, "months": 3}, on).outputs["per_member_monthly"][0]
    out = ok("supported_health", {"group": group, "months": months}, on).outputs
    assert out["monthly_support"] + out["monthly_payable"] == full
    assert out["total_payable"] == months * out["monthly_payable"]


@given(SALARIES, SALARIES, st.integers(1, 4), st.dates(date(2016, 5, 1), date(2026, 12, 31)))
def test_maternity_is_leave_and_grant_and_grows_with_the_salary(
    first: int, second: int, children: int, on: date
) -> None:
    low, high = (
        ok("maternity_compulsory", {"average_salary": salary, "children": children}, on).outputs
        for salary in sorted((first, second))
    )
    assert low["total"] <= high["total"]
    assert high["total"] == high["leave_months"] * high["monthly_benefit"] + high["lump_sum"]


@given(SALARIES, SALARIES, st.integers(1, 4), st.booleans(), st.dates(date(2016, 1, 1), date(2026, 12, 31)))
def test_a_fathers_benefit_grows_with_his_salary(
    first: int, second: int, children: int, caesarean: bool, on: date
) -> None:
    low, high = (
        ok(
            "father_leave",
            {"average_salary": salary, "children": children, "caesarean": caesarean},
            on,
        ).outputs
        for salary in sorted((first, second))
    )
    assert low["benefit"] <= high["benefit"] and low["days"] == high["days"] >= 5


@given(
    st.sampled_from(["female", "male"]),
    st.integers(180, 600),
    st.integers(180, 600),
    st.integers(0, 50_000_000),
    KNOWN_DAYS,
)
def test_a_pension_grows_with_the_months_and_never_passes_the_highest_rate(
    sex: str, first: int, second: int, average: int, on: date
) -> None:
    short, long = (
        ok("pension", {"sex": sex, "months_paid": months, "average_income": average}, on).outputs
        for months in sorted((first, second))
    )
    assert short["monthly"] <= long["monthly"] <= average
    assert short["lump_sum"] <= long["lump_sum"]


@given(
    st.integers(0, 100),
    st.integers(0, 126),  # with the longer history still under twenty years
    st.integers(0, 50_000_000),
    st.integers(0, 10_000_000),
    KNOWN_DAYS,
)
def test_a_withdrawal_is_what_remains_after_the_support(
    before: int, since: int, average: int, support: int, on: date
) -> None:
    inputs = {"months_before_2014": before, "months_from_2014": since + 1, "average_income": average}
    out = ok("one_off_withdrawal", {**inputs, "support_received": support}, on).outputs
    assert out["amount"] + out["support_deducted"] == out["before_deduction"]
    assert out["support_deducted"] <= support
    longer = ok("one_off_withdrawal", {**inputs, "months_from_2014": since + 13}, on).outputs
    assert longer["before_deduction"] >= out["before_deduction"]


@given(st.integers(12, 600), SALARIES, st.integers(1, 4), st.dates(date(2026, 1, 1), date(2026, 12, 31)))
def test_unemployment_benefit_is_its_months_together(months: int, salary: int, region: int, on: date) -> None:
    inputs = {"months_paid": months, "average_salary": salary, "region": region}
    out = ok("unemployment", inputs, on).outputs
    assert out["total"] == out["months"] * out["monthly"]
    assert 3 <= out["months"] <= 12 and out["monthly"] <= max(salary, 0)
    longer = ok("unemployment", {**inputs, "months_paid": months + 12}, on).outputs
    assert longer["months"] >= out["months"]


@given(
    st.integers(0, 20_000_000),
    st.integers(0, 20_000_000),
    st.booleans(),
    st.dates(date(2018, 12, 1), date(2026, 12, 31)),
)
def test_who_is_exempt_has_nothing_left_to_copay(before: int, since: int, five: bool, on: date) -> None:
    result = calculate(
        "copay_threshold",
        {"copaid_before_change": before, "copaid_since_change": since, "five_years": five},
        on,
    )
    out = result.outputs
    assert 0 <= out["remaining"] <= out["threshold"]
    assert not out["exempt"] or (five and out["remaining"] == 0)
