"""Hands the conversation to a person, with the reason and what was asked."""

from __future__ import annotations

from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.executor import CollectingDispatcher

from bot.actions.reading import Question, read
from bot.actions.wording import Reply, Turn, phrase

# intent to the reason written on the case; anything else was not understood
REASONS = {
    "ask_person": "asked_for_person",
    "complaint": "complaint",
    "foreign_language": "foreign_language",
}
SUMMARY_LENGTH = 300


def hand_over(question: Question, reason: str, said: str) -> Reply:
    """A reply that opens a case for `reason`, saying `said` to the citizen."""
    return Reply("escalated", said, escalate=(reason, question.text[:SUMMARY_LENGTH]))


class ActionEscalate(Action):
    """Opens a case at once: no menu, no promise the office may not keep."""

    def name(self) -> str:
        return "action_escalate"

    def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[dict[str, Any]]:
        reading = read(tracker)
        intent = reading.whole.best.intent
        said = phrase(f"utter_{intent}" if intent in REASONS else "utter_not_understood")
        reply = hand_over(reading.whole, REASONS.get(intent, "not_understood"), said)
        Turn(reading.whole, reading.as_of, [reply]).send(dispatcher)
        return []
