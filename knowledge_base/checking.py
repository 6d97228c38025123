"""`check`: everything about the knowledge base that a machine can find wrong, in words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from knowledge_base.answers import MAX_LENGTH, answer_topic
from knowledge_base.errors import KnowledgeBaseError, NoValueOnDate
from knowledge_base.expressions import PLACEHOLDER, names_in, placeholders
from knowledge_base.loading import ROOT, KnowledgeBase
from knowledge_base.topics import Topic

STALE_AFTER_DAYS = 180
NEXT_QUESTIONS = (2, 3)  # fewest and most buttons below an answer
BOT_DATA = ROOT.parent / "bot" / "data"
_FIGURE = re.compile(
    r"(?<![\w/.,])\d[\d.,]*(?:\s*[-–]\s*\d[\d.,]*)?\s*"
    r"(?:%|phần trăm|đồng|đ\b|triệu|nghìn|ngàn|tháng\b(?! ?\d)|năm\b(?! \d{4})"
    r"|ngày\b|tuần\b|tuổi\b|lần\b|giờ\b)",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Report:
    """What `check` found: problems fail it, notices do not."""

    problems: tuple[str, ...]
    notices: tuple[str, ...]
    summary: str


def typed_figures(text: str) -> list[str]:
    """Amounts, rates and durations written into a text instead of a placeholder."""
    return [match[0].strip() for match in _FIGURE.finditer(PLACEHOLDER.sub("□", text))]


def _topic_problems(base: KnowledgeBase, topic: Topic, on: date) -> Iterator[str]:
    if not topic.evaluation_labels:
        yield f"{topic.path}: evaluation_labels is empty"
    fewest, most = NEXT_QUESTIONS
    if not fewest <= len(topic.next) <= most:
        yield f"{topic.path}: next names {len(topic.next)} topics (write {fewest} or {most})"
    for id_ in topic.next:
        if id_ == topic.id or topic.next.count(id_) > 1:
            yield f"{topic.path}: next offers {id_}, which is this topic itself or stands there twice"
        if id_ not in base.topics:
            yield f"{topic.path}: next names no topic: {id_}"
    for index, wording in enumerate(topic.wordings):
        if wording.text is None:
            continue
        where = f"{topic.path}:{wording.line}"
        for figure in typed_figures(wording.text):
            yield f"{where}: {figure!r} is typed into the text; write a placeholder like {{health.rate}}"
        if topic.handling == "answer" and not wording.citations and not placeholders(wording.text):
            yield f"{where}: an answer needs a citation"
        end = topic.wordings[index + 1].start if index + 1 < len(topic.wordings) else None
        days = [wording.start, *(day for day in base.law.change_dates() if day > wording.start)]
        for day in sorted({*days, max(on, wording.start)}):
            if end and day >= end:
                break
            if problem := _rendering_problem(base, topic, day, on):
                yield f"{where}: {problem}"
                break  # the first day it is wrong is enough to find it


def _rendering_problem(base: KnowledgeBase, topic: Topic, day: date, on: date) -> str | None:
    """What is wrong with a topic's reply on a day; a figure of a later day than `on` may still be missing."""
    try:
        answer = answer_topic(topic.id, day, base)
    except NoValueOnDate as error:
        return f"on {day}: {error}" if day <= on else None
    except KnowledgeBaseError as error:
        return str(error)
    if len(answer.text) > MAX_LENGTH:
        return f"the reply of {day} has {len(answer.text)} characters (at most {MAX_LENGTH})"
    return None


def _parameter_problems(base: KnowledgeBase) -> Iterator[str]:
    histories: dict[tuple[object, ...], str] = {}
    for parameter in base.law:
        key = (parameter.description, tuple((v.start, str(v.value), v.same_as) for v in parameter.values))
        if key in histories:
            yield f"{parameter.name} repeats {histories[key]}: same description and history"
        histories[key] = parameter.name
        for entry in parameter.values:
            source = base.sources[entry.citation.source]
            if entry.start < source.in_force_from and entry.value is not None:
                yield f"{parameter.name}: {entry.start} is before {source.id} came into force"
            if entry.needs_official_check and entry.label == "V":
                yield f"{parameter.name}: {entry.start} needs an official check and cannot be labelled V"


def _used_parameters(base: KnowledgeBase) -> set[str]:
    used = {entry.same_as for parameter in base.law for entry in parameter.values if entry.same_as}
    for topic in base.topics.values():
        for wording in topic.wordings:
            for expression in placeholders(wording.text or ""):
                used.update(names_in(expression))
    code = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "calculators").glob("*.*"))
    used.update(parameter.name for parameter in base.law if parameter.name in code)
    return used


def _example_problems(base: KnowledgeBase, data: Path) -> Iterator[str]:
    if not data.is_dir():
        yield f"{data.name}: no training data found"
        return
    text = "\n".join(path.read_text(encoding="utf-8") for path in sorted(data.rglob("*.yml")))
    trained = set(re.findall(r"^\s*-\s*intent:\s*ask_topic/(\S+)", text, re.MULTILINE))
    for topic_id in sorted(base.topics.keys() - trained):
        yield f"{base.topics[topic_id].path}: no examples of ask_topic/{topic_id} in bot/data"
    for topic_id in sorted(trained - base.topics.keys()):
        yield f"bot/data: ask_topic/{topic_id} names no topic"


def check(base: KnowledgeBase, on: date, bot_data: Path = BOT_DATA) -> Report:
    """Check every parameter, topic and example; nothing is changed."""
    problems = [*_parameter_problems(base), *_example_problems(base, bot_data)]
    notices = []
    used = _used_parameters(base)
    for topic in base.topics.values():
        problems.extend(dict.fromkeys(_topic_problems(base, topic, on)))
        if (on - topic.reviewed_on).days > STALE_AFTER_DAYS:
            notices.append(f"{topic.path}: last reviewed on {topic.reviewed_on}")
    for parameter in base.law:
        if parameter.name not in used:
            notices.append(f"{parameter.name}: used by no topic and no calculator")
        if (on - parameter.reviewed_on).days > STALE_AFTER_DAYS:
            notices.append(f"{parameter.name}: last reviewed on {parameter.reviewed_on}")
        for entry in parameter.values:
            if entry.needs_official_check:
                notices.append(f"{parameter.name}: the value of {entry.start} still needs an official check")
    summary = (
        f"{len(base.topics)} topics, {sum(1 for _ in base.law)} parameters, {len(base.sources)} sources: "
        f"{len(problems)} problems, {len(notices)} notices"
    )
    return Report(tuple(problems), tuple(notices), summary)
