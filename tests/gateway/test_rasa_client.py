"""What Rasa says is read strictly; what citizens say reaches it without commands and personal numbers."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.rasa_client import (
    Answer,
    BotTurn,
    Handover,
    Offer,
    RasaFailed,
    Reply,
    parse_answer,
    text_for_rasa,
)
from tests.gateway.fakes import turn

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
KEYS = st.sampled_from(["text", "buttons", "custom", "turn", "outcome", "escalate", "as_of", "topics"])
MESSAGES = st.dictionaries(KEYS, JSON | st.dictionaries(KEYS, JSON, max_size=4), max_size=4)


def test_texts_buttons_and_turn_are_read() -> None:
    messages = [
        {"recipient_id": "x", "text": "Mấy tháng?", "buttons": [{"title": "6 tháng", "payload": "6 tháng?"}]},
        {"recipient_id": "x", **turn("escalated", escalate={"reason": "needs_human", "summary": "Tóm tắt"})},
    ]
    assert parse_answer(messages) == Answer(
        (Reply("Mấy tháng?", (Offer("6 tháng", "6 tháng?"),)),),
        BotTurn(
            outcome="escalated",
            topics=("voluntary.contribution_rate",),
            citations=({"source": "law_41_2024", "article": "36", "text": "Điều 36"},),
            as_of=date(2026, 11, 21),
            intent="ask_topic",
            confidence=0.9,
            escalate=Handover("needs_human", "Tóm tắt"),
        ),
    )


def test_a_turn_needs_its_outcome_only() -> None:
    answer = parse_answer([{"text": "Chào"}, {"custom": {"turn": {"outcome": "chitchat"}}}])
    assert answer.turn == BotTurn("chitchat")


@given(st.lists(MESSAGES | JSON, max_size=4))
def test_whatever_rasa_says_is_an_answer_or_a_failure(messages: Any) -> None:
    try:
        answer = parse_answer(messages)
    except RasaFailed:
        return
    assert answer.replies


@pytest.mark.parametrize(
    ("typed", "asked"),
    [
        ("đóng bao nhiêu", "đóng bao nhiêu"),
        ("/restart", "restart"),
        ("  //\n /greet{}", "greet{}"),
        ("\u00a0/restart", "restart"),
        ("/", ""),
        ("tháng 1/2026", "tháng 1/2026"),
    ],
)
def test_a_leading_slash_is_taken_away(typed: str, asked: str) -> None:
    assert text_for_rasa(typed) == asked


@given(st.text())
def test_no_text_reaches_rasa_as_a_command(text: str) -> None:
    assert not text_for_rasa(text).strip().startswith("/")
