"""Figures several calculators share."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from knowledge_base.dated import Rules


def reference_level(rules: Rules) -> int:
    """The reference level (mức tham chiếu), and before it existed the base salary, in đồng a month."""
    exists = rules.on >= rules.since("wages.reference_level")
    return rules.amount("wages.reference_level" if exists else "wages.base_salary")


def rate_on(rules: Rules, name: str, on: date) -> Decimal:
    """A number of the law on another day, cited with the rest. Raises NoValueOnDate."""
    value = rules.value_on(name, on)
    if not isinstance(value, (int, Decimal)):
        raise TypeError(f"{name} is not a single number on {on}")
    return Decimal(value)


def periods(rules: Rules, name: str) -> tuple[int, ...]:
    """The numbers of months for which one may pay."""
    return tuple(int(months) for months in rules.rates(name))
