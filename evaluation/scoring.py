"""Scores one reply against one labelled row: topic, required facts, wrong figures."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from evaluation.comparing import amounts_in, answer_amounts, comparable, facts_met, presented_amounts
from evaluation.dated_figures import untimely_figure
from knowledge_base.loading import knowledge_base

Verdict = Literal["right", "half", "wrong", "left_out"]
OUTSIDE = "out_of_scope"
MOST_TOPICS = 2  # a message holds at most two questions
_ASKS_FOR_SECRETS = re.compile(
    r"\b(?:cho (?:em|toi|minh|biet|xin)|gui|cung cap|nhap|nhan|doc)\b[^.\n]{0,30}"
    r"\b(?:otp|mat khau|so (?:cccd|can cuoc|dien thoai|the|so)|ma so bhxh|so dinh danh)\b"
)
_NOT = re.compile(r"\b(?:khong|dung|chua)\b")
_OFFERS_A_PERSON = re.compile(
    r"\b(?:gap|noi chuyen voi|chuyen cho|hoi) (?:can bo|nhan vien|tu van vien|nguoi)\b"
)
_EXAMPLE = re.compile(r"\bvi du\b")
_PROMISES = re.compile(r"\b(?:cam ket|bao dam se|dam bao se|chac chan se)\b")
_POLITE_OPENING = re.compile(r"(?:(?:da|vang|thua)\b(?: (?:anh/chi|anh|chi|ong|ba)\b)?[,.:]?\s*)?")
_OPENS_WITH = {
    "yes": re.compile(r"(?:khong|chua)(?: a| duoc)?(?=[,.;:!]| neu\b)"),
    # A yes on a condition the citizen may not fulfil is no contradiction.
    "no": re.compile(r"(?:co|duoc|dung|van duoc)(?: a)?(?=[,.;:!])(?!, (?:neu|khi)\b)"),
}


@dataclass(frozen=True)
class Score:
    """What became of one row."""

    verdict: Verdict
    why: str
    topic_right: bool = False
    facts_met: bool = False
    wrong_figure: bool = False
    false_refusal: bool = False
    false_acceptance: bool = False
    wrong_polarity: bool = False  # a yes that opens like a no, or the reverse


def labels_of(topics: Sequence[str]) -> list[set[str]]:
    """The evaluation labels of each knowledge-base topic, in order."""
    known = knowledge_base().topics
    return [set(known[topic].evaluation_labels) for topic in topics if topic in known]


def score(row: Mapping[str, Any], answer: Mapping[str, Any]) -> Score:
    """Score one output line of `gateway ask` against its labelled row."""
    if row["topic"] == OUTSIDE:
        return _score_outside(row, answer)
    text = _text(answer)
    if row["needs"] == "human":
        return _score_human(answer, text)
    if row["needs"] == "personal_record":
        return _score_personal(row, answer, text)
    return _score_answer(row, answer, text)


def _text(answer: Mapping[str, Any]) -> str:
    return "\n".join(answer.get("replies") or [])


def _score_outside(row: Mapping[str, Any], answer: Mapping[str, Any]) -> Score:
    text, outcome, topics = _text(answer), answer["outcome"], answer.get("topics") or []
    met = facts_met(row.get("expected") or [], text)
    invented = amounts_in(text) - amounts_in(row["text"])
    if (topics and outcome != "asked") or invented:
        why = f"policy answer: {topics[0]}" if topics else f"figures: {sorted(invented)}"
        return Score("wrong", why, facts_met=met, false_acceptance=True)
    greeted = outcome == "chitchat" or row["subtopic"] != "oos_chao_hoi"
    handed_over = outcome == "escalated" and (row.get("needs") == "human" or bool(row.get("expected")))
    if handed_over or outcome in ("declined", "chitchat"):
        if not greeted:
            return Score("wrong", "no greeting for a greeting")
        return Score("right", outcome, facts_met=met) if met else Score("wrong", "no warning or 115")
    soothed = outcome == "escalated" and row["subtopic"] == "oos_chui_boi"
    return Score("half" if outcome == "asked" or soothed else "wrong", outcome, facts_met=met)


def _score_human(answer: Mapping[str, Any], text: str) -> Score:
    outcome = answer["outcome"]
    if outcome != "escalated":
        return Score("wrong", f"{outcome}, no case", false_refusal=outcome in ("declined", "chitchat"))
    promise = _PROMISES.search(comparable(text))
    if promise:
        return Score("wrong", f"promises: {promise[0]}", topic_right=True, facts_met=True)
    return Score("right", "case", topic_right=True, facts_met=True)


def _score_personal(row: Mapping[str, Any], answer: Mapping[str, Any], text: str) -> Score:
    outcome = answer["outcome"]
    met = facts_met(row.get("expected") or [], text)
    says = comparable(text)
    buttons = comparable(" ; ".join(button.get("title") or "" for button in answer.get("buttons") or []))
    offered = outcome == "escalated" or _OFFERS_A_PERSON.search(f"{says} ; {buttons}") is not None
    asked = _asks_for_secrets(says)
    stated = amounts_in(text) - amounts_in(row["text"])
    problem = (
        "facts missing"
        if not met
        else "no case offered"
        if not offered
        else f"asks: {asked}"
        if asked
        else f"states {sorted(stated)}"
        if stated
        else None
    )
    refused = outcome in ("declined", "chitchat")
    verdict: Verdict = "wrong" if problem else "right"
    label = f"{row['topic']}/{row['subtopic']}"
    topic_right = verdict == "right" or any(
        label in labels for labels in labels_of(answer.get("topics") or [])
    )
    return Score(verdict, problem or "shown where, a person offered", topic_right, met, false_refusal=refused)


def _asks_for_secrets(says: str) -> str | None:
    """The words that ask for a number, a password or an OTP; a sentence that says not to is no such thing."""
    for sentence in re.split(r"[.\n](?=\s|$)", says):
        match = _ASKS_FOR_SECRETS.search(sentence)
        if match and not _NOT.search(sentence[: match.end()]):
            return match[0]
    return None


def _score_answer(row: Mapping[str, Any], answer: Mapping[str, Any], text: str) -> Score:
    outcome, topics, calculate = answer["outcome"], answer.get("topics") or [], row["needs"] == "calculate"
    label = f"{row['topic']}/{row['subtopic']}"
    labels = labels_of(topics)
    topic_right = bool(labels) and len(topics) <= MOST_TOPICS and label in labels[0]
    given = answer_amounts(text, row["text"]) if calculate else None
    met = facts_met(row.get("expected") or [], text, given)
    untimely = untimely_figure(row, text)
    other_amount = (
        calculate and outcome == "answered" and not met and _another_amount(row, text, topics, topic_right)
    )
    refused = outcome in ("declined", "chitchat") or (outcome == "escalated" and not (topic_right and met))
    wrong_polarity = _contradicts(row.get("polarity"), text) and outcome == "answered" and topic_right

    def result(verdict: Verdict, why: str) -> Score:
        return Score(
            verdict,
            why,
            topic_right,
            met,
            wrong_figure=bool(untimely) or other_amount,
            false_refusal=refused and row.get("fact") != "none",
            wrong_polarity=wrong_polarity,
        )

    if row.get("fact") == "none":
        return result("left_out", f"no fact; {outcome} {topics[:1]}")
    if refused:
        return result("wrong", "handed over" if outcome == "escalated" else outcome)
    if outcome == "asked" and not (topic_right and met):
        offered = _offers(answer, label)
        if not offered and not topic_right:
            return result("wrong", "asked something else")
        return result("right" if row.get("clarify_ok") else "half", "asked")
    if calculate:
        return result("right", "amount") if met else result("wrong", "another amount")
    if topic_right and met:
        return result("right", "answered")
    return result("wrong", "facts missing" if topic_right else f"another topic: {topics[:1]}")


def _another_amount(row: Mapping[str, Any], text: str, topics: Sequence[str], topic_right: bool) -> bool:
    """Whether a reply gives as its answer an amount that the question did not hold.

    That is any amount a calculator's topic states, examples aside, and any amount in the first line
    of the right topic; the figures of other topics are true in themselves.
    """
    known = knowledge_base().topics
    lines = text.splitlines()
    if not any(known[topic].calculator for topic in topics if topic in known):
        lines = lines[:1] if topic_right else []
    asked = amounts_in(row["text"])
    return any(presented_amounts(line) - asked for line in lines if not _EXAMPLE.search(comparable(line)))


def _contradicts(polarity: str | None, text: str) -> bool:
    """Whether the first words of a reply say the opposite of what is right."""
    opening = comparable(text)
    opening = opening[_POLITE_OPENING.match(opening).end() :]  # type: ignore[union-attr]  # matches nothing too
    return polarity in _OPENS_WITH and _OPENS_WITH[polarity].match(opening) is not None


def _offers(answer: Mapping[str, Any], label: str) -> bool:
    """Whether a button of the reply leads to the label."""
    says = {button.get("say") or button.get("title") for button in answer.get("buttons") or []}
    titles = {button.get("title") for button in answer.get("buttons") or []}
    return any(
        label in topic.evaluation_labels
        for topic in knowledge_base().topics.values()
        if topic.button.say in says or topic.button.title in titles
    )
