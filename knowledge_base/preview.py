"""What the answers of another day would be: today's wording and that day's, side by side, as one page."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from difflib import SequenceMatcher
from html import escape
from pathlib import Path
from string import Template

from knowledge_base.answers import Answer, answer_topic, authority, format_date
from knowledge_base.dated import Parameter, Value
from knowledge_base.errors import NoValueOnDate
from knowledge_base.expressions import FORMATS
from knowledge_base.loading import KnowledgeBase
from knowledge_base.topics import Topic

PAGE_FILE = Path(__file__).resolve().parent / "preview.html"
UNKNOWN = "chưa có"


@dataclass(frozen=True)
class ChangedAnswer:
    """A topic answered differently on the two days; a missing answer is the reason there is none."""

    topic: Topic
    before: Answer | str
    after: Answer | str


@dataclass(frozen=True)
class ChangedParameter:
    """A figure that differs on the two days, as citizens would read it."""

    parameter: Parameter
    before: str
    after: str
    source: str


@dataclass(frozen=True)
class Comparison:
    """Everything that differs between two days."""

    before: date
    after: date
    topics: int
    answers: tuple[ChangedAnswer, ...]  # answered on both days, or newly answered
    unanswered: tuple[ChangedAnswer, ...]  # answered today, no longer on the other day
    parameters: tuple[ChangedParameter, ...]

    @property
    def summary(self) -> str:
        """The counts in one line."""
        return (
            f"Từ {format_date(self.before)} đến {format_date(self.after)}: "
            f"{len(self.answers)} câu trả lời khác đi, {len(self.unanswered)} chủ đề không còn câu trả lời, "
            f"{len(self.parameters)} con số đổi (trên {self.topics} chủ đề)."
        )


def compare(base: KnowledgeBase, before: date, after: date) -> Comparison:
    """The topics and parameters whose answer or value on `after` is not that of `before`."""
    answers: list[ChangedAnswer] = []
    unanswered: list[ChangedAnswer] = []
    for topic in base.topics.values():
        old, new = _answer(base, topic, before), _answer(base, topic, after)
        if isinstance(old, str) and isinstance(new, str):
            continue
        if _shown(old) != _shown(new):
            (unanswered if isinstance(new, str) else answers).append(ChangedAnswer(topic, old, new))
    parameters = [
        ChangedParameter(parameter, old_value, new_value, _source(parameter, after))
        for parameter in base.law
        for old_value, new_value in [(_value(base, parameter, before), _value(base, parameter, after))]
        if old_value != new_value
    ]
    return Comparison(before, after, len(base.topics), tuple(answers), tuple(unanswered), tuple(parameters))


def _answer(base: KnowledgeBase, topic: Topic, on: date) -> Answer | str:
    """The answer on a day, or why there is none."""
    try:
        return answer_topic(topic.id, on, base)
    except NoValueOnDate as error:
        if error.name in base.topics:
            return f"Chủ đề không có câu chữ cho ngày {format_date(on)} ({topic.path})."
        return f"{error.name}: {_missing(base.law[error.name], on)}"


def _missing(parameter: Parameter, on: date) -> str:
    """Why a parameter gives no figure on a day, and the way out."""
    entry = parameter.entry(on)
    if entry is None:
        return f"chưa ghi giá trị cho ngày {format_date(on)}."
    if entry.needs_official_check:
        return (
            f"giá trị từ {format_date(entry.start)} còn chờ kiểm tra bản chính; "
            "kiểm tra xong thì bỏ needs_official_check."
        )
    return f"giá trị đã kết thúc từ {format_date(entry.start)}; ghi giá trị mới khi có văn bản."


def _shown(answer: Answer | str) -> str:
    """What a citizen would read on the day, less the day itself."""
    if isinstance(answer, str):
        return answer
    return f"{answer.body}\n\n{authority(answer.citations, answer.reported)}"


def _value(base: KnowledgeBase, parameter: Parameter, on: date) -> str:
    try:
        value = base.law.at(on)[parameter.name]
    except NoValueOnDate:
        entry = parameter.entry(on)
        if entry is None or not entry.needs_official_check:
            return UNKNOWN
        announced = base.law.at(on).value_on(parameter.name, on, announced=True)
        return f"{UNKNOWN} (đã công bố {_printed(base, parameter, announced)}, chờ kiểm tra)"
    return _printed(base, parameter, value)


def _printed(base: KnowledgeBase, parameter: Parameter, value: Value) -> str:
    """A value in the format of its unit, lists and tables item by item."""
    if isinstance(value, Mapping):
        return "; ".join(f"{key}: {_printed(base, parameter, item)}" for key, item in value.items())
    if isinstance(value, tuple):
        return "; ".join(_printed(base, parameter, item) for item in value)
    if isinstance(value, (int, Decimal)):
        return FORMATS[base.format_of(parameter.name)](value)
    return value


def _source(parameter: Parameter, on: date) -> str:
    entry = parameter.entry(on)
    return entry.citation.text if entry else ""


def _marked(before: str, after: str) -> tuple[str, str]:
    """Both texts as HTML, the words only one of them has in <del> and <ins>."""
    old, new = re.findall(r"\S+\s*", before), re.findall(r"\S+\s*", after)
    left, right = [], []
    for kind, i, j, k, m in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        removed, added = escape("".join(old[i:j])), escape("".join(new[k:m]))
        left.append(removed if kind == "equal" else f"<del>{removed}</del>" if removed else "")
        right.append(added if kind == "equal" else f"<ins>{added}</ins>" if added else "")
    return "".join(left), "".join(right)


def _article(change: ChangedAnswer, before: date, after: date) -> str:
    old, new = _shown(change.before), _shown(change.after)
    if isinstance(change.before, str) or isinstance(change.after, str):
        old, new = escape(old), escape(new)
    else:
        old, new = _marked(old, new)
    return (
        f"<article><h3>{escape(change.topic.title)}</h3>"
        f"<p class=path>{escape(change.topic.id)} · knowledge_base/{escape(change.topic.path)}</p>"
        f"<div class=pair><section><h4>Ngày {format_date(before)}</h4><p>{old}</p></section>"
        f"<section><h4>Ngày {format_date(after)}</h4><p>{new}</p></section></div></article>"
    )


def _row(change: ChangedParameter) -> str:
    path = f"knowledge_base/parameters/{change.parameter.name.replace('.', '/')}.yaml"
    cells = (change.before, change.after, change.source)
    return (
        f"<tr><th scope=row>{escape(change.parameter.description)}<br><small>{path}</small></th>"
        + "".join(f"<td>{escape(cell)}</td>" for cell in cells)
        + "</tr>"
    )


def _or_none(parts: Iterable[str]) -> str:
    return "\n".join(parts) or "<p>Không có.</p>"


def page(comparison: Comparison) -> str:
    """The comparison as one HTML page that needs no other file."""
    before, after = comparison.before, comparison.after
    rows = "\n".join(_row(change) for change in comparison.parameters)
    return Template(PAGE_FILE.read_text(encoding="utf-8")).substitute(
        before=format_date(before),
        after=format_date(after),
        summary=escape(comparison.summary),
        answers=_or_none(_article(change, before, after) for change in comparison.answers),
        unanswered=_or_none(_article(change, before, after) for change in comparison.unanswered),
        parameters=rows or "<tr><td colspan=4>Không có.</td></tr>",
    )
