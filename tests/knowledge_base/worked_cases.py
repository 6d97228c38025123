"""The cases of the calculators and parameters: YAML a policy officer can read, and how one is judged."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml

from knowledge_base.calculators import Result, calculate
from knowledge_base.dated import Parameters
from knowledge_base.errors import InvalidInput, NoValueOnDate

FOLDER = Path(__file__).resolve().parent / "cases"
KEYS = {"name", "date", "input", "status", "output", "absent", "reason", "error"}


@dataclass(frozen=True)
class Case:
    """One worked example: a calculator's question and the outputs it must give."""

    calculator: str
    name: str
    on: date
    inputs: dict[str, Any]
    status: str
    outputs: dict[str, Any]
    absent: tuple[str, ...]  # outputs that must not be given (uncertain figures)
    reason: str | None  # words the reason holds
    error: str | None  # words of the InvalidInput raised instead

    def __str__(self) -> str:
        return f"{self.calculator}: {self.name}"


@dataclass(frozen=True)
class Value:
    """What one parameter is on a day, or is announced to be; None when it has no value."""

    parameter: str
    on: date
    value: Any
    announced: bool

    def __str__(self) -> str:
        return f"{self.parameter} {'announced for' if self.announced else 'on'} {self.on}"


def _json(value: Any) -> Any:
    """A YAML value as JSON would carry it: dates as text."""
    if isinstance(value, dict):
        return {key: _json(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_json(item) for item in value]
    return value.isoformat() if isinstance(value, date) else value


def _read(path: Path) -> list[dict[str, Any]]:
    rows = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert isinstance(rows, list), f"{path.name} must hold a list of cases"
    return rows


def calculator_cases() -> list[Case]:
    """Every case of every calculator; the file is named after the calculator."""
    cases = []
    for path in sorted(FOLDER.glob("*.yaml")):
        for row in _read(path):
            unknown = row.keys() - KEYS
            assert not unknown, f"{path.name}: unknown key {unknown} in {row['name']}"
            assert "output" in row or "reason" in row or "error" in row, (
                f"{path.name}: {row['name']} expects nothing"
            )
            cases.append(
                Case(
                    calculator=path.stem,
                    name=row["name"],
                    on=row["date"],
                    inputs=_json(row.get("input", {})),
                    status=row.get("status", "ok"),
                    outputs=_json(row.get("output", {})),
                    absent=tuple(row.get("absent", ())),
                    reason=row.get("reason"),
                    error=row.get("error"),
                )
            )
    return cases


def parameter_values() -> list[Value]:
    """Every value asserted of a parameter no calculator uses."""
    return [
        Value(name, row["date"], value, announced=key == "announced")
        for path in sorted((FOLDER / "parameters").glob("*.yaml"))
        for row in _read(path)
        for key in ("values", "announced")
        for name, value in row.get(key, {}).items()
    ]


def problem_of(case: Case, law: Parameters) -> str | None:
    """What is wrong with a calculator's answer to a case; None when nothing is."""
    try:
        result = calculate(case.calculator, case.inputs, case.on, law)
    except InvalidInput as error:
        if case.error and case.error in str(error):
            return None
        return f"refused: {error}"
    if case.error:
        return f"accepted, with {dict(result.outputs)}"
    return _difference(case, result)


def _difference(case: Case, result: Result) -> str | None:
    if result.status != case.status:
        return f"status {result.status} ({result.reason}), not {case.status}"
    given = result.as_json()
    for name, expected in case.outputs.items():
        if not _same(given.get(name), expected):
            return f"{name} is {given.get(name)!r}, not {expected!r}"
    for name in case.absent:
        if name in given:
            return f"{name} is given ({given[name]!r}) though uncertain"
    if case.reason and case.reason not in (result.reason or ""):
        return f"the reason {result.reason!r} does not say {case.reason!r}"
    return None


def _same(given: Any, expected: Any) -> bool:
    if isinstance(given, float) or isinstance(expected, float):
        return given is not None and Decimal(str(given)) == Decimal(str(expected))
    return type(given) is type(expected) and bool(given == expected)


def _comparable(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return [_comparable(item) for item in value]
    if isinstance(value, dict):
        return {key: _comparable(item) for key, item in value.items()}
    return Decimal(str(value)) if isinstance(value, (int, float, Decimal)) else value


def problem_with_value(value: Value, law: Parameters) -> str | None:
    """What is wrong with a parameter's value on a day; None when nothing is."""
    try:
        found = law.at(value.on).value_on(value.parameter, value.on, value.announced)
    except NoValueOnDate:
        return None if value.value is None else "has no value"
    if _comparable(found) == _comparable(value.value):
        return None
    return f"is {found}, not {value.value}"
