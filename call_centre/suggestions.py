"""Answers ready to insert: the knowledge base's present wording, and the office's canned answers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from call_centre.model import InvalidInput
from call_centre.tables import Agent, CannedAnswer, Case
from call_centre.texts import say
from knowledge_base.answers import answer_topic
from knowledge_base.errors import NoValueOnDate, UnknownName
from knowledge_base.loading import knowledge_base
from knowledge_base.office import Office

VARIABLES = ("ma_ho_so", "nguoi_dan", "nhan_vien", "tong_dai", "co_quan")
CODE = re.compile(r"[a-z0-9-]{1,32}")


@dataclass(frozen=True)
class Suggestion:
    """A text an agent may insert and edit; `problem` says why there is none."""

    key: str
    title: str
    text: str
    problem: str = ""


def topic_title(topic_id: str) -> str:
    """What a topic is called; the id itself when the knowledge base no longer has it."""
    try:
        return knowledge_base().topic(topic_id).title
    except UnknownName:
        return topic_id


def topic_titles() -> dict[str, list[tuple[str, str]]]:
    """Ids and titles of every topic that has an answer, by subject."""
    by_subject: dict[str, list[tuple[str, str]]] = {}
    for topic in knowledge_base().topics.values():
        if topic.handling == "answer":
            by_subject.setdefault(topic.subject, []).append((topic.id, topic.title))
    return by_subject


def suggest(topic_id: str, on: date) -> Suggestion:
    """The topic's answer as of a day, with its citation."""
    title = topic_title(topic_id)
    try:
        return Suggestion(topic_id, title, answer_topic(topic_id, on).text)
    except NoValueOnDate:
        problem = say("problems", "no_wording_on_date", on=f"{on:%d/%m/%Y}")
        return Suggestion(topic_id, title, "", problem)
    except UnknownName:
        return Suggestion(topic_id, title, "", say("problems", "unknown_topic"))


def check_canned(code: str, text: str) -> None:
    """Raises InvalidInput when a canned answer cannot be stored."""
    if CODE.fullmatch(code) is None:
        raise InvalidInput("bad_code")
    for name in re.findall(r"\{(.*?)\}", text):
        if name not in VARIABLES:
            known = ", ".join(f"{{{variable}}}" for variable in VARIABLES)
            raise InvalidInput("bad_variable", name=name, known=known)


def filled(answers: Sequence[CannedAnswer], case: Case, agent: Agent, office: Office) -> list[Suggestion]:
    """Canned answers with their variables filled for a case."""
    values = {
        "ma_ho_so": case.number,
        "nguoi_dan": case.citizen_name or office.address_citizen_as,
        "nhan_vien": agent.display_name,
        "tong_dai": office.hotline,
        "co_quan": office.name,
    }
    return [
        Suggestion(
            answer.code,
            answer.title,
            re.sub(r"\{(\w+)\}", lambda found: values.get(found[1], found[0]), answer.text),
        )
        for answer in answers
    ]
