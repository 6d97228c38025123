"""A conversation with the real actions, without a Rasa server: rankings are given, values are extracted."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from bot.actions import ActionAnswerTopic, ActionDecline, ActionEscalate, ActionSmallTalk
from vietnamese.extraction import extract
from vietnamese.segments import split_questions

ROOT = Path(__file__).resolve().parents[2]
ACTIONS = {
    **dict.fromkeys(("ask_topic", "inform", "follow_up", "correct", "affirm", "deny"), ActionAnswerTopic()),
    **dict.fromkeys(("greet", "thanks", "goodbye"), ActionSmallTalk()),
    "out_of_scope": ActionDecline(),
    **dict.fromkeys(("ask_person", "complaint", "foreign_language"), ActionEscalate()),
}


@dataclass
class Said:
    """What came back: texts, the titles of the buttons, and the closing turn."""

    texts: list[str]
    buttons: list[str]
    turn: dict[str, Any]

    @property
    def text(self) -> str:
        return "\n".join(self.texts)


@dataclass
class Conversation:
    """Says one message after another; slots are kept as Rasa would keep them."""

    on: str = "2026-11-21"
    slots: dict[str, Any] = field(default_factory=dict)

    def say(
        self,
        text: str,
        *ranking: tuple[str, float],
        parts: list[tuple[str, float]] | None = None,
        by_subject: dict[str, str] | None = None,
    ) -> Said:
        """What the classifier made of the message: `ranking`; `parts`, the best label of each question;
        `by_subject`, the likeliest label of each subject."""
        named = [{"name": name, "confidence": confidence} for name, confidence in ranking]
        entities = [
            {"entity": e.name, "value": e.value, "start": e.start, "end": e.end, "extra": e.extra}
            for e in extract(text, date.fromisoformat(self.on))
        ]
        questions = []
        if parts:
            segments = split_questions(text)
            assert len(segments) == len(parts), segments
            questions = [
                {"text": segment, "topic_ranking": [{"name": name, "confidence": confidence}]}
                for segment, (name, confidence) in zip(segments, parts)
            ]
        message = {
            "text": text,
            "intent": {"name": ranking[0][0].partition("/")[0], "confidence": ranking[0][1]},
            "entities": entities,
            "topic_ranking": named,
            "topic_by_subject": by_subject or {},
            "questions": questions,
        }
        event = {"event": "user", "text": text, "metadata": {"as_of": self.on}}
        tracker = Tracker("citizen", self.slots, message, [event], False, None, {}, None)
        dispatcher = CollectingDispatcher()
        for change in ACTIONS[message["intent"]["name"]].run(dispatcher, tracker, {}):
            self.slots[change["name"]] = change["value"]
        *spoken, closing = dispatcher.messages
        return Said(
            [one["text"] for one in spoken],
            [button["title"] for one in spoken for button in one["buttons"]],
            closing["custom"]["turn"],
        )
