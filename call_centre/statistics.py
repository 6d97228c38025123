"""Figures of the call centre over some days: how many, how fast, by whom, about what, how satisfied."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from call_centre.protocols import TopicTurns
from call_centre.working_hours import OFFICE_TIME


@dataclass(frozen=True)
class CaseRow:
    """What the figures need of a case."""

    opened_at: datetime
    due_at: datetime
    first_answered_at: datetime | None
    closed_at: datetime | None
    answered_by: str | None
    channel: str
    reason: str
    satisfaction: int | None


@dataclass(frozen=True)
class Durations:
    """Waiting times: how many, their median and 90th percentile."""

    count: int
    median: timedelta | None
    ninetieth: timedelta | None


@dataclass(frozen=True)
class AgentFigures:
    """One agent's share."""

    agent_id: str
    answered: int
    first_answer: Durations
    resolution: Durations
    satisfaction: float | None


@dataclass(frozen=True)
class HourFigures:
    """The cases opened in one hour of the day, over all days."""

    hour: int  # 0 to 23
    opened: int
    first_answer: Durations
    resolution: Durations


@dataclass(frozen=True)
class TopicFigures:
    """How often citizens asked about a topic, and how often a person was needed."""

    topic: str  # empty where the bot named none
    answered: int  # by the bot alone
    escalated: int

    @property
    def rate(self) -> float:
        """The share handed to a person, 0 to 1."""
        return self.escalated / (self.answered + self.escalated)


@dataclass(frozen=True)
class Figures:
    """Everything the board shows of a range of days."""

    opened: int
    answered: int
    closed: int
    kept_promises: int  # first answered by the time promised
    first_answer: Durations
    resolution: Durations
    by_agent: Sequence[AgentFigures]
    by_hour: Sequence[HourFigures]
    by_day: dict[date, tuple[int, int]]  # opened, answered
    by_reason: dict[str, int]
    by_topic: Sequence[TopicFigures]  # most often handed over first
    by_score: dict[int, int]  # satisfaction 1 to 5
    satisfaction: float | None = field(default=None)


def nearest_rank(values: Sequence[timedelta], percent: int) -> timedelta | None:
    """The smallest value that at least `percent` % of the values do not exceed."""
    if not values:
        return None
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)]


def durations(values: Iterable[timedelta]) -> Durations:
    """Median and 90th percentile."""
    known = list(values)
    return Durations(len(known), nearest_rank(known, 50), nearest_rank(known, 90))


def first_answer(rows: Iterable[CaseRow]) -> Durations:
    """From opening to the first answer."""
    return durations(row.first_answered_at - row.opened_at for row in rows if row.first_answered_at)


def resolution(rows: Iterable[CaseRow]) -> Durations:
    """From opening to closing."""
    return durations(row.closed_at - row.opened_at for row in rows if row.closed_at)


def mean_score(rows: Iterable[CaseRow]) -> float | None:
    """The mean satisfaction of those who answered."""
    scores = [row.satisfaction for row in rows if row.satisfaction]
    return sum(scores) / len(scores) if scores else None


def figures(rows: Sequence[CaseRow], turns: Mapping[str, TopicTurns], since: date, until: date) -> Figures:
    """The figures of `since` to `until`, both included, in the office's time: of cases and of bot turns."""
    days = {since + timedelta(days=n): (0, 0) for n in range((until - since).days + 1)}
    hours: dict[int, list[CaseRow]] = {hour: [] for hour in range(24)}
    for row in rows:
        opened = row.opened_at.astimezone(OFFICE_TIME)
        hours[opened.hour].append(row)
        so_far = days[opened.date()]
        days[opened.date()] = (so_far[0] + 1, so_far[1] + (row.first_answered_at is not None))
    by_agent = []
    for agent_id in sorted({row.answered_by for row in rows if row.answered_by}):
        own = [row for row in rows if row.answered_by == agent_id]
        by_agent.append(AgentFigures(agent_id, len(own), first_answer(own), resolution(own), mean_score(own)))
    scores = Counter(row.satisfaction for row in rows if row.satisfaction)
    return Figures(
        opened=len(rows),
        answered=sum(row.first_answered_at is not None for row in rows),
        closed=sum(row.closed_at is not None for row in rows),
        kept_promises=sum(
            row.first_answered_at is not None and row.first_answered_at <= row.due_at for row in rows
        ),
        first_answer=first_answer(rows),
        resolution=resolution(rows),
        by_agent=sorted(by_agent, key=lambda one: -one.answered),
        by_hour=[
            HourFigures(hour, len(own), first_answer(own), resolution(own)) for hour, own in hours.items()
        ],
        by_day=days,
        by_reason=dict(Counter(row.reason for row in rows).most_common()),
        by_topic=sorted(
            (TopicFigures(topic, found.answered, found.escalated) for topic, found in turns.items()),
            key=lambda one: (-one.escalated, -one.answered),
        ),
        by_score={score: scores.get(score, 0) for score in range(1, 6)},
        satisfaction=mean_score(rows),
    )
