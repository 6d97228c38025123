"""The calculators as conversations use them: which values they need, and what is assumed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

Values = dict[str, Any]  # entity name to value, as collected over the conversation
Inputs = dict[str, Any]  # what the calculator is given


@dataclass(frozen=True)
class Family:
    """One calculator: `needs` are the entities without which it cannot answer, with what is asked back."""

    calculator: str
    needs: tuple[tuple[str, str], ...]  # (entity, phrase of domain.yml that asks for it)
    uses: frozenset[str]  # entities that change the answer
    inputs: Callable[[Values, date], Inputs]
    assumed: Callable[[Values], list[str]]  # phrases of domain.yml

    def missing(self, values: Values) -> tuple[str, str] | None:
        """The first entity that is needed and not known."""
        return next((need for need in self.needs if values.get(need[0]) is None), None)


def chosen(values: Values, *names: tuple[str, str]) -> Inputs:
    """The inputs among `names` (entity, input) that are known."""
    return {target: values[source] for source, target in names if values.get(source) is not None}


def assumptions(values: Values, *names: tuple[str, str]) -> list[str]:
    """The phrases of those entities that the citizen left open."""
    return [phrase for entity, phrase in names if values.get(entity) is None]


def event_day(values: Values, on: date) -> str:
    """The day of the event: the birth or date the citizen named, else today."""
    return str(values.get("born") or values.get("date") or on.isoformat())
