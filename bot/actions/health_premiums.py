"""The premiums of health cards as citizens ask for them."""

from __future__ import annotations

import re
from datetime import date

from bot.actions.families import Family, Inputs, Values, assumptions

YEAR = 12  # months of the card most people buy
# Groups that only a health card is supported for, as citizens call them.
_SUPPORTED = {
    "average_income_farmer": re.compile(r"\bmuc song trung binh\b"),
    "village_health_worker": re.compile(r"\by te (?:thon|ban|to dan pho)\b|\bco do thon\b"),
    "village_official": re.compile(r"\bkhong chuyen trach (?:o )?(?:thon|ban|to dan pho)\b|\btruong thon\b"),
}


def supported_group(text: str) -> str | None:
    """The partly supported group that a folded message names."""
    return next((group for group, called in _SUPPORTED.items() if called.search(text)), None)


def _months(values: Values) -> int:
    """`một tháng bao nhiêu` asks what the card of a year comes to each month: none is sold for a month."""
    months = values.get("period")
    return months if months and months > 1 else YEAR


def _household(values: Values, on: date) -> Inputs:
    months = _months(values)
    if values.get("member_order"):
        return {"member_order": values["member_order"], "months": months}
    return {"members": values["members"], "months": months}


def _student(values: Values, on: date) -> Inputs:
    return {"months": _months(values)}


def _supported(values: Values, on: date) -> Inputs:
    return {"group": values["supported_group"], "months": _months(values)}


def _assumed(values: Values) -> list[str]:
    return assumptions(values, ("period", "utter_assume_twelve_months"))


def _household_assumed(values: Values) -> list[str]:
    several = (values.get("members") or 1) > 1
    return [*_assumed(values), *(["utter_assume_no_other_cards"] if several else [])]


HOUSEHOLD_HEALTH = Family(
    calculator="household_health",
    needs=(("members", "utter_ask_members"),),
    uses=frozenset({"members", "more_members", "fewer_members", "member_order", "period"}),
    inputs=_household,
    assumed=_household_assumed,
)
SINGLE_HEALTH = Family(
    calculator="household_health",
    needs=(),
    uses=frozenset({"period"}),
    inputs=lambda values, on: {"members": 1, "months": _months(values)},
    assumed=_assumed,
)
STUDENT_HEALTH = Family(
    calculator="student_health",
    needs=(),
    uses=frozenset({"period"}),
    inputs=_student,
    assumed=_assumed,
)
SUPPORTED_HEALTH = Family(
    calculator="supported_health",
    needs=(("supported_group", "utter_ask_group"),),
    uses=frozenset({"supported_group", "members", "period"}),
    inputs=_supported,
    assumed=_assumed,
)
