"""The report counts what the scores say, with intervals, and the floor only lets it rise."""

from __future__ import annotations

from typing import Any

import pytest

from evaluation.__main__ import compare_with_floor, turn_passes
from evaluation.report import Group, Report, Scored, html, interval, text
from evaluation.scoring import Score, Verdict


def scored(
    verdict: Verdict, topic: str = "bhtn", style: str = "formal", outcome: str = "answered", **more: Any
) -> Scored:
    row = {"id": "x", "topic": topic, "subtopic": "bhtn_muc_huong", "style": style, "needs": "answer"}
    return row, {"outcome": outcome, "topics": [], "latency_ms": 5}, Score(verdict, "", **more)


@pytest.mark.parametrize(
    ("right", "n", "low", "high"),
    [
        (8, 10, 49.0, 94.3),
        (0, 10, 0.0, 27.8),
        (10, 10, 72.2, 100.0),
        (50, 100, 40.4, 59.6),
        (0, 0, 0.0, 100.0),
    ],
)
def test_wilson_interval(right: int, n: int, low: float, high: float) -> None:
    assert interval(right, n) == pytest.approx((low, high), abs=0.05)


def test_half_counts_half() -> None:
    group = Group()
    for verdict in ("right", "half", "wrong"):
        group.add(Score(verdict, ""))
    assert (group.right, group.n) == (1.5, 3)
    assert "50.0 %" in group.line("all") and "n=3" in group.line("all")


def test_measures_leave_out_rows_without_a_fact_but_not_their_wrong_figures() -> None:
    report = Report.of(
        [
            scored("right"),
            scored("wrong", false_refusal=True, outcome="escalated"),
            scored("left_out", wrong_figure=True),
            scored("right", topic="out_of_scope"),
            scored("wrong", topic="out_of_scope", false_acceptance=True),
        ],
        [{"id": "d1"}, {"id": "d2"}],
        {"d1": [0]},
    )
    assert report.measures["right"] == 50.0
    assert report.measures["right_in_scope"] == 50.0
    assert report.measures["right_out_of_scope"] == 50.0
    assert report.measures["false_refusal"] == 50.0
    assert report.measures["false_acceptance"] == 50.0
    assert report.measures["handed_over"] == 50.0
    assert report.measures["wrong_figures"] == 1.0
    assert report.measures["dialogues"] == 50.0


def test_accent_gap_is_how_far_accent_free_rows_fall_behind() -> None:
    behind = [scored("right"), scored("right", style="casual"), scored("wrong", style="teencode")]
    behind.append(scored("right", style="no_diacritics"))
    assert Report.of(behind, [], {}).measures["accent_gap"] == 50.0
    ahead = [scored("wrong"), scored("right", style="teencode"), scored("wrong", style="typo")]
    assert Report.of(ahead, [], {}).measures["accent_gap"] == 0.0


def test_confusions_are_shown_as_text_and_as_bars() -> None:
    report = Report.of([scored("wrong", outcome="declined")] * 3, [], {})
    assert report.confusions == {("bhtn_muc_huong", "(declined)"): 3}
    assert "bhtn_muc_huong -> (declined)" in text(report, {})
    assert '<meter min="0" max="3" value="3">' in html(report, {})


def test_what_changed_since_the_last_run_is_told() -> None:
    report = Report.of([scored("right")], [], {})
    assert "(+20.0 since the last run)" in text(report, {"right_in_scope": 80.0})
    assert "since the last run" not in text(report, report.measures)


def test_the_floor_holds_in_both_directions() -> None:
    measures = {"right_in_scope": 92.9, "wrong_figures": 1.0, "dialogues": 90.0}
    assert compare_with_floor(measures, {"right_in_scope": 92.9, "wrong_figures": 1, "dialogues": 90}) == []
    assert compare_with_floor(measures, {"right_in_scope": 93, "wrong_figures": 0, "dialogues": 80}) == [
        "right_in_scope: 92.9 is under the floor of 93",
        "wrong_figures: 1.0 is over the ceiling of 0",
    ]


def test_every_measure_named_as_better_when_lower_exists() -> None:
    assert Report.of([scored("right")], [], {}).measures.keys() >= Report.LOWER_IS_BETTER


@pytest.mark.parametrize(
    ("turn", "passes"),
    [
        ({"keys": ["819.720"]}, True),
        ({"keys": ["819.720", "6 tháng"]}, False),
        ({"keys": [], "not_keys": ["819.720"]}, False),
        ({"keys": ["819.720"], "outcome": "asked|answered"}, True),
        ({"keys": ["819.720"], "outcome": "escalated"}, False),
    ],
)
def test_a_turn_passes_with_its_keys_without_the_others_and_with_its_outcome(
    turn: dict[str, Any], passes: bool
) -> None:
    answer = {"outcome": "answered", "replies": ["Người thứ 3 đóng 819.720 đồng cho 12 tháng."]}
    assert turn_passes(turn, answer) is passes
