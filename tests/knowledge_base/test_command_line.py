"""The command line: JSON in, JSON out, exit 2 with one clear line on bad input."""

from __future__ import annotations

import json

import pytest

from knowledge_base.__main__ import main


def test_an_answer_is_json_with_outputs_at_top_level(capsys: pytest.CaptureFixture[str]) -> None:
    question = '{"members": 5, "months": 12}'
    assert main(["calculate", "household_health", "--on", "2026-08-20", "--json", question]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["status"] == "ok" and answer["reason"] is None and answer["as_of"] == "2026-08-20"
    assert answer["total"] == 4_371_840 and answer["per_member"][0] == 1_366_200
    assert answer["working"][0] == "Cả nhà 5 người đóng 4.371.840 đồng cho 12 tháng."
    assert {
        "source": "decree_161_2026",
        "article": "3 k2",
        "text": "Điều 3 khoản 2 Nghị định 161/2026/NĐ-CP",
    } in (answer["citations"])


def test_the_event_decides_the_day_of_the_answer(capsys: pytest.CaptureFixture[str]) -> None:
    question = '{"average_salary": 18000000, "birth_date": "2026-05-15"}'
    assert main(["calculate", "maternity_compulsory", "--on", "2026-11-21", "--json", question]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["as_of"] == "2026-05-15" and answer["total"] == 112_680_000


def test_a_reported_figure_is_labelled(capsys: pytest.CaptureFixture[str]) -> None:
    question = '{"income": 1500000, "method": "years_ahead", "years": 2}'
    assert main(["calculate", "voluntary_contribution", "--on", "2026-11-21", "--json", question]) == 0
    assert json.loads(capsys.readouterr().out)["label"] == "R"


@pytest.mark.parametrize(
    ("calculator", "question", "line"),
    [
        ("household_health", '{"members": "four"}', "members must be a whole number"),
        ("household_health", "[4]", '--json must be an object like {"members": 4}'),
        ("household_health", '{"members": ', "--json is not valid JSON"),
        (
            "family_health",
            '{"members": 4}',
            "no calculator is called family_health (known: voluntary_contribution",
        ),
    ],
)
def test_bad_input_exits_2_with_one_line(
    capsys: pytest.CaptureFixture[str], calculator: str, question: str, line: str
) -> None:
    assert main(["calculate", calculator, "--on", "2026-11-21", "--json", question]) == 2
    written = capsys.readouterr()
    assert written.out == "" and written.err.startswith(line) and written.err.count("\n") == 1
