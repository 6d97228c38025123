"""Renders a topic as of a date: the text a citizen reads, with its authority and its day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from knowledge_base.dated import Citation
from knowledge_base.expressions import render
from knowledge_base.loading import KnowledgeBase, knowledge_base
from knowledge_base.topics import Button

CAUTION = "Theo thông tin đã công bố, cần cơ quan BHXH xác nhận."
MAX_LENGTH = 900  # characters of a whole reply: what a phone shows without tiring


@dataclass(frozen=True)
class Answer:
    """A rendered topic; `text` is the whole reply, at most 900 characters."""

    topic: str
    title: str
    handling: str
    body: str
    as_of: date
    citations: tuple[Citation, ...]
    reported: bool  # rests on label R: carries the caution
    buttons: tuple[Button, ...]

    @property
    def text(self) -> str:
        """What a citizen reads: the body, its authority and the day it holds for."""
        return f"{self.body}\n\n{footer(self.citations, self.as_of, self.reported)}"

    def as_json(self) -> dict[str, object]:
        return {
            "topic": self.topic,
            "title": self.title,
            "handling": self.handling,
            "text": self.text,
            "as_of": self.as_of.isoformat(),
            "label": "R" if self.reported else "V",
            "citations": [citation.as_json() for citation in self.citations],
            "buttons": [{"title": button.title, "say": button.say} for button in self.buttons],
        }


def format_date(on: date) -> str:
    """`01/07/2026`."""
    return f"{on:%d/%m/%Y}"


def _by_source(citations: tuple[Citation, ...]) -> list[str]:
    """One phrase a document: `Điều 36 khoản 1, Điều 31 khoản 2 Luật BHXH …`."""
    titles: dict[str, list[str]] = {}
    for citation in citations:
        titles.setdefault(citation.title, []).append(citation.where)
    return [
        f"{', '.join(filter(None, dict.fromkeys(wheres)))} {title}".strip()
        for title, wheres in titles.items()
    ]


def authority(citations: tuple[Citation, ...], reported: bool) -> str:
    """What an answer rests on: the caution where needed, then the articles; empty when there are none."""
    lines = [CAUTION] if reported else []
    if citations:
        lines.append(f"Căn cứ: {'; '.join(_by_source(citations))}.")
    return "\n".join(lines)


def footer(citations: tuple[Citation, ...], on: date, reported: bool) -> str:
    """The closing lines: the authority and the day the answer holds for."""
    return " ".join(filter(None, [authority(citations, reported), f"Áp dụng tại ngày {format_date(on)}."]))


def answer_topic(topic_id: str, on: date, base: KnowledgeBase | None = None) -> Answer:
    """The answer to a topic as of `on`.

    Raises UnknownName for a topic that does not exist, and NoValueOnDate when the topic has no
    wording on that day or a figure in it is not known.
    """
    base = base or knowledge_base()
    topic = base.topic(topic_id)
    wording = topic.wording(on)
    rules = base.law.at(on)
    assert wording.text is not None
    body = render(wording.text, rules, base.format_of)
    citations = wording.citations or rules.cited()
    reported = wording.label == "R" or rules.reported
    return Answer(
        topic=topic.id,
        title=topic.title,
        handling=topic.handling,
        body=body,
        as_of=on,
        citations=citations,
        reported=reported,
        buttons=tuple(base.topics[id_].button for id_ in topic.next if id_ in base.topics),
    )
