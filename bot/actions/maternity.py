"""Maternity benefits as citizens ask for them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from bot.actions.families import Family, Inputs, Values, assumptions, chosen, event_day


def _mother(values: Values, on: date) -> Inputs:
    return {
        "birth_date": event_day(values, on),
        **chosen(
            values,
            ("amount", "average_salary"),
            ("children", "children"),
            ("birth_order", "birth_order"),
        ),
    }


def _father(values: Values, on: date) -> Inputs:
    return {
        **_mother(values, on),
        **chosen(
            values,
            ("caesarean", "caesarean"),
            ("before_32_weeks", "before_32_weeks"),
            ("mother_insured", "mother_insured"),
        ),
    }


def _voluntary(values: Values, on: date) -> Inputs:
    return {
        "birth_date": event_day(values, on),
        **chosen(values, ("period", "months_paid_in_last_12"), ("children", "children")),
    }


def _recovery(values: Values, on: date) -> Inputs:
    return {
        "leave_end": event_day(values, on),
        **chosen(values, ("children", "children"), ("caesarean", "caesarean")),
    }


_BIRTH = (("born", "utter_assume_birth_date"), ("birth_order", "utter_assume_birth_order"))

MATERNITY_COMPULSORY = Family(
    calculator="maternity_compulsory",
    needs=(("amount", "utter_ask_average_salary"),),
    uses=frozenset({"amount", "date", "born", "children", "birth_order"}),
    inputs=_mother,
    assumed=lambda values: assumptions(values, *_BIRTH, ("children", "utter_assume_children")),
)
FATHER_LEAVE = Family(
    calculator="father_leave",
    needs=(("amount", "utter_ask_average_salary"),),
    uses=frozenset({"amount", "date", "born", "children", "birth_order", "caesarean", "before_32_weeks"}),
    inputs=_father,
    assumed=lambda values: assumptions(values, *_BIRTH, ("caesarean", "utter_assume_normal_birth")),
)
FATHER_DAYS = replace(FATHER_LEAVE, needs=())  # how many days does not depend on the salary
MATERNITY_VOLUNTARY = Family(
    calculator="maternity_voluntary",
    needs=(),
    uses=frozenset({"period", "children"}),
    inputs=_voluntary,
    assumed=lambda values: assumptions(values, ("born", "utter_assume_birth_date")),
)
RECOVERY_LEAVE = Family(
    calculator="recovery_leave",
    needs=(),
    uses=frozenset({"children", "caesarean"}),
    inputs=_recovery,
    assumed=lambda values: assumptions(values, ("caesarean", "utter_assume_normal_birth")),
)
