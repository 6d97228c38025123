"""Turns results into what Rasa sends: phrases of the domain, buttons, and the gateway's `turn`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml
from rasa_sdk.executor import CollectingDispatcher

from bot.actions.reading import Question
from knowledge_base.dated import Citation
from knowledge_base.office import Office, load_office
from knowledge_base.topics import Button

DOMAIN = Path(__file__).resolve().parents[1] / "domain.yml"
MOST_BUTTONS = 4
_OUTCOMES = ("answered", "escalated", "asked", "declined", "chitchat")  # the first names a turn of several


@lru_cache(maxsize=1)
def office() -> Office:
    """The office this assistant works for."""
    return load_office()


@lru_cache(maxsize=1)
def responses() -> dict[str, list[dict[str, Any]]]:
    """The responses of bot/domain.yml: Rasa need not send its whole domain with every message."""
    return dict(yaml.safe_load(DOMAIN.read_text(encoding="utf-8"))["responses"])


def phrase(name: str, **values: str) -> str:
    """A conversational phrase of domain.yml with the office's names filled in."""
    us = office()
    you = us.address_citizen_as
    return str(responses()[name][0]["text"]).format(
        you=you,
        You=you[0].upper() + you[1:],
        assistant=us.assistant_name,
        office=us.short_name,
        hotline=us.hotline,
        **values,
    )


def offered(name: str) -> list[Button]:
    """The buttons of a response of domain.yml; none where it does not exist."""
    found = responses().get(name) or [{}]
    return [Button(raw["title"], raw["payload"]) for raw in found[0].get("buttons", [])]


@dataclass
class Reply:
    """What one question is answered with."""

    outcome: str  # answered, asked, escalated, declined, chitchat
    text: str
    buttons: Sequence[Button] = ()
    topics: Sequence[str] = ()
    citations: Sequence[Citation] = ()
    as_of: date | None = None
    escalate: tuple[str, str] | None = None  # reason and summary of a case for a person


@dataclass
class Turn:
    """All replies of one turn."""

    question: Question
    on: date
    replies: list[Reply] = field(default_factory=list)

    def send(self, dispatcher: CollectingDispatcher) -> None:
        """One message a reply, the buttons below the last, then the closing `turn`."""
        buttons = _unique(button for reply in self.replies for button in reply.buttons)[:MOST_BUTTONS]
        for index, reply in enumerate(self.replies):
            last = index == len(self.replies) - 1
            shown = [{"title": button.title, "payload": button.say} for button in buttons] if last else []
            dispatcher.utter_message(text=reply.text, buttons=shown)
        dispatcher.utter_message(json_message={"turn": self._summary()})

    def _summary(self) -> dict[str, Any]:
        escalations = [reply.escalate for reply in self.replies if reply.escalate]
        outcomes = [reply.outcome for reply in self.replies]
        citations = {c: None for reply in self.replies for c in reply.citations}
        as_of = next((reply.as_of for reply in self.replies if reply.as_of), self.on)
        summary: dict[str, Any] = {
            "outcome": "escalated" if escalations else min(outcomes, key=_OUTCOMES.index),
            "topics": list(dict.fromkeys(topic for reply in self.replies for topic in reply.topics)),
            "citations": [citation.as_json() for citation in citations],
            "as_of": as_of.isoformat(),
            "intent": self.question.best.name,
            "confidence": round(self.question.best.confidence, 4),
        }
        if escalations:
            reason, text = escalations[0]
            summary["escalate"] = {"reason": reason, "summary": text}
            summary["entities"] = [
                {
                    "name": entity.name,
                    "value": entity.value,
                    "text": self.question.text[entity.start : entity.end],
                }
                for entity in self.question.entities
            ]
        return summary


def _unique(buttons: Iterable[Button]) -> list[Button]:
    return list({button.title: button for button in buttons}.values())
