"""Rasa entity extractor over the pure functions of `vietnamese`."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from typing import Any, Dict, List, Text

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.extractors.extractor import EntityExtractorMixin
from rasa.shared.nlu.constants import ENTITIES, TEXT
from rasa.shared.nlu.training_data.message import Message

from vietnamese.extraction import extract

OFFICE_TIME = timezone(timedelta(hours=7))  # Asia/Ho_Chi_Minh keeps no summer time


def day_of(metadata: Dict[Text, Any]) -> date:
    """The day a message is answered as of: `metadata.as_of`, else today in Asia/Ho_Chi_Minh."""
    as_of = metadata.get("as_of")
    return date.fromisoformat(as_of) if as_of else datetime.now(OFFICE_TIME).date()


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.ENTITY_EXTRACTOR, is_trainable=False)
class VietnameseEntityExtractor(GraphComponent, EntityExtractorMixin):
    """Amounts, periods, dates, family size, household order, support group, sex and the like."""

    @classmethod
    def create(
        cls,
        config: Dict[Text, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> VietnameseEntityExtractor:
        return cls()

    def process(self, messages: List[Message]) -> List[Message]:
        """Adds what was found to each message's entities."""
        for message in messages:
            today = day_of(message.get("metadata") or {})
            found = [
                {
                    "entity": entity.name,
                    "value": entity.value,
                    "start": entity.start,
                    "end": entity.end,
                    "extractor": self.__class__.__name__,
                    **({"extra": entity.extra} if entity.extra else {}),
                }
                for entity in extract(message.get(TEXT) or "", today)
            ]
            message.set(ENTITIES, message.get(ENTITIES, []) + found, add_to_output=True)
        return messages
