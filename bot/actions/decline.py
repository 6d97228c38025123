"""What lies outside the subjects is declined, unless it answers what was just asked back."""

from __future__ import annotations

from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.executor import CollectingDispatcher

from bot.actions.conversation import decline
from bot.actions.reading import read
from bot.actions.topic import ActionAnswerTopic, adds_to_conversation
from bot.actions.wording import Turn


class ActionDecline(Action):
    """Declines what is outside the subjects and says what can be asked instead."""

    def name(self) -> str:
        return "action_decline"

    def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[dict[str, Any]]:
        reading = read(tracker)
        if adds_to_conversation(tracker):
            return ActionAnswerTopic().run(dispatcher, tracker, domain)
        Turn(reading.whole, reading.as_of, [decline(reading.whole.best.detail)]).send(dispatcher)
        return []
