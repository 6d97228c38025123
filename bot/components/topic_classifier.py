"""Rasa intent classifier: sets the intent and puts the ranked topics on the message.

Labels are `intent/topic` (`ask_topic/voluntary.contribution_level`) or plain intents (`greet`). Each
question of a message that holds two is ranked on its own.
"""

from __future__ import annotations

from typing import Any, Dict, List, Optional, Text

import joblib
import numpy as np
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.classifiers.classifier import IntentClassifier
from rasa.shared.nlu.constants import INTENT, INTENT_RESPONSE_KEY, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from bot.components import leaner_rasa
from bot.components.ranking import Facets, Ranker
from knowledge_base.loading import knowledge_base
from knowledge_base.topics import Topic
from vietnamese.segments import split_questions

leaner_rasa.apply()  # here, since every Rasa process that answers loads this component

RANKING = "topic_ranking"
BY_SUBJECT = "topic_by_subject"
QUESTIONS = "questions"


def label_of(message: Message) -> str:
    """`ask_topic/health.lost_card`, or the plain intent."""
    return str(message.get(INTENT_RESPONSE_KEY) or message.get(INTENT))


def _intent_of(label: str) -> str:
    return label.partition("/")[0]


def _topic_of(label: str) -> Optional[Topic]:
    """The topic of `ask_topic/<topic id>`; None for every other label."""
    intent, _, topic_id = label.partition("/")
    return knowledge_base().topics.get(topic_id) if intent == "ask_topic" else None


def facets_of(labels: List[str]) -> Facets:
    """The scheme, the aspect and the group of each label; an intent without topic stands for itself."""
    groups = groups_of(labels)
    facets = {}
    for label in labels:
        topic, intent = _topic_of(label), _intent_of(label)
        scheme_and_aspect = (topic.scheme, topic.aspect) if topic else (intent, intent)
        facets[label] = (*scheme_and_aspect, groups[label])
    return facets


def groups_of(labels: List[str]) -> Dict[str, str]:
    """Labels that answer the same question: topics by evaluation label, whatever is out of scope as one."""
    topics = {label: _topic_of(label) for label in labels}
    return {
        label: topic.evaluation_labels[0] if topic else _intent_of(label) for label, topic in topics.items()
    }


def subjects_of(labels: List[str]) -> Dict[str, str]:
    """The subject of each label that is a topic."""
    return {label: topic.subject for label in labels if (topic := _topic_of(label))}


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=True)
class TopicClassifier(GraphComponent, IntentClassifier):
    """See the module; what it adds reaches the actions in the latest message.

    `topic_ranking`: the likeliest labels; `topic_by_subject`: the likeliest topic of each subject, however
    unlikely, for a message that leaves its subject unsaid; `questions`: text and ranking of each question.
    """

    @staticmethod
    def get_default_config() -> Dict[Text, Any]:
        return {"cost": 0.5, "sharpness": 3.5, "head_weights": [1.0, 0.4, 0.4, 0.4], "ranking_length": 8}

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
        with model_storage.read_from(resource) as folder:
            return cls(config, model_storage, resource, joblib.load(folder / "ranker.joblib"))

    def train(self, training_data: TrainingData) -> Resource:
        examples = [example for example in training_data.intent_examples if example.get(TEXT)]
        labels = [label_of(example) for example in examples]
        names = sorted(set(labels))
        self._ranker.groups, self._ranker.subjects = groups_of(names), subjects_of(names)
        self._ranker.fit([example.get(TEXT) for example in examples], labels, facets_of(names))
        with self._model_storage.write_to(self._resource) as folder:
            # Mostly zeros. Left to Rasa, which packs models as tightly as gzip can, they take 25 seconds.
            joblib.dump(self._ranker, folder / "ranker.joblib", compress=1)
        return self._resource

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        return training_data

    def _ranking(self, probabilities: np.ndarray) -> List[Dict[Text, Any]]:
        ranked = self._ranker.ranking(probabilities, self._config["ranking_length"])
        return [{"name": name, "confidence": confidence} for name, confidence in ranked]

    def process(self, messages: List[Message]) -> List[Message]:
        """Adds the intent and what the class describes."""
        for message in messages:
            text = message.get(TEXT) or ""
            probabilities = self._ranker.probabilities(text)
            ranking = self._ranking(probabilities)
            parts = split_questions(text)
            questions = [
                {"text": part, RANKING: self._ranking(self._ranker.probabilities(part))}
                for part in (parts if len(parts) > 1 else [])
            ]
            best = ranking[0]
            intent = {"name": _intent_of(best["name"]), "confidence": best["confidence"]}
            message.set(INTENT, intent, add_to_output=True)
            message.set(RANKING, ranking, add_to_output=True)
            message.set(BY_SUBJECT, self._ranker.by_subject(probabilities), add_to_output=True)
            message.set(QUESTIONS, questions, add_to_output=True)
        return messages
