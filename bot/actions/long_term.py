"""Pension, one-off withdrawal and unemployment benefit as citizens ask for them."""

from __future__ import annotations

from datetime import date

from bot.actions.families import Family, Inputs, Values, assumptions, chosen
from knowledge_base.errors import InvalidInput

MINIMUM = 12  # months taken as paid when the citizen asks for the monthly amount alone
_PAID = (("longest", "utter_ask_years_paid"), ("amount", "utter_ask_average_income"))


def _pension(values: Values, on: date) -> Inputs:
    return chosen(values, ("sex", "sex"), ("longest", "months_paid"), ("amount", "average_income"))


def _one_off(values: Values, on: date) -> Inputs:
    if values.get("paid_from") and values.get("paid_to"):
        history = {"from": values["paid_from"], "to": values["paid_to"], "income": values["amount"]}
        return {"contributions": [{**history, "group": values.get("group") or values["scheme_group"]}]}
    if values.get("before_2014") or values.get("from_2014"):
        return {
            "months_before_2014": values.get("before_2014") or 0,
            "months_from_2014": values.get("from_2014") or 0,
            "average_income": values["amount"],
        }
    return {
        "months_before_2014": 0,
        **chosen(values, ("longest", "months_from_2014"), ("amount", "average_income")),
    }


def _one_off_assumed(values: Values) -> list[str]:
    if values.get("paid_from"):
        return []
    if values.get("before_2014") or values.get("from_2014"):
        return ["utter_assume_adjusted"]
    return ["utter_assume_from_2014", "utter_assume_adjusted"]


def _unemployment(values: Values, on: date) -> Inputs:
    return {
        "region": values.get("region") or 1,
        "months_paid": values.get("longest") or MINIMUM,
        **chosen(values, ("amount", "average_salary")),
    }


def completed_birth(before: Values, found: Values) -> Values:
    """The month added to a year of birth named before: `nữ sinh 1971`, then `sinh tháng 9`."""
    if not (found.get("born_month_only") and before.get("born_year_only")):
        return {}
    return {"born": f"{before['born'][:4]}{found['born'][4:7]}-01", "born_month_only": False}


def _retirement(values: Values, on: date) -> Inputs:
    """Raises InvalidInput."""
    if values.get("born_month_only"):
        raise InvalidInput("the year of birth is not known")
    year_only = bool(values.get("born_year_only"))
    return {"birth_date": values["born"], "sex": values["sex"], "birth_year_only": year_only}


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
    inputs=_retirement,
    assumed=lambda values: [],
)
ONE_OFF_WITHDRAWAL = Family(
    calculator="one_off_withdrawal",
    needs=_PAID,
    uses=frozenset({"longest", "amount"}),
    inputs=_one_off,
    assumed=_one_off_assumed,
)
UNEMPLOYMENT = Family(
    calculator="unemployment",
    needs=(("amount", "utter_ask_average_salary"),),
    uses=frozenset({"longest", "amount", "region"}),
    inputs=_unemployment,
    assumed=lambda values: assumptions(
        values, ("longest", "utter_assume_twelve_months_paid"), ("region", "utter_assume_region")
    ),
)
