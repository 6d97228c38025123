"""Small talk and what lies outside the subjects: one friendly sentence, nothing from the law."""

from __future__ import annotations

from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.executor import CollectingDispatcher

from bot.actions.reading import read
from bot.actions.wording import Reply, Turn, offered, phrase, responses


class ActionSmallTalk(Action):
    """Greeting for greeting, thanks for thanks; what was being discussed is kept."""

    def name(self) -> str:
        return "action_small_talk"

    def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[dict[str, Any]]:
        reading = read(tracker)
        text = phrase(f"utter_{reading.whole.best.intent}")
        buttons = offered("utter_offer_subjects") if reading.whole.best.intent == "greet" else []
        Turn(reading.whole, reading.as_of, [Reply("chitchat", text, buttons)]).send(dispatcher)
        return []


def decline(kind: str) -> Reply:
    """The sentence for one kind of question outside the subjects."""
    name = f"utter_decline_{kind}"
    text = phrase(name if name in responses() else "utter_decline")
    return Reply("declined", text, offered("utter_offer_subjects"))
