"""Turns what was found in a question into the values calculators are filled from."""

from __future__ import annotations

import re
from datetime import date, timedelta
from itertools import pairwise

from bot.actions.context import names
from bot.actions.daily_benefits import leave_and_visit
from bot.actions.families import Values
from bot.actions.health_premiums import supported_group
from bot.actions.households import read_household
from bot.actions.reading import Entity, Question
from vietnamese.text import fold

EARLIEST = date(2016, 1, 1)  # the knowledge base knows no law before; such a day belongs to a story
_BORN = re.compile(r"\b(?:sinh|sn|sanh|de|du sinh)\b[^,.;?!]{0,22}$")
_NOW = re.compile(r"\b(?:gio|bay h|nay)\s*[?!.]*$|(?:^|[,.;]\s*)gio\b|\b(?:bay gio|hien nay|hien tai)\b")
_TODAY = re.compile(r"\b(?:hom|bua) nay\b")
_AROUND_2014 = re.compile(r"\s*(?:(?P<before>truoc|trc)|sau|tu)\s+(?:nam\s+)?2014\b")
_AVERAGED = re.compile(
    r"\s*(?:cuoi|gan nhat|lien ke|truoc khi nghi)\b"
)  # a stretch of salaries, not months paid
_COPAID = re.compile(r"\b(?:cung|dong) chi tra\b")
_BY_THE_MONTH = re.compile(r"\s*(?:thi |duoc |dc |lanh |nhan |huong |la )*(?:bao nhieu|bn|nhieu|may)\b")
_AVERAGE = re.compile(r"\b(?:binh quan|trung binh|nhan he so|dieu chinh)\b")
# A level set by law is nobody's income: `lương cơ sở lên 2tr53 thì mức đóng có tăng không`.
_LEVEL_OF_LAW = re.compile(
    r"\b(?:luong co so|lcs|muc tham chieu|luong toi thieu)(?: vung(?: \w+)?)?"
    r"(?: (?:da|moi|nay|hien|vua|duoc|tang|tu|len|la|bang|toi|thanh|[0-9.,]+(?: ?(?:tr|trieu))?[0-9]*))*\s*$"
)
_MOVED_TO = re.compile(r"\b(?:tu|muc|dang)\b.*[0-9].*\b(?:len|xuong|sang|qua|thanh)(?: muc)?\s*$")
_JOINED = re.compile(r"\b(?:tham gia|bat dau)\b[^,.;?!]{0,25}$")
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
            if name == "born" and name not in values:
                values["born_year_only"] = entity.extra.get("precision") == "year"
                said = question.text[entity.start : entity.end]
                values["born_month_only"] = not (values["born_year_only"] or re.search(r"\d{4}|/\d{2}", said))
            values.setdefault(name, entity.extra.get("as_of", entity.value))
        elif entity.name != "period" and not _is_level_of_law(entity, question):
            values.setdefault(entity.name, entity.value)
    folded = fold(question.text)
    for entity in question.entities:
        if entity.name == "amount" and "amount" in values and _MOVED_TO.search(folded[: entity.start]):
            values["amount"] = entity.value  # `từ 2 triệu lên 6 triệu`: the level to come
    for entity in periods:
        if match := _AROUND_2014.match(folded[entity.end :]):
            values["before_2014" if match["before"] else "from_2014"] = entity.value
    periods = [entity for entity in periods if not _AVERAGED.match(folded[entity.end :])]
    if periods:
        single = [entity for entity in periods if not entity.extra.get("recurring")]
        single = [entity for entity in single if not _is_rate(entity, question)] or single
        values["period"] = (single or periods)[0].value
        lengths = [entity for entity in single if not _is_monthly(entity, folded)]
        if lengths:
            values["longest"] = max(entity.value for entity in lengths)
    _read_history(question, folded, values)
    if re.search(r"\b(?:dau nam|6 thang dau|truoc thang 7)\b", folded):
        values["first_half"] = True
    if "amount" in values and _COPAID.search(folded):
        values["copaid"] = values["amount"]
    if values.get("group") == "near_poor" and re.search(r"\bxa (?:dac biet )?(?:ngheo|kho khan)\b", folded):
        values["group"] = "near_poor_in_poor_commune"
    if supported := values.get("group") or supported_group(folded):
        values["supported_group"] = supported
    if names(folded, "voluntary"):
        values["voluntary"] = True
    read_household(question, values)
    values.update(leave_and_visit(question.text))
    if _NOT_INSURED.search(fold(question.text)):
        values["mother_insured"] = False
    return values


def _is_rate(period: Entity, question: Question) -> bool:
    """`1tr5 1 tháng`: the month only says what the amount is counted by."""
    ends = [entity.end for entity in question.entities if entity.name == "amount"]
    return period.value == 1 and any(0 <= period.start - end <= 2 for end in ends)


def _is_monthly(period: Entity, folded: str) -> bool:
    """`1 tháng được bao nhiêu`: what is asked for by the month, no length of time."""
    return period.value == 1 and bool(_BY_THE_MONTH.match(folded[period.end :]))


def _is_level_of_law(entity: Entity, question: Question) -> bool:
    return entity.name == "amount" and bool(_LEVEL_OF_LAW.search(fold(question.text)[: entity.start]))


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
    if asks_about_now(question.text) or _TODAY.search(fold(question.text)):
        return today
    dates = [entity for entity in question.entities if entity.name == "date"]
    births = [entity for entity in dates if is_birth(question, entity)]
    others = [entity for entity in dates if entity not in births]
    events = (births or others) if subject == "maternity" else others
    folded = fold(question.text)
    if subject != "maternity":  # `tham gia trước 2021 thì mấy tuổi được hưởng`: a story as well
        events = [entity for entity in events if not _JOINED.search(folded[: entity.start])]
    if not events:
        return today
    relation = events[0].extra.get("relation")
    spans = any(entity.extra.get("relation") == "until" for entity in events[1:2])  # `đầu năm đến tháng 6`
    if relation in ("from", "until") or spans:
        return today
    day = date.fromisoformat(events[0].extra.get("as_of", events[0].value))
    if relation == "before":
        day = date.fromisoformat(events[0].value) - timedelta(days=1)
    return day if day >= EARLIEST else today
