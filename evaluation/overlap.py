"""Keeps the evaluation honest: no row may be nearly a training example."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from vietnamese.text import fold

TRAINING = Path(__file__).resolve().parent.parent / "bot" / "data"
TOO_CLOSE = 0.6  # Jaccard of folded character 4-grams


def grams(text: str) -> frozenset[str]:
    """Folded character 4-grams."""
    folded = " ".join(fold(text).split())
    return frozenset(folded[i : i + 4] for i in range(max(1, len(folded) - 3)))


def training_examples(folder: Path = TRAINING) -> list[str]:
    """Every example of the training data."""
    examples: list[str] = []
    for path in sorted(folder.rglob("*.yml")):
        document = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
        for block in document.get("nlu") or []:
            lines = (block.get("examples") or "").splitlines()
            examples.extend(line.strip()[2:] for line in lines if line.strip().startswith("- "))
    return examples


def check_overlap(rows: Sequence[dict[str, Any]], examples: list[str] | None = None) -> list[str]:
    """The rows that are too close to a training example, each with the example."""
    if examples is None:
        examples = training_examples()
    known = [grams(example) for example in examples]
    index: defaultdict[str, list[int]] = defaultdict(list)
    for number, example in enumerate(known):
        for gram in example:
            index[gram].append(number)
    found = []
    for row in rows:
        mine = grams(row["text"])
        shared: defaultdict[int, int] = defaultdict(int)
        for gram in mine:
            for number in index.get(gram, ()):
                shared[number] += 1
        for number, count in shared.items():
            if count / (len(mine) + len(known[number]) - count) >= TOO_CLOSE:
                found.append(f"{row['id']}: {row['text']!r} ~ {examples[number]!r}")
                break
    return found
