"""Pension, one-off withdrawal and unemployment benefit as citizens ask for them."""

from __future__ import annotations

from datetime import date

from bot.actions.families import Family, Inputs, Values, assumptions, chosen

_PAID = (("period", "utter_ask_years_paid"), ("amount", "utter_ask_average_income"))


def _pension(values: Values, on: date) -> Inputs:
    return chosen(values, ("sex", "sex"), ("period", "months_paid"), ("amount", "average_income"))


def _one_off(values: Values, on: date) -> Inputs:
    return {
        "months_before_2014": 0,
        **chosen(values, ("period", "months_from_2014"), ("amount", "average_income")),
    }


def _unemployment(values: Values, on: date) -> Inputs:
    return {
        "region": values.get("region") or 1,
        **chosen(values, ("period", "months_paid"), ("amount", "average_salary")),
    }


PENSION = Family(
    calculator="pension",
    needs=(("sex", "utter_ask_sex"), *_PAID),
    uses=frozenset({"sex", "period", "amount"}),
    inputs=_pension,
    assumed=lambda values: [],
)
ONE_OFF_WITHDRAWAL = Family(
    calculator="one_off_withdrawal",
    needs=_PAID,
    uses=frozenset({"period", "amount"}),
    inputs=_one_off,
    assumed=lambda values: ["utter_assume_from_2014", "utter_assume_no_support"],
)
UNEMPLOYMENT = Family(
    calculator="unemployment",
    needs=_PAID,
    uses=frozenset({"period", "amount", "region"}),
    inputs=_unemployment,
    assumed=lambda values: assumptions(values, ("region", "utter_assume_region")),
)
