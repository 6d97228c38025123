"""Answers every topic: chooses what was asked, works it out where there is something to work out."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from hashlib import sha256
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.executor import CollectingDispatcher

from bot.actions.context import (
    SHORT,
    asks_to_look_up,
    fits_any_subject,
    names,
    names_a_parent,
    names_another_subject,
    overview,
)
from bot.actions.contributions import (
    MISSING_YEARS,
    VOLUNTARY_CONTRIBUTION,
    YEARS_AHEAD,
    level_income,
)
from bot.actions.conversation import decline
from bot.actions.copayment import COPAY_THRESHOLD
from bot.actions.daily_benefits import (
    COMPULSORY_CONTRIBUTION,
    DAILY_MATERNITY,
    MISCARRIAGE,
    OUTSIDE_LINE,
    SICKNESS,
    TREATMENT_SHARE,
    is_small_child,
)
from bot.actions.escalate import hand_over
from bot.actions.families import Family, Values
from bot.actions.frame import Frame
from bot.actions.health_premiums import HOUSEHOLD_HEALTH, SINGLE_HEALTH, STUDENT_HEALTH, SUPPORTED_HEALTH
from bot.actions.households import added_to
from bot.actions.long_term import (
    ONE_OFF_WITHDRAWAL,
    PENSION,
    RETIREMENT_AGE,
    UNEMPLOYMENT,
    completed_birth,
)
from bot.actions.maternity import (
    FATHER_DAYS,
    FATHER_LEAVE,
    MATERNITY_COMPULSORY,
    MATERNITY_VOLUNTARY,
    RECOVERY_LEAVE,
)
from bot.actions.reading import TOPIC_INTENT, Candidate, Question, read
from bot.actions.slots import answer_day, asks_about_now, values_of
from bot.actions.wording import Reply, Turn, offered, phrase
from knowledge_base.answers import Answer, answer_topic, footer, format_date
from knowledge_base.calculators import calculate
from knowledge_base.errors import InvalidInput, NoValueOnDate
from knowledge_base.loading import knowledge_base
from knowledge_base.topics import Button, Topic
from vietnamese.amounts import format_dong
from vietnamese.text import fold, normalise

# What is asked by "còn bây giờ?" after what was in the past.
OF_NOW = {
    "voluntary.support_history": "voluntary.state_support",
    "voluntary.level_history": "voluntary.contribution_level",
    "voluntary.pension_history": "voluntary.pension_conditions",
    "health.premium_history": "health.household_premium",
    "maternity.second_child_before_change": "maternity.second_child",
}
# Lists of former figures: only for who speaks of the past.
FORMER = ("voluntary.support_history", "voluntary.level_history", "health.premium_history")
# What the voluntary scheme has in place of a benefit of the compulsory one.
OF_THE_VOLUNTARY = {
    "related.sickness": "voluntary.not_covered",
    "related.work_accident": "voluntary.accident_insurance",
    "related.funeral_grant": "voluntary.death_benefits",
    "related.employer_back_payment": "voluntary.back_payment",
    "maternity.recovery_leave": "voluntary.not_covered",
    "maternity.recovery_leave_conditions": "voluntary.not_covered",
}
# What a level of a coming year is announced in.
ANNOUNCED = {
    "voluntary.contribution_level": "voluntary.level_2027",
    "voluntary.calculate": "voluntary.level_2027",
    "voluntary.state_support": "voluntary.level_2027",
}
# Topics whose question fills their calculator in a way of its own.
BY_TOPIC = {
    "voluntary.missing_years": MISSING_YEARS,
    "voluntary.years_ahead": YEARS_AHEAD,
    "health.single_person": SINGLE_HEALTH,
    "pension.age": RETIREMENT_AGE,
    "pension.age_by_birth": RETIREMENT_AGE,
    "maternity.father_leave": FATHER_DAYS,
    "maternity.miscarriage": MISCARRIAGE,
    "health.outside_line": OUTSIDE_LINE,
    "health.central_hospital": OUTSIDE_LINE,
    "health.outside_line_outpatient": OUTSIDE_LINE,
    "health.outside_line_inpatient": OUTSIDE_LINE,
}
BY_CALCULATOR: dict[str, Family] = {
    family.calculator: family
    for family in (
        VOLUNTARY_CONTRIBUTION,
        HOUSEHOLD_HEALTH,
        STUDENT_HEALTH,
        SUPPORTED_HEALTH,
        MATERNITY_COMPULSORY,
        FATHER_LEAVE,
        MATERNITY_VOLUNTARY,
        RECOVERY_LEAVE,
        PENSION,
        ONE_OFF_WITHDRAWAL,
        UNEMPLOYMENT,
        COPAY_THRESHOLD,
        DAILY_MATERNITY,
        SICKNESS,
        COMPULSORY_CONTRIBUTION,
        TREATMENT_SHARE,
    )
}
AMOUNT_ASPECTS = {"pay_level", "receive_level", "calculate"}
BIRTH = {"born", "children", "birth_order", "caesarean", "before_32_weeks"}
CONTINUING = {"inform", "follow_up", "correct"}
logger = logging.getLogger(__name__)
# Chosen on questions not trained on, from the order of harm in the design: see docs/decisions.
ANSWER_ABOVE = 0.27  # the first is answered
CLARIFY_ABOVE = 0.12  # below this for the first, nothing is offered: a person
CONTEXT_ABOVE = 0.05  # a short follow-up is read as a topic of the same subject from here on
SECOND_QUESTION_ABOVE = 0.38  # a message is taken for two questions only when both are this clear
LONGER = 12  # words of a message that only gives a value and asks for the amount
VERY_SHORT = 6  # words of an answer to what was asked back
LIKELIER_IN_CONTEXT = 2  # how much a topic of the subject under discussion gains for a short message
SEVERAL_YEARS = (24, 36, 48, 60)  # months paid at once ahead
CERTAIN = 0.75  # above this no context is needed
_TRAILING = re.compile(
    r"\bthi (?:sao|bao nhieu|bn|nhieu|the nao|nhu the nao|ntn)(?: a| ad| em| vay| v)?[\s?!.]*$"
)
_CONNECTIVE = re.compile(r"^(da |vay |the |con |neu |the con |vay con |roi |a )*(con|the|neu|vay|thi)\b")
_LETTERS = re.compile(r"[^\W_]")
_CORRECTING = re.compile(
    r"^(?:a |da |o )*(?:nham|lon|y (?:em|toi|minh|chau) la|y la|khong phai|ko phai|sorry|xin loi)\b"
)
_YES_OR_NO = re.compile(r"\b(?:duoc|dc|phai|co)\b.*\b(?:khong|ko|k|hong|chua)\b")
_AMOUNT_ASKED = re.compile(
    r"\b(?:bao nhieu|bn|nhieu|may tien|may dong|het may)\b"
    r"(?!\s*(?:ngay|thang|nam|tuan|lan|phan tram|%|tuoi|nguoi|buoi|hon))"
)
_PAY = re.compile(r"\b(?:dong|nop|tra|het|mat|con)\b[^,.;?!]{0,15}\b(?:bao nhieu|bn|nhieu|may)\b")
_PAID_A_PENSION = re.compile(
    r"\b(?:huong|lanh|linh|nhan|an)\b[^,.;?!]{0,16}\b(?:luong huu|huu tri xa hoi|tro cap)\b"
)
_MOVES = re.compile(r"\b(?:tang|nang|giam|ha|doi|chuyen)\b.*\b(?:len|xuong|sang|qua|thanh)\b")
_PAST = re.compile(r"\b(?:truoc|trc|cu|hoi|xua|ngay xua|cac nam|tung|lich su|thay doi|thoi|luc do)\b")
_COMPULSORY = re.compile(r"\b(?:bat buoc|cong ty|cty|cong nhan|xuong|xi nghiep)\b")
_MEANWHILE = re.compile(r"\bthế\b", re.IGNORECASE)  # reads like `thẻ` without its accent
# Leaves that are paid by the day: the amount of a birth is no answer to them.
_SHORT_LEAVE = re.compile(
    r"\b(?:kham thai|say|hu thai|pha thai|thai luu|duong suc|tranh thai|dat vong|triet san)\b"
)
_FATHER_ASKS = re.compile(
    r"\b(?:vo|vk|ba xa) (?:toi|em|minh|e|t)?\b.*\b(?:sinh|de)\b"
    r".*\b(?:toi|minh|em|e|t)\b.*\bluong\b.*\d ngay\b"
    # `vợ sinh mổ, mình lương 10tr`: the salary is the writer's own
    r"|\b(?:vo|vk|ba xa)\b[^.;?!]{0,40}\b(?:sinh|sanh|de|mo)\b.*(?:[,.;]|\b(?:con|va|thi|ma))\s*"
    r"(?:(?:toi|minh|em|e|t|tui) (?:co |dong |muc )*(?:bhxh |bao hiem |bh )*luong"
    r"|luong (?:dong |bhxh |bao hiem |bh |cua )*(?:toi|minh|em|e|t|tui))\b"
)
# `vợ em lương đóng 8 triệu, sinh tháng sau được bao nhiêu`: the mother's benefit, told by the father.
_MOTHERS_SALARY = re.compile(
    r"\b(?:vo|vk|ba xa|con gai|con dau|em gai|chi gai)(?: (?:toi|em|minh|e|t|anh|dang|co|muc|dong|bhxh|bh"
    r"|bao hiem|di lam))* (?:luong|lg)\b"
)
_FATHER_NAMED = re.compile(
    r"\b(?:chong|ck|ong xa|bo|cha|nam|luong (?:toi|em|minh|e|t|anh)"
    r"|(?:toi|em|minh|e|t|anh)(?: (?:duoc|dc))? (?:nghi|huong|nhan|lanh|luong))\b"
)
# What is asked about a day in the past is answered by that day's law or by a person; anything else
# (how to register, which papers) is about now, and the day only belongs to the story.
_DATED_ASPECTS = {"pay_level", "receive_level", "calculate", "support", "duration", "conditions"}
_ASKING = re.compile(r"\?|\b(bao nhieu|bn|nhieu|khong|ko|k|gi|j|nao|ntn|sao|dau|may|chua|bao lau|khi nao)\b")


# Calculators that answer whenever their scheme is asked about with all they need.
SWITCHED_TO = (VOLUNTARY_CONTRIBUTION, HOUSEHOLD_HEALTH, MATERNITY_COMPULSORY, UNEMPLOYMENT)


def family_of(topic: Topic) -> Family | None:
    """How a topic's calculator is filled; None where words alone answer."""
    return BY_TOPIC.get(topic.id) or BY_CALCULATOR.get(topic.calculator or "")


class ActionAnswerTopic(Action):
    """One action for any topic: a new topic needs a YAML file and examples, and no rule."""

    def name(self) -> str:
        return "action_answer_topic"

    def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[dict[str, Any]]:
        reading = read(tracker)
        frame = Frame.of(tracker)
        before, frame.said = frame.said, ""
        turn = Turn(reading.whole, reading.as_of)
        questions = _questions(reading.whole, reading.parts)
        for question in questions:
            reply = _Answering(question, frame, reading.as_of).reply()
            if reply.text not in [said.text for said in turn.replies]:  # `mấy ngày và bao nhiêu tiền`
                turn.replies.append(reply)
        frame.said = sha256("\n".join(reply.text for reply in turn.replies).encode()).hexdigest()
        if frame.said == before and not any(reply.escalate for reply in turn.replies):
            last = turn.replies[-1]
            last.text = f"{last.text}\n\n{phrase('utter_repeated')}"
            last.buttons = [*offered("utter_offer_person"), *last.buttons]
        turn.send(dispatcher)
        return [frame.event()]


def _questions(whole: Question, parts: tuple[Question, ...]) -> list[Question]:
    """The single questions of a message; one unless each part clearly asks about something else."""
    topics = knowledge_base().topics
    about = topics.get(whole.best.detail)
    if about:  # a part leaves unsaid what the whole is about
        parts = tuple(replace(part, ranking=_likelier(part, about.subject)) for part in parts)
    clear = [
        part
        for part in parts
        if part.best.intent == TOPIC_INTENT
        and part.best.confidence >= SECOND_QUESTION_ABOVE
        and _ASKING.search(fold(part.text))
    ]
    labels = {topics[part.best.detail].evaluation_labels[0] for part in clear if part.best.detail in topics}
    return clear[:2] if len(clear) > 1 and len(labels) > 1 else [whole]


def _likelier(question: Question, subject: str) -> tuple[Candidate, ...]:
    """The ranking of a question; where it is short and unclear, topics of the subject gain."""
    words = len(question.text.split())
    if words > SHORT or question.best.confidence >= CERTAIN:
        return question.ranking
    gain = LIKELIER_IN_CONTEXT * (2 if words <= VERY_SHORT else 1)
    topics = knowledge_base().topics
    weighted = [
        replace(candidate, confidence=candidate.confidence * gain)
        if candidate.intent == TOPIC_INTENT and topics[candidate.detail].subject == subject
        else candidate
        for candidate in question.ranking
    ]
    return tuple(sorted(weighted, key=lambda candidate: -candidate.confidence))


def _said(text: str) -> str:
    return normalise(text).strip().lower().rstrip("?.! ")


def topic_said(text: str) -> Topic | None:
    """The topic whose button means exactly this sentence."""
    return next((t for t in knowledge_base().topics.values() if _said(t.button.say) == _said(text)), None)


def adds_to_conversation(tracker: Tracker) -> bool:
    """Whether a message that looks out of scope is a short piece of what is being discussed."""
    frame, whole = Frame.of(tracker), read(tracker).whole
    found = values_of(whole)
    topic = knowledge_base().topics.get(frame.topic or "")
    if frame.asked in found or (topic and fits_any_subject(fold(whole.text))):
        return True
    if "fewer_members" in found and "members" in frame.values:
        return True
    words = len(whole.text.split())
    spoken = _LETTERS.search(fold(whole.text))
    if not topic or not spoken or words > VERY_SHORT or whole.best.confidence >= CERTAIN:
        return False
    related = [c for c in whole.ranking if c.detail in knowledge_base().topics]
    near = related and knowledge_base().topics[related[0].detail].subject == topic.subject
    return bool(found or asks_about_now(whole.text) or near)


def _mother_meant(folded: str) -> bool:
    """Whether the salary told is the mother's and nothing speaks of the father's own benefit."""
    salary = _MOTHERS_SALARY.search(folded)
    around = folded[: salary.start()] + " " + folded[salary.end() :] if salary else ""
    return bool(salary) and not _FATHER_NAMED.search(around)


class _Answering:
    """The reply to one question, read against what was just discussed."""

    def __init__(self, question: Question, frame: Frame, today: date) -> None:
        self.question = question
        self.frame = frame
        self.today = today
        self.folded = fold(question.text)
        self.found = values_of(question)
        self.topics = knowledge_base().topics

    def reply(self) -> Reply:
        """What to say; the frame is brought up to date."""
        offered_before, self.frame.offered = self.frame.offered, []
        asked_before, self.frame.asked = self.frame.asked, None
        current = self.topics.get(self.frame.topic or "")
        tapped = topic_said(self.question.text)
        if tapped:
            return self._answer(tapped, carry=False)
        named = overview(self.folded)
        if named:
            return self._answer(self._of_the_scheme(self.topics[named]), carry=False)
        if self.question.best.intent == "affirm":
            return self._agreed(offered_before)
        if self.question.best.intent == "deny":
            return self._denied(offered_before)
        for topic_id in offered_before:
            family = family_of(self.topics[topic_id])
            if family and family.uses & self.found.keys():
                return self._answer(self.topics[topic_id], carry=False)
        if current and self._continues(current, asked_before):
            return self._follow_up(current)
        return self._choose(offered_before)

    # Reading against the conversation

    def _continues(self, current: Topic, asked: str | None) -> bool:
        """Whether the message only adds to what is being discussed."""
        family = family_of(current)
        gives = bool(family and family.uses & self.found.keys())
        folded = self.folded
        words = len(folded.split())
        best = self._best_topic()
        elsewhere = names_another_subject(fold(_MEANWHILE.sub(" ", self.question.text)), current.subject)
        if asked and asked in self.found:
            stated = not _ASKING.search(folded) and not elsewhere
            return words <= VERY_SHORT or stated or not best or best.scheme == current.scheme
        if self.question.best.intent in CONTINUING or self._fits(current):
            return True
        if gives and "fewer_members" in self.found and "members" in self.frame.values:
            return True
        same_subject = bool(best and best.subject == current.subject)
        only_gives_amount = words <= LONGER and _AMOUNT_ASKED.search(folded) and not names_a_parent(folded)
        if gives and same_subject and not elsewhere and "amount" in self.found and only_gives_amount:
            return True
        if words > SHORT or _YES_OR_NO.search(folded) or not _LETTERS.search(folded):
            return False
        if _CORRECTING.search(folded):
            return gives or bool(self.found)
        unclear = self.question.best.confidence < CERTAIN
        elliptical = bool(_CONNECTIVE.match(folded) or _TRAILING.search(folded)) or words <= 3
        adds = elliptical or not _ASKING.search(folded)
        if gives and (unclear or same_subject or (adds and not elsewhere)):
            return True
        states = bool(self.found) and not _ASKING.search(folded)
        return unclear and (elliptical or (("date" in self.found or states) and not elsewhere))

    def _fits(self, current: Topic) -> bool:
        """Whether the message fits any subject; of a card, `đóng ở đâu` asks where to pay for it."""
        about_a_card = current.subject == "health"
        return fits_any_subject(re.sub(r"\bdong\b", "nop", self.folded) if about_a_card else self.folded)

    def _follow_up(self, current: Topic) -> Reply:
        family = family_of(current)
        if asks_about_now(self.question.text):
            self.frame.values.pop("date", None)
            return self._answer(self.topics[OF_NOW.get(current.id, current.id)], carry=True)
        if "date" in self.found or (family and family.uses & self.found.keys()):
            return self._answer(current, carry=True)
        works_out = self._completed_by_what_was_said(current)
        if works_out:
            return self._answer(works_out, carry=True)
        related = [
            candidate
            for candidate in self.question.ranking
            if candidate.intent == TOPIC_INTENT
            and candidate.confidence >= CONTEXT_ABOVE
            and self.topics[candidate.detail].subject == current.subject
        ]
        if related:
            return self._answer(self.topics[related[0].detail], carry=True)
        if self._fits(current) and current.subject in self.question.by_subject:
            likeliest = self.question.by_subject[current.subject].partition("/")[2]
            return self._answer(self.topics[likeliest], carry=True)
        with_calculator = self._calculating_topic(current.subject)
        if with_calculator:
            return self._answer(with_calculator, carry=True)
        return self._answer(current, carry=True) if self.found else self._choose([])

    def _changed_by_what_was_said(self) -> Iterator[tuple[Topic, Family]]:
        """The topics that work something out from the values just given."""
        for topic in self.topics.values():
            family = family_of(topic)
            if family and family.uses & self.found.keys():
                yield topic, family

    def _completed_by_what_was_said(self, current: Topic) -> Topic | None:
        """The topic of the same scheme that can now work something out from all values given."""
        values = {**self.frame.values, **self.found}
        complete = [
            topic
            for topic, family in self._changed_by_what_was_said()
            if topic.scheme == current.scheme and not family.missing(values)
        ]
        likely = [topic for topic in complete if topic.id in current.next] or complete
        calculating = [topic for topic in likely if topic.aspect == "calculate"]
        return next(iter(calculating or complete), None)

    def _worked_out_alone(self) -> Topic | None:
        """The topic of a subject named without a question, where all it needs is given."""
        return next(
            (
                topic
                for topic, family in self._changed_by_what_was_said()
                if family in SWITCHED_TO
                and topic.aspect == "calculate"
                and names(self.folded, topic.subject)
                and family.needs
                and not family.missing(self.found)
            ),
            None,
        )

    def _calculating_topic(self, subject: str) -> Topic | None:
        """The subject's topic that works out what the values just given change."""
        return next(
            (
                topic
                for topic, _ in self._changed_by_what_was_said()
                if topic.subject == subject and topic.aspect == "calculate"
            ),
            None,
        )

    def _with_figures(self, topic: Topic) -> Topic:
        """The topic that works out an amount, where one is asked for and all it needs is given."""
        folded = self.folded
        if topic.scheme == "maternity" and (
            self.found.get("mother_insured") is False or _FATHER_ASKS.search(folded)
        ):
            topic = self.topics["maternity.father_calculate"]
        elif topic.id == "maternity.father_calculate" and _mother_meant(folded):
            topic = self.topics["maternity.calculate"]
        asks_of_one = topic.aspect in ("who", "pay_level") and not self.found.get("members")
        if topic.subject == "health" and asks_of_one and self._is_about_a_child():
            return self.topics["health.child_under_six"]
        buys_a_card = topic.subject == "health" and topic.aspect in ("pay_level", "calculate")
        if buys_a_card and self.found.get("group") == "poor":
            return self.topics["health.poor_household"]
        paid = self.found.get("amount") and self.found.get("period") and not names(folded, "maternity")
        if topic.scheme == "voluntary_maternity" and paid:
            return self.topics["voluntary.calculate"]
        if topic.id in FORMER and "date" not in self.found and not _PAST.search(folded):
            return self.topics[OF_NOW[topic.id]]
        looked_up = topic.aspect not in AMOUNT_ASPECTS and asks_to_look_up(folded)
        if topic.subject == "health" and looked_up:
            return self.topics["health.card_lookup"]
        several_years = self.found.get("amount") and self.found.get("period") in SEVERAL_YEARS
        if topic.scheme == "voluntary" and several_years and topic.id != "voluntary.missing_years":
            return self.topics["voluntary.years_ahead"]
        if topic.scheme == "voluntary" and topic.aspect == "who":
            if _PAID_A_PENSION.search(folded):
                return self.topics["voluntary.cannot_join"]
            if self.found.get("amount"):
                return self.topics["voluntary.calculate"]
        amounts = [entity for entity in self.question.entities if entity.name == "amount"]
        moves = len(amounts) > 1 and _MOVES.search(folded) and not _AMOUNT_ASKED.search(folded)
        if topic.scheme == "voluntary" and topic.aspect in AMOUNT_ASPECTS and moves:
            return self.topics["voluntary.change_method"]
        asked = _AMOUNT_ASKED.search(folded) or topic.aspect in ("pay_level", "receive_level")
        if topic.calculator or topic.aspect == "calculate" or not asked or _SHORT_LEAVE.search(folded):
            return topic
        if topic.aspect == "support" and not _PAY.search(folded):
            return topic
        for other in self.topics.values():
            family = family_of(other)
            complete = family in SWITCHED_TO and family.needs and not family.missing(self.found)
            if complete and other.scheme == topic.scheme and other.aspect == "calculate":
                return other
        return topic

    def _of_the_scheme(self, topic: Topic) -> Topic:
        """What the voluntary scheme says of it, where that scheme is named or was just discussed."""
        current = self.topics.get(self.frame.topic or "")
        discussed = current and (current.subject == "voluntary" or current.scheme == "voluntary_maternity")
        goes_on = discussed and len(self.folded.split()) <= SHORT
        if (goes_on or names(self.folded, "voluntary")) and not _COMPULSORY.search(self.folded):
            return self.topics[OF_THE_VOLUNTARY.get(topic.id, topic.id)]
        return topic

    def _is_about_a_child(self) -> bool:
        """Whether somebody under six is meant; a very short message leaves out the age told before."""
        short = len(self.folded.split()) <= VERY_SHORT
        return is_small_child({**self.frame.values, **self.found} if short else self.found, self.today)

    def _agreed(self, offered_before: list[str]) -> Reply:
        if offered_before:
            return self._answer(self.topics[offered_before[0]], carry=False)
        return Reply("chitchat", phrase("utter_affirm"))

    def _denied(self, offered_before: list[str]) -> Reply:
        if offered_before:
            return self._not_understood()
        return Reply("asked", phrase("utter_deny"), offered("utter_offer_person"))

    # Choosing a topic

    def _best_topic(self) -> Topic | None:
        best = next((c for c in self.question.ranking if c.intent == TOPIC_INTENT), None)
        return self.topics.get(best.detail) if best else None

    def _in_context(self) -> tuple[Candidate, ...]:
        """The ranking; a short, unclear message is likelier about the subject under discussion."""
        current = self.topics.get(self.frame.topic or "")
        return _likelier(self.question, current.subject) if current else self.question.ranking

    def _choose(self, offered_before: list[str]) -> Reply:
        ranking = self._in_context()
        best = ranking[0]
        if best.intent == "out_of_scope":
            return decline(best.detail)
        topics = [c for c in ranking if c.intent == TOPIC_INTENT and c.detail in self.topics]
        if best.intent == TOPIC_INTENT and best.confidence >= ANSWER_ABOVE:
            topic = self._of_the_scheme(self._with_figures(self.topics[best.detail]))
            return self._answer(topic, carry=False)
        if best.intent in CONTINUING and (works_out := self._worked_out_alone()):
            return self._answer(works_out, carry=False)
        if not topics or best.intent in CONTINUING:
            return self._ask_subject(offered_before)
        if topics[0].confidence < CLARIFY_ABOVE or offered_before:
            return self._not_understood()
        return self._clarify(topics)

    def _clarify(self, candidates: list[Candidate]) -> Reply:
        close = [c for c in candidates[:3] if c.confidence >= CONTEXT_ABOVE]
        topics = [self.topics[candidate.detail] for candidate in close]
        self.frame.offered = [topic.id for topic in topics]
        buttons = [*(topic.button for topic in topics), *offered("utter_offer_person")]
        return Reply("asked", phrase("utter_clarify"), buttons, [topic.id for topic in topics[:2]])

    def _ask_subject(self, offered_before: list[str]) -> Reply:
        if offered_before:
            return self._not_understood()
        buttons = offered("utter_offer_subjects")
        self.frame.offered = [t.id for button in buttons if (t := topic_said(button.say))]
        return Reply("asked", phrase("utter_clarify"), buttons)

    def _not_understood(self) -> Reply:
        said = phrase("utter_not_understood")
        return hand_over(self.question, "not_understood", said)

    # Answering a topic

    def _answer(self, topic: Topic, carry: bool) -> Reply:
        carry = carry or self._leaves_out_what_was_said(topic)
        values = added_to(self.frame.values, self.found) if carry else {**self._birth(topic), **self.found}
        if carry:
            values.update(completed_birth(self.frame.values, self.found))
        self.frame.topic, self.frame.values = topic.id, values
        on = answer_day(self.question, topic.subject, self.today)
        try:
            if topic.scheme == "voluntary" and values.get("amount") is None:
                values.update(level_income(self.question.text, on))
            return self._worked_out(topic, values, on) or self._told(topic, on)
        except NoValueOnDate as error:
            if on > self.today and topic.id in ANNOUNCED:
                return self._told(self.topics[ANNOUNCED[topic.id]], self.today)
            if on < self.today and (topic.aspect not in _DATED_ASPECTS or topic.handling == "uncertain"):
                return self._told(topic, self.today)
            if on > self.today and error.name == topic.id:  # an announcement ends on the day it speaks of
                return self._told(topic, self.today)
            said = phrase("utter_no_figure_for_date", date=format_date(on))
            reply = hand_over(self.question, "uncertain_policy", said)
            reply.topics, reply.as_of = [topic.id], on
            return reply
        except InvalidInput as error:  # values no calculator takes: words still answer
            logger.warning("calculator of %s refused its input: %s", topic.id, error)
            return self._told(topic, on)

    def _birth(self, topic: Topic) -> Values:
        """What is known of the birth under discussion, where a short question leaves it out."""
        current = self.topics.get(self.frame.topic or "")
        same = current and current.subject == topic.subject == "maternity"
        if not same or len(self.folded.split()) > SHORT:
            return {}
        return {name: self.frame.values[name] for name in BIRTH & self.frame.values.keys()}

    def _leaves_out_what_was_said(self, topic: Topic) -> bool:
        """Whether the same calculation goes on, and the message leaves out what it needs."""
        current = self.topics.get(self.frame.topic or "")
        family = family_of(topic)
        return bool(
            current and family and current.calculator == topic.calculator and family.missing(self.found)
        )

    def _worked_out(self, topic: Topic, values: Values, on: date) -> Reply | None:
        """The calculator's answer, or the question back for what it needs; None where words answer."""
        family = family_of(topic)
        if not family:
            return None
        missing = family.missing(values)
        if missing and family.calculator == "household_health" and values.get("member_order"):
            missing = None
        if missing:
            if topic.aspect != "calculate" or not missing[1]:
                return None
            self.frame.asked = missing[0]
            return self._ask_back(topic, missing[1], on)
        if topic.aspect != "calculate" and not family.uses & self.found.keys():
            return None
        result = calculate(family.calculator, family.inputs(values, on), on)
        assumed = [phrase(name) for name in family.assumed(values)]
        lines = list(result.lines)
        people = values.get("members") or 1
        if family in (VOLUNTARY_CONTRIBUTION, SUPPORTED_HEALTH) and result.status == "ok" and people > 1:
            total = format_dong(result.outputs["total_payable"] * people)
            lines.insert(0, phrase("utter_for_people", people=str(people), total=total))
        if assumed and result.status == "ok":
            lines.append(phrase("utter_assumed", assumptions=", ".join(assumed)))
        lines += ["", footer(result.citations, result.as_of, result.reported)]
        buttons = [*offered(f"utter_alternatives_{family.calculator}"), *self._next(topic)]
        reply = Reply(
            "answered",
            "\n".join(lines),
            buttons,
            [topic.id],
            result.citations,
            result.as_of,
        )
        if result.status == "unsure":
            reply.outcome, reply.escalate = "escalated", ("uncertain_policy", self.question.text[:300])
        return reply

    def _ask_back(self, topic: Topic, asks: str, on: date) -> Reply:
        answer = answer_topic(topic.id, on)
        text = f"{answer.text}\n\n{phrase(asks)}"
        return Reply("asked", text, self._next(topic), [topic.id], answer.citations, on)

    def _told(self, topic: Topic, on: date) -> Reply:
        answer = answer_topic(topic.id, on)
        if on < self.today and answer.body == answer_topic(topic.id, self.today).body:
            answer = answer_topic(topic.id, self.today)  # nothing has changed since: the day is left unsaid
        reply = Reply(
            "answered", self._dated(answer), self._next(topic), [topic.id], answer.citations, answer.as_of
        )
        reasons = {
            "personal_record": "personal_record",
            "human": "needs_human",
            "uncertain": "uncertain_policy",
        }
        handling = topic.handling
        if handling == "answer" and topic.aspect == "look_up" and asks_to_look_up(self.folded):
            handling = "personal_record"
        if handling in reasons:
            reply.outcome = "escalated"
            reply.escalate = (reasons[handling], self.question.text[:300])
        return reply

    def _dated(self, answer: Answer) -> str:
        """The answer, opened by its day where that is not today."""
        if answer.as_of == self.today:
            return answer.text
        return f"{phrase('utter_as_of', date=format_date(answer.as_of))}\n{answer.text}"

    def _next(self, topic: Topic) -> list[Button]:
        return [self.topics[id_].button for id_ in topic.next if id_ in self.topics]
