"""What is being discussed, kept in one slot from turn to turn."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from rasa_sdk import Tracker
from rasa_sdk.events import SlotSet

SLOT = "frame"


@dataclass
class Frame:
    """The topic, the values given so far, and what was last asked or offered."""

    topic: str | None = None
    values: dict[str, Any] = field(default_factory=dict)  # entity name to value; dates as ISO text
    asked: str | None = None  # the calculator input asked for
    offered: list[str] = field(default_factory=list)  # topics offered by the last clarification
    said: str = ""  # digest of the last reply, to notice a repeated question

    @classmethod
    def of(cls, tracker: Tracker) -> Frame:
        return cls(**(tracker.get_slot(SLOT) or {}))

    def event(self) -> Any:
        """The event that keeps this frame."""
        return SlotSet(SLOT, asdict(self))
