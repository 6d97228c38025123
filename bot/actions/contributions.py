"""The voluntary contribution as citizens ask for it."""

from __future__ import annotations

from datetime import date

from bot.actions.families import Family, Inputs, Values, assumptions, chosen

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


VOLUNTARY_CONTRIBUTION = Family(
    calculator="voluntary_contribution",
    needs=(("amount", "utter_ask_income"),),
    uses=frozenset({"amount", "group", "period"}),
    inputs=_inputs,
    assumed=lambda values: assumptions(
        values, ("group", "utter_assume_group"), ("period", "utter_assume_one_month")
    ),
)
