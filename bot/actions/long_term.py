"""Pension, one-off withdrawal and unemployment benefit as citizens ask for them."""

from __future__ import annotations

from datetime import date

from bot.actions.families import Family, Inputs, Values, assumptions, chosen

_PAID = (("longest", "utter_ask_years_paid"), ("amount", "utter_ask_average_income"))


def _pension(values: Values, on: date) -> Inputs:
    return chosen(values, ("sex", "sex"), ("longest", "months_paid"), ("amount", "average_income"))


def _one_off(values: Values, on: date) -> Inputs:
    return {
        "months_before_2014": 0,
        **chosen(values, ("longest", "months_from_2014"), ("amount", "average_income")),
    }


def _unemployment(values: Values, on: date) -> Inputs:
    return {
        "region": values.get("region") or 1,
        **chosen(values, ("longest", "months_paid"), ("amount", "average_salary")),
    }


PENSION = Family(
    calculator="pension",
    needs=(("sex", "utter_ask_sex"), ("longest", "utter_ask_years_paid")),
    uses=frozenset({"sex", "longest", "amount"}),
    inputs=_pension,
    assumed=lambda values: [],
)
RETIREMENT_AGE = Family(
    calculator="pension",
    needs=(("born", "utter_ask_born"), ("sex", "utter_ask_sex")),
    uses=frozenset({"born", "sex"}),
    inputs=lambda values, on: {"birth_date": values["born"], "sex": values["sex"]},
    assumed=lambda values: [],
)
ONE_OFF_WITHDRAWAL = Family(
    calculator="one_off_withdrawal",
    needs=_PAID,
    uses=frozenset({"longest", "amount"}),
    inputs=_one_off,
    assumed=lambda values: ["utter_assume_from_2014", "utter_assume_no_support"],
)
UNEMPLOYMENT = Family(
    calculator="unemployment",
    needs=_PAID,
    uses=frozenset({"longest", "amount", "region"}),
    inputs=_unemployment,
    assumed=lambda values: assumptions(values, ("region", "utter_assume_region")),
)
