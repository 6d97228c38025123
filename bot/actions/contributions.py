"""The voluntary contribution as citizens ask for it."""

from __future__ import annotations

import re
from datetime import date

from bot.actions.families import Family, Inputs, Values, assumptions, chosen
from knowledge_base.errors import NoValueOnDate
from knowledge_base.loading import knowledge_base
from vietnamese.text import fold

_LOWEST = re.compile(r"\b(thap nhat|toi thieu|it nhat|nho nhat|re nhat|be nhat|muc san)\b")
_HIGHEST = re.compile(r"\b(cao nhat|toi da|kich tran|muc tran|max)\b")
MONTHS = 12  # of a year
PERIODS = (1, 3, 6, 12)  # months that can be paid at once in the ordinary way


def _inputs(values: Values, on: date) -> Inputs:
    inputs = chosen(values, ("amount", "income"), ("group", "group"))
    months = values.get("period")
    inputs.setdefault("group", "other")
    if months in PERIODS:
        inputs["months"] = months
    elif months and months % MONTHS == 0:
        inputs.update(method="years_ahead", years=months // MONTHS)
    else:
        inputs["months"] = 1
    return inputs


def level_income(text: str, on: date) -> Values:
    """`mức thấp nhất` and `mức cao nhất` name an income too: the law's floor and ceiling of that day."""
    folded = fold(text)
    rules = knowledge_base().law.at(on)
    try:
        if _LOWEST.search(folded):
            return {"amount": rules.amount("poverty.rural")}
        if _HIGHEST.search(folded):
            return {"amount": int(rules.rate("voluntary.income_ceiling") * rules.amount("wages.base_salary"))}
    except NoValueOnDate:  # of a coming year: what is announced is told by the topic
        return {}
    return {}


VOLUNTARY_CONTRIBUTION = Family(
    calculator="voluntary_contribution",
    needs=(("amount", "utter_ask_income"),),
    uses=frozenset({"amount", "group", "period", "members"}),
    inputs=_inputs,
    assumed=lambda values: assumptions(
        values,
        ("voluntary", "utter_assume_voluntary"),
        ("group", "utter_assume_group"),
        ("period", "utter_assume_one_month"),
    ),
)


def _missing(values: Values, on: date) -> Inputs:
    return {
        "method": "missing_years",
        "missing_months": values["period"],
        **chosen(values, ("amount", "income"), ("group", "group")),
    }


def _ahead(values: Values, on: date) -> Inputs:
    return {
        "method": "years_ahead",
        "years": values["period"] // MONTHS,
        **chosen(values, ("amount", "income"), ("group", "group")),
    }


_SEVERAL_YEARS = (("amount", "utter_ask_income"), ("period", "utter_ask_years"))
MISSING_YEARS = Family(
    calculator="voluntary_contribution",
    needs=_SEVERAL_YEARS,
    uses=frozenset({"amount", "period", "group"}),
    inputs=_missing,
    assumed=lambda values: [],
)
YEARS_AHEAD = Family(
    calculator="voluntary_contribution",
    needs=_SEVERAL_YEARS,
    uses=frozenset({"amount", "period", "group"}),
    inputs=_ahead,
    assumed=lambda values: [],
)
