"""Rasa's file importer, plus each topic's title as the response phrase of its label.

Rasa wants a response for every `ask_topic/<topic>` it is trained on; ours live in the knowledge base,
so that a new topic needs a YAML file and examples, and no entry here.
"""

from __future__ import annotations

from typing import Optional, Text

from rasa.shared.importers.rasa import RasaFileImporter
from rasa.shared.nlu.training_data.training_data import TrainingData
from rasa.shared.utils.common import cached_method

from knowledge_base.loading import knowledge_base


class TopicImporter(RasaFileImporter):
    """Reads config, domain and training data from files, and topics from the knowledge base."""

    def get_nlu_data(self, language: Optional[Text] = "en") -> TrainingData:
        """The training data with a response phrase for every retrieval label."""
        return self._nlu_data()

    @cached_method  # Rasa asks three times, for one language and another, and reading takes seconds
    def _nlu_data(self) -> TrainingData:
        data = super().get_nlu_data()
        topics = knowledge_base().topics
        for example in data.intent_examples:
            label = example.get_full_intent()
            if "/" in label:
                topic = topics.get(label.partition("/")[2])
                data.responses[f"utter_{label}"] = [{"text": topic.title if topic else label}]
        return data
