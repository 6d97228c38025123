"""Rasa intent classifier: sets the intent and puts the ranked topics on the message.

Labels are `intent/topic` (`ask_topic/voluntary.contribution_level`) or plain intents (`greet`). Each
question of a message that holds two is ranked on its own.
"""

from __future__ import annotations

import pickle
from typing import Any, Dict, List, Text

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.classifiers.classifier import IntentClassifier
from rasa.shared.nlu.constants import INTENT, INTENT_RESPONSE_KEY, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from bot.components import prepared_validation
from bot.components.ranking import Facets, Ranker
from knowledge_base.loading import knowledge_base
from vietnamese.segments import split_questions

prepared_validation.apply()  # here, since every Rasa process that answers loads this component

RANKING = "topic_ranking"
QUESTIONS = "questions"


def label_of(message: Message) -> str:
    """`ask_topic/health.lost_card`, or the plain intent."""
    return str(message.get(INTENT_RESPONSE_KEY) or message.get(INTENT))


def facets_of(labels: List[str]) -> Facets:
    """The scheme and the aspect of each label; an intent without topic stands for itself."""
    topics = knowledge_base().topics
    facets = {}
    for label in labels:
        intent, _, topic_id = label.partition("/")
        topic = topics.get(topic_id) if intent == "ask_topic" else None
        facets[label] = (topic.scheme, topic.aspect) if topic else (intent, intent)
    return facets


def groups_of(labels: List[str]) -> Dict[str, str]:
    """Labels that answer the same question: topics by evaluation label, whatever is out of scope as one."""
    topics = knowledge_base().topics
    groups = {}
    for label in labels:
        intent, _, detail = label.partition("/")
        topic = topics.get(detail) if intent == "ask_topic" else None
        groups[label] = topic.evaluation_labels[0] if topic else intent
    return groups


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=True)
class TopicClassifier(GraphComponent, IntentClassifier):
    """See the module; `topic_ranking` and `questions` reach the actions in the latest message."""

    @staticmethod
    def get_default_config() -> Dict[Text, Any]:
        return {"cost": 0.5, "sharpness": 4.0, "head_weights": [1.0, 0.4, 0.4], "ranking_length": 8}

    def __init__(
        self, config: Dict[Text, Any], model_storage: ModelStorage, resource: Resource, ranker: Ranker
    ) -> None:
        self._config = config
        self._model_storage = model_storage
        self._resource = resource
        self._ranker = ranker

    @classmethod
    def create(
        cls,
        config: Dict[Text, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> TopicClassifier:
        ranker = Ranker(config["cost"], config["sharpness"], tuple(config["head_weights"]))
        return cls(config, model_storage, resource, ranker)

    @classmethod
    def load(
        cls,
        config: Dict[Text, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> TopicClassifier:
        with model_storage.read_from(resource) as folder, (folder / "ranker.pickle").open("rb") as file:
            return cls(config, model_storage, resource, pickle.load(file))

    def train(self, training_data: TrainingData) -> Resource:
        examples = [example for example in training_data.intent_examples if example.get(TEXT)]
        labels = [label_of(example) for example in examples]
        names = sorted(set(labels))
        self._ranker.groups = groups_of(names)
        self._ranker.fit([example.get(TEXT) for example in examples], labels, facets_of(names))
        with self._model_storage.write_to(self._resource) as folder:
            (folder / "ranker.pickle").write_bytes(pickle.dumps(self._ranker))
        return self._resource

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        return training_data

    def _rank(self, text: str) -> List[Dict[Text, Any]]:
        ranked = self._ranker.rank(text, self._config["ranking_length"])
        return [{"name": name, "confidence": confidence} for name, confidence in ranked]

    def process(self, messages: List[Message]) -> List[Message]:
        """Adds intent, `topic_ranking` and, for each of several questions, text and ranking."""
        for message in messages:
            text = message.get(TEXT) or ""
            ranking = self._rank(text)
            parts = split_questions(text)
            questions = (
                [{"text": part, RANKING: self._rank(part)} for part in parts] if len(parts) > 1 else []
            )
            best = ranking[0]
            intent = {"name": best["name"].partition("/")[0], "confidence": best["confidence"]}
            message.set(INTENT, intent, add_to_output=True)
            message.set(RANKING, ranking, add_to_output=True)
            message.set(QUESTIONS, questions, add_to_output=True)
        return messages
