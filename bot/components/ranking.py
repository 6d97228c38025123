"""Ranks the topics a question may be about, by its words and by the two halves of what is asked.

Linear classifiers over words, folded words and folded character n-grams: one for the whole label, one
for its scheme and one for its aspect. Examples of a scheme or an aspect are shared by all its labels,
so that rare combinations are understood; the label's score adds the three up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from scipy.sparse import csr_matrix, hstack
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.svm import LinearSVC
from underthesea import word_tokenize

from vietnamese.shorthand import expand
from vietnamese.text import normalise

Facets = Mapping[str, Sequence[str]]  # label to one name per further head, like (scheme, aspect)


def _words(text: str) -> list[str]:
    """Vietnamese words, accents kept, and each pair of neighbours."""
    words = [word.lower().replace(" ", "_") for word in word_tokenize(normalise(text))]
    return words + [f"{left} {right}" for left, right in pairwise(words)]


def _folded_words(text: str) -> list[str]:
    """Folded syllables with shorthand written out, and runs of two and three."""
    words = text.split()
    return (
        words
        + [" ".join(words[i : i + 2]) for i in range(len(words) - 1)]
        + [" ".join(words[i : i + 3]) for i in range(len(words) - 2)]
    )


@dataclass
class _Head:
    """One linear classifier: `weights` is features x classes."""

    classes: list[str]
    weights: np.ndarray
    bias: np.ndarray

    @classmethod
    def fit(cls, features: csr_matrix, targets: Sequence[str], cost: float) -> _Head:
        svm = LinearSVC(C=cost, random_state=0)
        svm.fit(features, targets)
        coefficients, bias = svm.coef_, svm.intercept_
        if len(svm.classes_) == 2:  # one row only: give the other class its mirror image
            coefficients, bias = np.vstack([-coefficients, coefficients]), np.hstack([-bias, bias])
        weights = np.ascontiguousarray(coefficients.T, dtype=np.float32)
        return cls([str(name) for name in svm.classes_], weights, bias.astype(np.float32))

    def log_probabilities(self, row: csr_matrix, sharpness: float) -> np.ndarray:
        scores = sharpness * (row.data.astype(np.float32) @ self.weights[row.indices] + self.bias)
        scores -= scores.max()
        return scores - np.log(np.exp(scores).sum())


@dataclass
class Ranker:
    """Labels ranked by probability. Plain data once fitted: it can be pickled."""

    cost: float = 0.5
    sharpness: float = 4.0  # turns margins into probabilities; chosen on questions not trained on
    head_weights: Sequence[float] = (1.0, 0.4, 0.4)
    feature_weights: Sequence[float] = (0.7, 1.0, 0.8)  # words, folded words, folded characters
    groups: Mapping[str, str] = field(default_factory=dict)  # labels that mean the same to a citizen
    _vectorizers: list[TfidfVectorizer] = field(default_factory=list)
    _heads: list[_Head] = field(default_factory=list)
    _columns: list[np.ndarray] = field(default_factory=list)

    def fit(self, texts: Sequence[str], labels: Sequence[str], facets: Facets) -> Ranker:
        """Learn from texts and their labels; `facets` gives each label's scheme and aspect."""
        self._vectorizers = [
            TfidfVectorizer(analyzer=_words, sublinear_tf=True, dtype=np.float32),
            TfidfVectorizer(analyzer=_folded_words, sublinear_tf=True, dtype=np.float32),
            TfidfVectorizer(
                analyzer="char_wb", ngram_range=(2, 5), min_df=2, sublinear_tf=True, dtype=np.float32
            ),
        ]
        expanded = [expand(text) for text in texts]
        features = hstack(
            [
                weight * vectorizer.fit_transform(texts if index == 0 else expanded)
                for index, (weight, vectorizer) in enumerate(zip(self.feature_weights, self._vectorizers))
            ],
            format="csr",
        )
        names = sorted(set(labels))
        targets = [list(labels)]
        for position in range(len(self.head_weights) - 1):
            targets.append([facets[label][position] for label in labels])
        self._heads = [_Head.fit(features, target, self.cost) for target in targets]
        self._columns = [np.array([self._heads[0].classes.index(name) for name in names])]
        for position, head in enumerate(self._heads[1:]):
            self._columns.append(np.array([head.classes.index(facets[name][position]) for name in names]))
        self._names = names
        return self

    def rank(self, text: str, most: int = 5) -> list[tuple[str, float]]:
        """The likeliest label of each of the `most` likeliest groups, with the group's probability."""
        expanded = expand(text)
        row = hstack(
            [
                weight * vectorizer.transform([text if index == 0 else expanded])
                for index, (weight, vectorizer) in enumerate(zip(self.feature_weights, self._vectorizers))
            ],
            format="csr",
        )
        total = np.zeros(len(self._names), dtype=np.float32)
        for weight, head, columns in zip(self.head_weights, self._heads, self._columns):
            total += weight * head.log_probabilities(row, self.sharpness)[columns]
        total -= total.max()
        probabilities = np.exp(total) / np.exp(total).sum()
        best: dict[str, int] = {}
        sums: dict[str, float] = {}
        for i in np.argsort(-probabilities):
            group = self.groups.get(self._names[i], self._names[i])
            best.setdefault(group, int(i))
            sums[group] = sums.get(group, 0.0) + float(probabilities[i])
        ordered = sorted(sums, key=lambda group: -sums[group])[:most]
        return [(self._names[best[group]], sums[group]) for group in ordered]
