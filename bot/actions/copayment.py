"""The co-payment after which a card pays everything, as citizens ask for it."""

from __future__ import annotations

from datetime import date

from bot.actions.families import Family, Inputs, Values


def _inputs(values: Values, on: date) -> Inputs:
    before = values.get("first_half") and on.month > 6  # the base salary changed in the middle of 2026
    return {"copaid_before_change" if before else "copaid_since_change": values["copaid"]}


COPAY_THRESHOLD = Family(
    calculator="copay_threshold",
    needs=(("copaid", ""),),  # never asked for: the topic's words answer without it
    uses=frozenset({"copaid"}),
    inputs=_inputs,
    assumed=lambda values: [],
)
