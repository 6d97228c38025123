"""Ranks the topics a question may be about, by its words and by the two halves of what is asked.

Linear classifiers over words, folded words and folded character n-grams: one for the whole label, one
for its scheme, one for its aspect and one for the labels it is grouped with. Examples of a scheme or an
aspect are shared by all its labels, so that rare combinations are understood; the label's score adds all up.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from itertools import pairwise

import numpy as np
from joblib import Parallel, delayed
from scipy.sparse import csr_matrix, hstack
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.svm import LinearSVC
from underthesea import word_tokenize

from vietnamese.shorthand import expand
from vietnamese.text import normalise

PART = 60  # classes trained in one go by one process
CUT = 500  # texts cut into words in one go by one process
Facets = Mapping[str, Sequence[str]]  # label to one name per further head, like (scheme, aspect, group)


@lru_cache(maxsize=8)  # a message is cut by the tokenizer and again here
def segment(text: str) -> list[str]:
    """The Vietnamese words of a text; not to be changed by who gets them."""
    return list(word_tokenize(text))


def _words(text: str) -> list[str]:
    """Vietnamese words, accents kept, and each pair of neighbours."""
    words = [word.lower().replace(" ", "_") for word in segment(normalise(text))]
    return words + [f"{left} {right}" for left, right in pairwise(words)]


def _folded_words(text: str) -> list[str]:
    """Folded syllables with shorthand written out, and runs of two and three."""
    words = text.split()
    return (
        words
        + [" ".join(words[i : i + 2]) for i in range(len(words) - 1)]
        + [" ".join(words[i : i + 3]) for i in range(len(words) - 2)]
    )


def _one_against_rest(
    features: csr_matrix, targets: Sequence[str], names: Sequence[str], cost: float
) -> tuple[np.ndarray, np.ndarray]:
    """Weights (features x names) and bias of each of the names against all other targets."""
    wanted = set(names)
    svm = LinearSVC(C=cost, random_state=0)
    svm.fit(features, [target if target in wanted else "" for target in targets])
    coefficients, bias = svm.coef_, svm.intercept_
    if len(svm.classes_) == 2:  # one row only: give the other class its mirror image
        coefficients, bias = np.vstack([-coefficients, coefficients]), np.hstack([-bias, bias])
    rows = np.searchsorted(svm.classes_, names)
    return coefficients[rows].T.astype(np.float16), bias[rows].astype(np.float32)


@dataclass
class _Analysis:
    """One kind of features: scikit-learn learns them, a single message is weighed without its matrices."""

    vectorizer: TfidfVectorizer
    weight: float
    start: int = 0  # of its columns among all features

    @cached_property
    def _analyze(self) -> Callable[[str], list[str]]:
        return self.vectorizer.build_analyzer()

    @cached_property
    def _idf(self) -> list[float]:
        return [float(idf) for idf in self.vectorizer.idf_]

    def weigh(self, text: str) -> tuple[list[int], list[float]]:
        """Columns and values of a text, as `weight * vectorizer.transform` has them."""
        vocabulary = self.vectorizer.vocabulary_
        counts = Counter(
            column for term in self._analyze(text) if (column := vocabulary.get(term)) is not None
        )
        values = [(1 + math.log(count)) * self._idf[column] for column, count in counts.items()]
        length = math.hypot(*values) or 1.0
        return [self.start + column for column in counts], [self.weight * value / length for value in values]


@dataclass
class _Head:
    """One linear classifier: `weights` is features x classes, in half precision (most of the model)."""

    classes: list[str]
    weights: np.ndarray
    bias: np.ndarray

    def log_probabilities(self, columns: Sequence[int], values: np.ndarray, sharpness: float) -> np.ndarray:
        weights = self.weights[columns].astype(np.float32)
        scores = sharpness * (values @ weights + self.bias)
        scores -= scores.max()
        return scores - np.log(np.exp(scores).sum())


def _positions(names: Iterable[str]) -> list[np.ndarray]:
    """Where each different name stands, in order of first appearance."""
    found: dict[str, list[int]] = {}
    for position, name in enumerate(names):
        found.setdefault(name, []).append(position)
    return [np.array(positions) for positions in found.values()]


@dataclass
class Ranker:
    """Labels ranked by probability. Plain data once fitted: it can be pickled."""

    cost: float = 0.5
    sharpness: float = 3.5  # turns margins into probabilities; chosen on questions not trained on
    head_weights: Sequence[float] = (1.0, 0.4, 0.4, 0.4)
    feature_weights: Sequence[float] = (0.7, 1.0, 0.8)  # words, folded words, folded characters
    groups: Mapping[str, str] = field(default_factory=dict)  # labels that mean the same to a citizen
    subjects: Mapping[str, str] = field(default_factory=dict)  # what a label is about, where it is a topic
    names: list[str] = field(default_factory=list)  # the labels learnt
    _analyses: list[_Analysis] = field(default_factory=list)
    _heads: list[_Head] = field(default_factory=list)
    _columns: list[np.ndarray] = field(default_factory=list)

    def fit(self, texts: Sequence[str], labels: Sequence[str], facets: Facets) -> Ranker:
        """Learn from texts and their labels; `facets` gives each label's scheme, aspect and group."""
        kinds = [
            {"analyzer": _words},
            {"analyzer": _folded_words},
            {"analyzer": "char_wb", "ngram_range": (4, 4)},
        ]
        # What only one example holds says nothing about another message, and is half of everything.
        self._analyses = [
            _Analysis(TfidfVectorizer(min_df=2, sublinear_tf=True, dtype=np.float32, **kind), weight)
            for kind, weight in zip(kinds, self.feature_weights)
        ]
        cut = Parallel(n_jobs=-1, batch_size=CUT)(delayed(_words)(text) for text in texts)
        expanded = [expand(text) for text in texts]
        self._analyses[0].vectorizer.set_params(analyzer=list)  # the words are cut already
        parts = []
        for analysis, documents in zip(self._analyses, (cut, expanded, expanded)):
            analysis.start = sum(part.shape[1] for part in parts)
            parts.append(analysis.weight * analysis.vectorizer.fit_transform(documents))
        self._analyses[0].vectorizer.set_params(analyzer=_words)
        features = hstack(parts, format="csr")
        self.names = names = sorted(set(labels))
        targets = [list(labels)]
        for position in range(len(self.head_weights) - 1):
            targets.append([facets[label][position] for label in labels])
        self._heads = self._fit_heads(features, targets)
        self._columns = [np.array([self._heads[0].classes.index(name) for name in names])]
        for position, head in enumerate(self._heads[1:]):
            self._columns.append(np.array([head.classes.index(facets[name][position]) for name in names]))
        return self

    def _fit_heads(self, features: csr_matrix, targets: Sequence[Sequence[str]]) -> list[_Head]:
        """A head for each list of targets, trained in parts on every core."""
        classes = [sorted(set(target)) for target in targets]
        parts = [
            (head, names[start : start + PART])
            for head, names in enumerate(classes)
            for start in range(0, len(names), PART)
        ]
        fitted = Parallel(n_jobs=-1, mmap_mode="c")(
            delayed(_one_against_rest)(features, targets[head], names, self.cost) for head, names in parts
        )
        heads = []
        for head, names in enumerate(classes):
            weights, bias = zip(*(result for (of, _), result in zip(parts, fitted) if of == head))
            heads.append(_Head(names, np.ascontiguousarray(np.hstack(weights)), np.hstack(bias)))
        return heads

    def probabilities(self, text: str) -> np.ndarray:
        """The probability of each label, in the order of `names`."""
        expanded = expand(text)
        columns: list[int] = []
        weighed: list[float] = []
        for index, analysis in enumerate(self._analyses):
            found, values = analysis.weigh(expanded if index else text)
            columns += found
            weighed += values
        row = np.array(weighed, dtype=np.float32)
        total = np.zeros(len(self.names), dtype=np.float32)
        for weight, head, of in zip(self.head_weights, self._heads, self._columns):
            total += weight * head.log_probabilities(columns, row, self.sharpness)[of]
        total -= total.max()
        return np.exp(total) / np.exp(total).sum()

    @cached_property
    def _grouped(self) -> list[np.ndarray]:
        """The positions in `names` of each group."""
        return _positions(self.groups.get(name, name) for name in self.names)

    @cached_property
    def _of_subject(self) -> dict[str, np.ndarray]:
        """The positions in `names` of each subject."""
        named = [self.subjects.get(name, "") for name in self.names]
        return {named[found[0]]: found for found in _positions(named) if named[found[0]]}

    def ranking(self, probabilities: np.ndarray, most: int = 5) -> list[tuple[str, float]]:
        """The likeliest label of each of the `most` likeliest groups, with the group's probability."""
        sums = [float(probabilities[group].sum()) for group in self._grouped]
        ordered = sorted(range(len(sums)), key=lambda group: -sums[group])[:most]
        return [(self._likeliest(self._grouped[group], probabilities), sums[group]) for group in ordered]

    def _likeliest(self, positions: np.ndarray, probabilities: np.ndarray) -> str:
        return self.names[positions[probabilities[positions].argmax()]]

    def by_subject(self, probabilities: np.ndarray) -> dict[str, str]:
        """The likeliest label of each subject, however unlikely."""
        return {subject: self._likeliest(found, probabilities) for subject, found in self._of_subject.items()}

    def rank(self, text: str, most: int = 5) -> list[tuple[str, float]]:
        """The ranking of a text."""
        return self.ranking(self.probabilities(text), most)
