"""What calculators accept: kinds of input, read strictly from JSON values."""

from __future__ import annotations

import inspect
import re
import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

from knowledge_base.calculators.months import months_between, shift
from knowledge_base.errors import InvalidInput

# Beyond these a number is a slip of the keyboard; no rule of law is near them.
LARGEST_AMOUNT = 10**12
LARGEST_COUNT = 1_200


@dataclass(frozen=True)
class Kind:
    """A kind of input: what is accepted, in words, and how it is read (ValueError when it is not)."""

    meaning: str
    read: Callable[[Any], Any]
    choices: tuple[str, ...] = ()
    is_event: bool = False  # the day whose law decides; the day asked about when it is not given


@dataclass(frozen=True)
class Input:
    """One input of a calculator, with the value it has when it is not given."""

    name: str
    kind: Kind
    required: bool
    default: Any


def _whole(largest: int) -> Callable[[Any], int]:
    def read(value: Any) -> int:
        if type(value) is not int or not 0 <= value <= largest:
            raise ValueError
        return value

    return read


def _decimal(value: Any) -> Decimal:
    if type(value) is int:
        value = str(value)
    if not isinstance(value, str) or not re.fullmatch(r"\d{1,13}(\.\d{1,6})?", value, re.ASCII):
        raise ValueError
    return Decimal(value)


def _inside_calendar(day: date) -> date:
    """Refuse a day from which month arithmetic could leave the calendar."""
    for by in (-LARGEST_COUNT, LARGEST_COUNT):
        shift(day, by)
    return day


def _day(value: Any) -> date:
    if not isinstance(value, str) or not re.fullmatch(r"\d{4}-\d{2}-\d{2}", value, re.ASCII):
        raise ValueError
    return _inside_calendar(date.fromisoformat(value))


def _month(value: Any) -> date:
    if not isinstance(value, str) or not re.fullmatch(r"\d{4}-\d{2}", value, re.ASCII):
        raise ValueError
    return _inside_calendar(date.fromisoformat(f"{value}-01"))


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError
    return value


def _months(value: Any) -> frozenset[date]:
    if not isinstance(value, list):
        raise ValueError
    return frozenset(_month(item) for item in value)


def _choice(choices: tuple[str, ...]) -> Callable[[Any], str]:
    def read(value: Any) -> str:
        if not isinstance(value, str) or value not in choices:
            raise ValueError
        return value

    return read


def one_of(*choices: str) -> Kind:
    """One word of a list."""
    return Kind(f"one of {', '.join(choices)}", _choice(choices), choices)


def some_of(*choices: str) -> Kind:
    """One word of a list, or several as a JSON list."""
    read_one = _choice(choices)

    def read(value: Any) -> tuple[str, ...]:
        if not value:
            raise ValueError
        return tuple(read_one(item) for item in value) if isinstance(value, list) else (read_one(value),)

    return Kind(f"one or a list of {', '.join(choices)}", read, choices)


@dataclass(frozen=True)
class PaidMonth:
    """One month of contribution: the income it was paid on (đồng) and the support group."""

    month: date
    income: int
    group: str


def paid_months(*groups: str, default: str) -> Kind:
    """A list of `{from, to, income, group}`, months written YYYY-MM; read month by month, in order."""
    read_group, read_amount = _choice(groups), _whole(LARGEST_AMOUNT)

    def read(value: Any) -> tuple[PaidMonth, ...]:
        if not isinstance(value, list) or not value:
            raise ValueError
        found: dict[date, PaidMonth] = {}
        for item in value:
            if not isinstance(item, dict) or not {"from", "to", "income"} <= item.keys():
                raise ValueError
            if item.keys() - {"from", "to", "income", "group"}:
                raise ValueError
            first, last = _month(item["from"]), _month(item["to"])
            if not first <= last < shift(first, LARGEST_COUNT):
                raise ValueError
            group = read_group(item.get("group", default))
            for month in months_between(first, last):
                if month in found:
                    raise ValueError
                found[month] = PaidMonth(month, read_amount(item["income"]), group)
        return tuple(found[month] for month in sorted(found))

    meaning = (
        'a list like [{"from": "2022-01", "to": "2025-06", "income": 1500000, "group": "other"}] '
        f"without overlaps (groups: {', '.join(groups)})"
    )
    return Kind(meaning, read, groups)


Dong = Annotated[int, Kind("a whole number of đồng", _whole(LARGEST_AMOUNT))]
Average = Annotated[
    Decimal, Kind('đồng as a whole number, or as a decimal in quotes like "1590000.5"', _decimal)
]
Count = Annotated[int, Kind("a whole number", _whole(LARGEST_COUNT))]
Flag = Annotated[bool, Kind("true or false", _flag)]
Day = Annotated[date, Kind("a date like 2026-11-21", _day)]
EventDay = Annotated[date, Kind("a date like 2026-11-21", _day, is_event=True)]
Months = Annotated[frozenset[date], Kind('a list of months like ["2026-01", "2026-02"]', _months)]
Sex = Annotated[str, one_of("female", "male")]


def _kind(hint: Any) -> Kind:
    """The Kind of an annotation such as `Count` or `Count | None`."""
    if get_origin(hint) in (Union, types.UnionType):
        hint = next(part for part in get_args(hint) if part is not type(None))
    kind = get_args(hint)[1]
    assert isinstance(kind, Kind)
    return kind


def declared_inputs(function: Callable[..., Any]) -> dict[str, Input]:
    """The inputs a calculator declares by its keyword-only parameters."""
    hints = get_type_hints(function, include_extras=True)
    inputs = {}
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY:
            kind = _kind(hints[parameter.name])
            missing = parameter.default is inspect.Parameter.empty
            default = None if missing else parameter.default
            inputs[parameter.name] = Input(parameter.name, kind, missing and not kind.is_event, default)
    return inputs


def read_inputs(inputs: Mapping[str, Input], given: Mapping[str, Any], on: date) -> dict[str, Any]:
    """JSON values as a calculator's arguments. Raises InvalidInput naming the input and what it may be."""
    unknown = sorted(str(name) for name in given.keys() - inputs.keys())
    if unknown:
        raise InvalidInput(f"unknown input {', '.join(unknown)} (known: {', '.join(inputs)})")
    missing = [name for name, input_ in inputs.items() if input_.required and given.get(name) is None]
    if missing:
        raise InvalidInput(f"missing input {', '.join(missing)}")
    values: dict[str, Any] = {}
    for name, input_ in inputs.items():
        value = given.get(name)
        if value is None:
            values[name] = on if input_.kind.is_event else input_.default
            continue
        try:
            values[name] = input_.kind.read(value)
        except ValueError:
            raise InvalidInput(f"{name} must be {input_.kind.meaning}") from None
    return values
