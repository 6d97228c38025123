"""What candidates learn from and are asked, and when a ranking is right."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from knowledge_base.loading import knowledge_base

ROOT = Path(__file__).resolve().parent.parent
Ranking = Sequence[tuple[str, float]]  # labels of bot/data with their confidence, best first
# Plain intents that answer something in scope, by evaluation label.
_PLAIN = {"ask_person": ("kh_lien_he_khieu_nai",), "complaint": ("kh_lien_he_khieu_nai",)}


@dataclass(frozen=True)
class Question:
    """One text and its label: of `bot/data` where it is learnt from, of the evaluation where it is asked."""

    text: str
    label: str

    @property
    def outside(self) -> bool:
        """Whether a topic would be a false acceptance."""
        return self.label.startswith("oos_")


def examples() -> list[Question]:
    """The training data."""
    found = []
    for path in sorted((ROOT / "bot" / "data").glob("*.yml")):
        for block in yaml.safe_load(path.read_text(encoding="utf-8")).get("nlu") or []:
            lines = (line.strip() for line in block["examples"].splitlines())
            found += [Question(line[2:], block["intent"]) for line in lines if line.startswith("- ")]
    return found


def subset(all_examples: Sequence[Question], most: int) -> list[Question]:
    """At most `most` examples, as many of each label as of any other; always the same ones."""
    shuffled = list(all_examples)
    random.Random(0).shuffle(shuffled)
    by_label: dict[str, list[Question]] = {}
    for example in shuffled:
        by_label.setdefault(example.label, []).append(example)
    deepest = max(len(of_label) for of_label in by_label.values())
    in_turn = [rank[i] for i in range(deepest) for rank in by_label.values() if i < len(rank)]
    return in_turn[:most]


def evaluation_questions() -> list[Question]:
    """The labelled questions of `evaluation/`."""
    rows = []
    for path in sorted((ROOT / "evaluation").glob("questions_*.jsonl")):
        rows += [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]
    return [Question(row["text"], row["subtopic"]) for row in rows]


def phrases(path: Path) -> list[Question]:
    """Labelled phrases of a file with `label<TAB>phrase` on each line. Raises ValueError."""
    found = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        label, tab, text = line.partition("\t")
        if not tab:
            raise ValueError(f"{path}, line {number}: no tab between label and phrase")
        found.append(Question(text, label))
    return found


def answers(label: str) -> tuple[str, ...]:
    """The evaluation labels that a label of `bot/data` answers; none for what is out of scope."""
    intent, _, detail = label.partition("/")
    if intent != "ask_topic":
        return _PLAIN.get(intent, ())
    return tuple(name.rpartition("/")[2] for name in knowledge_base().topics[detail].evaluation_labels)


def best(ranking: Ranking) -> str:
    """The likeliest label of the likeliest group, every candidate read alike: docs/decisions/0002.

    Empty where a pipeline ranks nothing, as stock Rasa does for a message without a word.
    """
    if not ranking:
        return ""
    sums: dict[str, float] = {}
    first: dict[str, str] = {}
    for label, confidence in ranking:
        answered = answers(label)
        group = answered[0] if answered else label.partition("/")[0]
        first.setdefault(group, label)
        sums[group] = sums.get(group, 0.0) + confidence
    return first[max(sums, key=lambda group: sums[group])]
