"""Rasa tokenizer over underthesea's word segmentation."""

from __future__ import annotations

from typing import Any, Dict, List, Text

from rasa.engine.graph import ExecutionContext
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.tokenizers.tokenizer import Token, Tokenizer
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from bot.components.ranking import segment


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.MESSAGE_TOKENIZER, is_trainable=False)
class VietnameseTokenizer(Tokenizer):
    """Tokens are Vietnamese words, so that `bảo hiểm xã hội` is one and not four.

    `training_data: false` leaves the examples as they are, where nothing that is trained reads their tokens.
    """

    @staticmethod
    def get_default_config() -> Dict[Text, Any]:
        return {"intent_tokenization_flag": False, "intent_split_symbol": "_", "training_data": True}

    @classmethod
    def create(
        cls,
        config: Dict[Text, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> VietnameseTokenizer:
        return cls(config)

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        """Adds tokens to the examples, unless told not to."""
        return (
            super().process_training_data(training_data) if self._config["training_data"] else training_data
        )

    def tokenize(self, message: Message, attribute: Text) -> List[Token]:
        """The words of an attribute with their offsets, in order."""
        text = message.get(attribute)
        tokens: List[Token] = []
        position = 0
        for word in segment(text):
            start = text.find(word, position)
            if start < 0:  # underthesea rewrote the characters: keep the word where reading stands
                start = position
            position = min(start + len(word), len(text))
            if start < position:
                tokens.append(Token(text[start:position], start))
        return self._apply_token_pattern(tokens)
