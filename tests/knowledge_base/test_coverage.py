"""docs/coverage.md names every topic and calculator, and nothing that does not exist."""

from __future__ import annotations

import re

from knowledge_base.calculators import CALCULATORS
from knowledge_base.loading import ROOT, knowledge_base

TEXT = (ROOT.parent / "docs" / "coverage.md").read_text(encoding="utf-8")
NAMED = re.findall(r"`([a-z_]+\.[a-z0-9_]+)`( \(\?\))?", TEXT)


def test_every_topic_is_listed_and_every_listed_topic_exists() -> None:
    assert {name for name, _ in NAMED} == set(knowledge_base().topics)


def test_every_calculator_is_listed() -> None:
    assert set(CALCULATORS) <= set(re.findall(r"`([a-z_]+)`", TEXT))


def test_the_mark_of_uncertainty_is_that_of_the_topic() -> None:
    marked = {name for name, mark in NAMED if mark}
    uncertain = {topic.id for topic in knowledge_base().topics.values() if topic.handling == "uncertain"}
    assert marked == uncertain
