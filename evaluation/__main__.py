"""`make evaluate`: asks the running stack every labelled question and writes a report."""

from __future__ import annotations

import argparse
import asyncio
import io
import json
import sys
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

from evaluation.comparing import facts_met
from evaluation.dated_figures import DAY
from evaluation.overlap import check_overlap
from evaluation.report import Report, html, text
from evaluation.scoring import Score, score
from gateway.asking import AskError, Line, ask_batch, gateway_url
from gateway.settings import read_settings

ROOT = Path(__file__).resolve().parent
REPORTS = ROOT.parent / "reports"
FLOOR = ROOT / "floor.json"
RUN = uuid4().hex  # conversations of two runs never meet


def read_rows(paths: Iterable[Path]) -> list[dict[str, Any]]:
    """The JSON-lines rows of some files; each remembers its file."""
    rows = []
    for path in paths:
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.strip():
                rows.append({**json.loads(line), "file": path.stem})
    return rows


async def ask(url: str, lines: list[Line]) -> dict[str, dict[str, Any]]:
    """The answers of the running stack by line id."""
    out = io.StringIO()
    await ask_batch(url, lines, out, parallel=6)
    return {row["id"]: row for row in map(json.loads, out.getvalue().splitlines())}


def question_lines(rows: Sequence[dict[str, Any]]) -> list[Line]:
    """One conversation a question."""
    return [
        Line(number, row["id"], row["text"], f"{RUN}-{number}", row.get("on", DAY))
        for number, row in enumerate(rows)
    ]


def dialogue_lines(dialogues: Sequence[dict[str, Any]], first: int) -> list[Line]:
    """One conversation a dialogue, its turns in order."""
    lines: list[Line] = []
    for dialogue in dialogues:
        for index, turn in enumerate(dialogue["turns"]):
            number = first + len(lines)
            day = dialogue.get("on", DAY)
            lines.append(
                Line(number, f"{dialogue['id']}#{index}", turn["user"], f"{RUN}-{dialogue['id']}"[:128], day)
            )
    return lines


def turn_passes(turn: dict[str, Any], answer: dict[str, Any]) -> bool:
    """Whether every key is in the reply, none of `not_keys` is, and the outcome is the one named."""
    reply = "\n".join(answer.get("replies") or [])
    outcomes = turn.get("outcome", answer["outcome"]).split("|")
    unwanted = [key for key in turn.get("not_keys") or [] if facts_met([key], reply)]
    return facts_met(turn.get("keys") or [], reply) and not unwanted and answer["outcome"] in outcomes


def compare_with_floor(measures: dict[str, float], floor: dict[str, float]) -> list[str]:
    """Each measure on the wrong side of the committed floor (a ceiling where lower is better), in words."""
    problems = []
    for name, limit in floor.items():
        value = measures[name]
        if name in Report.LOWER_IS_BETTER and value > limit:
            problems.append(f"{name}: {value:.1f} is over the ceiling of {limit}")
        if name not in Report.LOWER_IS_BETTER and value < limit:
            problems.append(f"{name}: {value:.1f} is under the floor of {limit}")
    return problems


def main() -> int:
    """Ask, score, report; exit 1 when a measure falls under the floor."""
    parser = argparse.ArgumentParser(prog="python -m evaluation", description=__doc__)
    parser.add_argument("files", nargs="*", type=Path, help="rows to ask (default: evaluation/*.jsonl)")
    parser.add_argument("--gateway", help="URL of the gateway (default: the running stack's)")
    parser.add_argument("--show", action="store_true", help="print every row that is not right")
    arguments = parser.parse_args()
    files = arguments.files or sorted(ROOT.glob("*.jsonl"))
    rows = read_rows(files)
    questions = [row for row in rows if "turns" not in row]
    dialogues = [row for row in rows if "turns" in row]
    overlaps = check_overlap(questions) if not arguments.files else []
    for overlap in overlaps:
        print(f"too close to a training example: {overlap}", file=sys.stderr)
    try:
        url = gateway_url(read_settings(), arguments.gateway)
        lines = [*question_lines(questions), *dialogue_lines(dialogues, len(questions))]
        answers = asyncio.run(ask(url, lines))
    except AskError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    scored = [(row, answers[row["id"]], score(row, answers[row["id"]])) for row in questions]
    failed: defaultdict[str, list[int]] = defaultdict(list)
    for dialogue in dialogues:
        for index, turn in enumerate(dialogue["turns"]):
            if not turn_passes(turn, answers[f"{dialogue['id']}#{index}"]):
                failed[dialogue["id"]].append(index)
    report = Report.of(scored, dialogues, dict(failed))
    REPORTS.mkdir(exist_ok=True)
    last = REPORTS / "last.json"
    before = json.loads(last.read_text(encoding="utf-8")) if last.exists() else {}
    print(text(report, before))
    if arguments.show:
        _show(scored, dialogues, failed, answers)
    (REPORTS / "evaluation.txt").write_text(text(report, before), encoding="utf-8")
    (REPORTS / "evaluation.html").write_text(html(report, before), encoding="utf-8")
    if not arguments.files:
        last.write_text(json.dumps(report.measures, indent=2), encoding="utf-8")
    floor = json.loads(FLOOR.read_text(encoding="utf-8")) if FLOOR.exists() and not arguments.files else {}
    problems = compare_with_floor(report.measures, floor)
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems or overlaps else 0


def _show(
    scored: Sequence[tuple[dict[str, Any], dict[str, Any], Score]],
    dialogues: Sequence[dict[str, Any]],
    failed: dict[str, list[int]],
    answers: dict[str, dict[str, Any]],
) -> None:
    for row, answer, result in scored:
        if result.verdict not in ("right", "left_out") or result.wrong_figure or result.wrong_polarity:
            flag = " WRONG FIGURE" * result.wrong_figure + " WRONG POLARITY" * result.wrong_polarity
            print(f"\n[{row['id']} {row['subtopic']} {row['needs']}] {row['text']}")
            print(f"  {result.verdict}{flag}: {result.why}; expected {row.get('expected')}")
            print(f"  {answer['outcome']} {answer['topics']} {answer['confidence']}: {answer['replies']}")
    for dialogue in dialogues:
        for index in failed.get(dialogue["id"], []):
            answer = answers[f"{dialogue['id']}#{index}"]
            print(f"\n[{dialogue['id']} turn {index + 1}] {dialogue['turns'][index]}")
            print(f"  {answer['outcome']} {answer['topics']}: {answer['replies']}")


if __name__ == "__main__":
    sys.exit(main())
