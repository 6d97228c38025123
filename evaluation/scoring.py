"""Scores one reply against one labelled row: topic, required facts, wrong figures."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from knowledge_base.loading import knowledge_base
from vietnamese.amounts import parse_amounts
from vietnamese.text import fold

Verdict = Literal["right", "half", "wrong", "left_out"]
SUBJECTS = "out_of_scope"
# Figures of laws that no longer apply; given as current they are wrong whatever was asked.
STALE = re.compile(
    r"1\.263\.600|884\.520|4\.680\.000|46\.800\.000|\bho tro[^.]{0,40}\b(?:10|25)%|du 20 nam dong"
)
_SYNONYMS = (
    ("bao hiem xa hoi", "bhxh"),
    ("bao hiem y te", "bhyt"),
    ("bao hiem that nghiep", "bhtn"),
    ("luong co so", "muc tham chieu"),
    ("phan tram", "%"),
    (" %", "%"),
    ("ngay lam viec", "ngay"),
)
_LEADING_ZERO = re.compile(r"\b0+(\d)")


@dataclass(frozen=True)
class Score:
    """What became of one row."""

    verdict: Verdict
    why: str
    topic_right: bool
    facts_met: bool
    wrong_figure: bool
    false_refusal: bool
    false_acceptance: bool


def comparable(text: str) -> str:
    """Folded text with synonyms made one, leading zeros gone and blanks collapsed."""
    folded = fold(text)
    for word, one in _SYNONYMS:
        folded = folded.replace(word, one)
    return re.sub(r"\s+", " ", _LEADING_ZERO.sub(r"\1", folded))


def meets(alternative: str, reply: str, amounts: set[int]) -> bool:
    """Whether a reply contains one alternative: an amount as a number, anything else as text."""
    figures = parse_amounts(alternative)
    if figures and figures[0].value >= 1000:
        return figures[0].value in amounts
    return comparable(alternative).strip() in reply


def facts_met(expected: Sequence[str], text: str) -> bool:
    """Whether every entry is met; inside an entry `a|b` either will do."""
    reply = comparable(text)
    amounts = {amount.value for amount in parse_amounts(text)}
    return all(any(meets(alt, reply, amounts) for alt in entry.split("|")) for entry in expected)


def labels_of(topics: Sequence[str]) -> list[set[str]]:
    """The evaluation labels of each knowledge-base topic, in order."""
    known = knowledge_base().topics
    return [set(known[topic].evaluation_labels) for topic in topics if topic in known]


def _wrong_figure(row: Mapping[str, Any], text: str, met: bool, outcome: str) -> bool:
    today = row.get("on", "2026-11-21") >= "2026-07-01"
    if today and STALE.search(comparable(text)) and row.get("needs") != "calculate":
        return True
    answered = outcome == "answered" and row.get("topic") != SUBJECTS
    return row.get("needs") == "calculate" and answered and not met and bool(parse_amounts(text))


def score(row: Mapping[str, Any], answer: Mapping[str, Any]) -> Score:
    """Score one output line of `gateway ask` against its labelled row."""
    outcome, topics = answer["outcome"], answer.get("topics") or []
    text = "\n".join(answer.get("replies") or [])
    label = f"{row['topic']}/{row['subtopic']}"
    topic_labels = labels_of(topics)
    topic_right = bool(topic_labels) and label in topic_labels[0]
    met = facts_met(row.get("expected") or [], text)
    wrong = _wrong_figure(row, text, met, outcome)
    in_scope = row["topic"] != SUBJECTS

    def result(verdict: Verdict, why: str, refused: bool = False, accepted: bool = False) -> Score:
        return Score(verdict, why, topic_right, met, wrong, refused, accepted)

    if not in_scope:
        if topics:
            return result("wrong", f"policy answer: {topics[0]}", accepted=True)
        if outcome in ("declined", "chitchat"):
            return result("right", outcome)
        if outcome == "escalated" and row.get("needs") == "human":
            return result("right", "handed over")
        return result("half" if outcome == "asked" else "wrong", outcome)
    needs = row["needs"]
    if needs == "human":
        return result("right", "case") if outcome == "escalated" else result("wrong", f"{outcome}, no case")
    if needs == "personal_record":
        if outcome == "escalated" and met:
            return result("right", "case")
        return result("wrong", f"{outcome}, facts {'met' if met else 'missing'}")
    if outcome == "escalated" and not (topic_right and met):
        if row.get("fact") == "none":
            return result("left_out", "no fact")
        return result("wrong", "handed over", refused=True)
    if outcome in ("declined", "chitchat"):
        return result("wrong", outcome, refused=True)
    if outcome == "asked" and not (topic_right and met):
        offered = _offers(answer, label)
        if row.get("clarify_ok") and offered:
            return result("right", "asked")
        return result("half" if offered or topic_right else "wrong", "asked")
    if needs == "calculate":
        return result("right", "amount") if met else result("wrong", "another amount")
    if topic_right and met:
        return result("right", "answered")
    return result("wrong", "facts missing" if topic_right else f"another topic: {topics[:1]}")


def _offers(answer: Mapping[str, Any], label: str) -> bool:
    """Whether a button of the reply leads to the label."""
    says = {button.get("say") or button.get("title") for button in answer.get("buttons") or []}
    titles = {button.get("title") for button in answer.get("buttons") or []}
    return any(
        label in topic.evaluation_labels
        for topic in knowledge_base().topics.values()
        if topic.button.say in says or topic.button.title in titles
    )
