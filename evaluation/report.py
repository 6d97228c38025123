"""The report of an evaluation: one table as text, and a page with a picture of the confusions."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from html import escape
from math import sqrt
from typing import Any, ClassVar

from evaluation.scoring import Score, labels_of

Scored = tuple[dict[str, Any], dict[str, Any], Score]
POINTS = {"right": 1.0, "half": 0.5}
ACCENTED = ("formal", "casual")
ACCENT_FREE = ("no_diacritics", "teencode")


def interval(right: float, n: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a share, in percent."""
    if n == 0:
        return (0.0, 100.0)
    z, share = 1.96, right / n
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z * sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return (100 * (middle - half), 100 * (middle + half))


@dataclass
class Group:
    """The rows that share a subject, a style or a need."""

    n: int = 0
    right: float = 0.0

    def add(self, score: Score) -> None:
        self.n += 1
        self.right += POINTS.get(score.verdict, 0.0)

    def line(self, name: str) -> str:
        low, high = interval(self.right, self.n)
        share = 100 * self.right / self.n if self.n else 0.0
        return f"  {name:<28}{share:6.1f} %   n={self.n:<5} [{low:.1f}, {high:.1f}]"


@dataclass
class Report:
    """Measures in percent (latencies in ms), and groups for the table."""

    LOWER_IS_BETTER: ClassVar[set[str]] = {
        "wrong_figures",
        "wrong_polarity",
        "false_refusal",
        "false_acceptance",
        "accent_gap",
    }

    measures: dict[str, float] = field(default_factory=dict)
    groups: dict[str, dict[str, Group]] = field(default_factory=dict)
    confusions: Counter[tuple[str, str]] = field(default_factory=Counter)
    failed_dialogues: dict[str, list[int]] = field(default_factory=dict)

    @classmethod
    def of(cls, scored: Sequence[Scored], dialogues: Sequence[Any], failed: dict[str, list[int]]) -> Report:
        report = cls(failed_dialogues=failed)
        counted = [item for item in scored if item[2].verdict != "left_out"]
        inside = [item for item in counted if item[0]["topic"] != "out_of_scope"]
        outside = [item for item in counted if item[0]["topic"] == "out_of_scope"]
        accented = [item for item in inside if item[0].get("style") in ACCENTED]
        accent_free = [item for item in inside if item[0].get("style") in ACCENT_FREE]
        report.measures = {
            "right": _share(counted, lambda item: _points(item[2])),
            "right_in_scope": _share(inside, lambda item: _points(item[2])),
            "right_out_of_scope": _share(outside, lambda item: _points(item[2])),
            "topic_right": _share(inside, lambda item: item[2].topic_right),
            "facts_met": _share(inside, lambda item: item[2].facts_met),
            "accent_gap": _gap(accented, accent_free),
            "wrong_figures": float(sum(item[2].wrong_figure for item in scored)),
            "wrong_polarity": float(sum(item[2].wrong_polarity for item in scored)),
            "false_refusal": _share(inside, lambda item: item[2].false_refusal),
            "false_acceptance": _share(outside, lambda item: item[2].false_acceptance),
            "asked": _share(inside, lambda item: item[1]["outcome"] == "asked"),
            "handed_over": _share(inside, lambda item: item[1]["outcome"] == "escalated"),
            "dialogues": 100.0 * (1 - len(failed) / len(dialogues)) if dialogues else 100.0,
        }
        latencies = sorted(item[1]["latency_ms"] or 0 for item in scored) or [0]
        report.measures["latency_median_ms"] = float(latencies[len(latencies) // 2])
        report.measures["latency_slowest_ms"] = float(latencies[-1])
        for by in ("topic", "style", "needs", "file"):
            groups: defaultdict[str, Group] = defaultdict(Group)
            for row, _, score in counted:
                groups[str(row.get(by))].add(score)
            report.groups[by] = dict(sorted(groups.items()))
        for row, answer, score in inside:
            if not score.topic_right:
                said = labels_of(answer.get("topics") or [])
                got = sorted(said[0])[0].partition("/")[2] if said else f"({answer['outcome']})"
                report.confusions[row["subtopic"], got] += 1
        return report


def _points(score: Score) -> float:
    return POINTS.get(score.verdict, 0.0)


def _gap(accented: Sequence[Scored], accent_free: Sequence[Scored]) -> float:
    """By how many points accent-free and teencode rows of our subjects fall behind accented ones."""
    if not accented or not accent_free:
        return 0.0
    behind = _share(accented, lambda item: _points(item[2])) - _share(
        accent_free, lambda item: _points(item[2])
    )
    return max(0.0, behind)


def _share(items: Sequence[Scored], measure: Callable[[Scored], float | bool]) -> float:
    return 100.0 * sum(float(measure(item)) for item in items) / len(items) if items else 0.0


def _change(report: Report, before: dict[str, float], name: str) -> str:
    if name not in before or abs(report.measures[name] - before[name]) < 0.05:
        return ""
    return f"   ({report.measures[name] - before[name]:+.1f} since the last run)"


def text(report: Report, before: dict[str, float]) -> str:
    """The report as a table."""
    lines = ["Measures (percent; wrong_figures and wrong_polarity are counts)"]
    lines += [
        f"  {name:<28}{value:8.1f}{_change(report, before, name)}" for name, value in report.measures.items()
    ]
    for by, groups in report.groups.items():
        lines += ["", f"Right by {by}", *(group.line(name) for name, group in groups.items())]
    lines += ["", "Most confused (label asked for -> answered)"]
    lines += [f"  {n:>3}  {asked} -> {got}" for (asked, got), n in report.confusions.most_common(25)]
    if report.failed_dialogues:
        lines += ["", "Dialogues that did not pass whole: " + ", ".join(sorted(report.failed_dialogues))]
    return "\n".join(lines) + "\n"


def html(report: Report, before: dict[str, float]) -> str:
    """The report as a page: the table, and confusions as bars."""
    most = max(report.confusions.values(), default=1)
    bars = "".join(
        f"<tr><td>{escape(asked)}</td><td>{escape(got)}</td>"
        f'<td><meter min="0" max="{most}" value="{n}">{n}</meter> {n}</td></tr>'
        for (asked, got), n in report.confusions.most_common(60)
    )
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Evaluation</title>'
        "<style>body{font:16px/1.5 system-ui;margin:2rem auto;max-width:60rem}td{padding:0 1rem 0 0}</style>"
        f"<h1>Evaluation</h1><pre>{escape(text(report, before))}</pre>"
        f"<h2>Confusions</h2><table><tr><th>Asked for<th>Answered<th>Rows</tr>{bars}</table></html>\n"
    )
