"""Turns what was found in a question into the values calculators are filled from."""

from __future__ import annotations

import re
from datetime import date, timedelta

from bot.actions.families import Values
from bot.actions.reading import Entity, Question
from vietnamese.text import fold

EARLIEST = date(2016, 1, 1)  # the knowledge base knows no law before; such a day belongs to a story
_BORN = re.compile(r"\b(?:sinh|sn|sanh|de|du sinh)\b[^,.;?!]{0,22}$")
_NOW = re.compile(
    r"\b(?:gio|bay gio|hien nay|hien tai|bay h|nay)\s*[?!.]*$|\b(?:bay gio|hien nay|hien tai)\b"
)
_NOT_INSURED = re.compile(
    r"\b(?:vo|vk|ba xa|me)\b[^,.;?!]{0,25}\b"
    r"(?:noi tro|o nha|(?:khong|ko|k|kg|chua|chang) (?:di lam|dong|tham gia|co))"
)


def asks_about_now(text: str) -> bool:
    """`giờ`, `hiện nay`: whatever days were mentioned, the question is about today."""
    return bool(_NOW.search(fold(text)))


def is_birth(question: Question, entity: Entity) -> bool:
    """Whether a date is the day somebody was or will be born."""
    return bool(_BORN.search(fold(question.text)[: entity.start]))


def values_of(question: Question) -> Values:
    """The first value of each kind; `born` apart from `date`, `longest` the longest period in months."""
    values: Values = {}
    periods = [entity for entity in question.entities if entity.name == "period"]
    for entity in question.entities:
        if entity.name == "date":
            name = "born" if is_birth(question, entity) else "date"
            values.setdefault(name, entity.extra.get("as_of", entity.value))
        elif entity.name != "period":
            values.setdefault(entity.name, entity.value)
    if periods:
        single = [entity for entity in periods if not entity.extra.get("recurring")]
        values["period"] = (single or periods)[0].value
        values["longest"] = max(entity.value for entity in periods)
    if _NOT_INSURED.search(fold(question.text)):
        values["mother_insured"] = False
    return values


def answer_day(question: Question, subject: str, today: date) -> date:
    """The day whose law answers: the day of the event the citizen asks about, else today.

    A birth is the event of maternity questions and a person's age in all others. `từ năm 2018` and
    `đến tháng 6` tell a story, and `giờ` asks about now: neither moves the day.
    """
    if asks_about_now(question.text):
        return today
    dates = [entity for entity in question.entities if entity.name == "date"]
    births = [entity for entity in dates if is_birth(question, entity)]
    others = [entity for entity in dates if entity not in births]
    events = (births or others) if subject == "maternity" else others
    if not events:
        return today
    relation = events[0].extra.get("relation")
    if relation in ("from", "until"):
        return today
    day = date.fromisoformat(events[0].extra.get("as_of", events[0].value))
    if relation == "before":
        day = date.fromisoformat(events[0].value) - timedelta(days=1)
    return day if day >= EARLIEST else today
