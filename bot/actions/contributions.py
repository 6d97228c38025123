"""The voluntary contribution as citizens ask for it."""

from __future__ import annotations

import re
from datetime import date

from bot.actions.families import Family, Inputs, Values, assumptions, chosen
from knowledge_base.loading import knowledge_base
from vietnamese.text import fold

_LOWEST = re.compile(r"\b(thap nhat|toi thieu|it nhat|nho nhat)\b")
_HIGHEST = re.compile(r"\b(cao nhat|toi da|kich tran)\b")
PERIODS = (1, 3, 6, 12)  # months that can be paid at once in the ordinary way


def _inputs(values: Values, on: date) -> Inputs:
    inputs = chosen(values, ("amount", "income"), ("group", "group"))
    months = values.get("period")
    inputs.setdefault("group", "other")
    if months in PERIODS:
        inputs["months"] = months
    elif months and months % 12 == 0:
        inputs.update(method="years_ahead", years=months // 12)
    else:
        inputs["months"] = 1
    return inputs


def level_income(text: str, on: date) -> Values:
    """`mức thấp nhất` and `mức cao nhất` name an income too: the law's floor and ceiling of that day.

    Raises NoValueOnDate.
    """
    folded = fold(text)
    rules = knowledge_base().law.at(on)
    if _LOWEST.search(folded):
        return {"amount": rules.amount("poverty.rural")}
    if _HIGHEST.search(folded):
        return {"amount": int(rules.rate("voluntary.income_ceiling") * rules.amount("wages.base_salary"))}
    return {}


VOLUNTARY_CONTRIBUTION = Family(
    calculator="voluntary_contribution",
    needs=(("amount", "utter_ask_income"),),
    uses=frozenset({"amount", "group", "period"}),
    inputs=_inputs,
    assumed=lambda values: assumptions(
        values, ("group", "utter_assume_group"), ("period", "utter_assume_one_month")
    ),
)
