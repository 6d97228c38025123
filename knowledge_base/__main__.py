"""Command line of the knowledge base: calculate, topic, check and preview (exit 2 on bad input)."""

from __future__ import annotations

import argparse
import json
import sys
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from knowledge_base.answers import answer_topic
from knowledge_base.errors import InvalidInput, KnowledgeBaseError
from knowledge_base.loading import knowledge_base

OFFICE_TIME = timezone(timedelta(hours=7))  # Asia/Ho_Chi_Minh keeps no summer time


def today() -> date:
    """Today in Asia/Ho_Chi_Minh."""
    return datetime.now(OFFICE_TIME).date()


def _print(document: Any) -> None:
    json.dump(document, sys.stdout, ensure_ascii=False, indent=2)
    sys.stdout.write("\n")


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a date like 2026-11-21") from None


def _calculate(arguments: argparse.Namespace) -> int:
    from knowledge_base.calculators import calculate

    try:
        inputs = json.loads(arguments.json)
    except json.JSONDecodeError as error:
        raise InvalidInput(f"--json is not valid JSON: {error}") from None
    if not isinstance(inputs, dict):
        raise InvalidInput('--json must be an object like {"members": 4}')
    _print(calculate(arguments.calculator, inputs, arguments.on).as_json())
    return 0


def _topic(arguments: argparse.Namespace) -> int:
    _print(answer_topic(arguments.topic, arguments.on).as_json())
    return 0


def _check(arguments: argparse.Namespace) -> int:
    from knowledge_base.checking import check

    report = check(knowledge_base(), arguments.on)
    for line in report.notices:
        print(f"notice: {line}")
    for line in report.problems:
        print(f"problem: {line}", file=sys.stderr)
    print(report.summary)
    return 1 if report.problems else 0


def _preview(arguments: argparse.Namespace) -> int:
    from knowledge_base.preview import compare, page

    comparison = compare(knowledge_base(), today(), arguments.on)
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(page(comparison), encoding="utf-8")
    print(comparison.summary)
    print(arguments.out.resolve())
    return 0


def main(argv: list[str] | None = None) -> int:
    """Run one command; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m knowledge_base", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    calculate = commands.add_parser("calculate", help="work out one calculator; JSON in, JSON out")
    calculate.add_argument("calculator", help="its name, like household_health")
    calculate.add_argument("--json", required=True, help='inputs, like {"members": 5, "months": 12}')
    topic = commands.add_parser("topic", help="the answer to one topic")
    topic.add_argument("topic", help="its id, like voluntary.contribution_level")
    check = commands.add_parser("check", help="check citations, units, placeholders, overlaps, freshness")
    preview = commands.add_parser("preview", help="a page of every answer that differs on --on from today's")
    preview.add_argument("--out", type=Path, required=True, help="the HTML file to write")
    for command, run in (
        (calculate, _calculate),
        (topic, _topic),
        (check, _check),
        (preview, _preview),
    ):
        command.add_argument("--on", type=_date, default=today(), help="as of this date (default: today)")
        command.set_defaults(run=run)
    arguments = parser.parse_args(argv)
    try:
        return int(arguments.run(arguments))
    except KnowledgeBaseError as error:
        print(error, file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
