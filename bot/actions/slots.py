"""Turns what was found in a question into the values calculators are filled from."""

from __future__ import annotations

import re
from datetime import date, timedelta
from itertools import pairwise

from bot.actions.context import names
from bot.actions.daily_benefits import leave_and_visit
from bot.actions.families import Values
from bot.actions.reading import Entity, Question
from vietnamese.household import parse_members
from vietnamese.numbers import read_number
from vietnamese.text import Reading, fold

EARLIEST = date(2016, 1, 1)  # the knowledge base knows no law before; such a day belongs to a story
_BORN = re.compile(r"\b(?:sinh|sn|sanh|de|du sinh)\b[^,.;?!]{0,22}$")
_NOW = re.compile(r"\b(?:gio|bay h|nay)\s*[?!.]*$|(?:^|[,.;]\s*)gio\b|\b(?:bay gio|hien nay|hien tai)\b")
_AROUND_2014 = re.compile(r"\s*(?:(?P<before>truoc|trc)|sau|tu)\s+(?:nam\s+)?2014\b")
_AVERAGED = re.compile(
    r"\s*(?:cuoi|gan nhat|lien ke|truoc khi nghi)\b"
)  # a stretch of salaries, not months paid
_COPAID = re.compile(r"\b(?:cung|dong) chi tra\b")
_AVERAGE = re.compile(r"\b(?:binh quan|trung binh|nhan he so|dieu chinh)\b")
_ADDED = re.compile(r"\b(?:mua|dong|tham gia) them\b")
_ONLY = re.compile(r"\bchi (?:mua|dong)(?: cho)?\b")
_HAVE_A_CARD = re.compile(
    r"\b([1-9]|mot|hai|ba|bon) (?:dua|be|chau|con|em|nhoc|nguoi)(?: con| nho| lon)? (?:da |dang |con |thi )*"
    r"(?:di hoc|hoc sinh|sinh vien|hoc|co the|co bhyt)\b"
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
    folded = fold(question.text)
    for entity in periods:
        if match := _AROUND_2014.match(folded[entity.end :]):
            values["before_2014" if match["before"] else "from_2014"] = entity.value
    periods = [entity for entity in periods if not _AVERAGED.match(folded[entity.end :])]
    if periods:
        single = [entity for entity in periods if not entity.extra.get("recurring")]
        single = [entity for entity in single if not _is_rate(entity, question)] or single
        values["period"] = (single or periods)[0].value
        if single:
            values["longest"] = max(entity.value for entity in single)
    _read_history(question, folded, values)
    if re.search(r"\b(?:dau nam|6 thang dau|truoc thang 7)\b", folded):
        values["first_half"] = True
    if "amount" in values and _COPAID.search(folded):
        values["copaid"] = values["amount"]
    if values.get("group") == "near_poor" and re.search(r"\bxa (?:dac biet )?(?:ngheo|kho khan)\b", folded):
        values["group"] = "near_poor_in_poor_commune"
    if _ADDED.search(folded):
        values.pop("members", None)  # who joins later is not the first: how many paid before decides
    if only := _ONLY.search(folded):
        members = parse_members(question.text[only.end() :])
        if members:
            values["members"] = members.value
    if names(folded, "voluntary"):
        values["voluntary"] = True
    _leave_out_who_has_a_card(question, folded, values)
    values.update(leave_and_visit(question.text))
    if _NOT_INSURED.search(fold(question.text)):
        values["mother_insured"] = False
    return values


def _leave_out_who_has_a_card(question: Question, folded: str, values: Values) -> None:
    """`nhà 5 người, 2 đứa đi học rồi`: three pay by the household."""
    family = next((entity for entity in question.entities if entity.name == "members"), None)
    others = _HAVE_A_CARD.search(folded, family.end) if family else None
    count = read_number(Reading.of(question.text), *others.span(1)) if others else None
    if count and values.get("members", 0) > count:
        values["members"] -= count


def _is_rate(period: Entity, question: Question) -> bool:
    """`1tr5 1 tháng`: the month only says what the amount is counted by."""
    ends = [entity.end for entity in question.entities if entity.name == "amount"]
    return period.value == 1 and any(0 <= period.start - end <= 2 for end in ends)


def _read_history(question: Question, folded: str, values: Values) -> None:
    """`từ 1/2022 đến 6/2025`: the months paid, for a withdrawal worked out from the contributions."""
    dates = [entity for entity in question.entities if entity.name == "date"]
    for first, then in pairwise(dates):
        between = first.extra.get("relation") == "from" and then.extra.get("relation") in ("until", None)
        if between and not _AVERAGE.search(folded):
            values["paid_from"], values["paid_to"] = str(first.value)[:7], str(then.value)[:7]
            break
    if "paid_from" in values:
        values["longest"] = 1  # the months follow from the two ends
    values["scheme_group"] = "other" if "tu nguyen" in folded else "compulsory"


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
