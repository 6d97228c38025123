"""Finds figures that were or will be true on another day, given as if they held on the question's."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from evaluation.comparing import amounts_in, comparable
from vietnamese.dates import find_dates
from vietnamese.text import Reading

DAY = "2026-11-21"  # rows without `on` are asked from here
BASE_SALARY_ROSE = date(2026, 7, 1)
NEW_LAW = date(2025, 7, 1)
# Figures that follow the base salary of 2 340 000 and of 2 530 000 and are nothing else.
BEFORE_THE_RISE = {105_300, 351_000, 702_000, 884_520, 1_263_600, 4_680_000}
BEFORE_THE_RISE |= {10_296_000, 14_040_000, 23_400_000, 46_800_000}
SINCE_THE_RISE = {113_850, 379_500, 759_000, 956_340, 1_366_200, 5_060_000}
SINCE_THE_RISE |= {11_132_000, 15_180_000, 25_300_000, 50_600_000}
_OLD_RATE = re.compile(
    r"\bho ngheo\b[^%]{0,25}\b30%|\bcan ngheo\b[^%]{0,25}\b25%|\bkhac\b[^%]{0,25}\b10%"
    r"|\bho tro\b[^%;\n]{0,40}\b(?:10|25)%"
)
_OLD_YEARS = re.compile(
    r"\b(?:luong huu|huu tri|huong huu|ve huu)\b[^%]{0,60}"
    r"\b(?:du|it nhat|toi thieu|phai)(?: dong)?(?: du)? 20 nam\b"
)
_OTHER_RULE_OF_20_YEARS = re.compile(r"\b(?:mot lan|1 lan|thap nhat|truoc ngay|tu nguyen truoc)\b")
# How a sentence says that its figure is of the past, or of the time to come.
_OF_THE_PAST = re.compile(
    r"\btruoc (?:ngay |thang )?\d|\btruoc (?:day|do|kia)\b|\bluat cu\b|\bmuc cu\b|\bkhong con\b"
    r"|\b(?:khi|luc|hoi) (?:do|ay)\b|\bden (?:het )?(?:ngay )?30/6\b|\b[1-6]/2026\b"
    r"|\b\d{1,2}/20[12][0-5]\b(?!/)|\bnam 20[12][0-5]\b"
)
_OF_THE_FUTURE = re.compile(r"\b(?:tu|sau|ke tu)(?: ngay| thang)? 1?/?7/2026\b|\bse\b")
_SENTENCE = re.compile(r"\n|[.;](?=\s|$)")


def days_asked(row: Mapping[str, Any]) -> list[date]:
    """The day a row is asked from, and the days its text and its working name besides."""
    today = date.fromisoformat(row.get("on", DAY))
    inputs = row.get("working", {}).get("inputs", {}).values()
    days = [date.fromisoformat(value) for value in inputs if re.fullmatch(r"\d{4}-\d\d-\d\d", str(value))]
    for mention in find_dates(Reading.of(row["text"]), today):
        before = mention.relation == "before"
        days.append(mention.start_date - timedelta(days=1) if before else mention.as_of(today))
    return [today, *days]


def untimely_figure(row: Mapping[str, Any], text: str) -> str | None:
    """The first sentence of a reply whose figure does not hold on any day the row asks about."""
    days = days_asked(row)
    late, early = min(days) >= BASE_SALARY_ROSE, max(days) < BASE_SALARY_ROSE
    wrong = BEFORE_THE_RISE if late else SINCE_THE_RISE if early else set()
    wrong = wrong - amounts_in(row["text"])
    for sentence in _SENTENCE.split(text):
        words = comparable(sentence)
        if (_OF_THE_FUTURE if early else _OF_THE_PAST).search(words):
            continue
        if amounts_in(sentence) & wrong:
            return sentence.strip()
        if min(days) >= NEW_LAW and (
            _OLD_RATE.search(words)
            or (_OLD_YEARS.search(words) and not _OTHER_RULE_OF_20_YEARS.search(words))
        ):
            return sentence.strip()
    return None
