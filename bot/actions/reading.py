"""What the pipeline made of the citizen's message, as the actions see it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone
from typing import Any

from rasa_sdk import Tracker

OFFICE_TIME = timezone(timedelta(hours=7))  # Asia/Ho_Chi_Minh keeps no summer time
TOPIC_INTENT = "ask_topic"


@dataclass(frozen=True)
class Candidate:
    """A label and its probability: `ask_topic/<topic id>`, `out_of_scope/<kind>` or a plain intent."""

    name: str
    confidence: float

    @property
    def intent(self) -> str:
        return self.name.partition("/")[0]

    @property
    def detail(self) -> str:
        """The topic id, or the kind of what is out of scope."""
        return self.name.partition("/")[2]


@dataclass(frozen=True)
class Entity:
    """A value found in the message; `extra` holds a date's precision and relation."""

    name: str
    value: Any
    start: int
    end: int
    extra: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Question:
    """One question: its text, the ranked labels (best first) and the values it carries.

    `by_subject` is the likeliest label of each subject, however unlikely; of a whole message only.
    """

    text: str
    ranking: tuple[Candidate, ...]
    entities: tuple[Entity, ...]
    by_subject: Mapping[str, str] = field(default_factory=dict)

    @property
    def best(self) -> Candidate:
        return self.ranking[0]

    def intent_confidence(self, intent: str) -> float:
        """The probability of all labels of an intent together."""
        return sum(candidate.confidence for candidate in self.ranking if candidate.intent == intent)


@dataclass(frozen=True)
class Reading:
    """The whole message and, where it holds several, its single questions in order."""

    whole: Question
    parts: tuple[Question, ...]
    as_of: date


def _ranking(raw: list[dict[str, Any]]) -> tuple[Candidate, ...]:
    return tuple(Candidate(item["name"], float(item["confidence"])) for item in raw)


def _part(text: str, raw: dict[str, Any], entities: tuple[Entity, ...]) -> Question:
    start = text.find(raw["text"])
    end = start + len(raw["text"])
    inside = tuple(entity for entity in entities if start <= entity.start and entity.end <= end)
    return Question(raw["text"], _ranking(raw["topic_ranking"]), inside if start >= 0 else entities)


def read(tracker: Tracker) -> Reading:
    """The reading of the latest message; answered as of `metadata.as_of`, else today."""
    message = tracker.latest_message
    user_events = [event for event in tracker.events if event.get("event") == "user"]
    metadata = (user_events[-1].get("metadata") if user_events else None) or {}
    as_of = metadata.get("as_of")
    text = message.get("text") or ""
    entities = tuple(
        Entity(raw["entity"], raw["value"], raw["start"], raw["end"], raw.get("extra") or {})
        for raw in message.get("entities", [])
    )
    intent = message.get("intent") or {}
    fallback = [{"name": intent.get("name") or "none", "confidence": intent.get("confidence") or 0.0}]
    ranking = _ranking(message.get("topic_ranking") or fallback)
    whole = Question(text, ranking, entities, message.get("topic_by_subject") or {})
    return Reading(
        whole=whole,
        parts=tuple(_part(text, raw, entities) for raw in message.get("questions") or []),
        as_of=date.fromisoformat(as_of) if as_of else datetime.now(OFFICE_TIME).date(),
    )
