"""The candidates, each trained in one process of its own and asked in another.

`python -m benchmarks.candidates train|answers NAME FOLDER EPOCHS`: examples.json or questions.json is read
from the folder; the model, train.json (seconds of CPU, MB) and answers.json (rankings, cost) are put there.
"""

from __future__ import annotations

import asyncio
import json
import pickle
import resource
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import yaml
from joblib.externals.loky import get_reusable_executor

from benchmarks.measuring import memory_mb
from benchmarks.questions import ROOT, Question, Ranking

Rank = Callable[[str], Ranking]
STOCK_EPOCHS = 100
RANKING_LENGTH = 10  # what Rasa's classifiers report
WARM_UP = 10  # messages asked before the clock starts


class Candidate(ABC):
    """One way of finding the label of a message."""

    title: str

    @abstractmethod
    def train(self, examples: Sequence[Question], folder: Path) -> None:
        """Learn and leave the model in the folder."""

    @abstractmethod
    def load(self, folder: Path) -> Rank:
        """The model of the folder, ready to rank a text."""


@dataclass
class RasaPipeline(Candidate):
    """A pipeline of Rasa components, trained and asked by Rasa itself.

    Stock components know nothing of `ask_topic/<topic>`: for them every label is an intent of its own.
    """

    title: str
    components: list[dict[str, Any]]
    retrieval_labels: bool

    def _intent(self, label: str) -> str:
        return label if self.retrieval_labels else label.replace("/", "__")

    def train(self, examples: Sequence[Question], folder: Path) -> None:
        from rasa.model_training import train_nlu

        config = {
            "recipe": "default.v1",
            "assistant_id": "benchmark",
            "language": "vi",
            "importers": [{"name": "bot.components.importer.TopicImporter"}],
            "pipeline": self.components,
            "policies": [],
        }
        texts: dict[str, list[str]] = {}
        for example in examples:
            texts.setdefault(self._intent(example.label), []).append(example.text)
        nlu = [
            {"intent": intent, "examples": "".join(f"- {text}\n" for text in of_intent)}
            for intent, of_intent in texts.items()
        ]
        _write(folder / "config.yml", config)
        _write(folder / "domain.yml", {"version": "3.1", "intents": sorted({i.split("/")[0] for i in texts})})
        _write(folder / "nlu.yml", {"version": "3.1", "nlu": nlu})
        train_nlu(
            str(folder / "config.yml"),
            str(folder / "nlu.yml"),
            str(folder),
            fixed_model_name="model",
            domain=str(folder / "domain.yml"),
        )

    def load(self, folder: Path) -> Rank:
        from rasa.core.agent import Agent

        agent = Agent.load(str(folder / "model.tar.gz"))
        loop = asyncio.new_event_loop()

        def rank(text: str) -> Ranking:
            parsed = loop.run_until_complete(agent.parse_message(text))
            ranking = parsed.get("topic_ranking") or parsed["intent_ranking"]
            return [(item["name"].replace("__", "/"), float(item["confidence"])) for item in ranking]

        return rank


class PlainSVC(Candidate):
    """One LinearSVC over words and accent-stripped character n-grams; nothing else."""

    title = "plain LinearSVC"

    def train(self, examples: Sequence[Question], folder: Path) -> None:
        from sklearn.feature_extraction.text import TfidfVectorizer
        from sklearn.pipeline import make_pipeline, make_union
        from sklearn.svm import LinearSVC

        from vietnamese.text import fold

        model = make_pipeline(
            make_union(
                TfidfVectorizer(sublinear_tf=True),
                TfidfVectorizer(preprocessor=fold, analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True),
            ),
            LinearSVC(random_state=0),
        )
        model.fit([example.text for example in examples], [example.label for example in examples])
        (folder / "model.pickle").write_bytes(pickle.dumps(model))

    def load(self, folder: Path) -> Rank:
        model = pickle.loads((folder / "model.pickle").read_bytes())
        return lambda text: [(str(model.predict([text])[0]), 1.0)]


class RankerWithEmbeddings(Candidate):
    """Our ranker and a logistic regression over sentence embeddings, their log-probabilities added up.

    Vectors are computed beforehand (`embedding.py`); their cost is added by whoever prints the table.
    """

    title = "ours + sentence embeddings"
    weight = 1.0

    def train(self, examples: Sequence[Question], folder: Path) -> None:
        from sklearn.linear_model import LogisticRegression

        from bot.components.ranking import Ranker
        from bot.components.topic_classifier import facets_of

        texts, labels = [e.text for e in examples], [e.label for e in examples]
        ours = next(c for c in _our_pipeline() if c["name"].endswith("TopicClassifier"))
        ranker = Ranker(ours["cost"], ours["sharpness"], tuple(ours["head_weights"]))
        ranker.fit(texts, labels, facets_of(sorted(set(labels))))
        vectors = _Vectors(folder)
        head = LogisticRegression(C=30, max_iter=200).fit([vectors[text] for text in texts], labels)
        (folder / "model.pickle").write_bytes(pickle.dumps((ranker, head)))

    def load(self, folder: Path) -> Rank:
        ranker, head = pickle.loads((folder / "model.pickle").read_bytes())
        vectors = _Vectors(folder)
        names = [str(name) for name in head.classes_]

        def rank(text: str) -> Ranking:
            import numpy as np

            known = dict(ranker.rank(text, len(names)))
            total = np.log([known[name] + 1e-12 for name in names])
            total += self.weight * head.predict_log_proba([vectors[text]])[0]
            probabilities = np.exp(total - total.max()) / np.exp(total - total.max()).sum()
            first = np.argsort(-probabilities)[:RANKING_LENGTH]
            return [(names[i], float(probabilities[i])) for i in first]

        return rank


class _Vectors:
    """The embedding of each text of a folder's vectors.npy, centred: E5's all point much the same way."""

    def __init__(self, folder: Path) -> None:
        import numpy as np

        texts = json.loads((folder / "texts.json").read_text(encoding="utf-8"))
        vectors = np.load(folder / "vectors.npy")
        examples = json.loads((folder / "examples.json").read_text(encoding="utf-8"))
        learnt = {example["text"] for example in examples}
        centre = vectors[[text in learnt for text in texts]].mean(axis=0)
        self._of = dict(zip(texts, vectors - centre))

    def __getitem__(self, text: str) -> Any:
        return self._of[text]


def _our_pipeline(**changes: Any) -> list[dict[str, Any]]:
    """The pipeline of config.yml, its classifier changed."""
    config = yaml.safe_load((ROOT / "config.yml").read_text(encoding="utf-8"))
    return [
        {**component, **(changes if component["name"].endswith("TopicClassifier") else {})}
        for component in config["pipeline"]
    ]


def stock_pipeline(
    tokenizer: str = "WhitespaceTokenizer", epochs: int = STOCK_EPOCHS
) -> list[dict[str, Any]]:
    """Rasa's own pipeline."""
    return [
        {"name": tokenizer},
        {"name": "CountVectorsFeaturizer"},
        {"name": "CountVectorsFeaturizer", "analyzer": "char_wb", "min_ngram": 1, "max_ngram": 4},
        {"name": "DIETClassifier", "epochs": epochs},
    ]


def candidates(epochs: int = STOCK_EPOCHS) -> dict[str, Candidate]:
    """All candidates by name; DIET trained over `epochs`."""
    ours = "bot.components.tokenizer.VietnameseTokenizer"
    return {
        "stock": RasaPipeline("stock Rasa (DIET)", stock_pipeline(epochs=epochs), False),
        "stock_words": RasaPipeline("stock Rasa, underthesea words", stock_pipeline(ours, epochs), False),
        "svc": PlainSVC(),
        "headless": RasaPipeline("ours without heads", _our_pipeline(head_weights=[1.0]), True),
        "ours": RasaPipeline("ours (config.yml)", _our_pipeline(), True),
        "embeddings": RankerWithEmbeddings(),
    }


def _write(path: Path, content: dict[str, Any]) -> None:
    path.write_text(
        yaml.safe_dump(content, allow_unicode=True, sort_keys=False, width=1000), encoding="utf-8"
    )


def _note_epochs() -> list[float]:
    """CPU seconds at the end of each epoch that TensorFlow trains from now on."""
    import tensorflow as tf
    from rasa.utils.tensorflow.models import RasaModel

    ends: list[float] = []

    class Clock(tf.keras.callbacks.Callback):
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            ends.append(time.process_time())
            if epoch % 10 == 9:
                print(f"  … {epoch + 1} epochs", flush=True)

    fit = RasaModel.fit

    def clocked(self: Any, *arguments: Any, **options: Any) -> Any:
        return fit(self, *arguments, **{**options, "callbacks": [*options["callbacks"], Clock()]})

    RasaModel.fit = clocked
    return ends


def _cpu() -> float:
    """Seconds of CPU this process and its ended children have used."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def _train(candidate: Candidate, folder: Path) -> None:
    examples = [Question(**e) for e in json.loads((folder / "examples.json").read_text(encoding="utf-8"))]
    ends = _note_epochs()  # imports TensorFlow before the clock starts, as Rasa would anyway
    start, wall = _cpu(), time.monotonic()
    candidate.train(examples, folder)
    wall = time.monotonic() - wall
    get_reusable_executor().shutdown(wait=True)  # what the workers used counts once they have ended
    cost = {
        "cpu": _cpu() - start,
        "wall": wall,
        "epochs": [later - earlier for earlier, later in pairwise(ends)],
        "memory": memory_mb(peak=True),
    }
    (folder / "train.json").write_text(json.dumps(cost), encoding="utf-8")


def _answer(candidate: Candidate, folder: Path) -> None:
    texts = json.loads((folder / "questions.json").read_text(encoding="utf-8"))
    rank = candidate.load(folder)
    for text in texts[:WARM_UP]:
        rank(text)
    start = time.process_time()
    rankings = [list(rank(text)) for text in texts]
    cost = {
        "cpu": (time.process_time() - start) / len(texts),
        "memory": memory_mb(),
        "rankings": rankings,
    }
    (folder / "answers.json").write_text(json.dumps(cost), encoding="utf-8")


def main(step: str, name: str, folder: str, epochs: str) -> None:
    """One step of one candidate."""
    candidate = candidates(int(epochs))[name]
    {"train": _train, "answers": _answer}[step](candidate, Path(folder))


if __name__ == "__main__":
    main(*sys.argv[1:])
