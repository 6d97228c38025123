"""The calculators: what one pays or receives, worked out by the law of a day."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from knowledge_base.calculators.daily import compulsory_contribution, daily_maternity, sickness
from knowledge_base.calculators.health import (
    copay_threshold,
    household_health,
    student_health,
    supported_health,
)
from knowledge_base.calculators.inputs import Input, declared_inputs, read_inputs
from knowledge_base.calculators.maternity import (
    father_leave,
    maternity_compulsory,
    maternity_voluntary,
    maternity_window,
    recovery_leave,
)
from knowledge_base.calculators.one_off import one_off_withdrawal
from knowledge_base.calculators.pension import pension
from knowledge_base.calculators.result import Result, say
from knowledge_base.calculators.treatment import treatment_share
from knowledge_base.calculators.unemployment import unemployment
from knowledge_base.calculators.voluntary import voluntary_contribution
from knowledge_base.dated import Parameters
from knowledge_base.errors import NoValueOnDate, UnknownName
from knowledge_base.loading import knowledge_base

__all__ = ["CALCULATORS", "Calculator", "Input", "Result", "calculate"]


@dataclass(frozen=True)
class Calculator:
    """A calculator by name: what it does, its inputs in order, and the function of the law."""

    name: str
    purpose: str
    inputs: Mapping[str, Input]
    function: Callable[..., Result]


def _declared(function: Callable[..., Result]) -> Calculator:
    purpose = (function.__doc__ or "").partition("\n")[0]
    return Calculator(function.__name__, purpose, declared_inputs(function), function)


FUNCTIONS: tuple[Callable[..., Result], ...] = (
    voluntary_contribution,
    household_health,
    student_health,
    supported_health,
    maternity_compulsory,
    father_leave,
    maternity_voluntary,
    recovery_leave,
    maternity_window,
    pension,
    one_off_withdrawal,
    unemployment,
    copay_threshold,
    daily_maternity,
    sickness,
    compulsory_contribution,
    treatment_share,
)
CALCULATORS = {function.__name__: _declared(function) for function in FUNCTIONS}


def calculate(name: str, inputs: Mapping[str, Any], on: date, law: Parameters | None = None) -> Result:
    """Work out one calculator from JSON values, by the law of the event's day or of `on`.

    A figure the law does not (yet) confirm for that day makes the answer `unsure`. Raises
    UnknownName for a calculator that does not exist and InvalidInput for malformed inputs.
    """
    if name not in CALCULATORS:
        raise UnknownName(f"no calculator is called {name} (known: {', '.join(CALCULATORS)})")
    calculator = CALCULATORS[name]
    values = read_inputs(calculator.inputs, inputs, on)
    events = [values[input_.name] for input_ in calculator.inputs.values() if input_.kind.is_event]
    as_of = events[0] if events else on
    try:
        return calculator.function((law or knowledge_base().law).at(as_of), **values)
    except NoValueOnDate as error:
        reason = say("common.no_figure_for_date", on=error.on)
        return Result("unsure", as_of, {}, reason, (), (), reported=False)
