"""The NLU components over small data: tokens, entities, ranking, and several questions in a message."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from jsonschema import ValidationError
from rasa.core.actions.action import RemoteAction
from rasa.engine.exceptions import GraphComponentException, GraphRunError
from rasa.engine.graph import ExecutionContext, GraphComponent, GraphSchema, SchemaNode
from rasa.engine.runner.dask import DaskGraphRunner
from rasa.engine.storage.local_model_storage import LocalModelStorage
from rasa.engine.storage.resource import Resource
from rasa.shared.nlu.constants import INTENT, INTENT_RESPONSE_KEY, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from bot.components import leaner_rasa
from bot.components.entities import VietnameseEntityExtractor
from bot.components.importer import TopicImporter
from bot.components.ranking import Ranker
from bot.components.tokenizer import VietnameseTokenizer
from bot.components.topic_classifier import TopicClassifier, groups_of

EXAMPLES = {
    "ask_topic/health.lost_card": [
        "mất thẻ bhyt làm lại ở đâu",
        "lam roi the bao hiem y te",
        "xin cấp lại thẻ bị mất",
        "rớt mất thẻ rồi giờ sao",
    ],
    "ask_topic/voluntary.contribution_level": [
        "mức đóng bhxh tự nguyện",
        "dong bhxh tn 1 thang bn",
        "mỗi tháng nộp tự nguyện bao nhiêu",
        "đóng thấp nhất là bao nhiêu tiền",
    ],
    "greet": ["xin chào", "chào ad", "alo", "hello em"],
}


@pytest.fixture()
def classifier(tmp_path_factory: pytest.TempPathFactory) -> TopicClassifier:
    storage = LocalModelStorage.create(tmp_path_factory.mktemp("model"))
    context = ExecutionContext(GraphSchema({}))
    config = TopicClassifier.get_default_config()
    resource = Resource("classifier")
    examples = []
    for label, texts in EXAMPLES.items():
        intent, _, detail = label.partition("/")
        for text in texts:
            data = {TEXT: text, INTENT: intent, **({INTENT_RESPONSE_KEY: label} if detail else {})}
            examples.append(Message(data=data))
    TopicClassifier.create(config, storage, resource, context).train(TrainingData(examples))
    return TopicClassifier.load(config, storage, resource, context)


def test_tokens_are_words_and_keep_their_place() -> None:
    tokenizer = VietnameseTokenizer(VietnameseTokenizer.get_default_config())
    text = "Đóng bảo hiểm xã hội 1.500.000đ, 22% thu nhập ạ"
    tokens = tokenizer.tokenize(Message(data={TEXT: text}), TEXT)
    assert "bảo hiểm xã hội" in [token.text for token in tokens]
    assert all(text[token.start : token.end] == token.text for token in tokens)


def test_entities_carry_their_values() -> None:
    message = Message(data={TEXT: "ho can ngheo muc 1tr5 dong 6 thang", "metadata": {"as_of": "2026-11-21"}})
    VietnameseEntityExtractor().process([message])
    found = {entity["entity"]: entity["value"] for entity in message.get("entities")}
    assert (found["amount"], found["period"], found["group"]) == (1_500_000, 6, "near_poor")


def test_classifier_ranks_topics_it_was_trained_on(classifier: TopicClassifier) -> None:
    message = Message(data={TEXT: "em bị mất cái thẻ bhyt"})
    classifier.process([message])
    assert message.get(INTENT)["name"] == "ask_topic"
    assert message.get("topic_ranking")[0]["name"] == "ask_topic/health.lost_card"
    assert "topic_ranking" in message.as_dict(only_output_properties=True)


def test_two_questions_are_ranked_apart(classifier: TopicClassifier) -> None:
    message = Message(data={TEXT: "Mất thẻ bhyt làm lại ở đâu? Đóng bhxh tự nguyện bao nhiêu một tháng?"})
    classifier.process([message])
    names = [part["topic_ranking"][0]["name"] for part in message.get("questions")]
    assert names == ["ask_topic/health.lost_card", "ask_topic/voluntary.contribution_level"]


def test_probabilities_of_topics_with_one_evaluation_label_are_added_up() -> None:
    ranker = Ranker(groups={"a": "first", "b": "first", "c": "second"}, head_weights=(1.0,))
    texts = ["một hai", "một ba", "hai một", "ba một", "bốn năm", "năm bốn"]
    ranker.fit(texts, ["a", "b", "a", "b", "c", "c"], {})
    ranking = ranker.rank("một")
    assert len(ranking) == 2
    assert sum(probability for _, probability in ranking) == pytest.approx(1.0, abs=1e-4)


def test_a_message_is_weighed_as_scikit_learn_weighs_it() -> None:
    texts = [
        "đóng bao nhiêu một tháng",
        "mot thang dong bao nhieu",
        "mất thẻ bhyt",
        "mất thẻ làm lại",
        "thẻ thẻ",
    ]
    ranker = Ranker(head_weights=(1.0,)).fit(texts, ["a", "a", "b", "b", "b"], {})
    for analysis in ranker._analyses:
        for text in (*texts, "mất thẻ mất thẻ một tháng", "nothing known"):
            columns, values = analysis.weigh(text)
            row = np.zeros(analysis.start + len(analysis.vectorizer.vocabulary_), dtype=np.float32)
            row[columns] = values
            expected = analysis.weight * analysis.vectorizer.transform([text]).toarray()[0]
            np.testing.assert_allclose(row[analysis.start :], expected, atol=1e-6)


def test_out_of_scope_is_one_group_and_topics_group_by_label() -> None:
    groups = groups_of(["out_of_scope/banking", "out_of_scope/scam", "ask_topic/health.lost_card"])
    assert groups["out_of_scope/banking"] == groups["out_of_scope/scam"] == "out_of_scope"
    assert groups["ask_topic/health.lost_card"] == "bhyt_ho_gia_dinh/yt_the_dien_tu_mat_the"


def test_importer_gives_every_label_a_response(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("data")
    text = 'version: "3.1"\nnlu:\n- intent: ask_topic/health.lost_card\n  examples: |\n    - mất thẻ\n'
    (folder / "nlu.yml").write_text(text, encoding="utf-8")
    data = TopicImporter(training_data_paths=[str(folder)]).get_nlu_data()
    assert list(data.responses) == ["utter_ask_topic/health.lost_card"]


@pytest.mark.parametrize("method", leaner_rasa.REPLACED, ids=lambda method: method.name)
def test_rasa_still_has_what_we_replace(method: leaner_rasa.Replaced) -> None:
    assert method.source_digest() == method.known_source


def test_a_rasa_that_changed_is_left_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    class Changed:
        def run(self) -> str:
            return "Rasa's"

    changed = leaner_rasa.Replaced(Changed, Changed.run, "0" * 16, lambda self: "ours")
    monkeypatch.setattr(leaner_rasa, "REPLACED", (changed,))
    leaner_rasa.apply()
    assert Changed().run() == "Rasa's"


def test_graph_runs_in_order_and_only_what_is_asked_for(tmp_path: Path) -> None:
    leaner_rasa.apply()
    schema = GraphSchema(
        {
            "last": _node({"first": "first", "second": "second"}, "join"),
            "second": _node({"first": "first"}, "shout"),
            "first": _node({"text": "__text__"}, "shout"),
            "unasked": _node({"text": "__text__"}, "fail"),
        }
    )
    storage = LocalModelStorage.create(tmp_path)
    runner = DaskGraphRunner.create(schema, storage, ExecutionContext(schema))
    assert runner.run(inputs={"__text__": "a"}, targets=["last"]) == {"last": "a! a!!"}
    assert runner.run(inputs={"__text__": "b"}, targets=["second", "first"]) == {
        "second": "b!!",
        "first": "b!",
    }
    with pytest.raises(GraphRunError):
        runner.run(inputs={}, targets=["last"])
    with pytest.raises(GraphComponentException):
        runner.run(inputs={"__text__": "a"}, targets=["unasked"])


class Shouting(GraphComponent):
    """Adds an exclamation mark, or fails."""

    @classmethod
    def create(cls, *args: object, **kwargs: object) -> Shouting:
        return cls()

    def shout(self, text: str = "", first: str = "") -> str:
        return f"{text or first}!"

    def join(self, first: str, second: str) -> str:
        return f"{first} {second}"

    def fail(self, text: str) -> str:
        raise ValueError(text)


def _node(needs: dict[str, str], function: str) -> SchemaNode:
    return SchemaNode(needs, Shouting, "create", function, {}, eager=True)


def test_prepared_validation_refuses_what_rasa_refuses() -> None:
    leaner_rasa.apply()
    action = RemoteAction("action_answer_topic", None)
    assert action._validate_action_result({"events": [], "responses": [{"text": "a"}]})
    assert action._validate_action_result({"events": [{"event": "slot", "name": "frame", "value": 1}]})
    for wrong in ({"events": "none"}, {"events": [{"name": "frame"}]}, {"responses": ["text"]}):
        with pytest.raises(ValidationError):
            action._validate_action_result(wrong)
