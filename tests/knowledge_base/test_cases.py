"""Every worked case gives the outputs worked out by hand."""

from __future__ import annotations

from collections import Counter

import pytest

from knowledge_base.answers import MAX_LENGTH
from knowledge_base.calculators import CALCULATORS, calculate
from knowledge_base.calculators.result import wordings
from knowledge_base.checking import typed_figures
from knowledge_base.loading import knowledge_base
from tests.knowledge_base.worked_cases import (
    Case,
    Value,
    calculator_cases,
    parameter_values,
    problem_of,
    problem_with_value,
)

CASES = calculator_cases()


@pytest.mark.parametrize("case", CASES, ids=str)
def test_case(case: Case) -> None:
    assert problem_of(case, knowledge_base().law) is None


@pytest.mark.parametrize("value", parameter_values(), ids=str)
def test_value(value: Value) -> None:
    assert problem_with_value(value, knowledge_base().law) is None


def test_every_calculator_has_cases_and_no_case_stands_twice() -> None:
    assert {case.calculator for case in CASES} == set(CALCULATORS)
    repeated = [name for name, times in Counter(str(case) for case in CASES).items() if times > 1]
    assert not repeated


@pytest.mark.parametrize("case", [case for case in CASES if not case.error], ids=str)
def test_answer_fits_a_phone_and_shows_its_working(case: Case) -> None:
    result = calculate(case.calculator, case.inputs, case.on)
    assert len(result.working) <= 6
    assert len(result.text()) <= MAX_LENGTH
    assert "{" not in result.text() and "None" not in result.text()
    if result.status == "ok":
        assert result.reason is None and result.working and result.citations
    else:
        assert result.reason


def test_every_sentence_is_said_by_some_case(monkeypatch: pytest.MonkeyPatch) -> None:
    names: set[str] = set()

    class Said(dict[str, str]):
        def __getitem__(self, name: str) -> str:
            names.add(name)
            return super().__getitem__(name)

    said = Said(wordings())
    monkeypatch.setattr("knowledge_base.calculators.result.wordings", lambda: said)
    for case in CASES:
        problem_of(case, knowledge_base().law)
    assert said.keys() - names == set()


def test_no_figure_of_the_law_is_typed_into_a_sentence() -> None:
    assert {name: typed_figures(text) for name, text in wordings().items() if typed_figures(text)} == {}
