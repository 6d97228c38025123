"""Changes one digit of one parameter value at a time and lists the changes no case notices.

Run by hand: `uv run python -m tests.knowledge_base.mutate_parameters`. Exits 1 when any survives.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

from knowledge_base.dated import DatedValue, Parameter, Parameters, Scalar, Value
from knowledge_base.loading import knowledge_base
from tests.knowledge_base.worked_cases import (
    Case,
    calculator_cases,
    parameter_values,
    problem_of,
    problem_with_value,
)
from tests.knowledge_base.worked_cases import Value as KnownValue


class _Recording(Parameters):
    """Parameters that remember which of them were read."""

    read: set[str]

    def __getitem__(self, name: str) -> Parameter:
        self.read.add(name)
        return super().__getitem__(name)


def _changed_scalars(scalar: Scalar) -> Iterator[Scalar]:
    if isinstance(scalar, str):
        return
    text = str(scalar)
    for position, character in enumerate(text):
        if character.isdigit():
            for digit in "0123456789".replace(character, ""):
                yield type(scalar)(text[:position] + digit + text[position + 1 :])


def _changed_values(value: Value) -> Iterator[Value]:
    if isinstance(value, (int, Decimal, str)):
        yield from _changed_scalars(value)
    elif isinstance(value, tuple):
        for index, item in enumerate(value):
            for changed in _changed_scalars(item):
                yield (*value[:index], changed, *value[index + 1 :])
    else:
        for key, item in value.items():
            for changed in _changed_scalars(item):
                yield {**value, key: changed}


def _changed_parameters(parameter: Parameter) -> Iterator[tuple[DatedValue, Value, Parameter]]:
    for index, entry in enumerate(parameter.values):
        if entry.value is not None:
            for value in _changed_values(entry.value):
                values = list(parameter.values)
                values[index] = replace(entry, value=value)
                yield entry, value, replace(parameter, values=tuple(values))


def _readers(law: Parameters) -> dict[str, list[Case]]:
    """The cases that read each parameter, so that only they are run again."""
    readers: dict[str, list[Case]] = defaultdict(list)
    for case in calculator_cases():
        recording = _Recording({parameter.name: parameter for parameter in law})
        recording.read = set()
        problem = problem_of(case, recording)
        assert problem is None, f"{case} fails before anything is changed: {problem}"
        for name in recording.read:
            readers[name].append(case)
    return readers


def main() -> int:
    """Print the survivors and the count; the exit code."""
    law = knowledge_base().law
    parameters = {parameter.name: parameter for parameter in law}
    readers = _readers(law)
    known: dict[str, list[KnownValue]] = defaultdict(list)
    for item in parameter_values():
        known[item.parameter].append(item)
    tried, survivors = 0, []
    for parameter in law:
        for entry, value, changed in _changed_parameters(parameter):
            tried += 1
            mutant = Parameters({**parameters, parameter.name: changed})
            noticed = any(problem_with_value(item, mutant) for item in known[parameter.name]) or any(
                problem_of(case, mutant) for case in readers[parameter.name]
            )
            if not noticed:
                survivors.append(f"{parameter.name} from {entry.start}: {entry.value} became {value}")
    for survivor in survivors:
        print(survivor)
    print(f"{tried} changed digits in {len(parameters)} parameters, {len(survivors)} noticed by no case")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
