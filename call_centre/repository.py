"""Reads and writes the call-centre tables; the only SQL of this package besides tables.py."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    CursorResult,
    Integer,
    and_,
    bindparam,
    delete,
    exists,
    false,
    func,
    literal,
    literal_column,
    not_,
    null,
    or_,
    select,
    text,
    tuple_,
    update,
)
from sqlalchemy import case as either
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from call_centre.model import Outcome, State
from call_centre.statistics import CaseRow
from call_centre.tables import (
    Agent,
    AgentSession,
    Base,
    CannedAnswer,
    Case,
    CaseEvent,
    CaseLabel,
    Draft,
    Label,
    LoginThrottle,
    Note,
    RecoveryCode,
    ScheduledReply,
    Team,
    UtcDateTime,
    case_search,
)

# Written out, not bound: only then does SQLite see that the partial indexes of open cases apply.
IS_OPEN = Case.state != literal_column("'closed'")

# --- cases -------------------------------------------------------------------------------------


def _insert(session: AsyncSession, table: type[Base]) -> postgresql.Insert | sqlite.Insert:
    """An INSERT of the database in use, because ON CONFLICT is not in the common dialect."""
    return postgresql.insert(table) if _is_postgresql(session) else sqlite.insert(table)


def _is_postgresql(session: AsyncSession) -> bool:
    return session.get_bind().dialect.name == "postgresql"


async def insert_case(session: AsyncSession, values: dict[str, Any]) -> int | None:
    """The new case's id; None when the conversation already has an open case."""
    statement = _insert(session, Case).values(**values).on_conflict_do_nothing().returning(Case.id)
    return (await session.execute(statement)).scalar_one_or_none()


async def case(session: AsyncSession, case_id: int) -> Case | None:
    """The case as the database has it now."""
    return await session.get(Case, case_id, populate_existing=True)


async def open_case_of(session: AsyncSession, conversation_id: str) -> Case | None:
    """The conversation's open case."""
    statement = select(Case).where(Case.conversation_id == conversation_id, IS_OPEN)
    return (await session.execute(statement.execution_options(populate_existing=True))).scalar_one_or_none()


async def _change(session: AsyncSession, case_id: int, *conditions: Any, **values: Any) -> bool:
    """One conditional UPDATE: whether the case was as the conditions say, and so was changed."""
    statement = (
        update(Case)
        .where(Case.id == case_id, *conditions)
        .values(**values)
        .execution_options(synchronize_session=False)
    )
    result = await session.execute(statement)
    assert isinstance(result, CursorResult)
    return result.rowcount == 1


def _held_by(agent_id: str) -> tuple[ColumnElement[bool], ...]:
    return (Case.claimed_by == agent_id, IS_OPEN)


async def claim_case(session: AsyncSession, case_id: int, agent_id: str, at: datetime) -> bool:
    """Give an open case that nobody holds to an agent."""
    return await _change(
        session,
        case_id,
        Case.claimed_by.is_(None),
        IS_OPEN,
        state=State.CLAIMED,
        claimed_by=agent_id,
        claimed_at=at,
        unread=0,
    )


async def move_claim(
    session: AsyncSession, case_id: int, from_agent: str, to_agent: str, at: datetime
) -> bool:
    """Pass the claim from the one who holds it to another agent."""
    return await _change(
        session, case_id, *_held_by(from_agent), claimed_by=to_agent, claimed_at=at, state=State.CLAIMED
    )


async def give_up_claim(
    session: AsyncSession, case_id: int, agent_id: str, to_team: int | None = None
) -> bool:
    """Put a held case back into the queue, of a team when one is named."""
    values: dict[str, Any] = {} if to_team is None else {"team_id": to_team}
    return await _change(
        session, case_id, *_held_by(agent_id), state=State.WAITING, claimed_by=None, claimed_at=None, **values
    )


async def mark_answered(session: AsyncSession, case_id: int, agent_id: str, at: datetime) -> bool:
    """Record that the holder answers."""
    return await _change(
        session,
        case_id,
        *_held_by(agent_id),
        state=State.ANSWERED,
        answered_by=agent_id,
        first_answered_at=func.coalesce(Case.first_answered_at, literal(at, UtcDateTime())),
        unread=0,
    )


async def mark_answered_outside(session: AsyncSession, case_id: int, at: datetime) -> bool:
    """Record that staff answered in the channel's own application."""
    return await _change(
        session,
        case_id,
        IS_OPEN,
        state=State.ANSWERED,
        first_answered_at=func.coalesce(Case.first_answered_at, literal(at, UtcDateTime())),
    )


async def mark_citizen_wrote(
    session: AsyncSession,
    conversation_id: str,
    at: datetime,
    due_at: datetime,
    window_closes_at: datetime | None,
) -> int | None:
    """Add a citizen's message to the conversation's open case; its id, or None.

    A case that was answered is due again; one still unanswered keeps the time first promised.
    """
    answered = Case.state == State.ANSWERED
    reopened = either((Case.claimed_by.is_(None), State.WAITING), else_=State.CLAIMED)
    statement = (
        update(Case)
        .where(Case.conversation_id == conversation_id, IS_OPEN)
        .values(
            state=either((answered, reopened), else_=Case.state),
            due_at=either((answered, literal(due_at, UtcDateTime())), else_=Case.due_at),
            unread=Case.unread + 1,
            last_citizen_at=at,
            window_closes_at=window_closes_at,
            window_warned_at=None,
        )
        .returning(Case.id)
        .execution_options(synchronize_session=False)
    )
    return (await session.execute(statement)).scalar_one_or_none()


async def close_case(
    session: AsyncSession,
    case_id: int,
    agent_id: str,
    at: datetime,
    *,
    outcome: str,
    satisfaction_asked_at: datetime | None,
) -> bool:
    """Close a case the agent holds."""
    return await _change(
        session,
        case_id,
        *_held_by(agent_id),
        state=State.CLOSED,
        closed_at=at,
        outcome=outcome,
        satisfaction_asked_at=satisfaction_asked_at,
        unread=0,
    )


async def reopen_case(
    session: AsyncSession, case_id: int, agent_id: str, at: datetime, due_at: datetime
) -> bool:
    """Open a closed case again for one agent."""
    return await _change(
        session,
        case_id,
        Case.state == State.CLOSED,
        state=State.CLAIMED,
        claimed_by=agent_id,
        claimed_at=at,
        due_at=due_at,
        closed_at=None,
        outcome=None,
        satisfaction_asked_at=None,
    )


async def mark_read(session: AsyncSession, case_id: int, agent_id: str) -> bool:
    """The holder has opened the case; whether anything was unread."""
    return await _change(session, case_id, *_held_by(agent_id), Case.unread > 0, unread=0)


async def case_to_rate(session: AsyncSession, conversation_id: str, asked_since: datetime) -> Case | None:
    """The closed case whose satisfaction question is still unanswered."""
    statement = (
        select(Case)
        .where(
            Case.conversation_id == conversation_id,
            Case.state == State.CLOSED,
            Case.satisfaction.is_(None),
            Case.satisfaction_asked_at >= asked_since,
        )
        .order_by(Case.id.desc())
        .limit(1)
    )
    return (await session.execute(statement)).scalar_one_or_none()


NO_TEAM = -1


def visible_to(agent: Agent) -> ColumnElement[bool]:
    """Which cases an agent may see: their own, their team's and nobody's; supervisors see all.

    Evaluation traffic is for supervisors only.
    """
    if agent.role != "agent":
        return Case.id.is_not(None)
    # Said as what is hidden: SQLite then walks a list's own index in order and stops after a page, where an
    # OR of what is visible would gather and sort all of it; PostgreSQL turns it round and estimates it well.
    hidden = and_(
        Case.team_id.is_not(None),
        Case.team_id != (agent.team_id or NO_TEAM),
        or_(Case.claimed_by.is_(None), Case.claimed_by != agent.id),
    )
    return and_(Case.channel != "evaluation", not_(hidden))


async def visible_case(session: AsyncSession, case_id: int, agent: Agent) -> Case | None:
    """The case, if this agent may see it."""
    statement = select(Case).where(Case.id == case_id, visible_to(agent))
    return (await session.execute(statement)).scalar_one_or_none()


async def waiting_before(session: AsyncSession, case_id: int) -> int:
    """How many citizens have waited longer than this case's."""
    statement = (
        select(func.count())
        .select_from(Case)
        .where(Case.state == State.WAITING, Case.id < case_id, Case.channel != "evaluation")
    )
    return (await session.execute(statement)).scalar_one()


PAGE = 50  # cases on one page of a list
COUNTED = 100  # counting stops here: the page says "99+"
NEVER = datetime(9999, 1, 1, tzinfo=UTC)  # a channel whose window does not close sorts last


@dataclass(frozen=True)
class CaseFilter:
    """Which cases a list shows."""

    view: str = "waiting"  # waiting, mine, team, all, closed
    channel: str | None = None
    subject: str | None = None
    reason: str | None = None
    label: int | None = None
    search: Search | None = None


@dataclass(frozen=True)
class Search:
    """Words to find: one after the other with their accents, or all of them anywhere without accents."""

    words: tuple[str, ...]  # letters and digits alone, as `searchable` makes them
    exact: bool


@dataclass(frozen=True)
class CasePage:
    """One page of a list, and the cursor of the next one."""

    cases: Sequence[Case]
    next_cursor: str | None


def _in_view(view: str, agent: Agent) -> tuple[ColumnElement[bool], ...]:
    views: dict[str, tuple[ColumnElement[bool], ...]] = {
        "waiting": (Case.state == State.WAITING,),
        "mine": (Case.claimed_by == agent.id, IS_OPEN),
        "team": (Case.team_id == agent.team_id, IS_OPEN),
        "all": (IS_OPEN,),
        "closed": (Case.state == State.CLOSED,),
        "found": (),
    }
    return views[view]


def _conditions(wanted: CaseFilter, agent: Agent) -> list[ColumnElement[bool]]:
    conditions = [visible_to(agent), *_in_view(wanted.view, agent)]
    if wanted.channel is None:
        conditions.append(Case.channel != "evaluation")
    else:
        conditions.append(Case.channel == wanted.channel)
    if wanted.subject is not None:
        conditions.append(Case.subject == wanted.subject)
    if wanted.reason is not None:
        conditions.append(Case.reason == wanted.reason)
    if wanted.label is not None:
        conditions.append(Case.id.in_(select(CaseLabel.case_id).where(CaseLabel.label_id == wanted.label)))
    return conditions


def _found(session: AsyncSession, search: Search) -> tuple[ColumnElement[int], ColumnElement[bool]]:
    """The search index's case id, and the condition that the case has the words."""
    column = case_search.c.exact if search.exact else case_search.c.folded
    if session.get_bind().dialect.name == "postgresql":
        to_query = func.phraseto_tsquery if search.exact else func.plainto_tsquery
        # Written out, not bound: only then does the planner see how common the words are.
        words: BindParameter[str] = bindparam("words", " ".join(search.words), literal_execute=True)
        return case_search.c.case_id, column.op("@@")(to_query(literal_column("'simple'"), words))
    quoted = f'"{" ".join(search.words)}"' if search.exact else " ".join(f'"{word}"' for word in search.words)
    return case_search.c.rowid, column.op("MATCH")(quoted)


async def list_cases(
    session: AsyncSession, wanted: CaseFilter, agent: Agent, cursor: str | None = None
) -> CasePage:
    """One page of a list: open cases by time promised then by closing window, closed ones newest first,
    search results by newest case.

    Raises ValueError for a cursor this function did not make.
    """
    statement = select(Case).where(*_conditions(wanted, agent)).limit(PAGE + 1)
    if wanted.search is not None:
        case_id, found = _found(session, wanted.search)
        # By the index's own id: SQLite's gives matches in that order and stops after a page.
        statement = statement.join(case_search, case_id == Case.id).where(found).order_by(case_id.desc())
        if cursor is not None:
            statement = statement.where(Case.id < _read_cursor(cursor, 0)[1])
    elif wanted.view == "closed":
        statement = statement.order_by(Case.closed_at.desc(), Case.id.desc())
        if cursor is not None:
            at, last_id = _read_cursor(cursor, 1)
            statement = statement.where(
                tuple_(Case.closed_at, Case.id) < tuple_(literal(at[0], UtcDateTime()), literal(last_id))
            )
    else:
        window = func.coalesce(Case.window_closes_at, literal(NEVER, UtcDateTime()))
        statement = statement.order_by(Case.due_at, window, Case.id)
        if cursor is not None:
            at, last_id = _read_cursor(cursor, 2)
            due, closes = (literal(moment, UtcDateTime()) for moment in at)
            statement = statement.where(
                tuple_(Case.due_at, window, Case.id) > tuple_(due, closes, literal(last_id))
            )
    cases = (await session.execute(statement)).scalars().all()
    if len(cases) <= PAGE:
        return CasePage(cases, None)
    last = cases[PAGE - 1]
    if wanted.search is not None:
        return CasePage(cases[:PAGE], str(last.id))
    moments = (last.closed_at,) if wanted.view == "closed" else (last.due_at, last.window_closes_at or NEVER)
    return CasePage(cases[:PAGE], ",".join([*(f"{m:%Y-%m-%dT%H:%M:%S.%f}" for m in moments), str(last.id)]))


def _read_cursor(cursor: str, moments: int) -> tuple[list[datetime], int]:
    *texts, last_id = cursor.split(",")
    if len(texts) != moments:
        raise ValueError(f"{cursor!r} is not a cursor")
    return [datetime.fromisoformat(text).replace(tzinfo=UTC) for text in texts], int(last_id)


async def count_cases(session: AsyncSession, wanted: CaseFilter, agent: Agent) -> int:
    """How many cases a list holds, counted up to COUNTED."""
    some = select(Case.id).where(*_conditions(wanted, agent)).limit(COUNTED).subquery()
    return (await session.execute(select(func.count()).select_from(some))).scalar_one()


async def cases_of_citizen(session: AsyncSession, case: Case, limit: int = 50) -> Sequence[Case]:
    """The citizen's cases on this channel, newest first; only this one when the citizen is not known."""
    same: ColumnElement[bool] = Case.conversation_id == case.conversation_id
    if case.citizen_key is not None:
        same = and_(Case.channel == case.channel, Case.citizen_key == case.citizen_key)
    return (
        (await session.execute(select(Case).where(same).order_by(Case.id.desc()).limit(limit)))
        .scalars()
        .all()
    )


async def window_closing(session: AsyncSession, at: datetime, until: datetime) -> Sequence[int]:
    """Mark as warned the open, unanswered cases whose channel stops accepting replies before `until`."""
    statement = (
        update(Case)
        .where(
            Case.state.in_((State.WAITING, State.CLAIMED)),
            Case.window_closes_at > at,
            Case.window_closes_at <= until,
            Case.window_warned_at.is_(None),
        )
        .values(window_warned_at=at)
        .returning(Case.id)
        .execution_options(synchronize_session=False)
    )
    return (await session.execute(statement)).scalars().all()


async def merge_case(session: AsyncSession, case_id: int, into: int, at: datetime) -> bool:
    """Close an open case as part of another."""
    return await _change(
        session,
        case_id,
        IS_OPEN,
        state=State.CLOSED,
        closed_at=at,
        outcome="merged",
        merged_into=into,
        unread=0,
    )


def _opened_between(start: datetime, end: datetime) -> tuple[ColumnElement[bool], ...]:
    return (Case.opened_at >= start, Case.opened_at < end, Case.channel != "evaluation")


async def cases_opened(session: AsyncSession, start: datetime, end: datetime) -> Sequence[Case]:
    """The cases opened from `start` up to `end`, oldest first."""
    statement = select(Case).where(*_opened_between(start, end)).order_by(Case.opened_at, Case.id)
    return (await session.execute(statement)).scalars().all()


async def case_rows(session: AsyncSession, start: datetime, end: datetime) -> list[CaseRow]:
    """What the figures need of the cases opened from `start` up to `end`; merged ones are counted once."""
    columns = (Case.opened_at, Case.due_at, Case.first_answered_at, Case.closed_at, Case.answered_by)
    statement = select(*columns, Case.channel, Case.reason, Case.satisfaction).where(
        *_opened_between(start, end), func.coalesce(Case.outcome, "") != Outcome.MERGED
    )
    return [CaseRow(*row) for row in await session.execute(statement)]


async def waiting_now(session: AsyncSession) -> tuple[int, datetime | None]:
    """How many cases wait, and since when the oldest does."""
    statement = select(func.count(), func.min(Case.opened_at)).where(
        Case.state == State.WAITING, Case.channel != "evaluation"
    )
    count, oldest = (await session.execute(statement)).one()
    return count, oldest


async def count_unread(session: AsyncSession, agent: Agent) -> int:
    """How many of the agent's cases have messages the agent has not opened."""
    statement = select(func.count()).where(Case.claimed_by == agent.id, IS_OPEN, Case.unread > 0)
    return (await session.execute(statement)).scalar_one()


# --- the audit trail ---------------------------------------------------------------------------


def append_event(
    session: AsyncSession,
    case_id: int | None,
    at: datetime,
    kind: str,
    agent_id: str | None = None,
    **detail: Any,
) -> None:
    """Add one line to the audit trail."""
    session.add(CaseEvent(case_id=case_id, at=at, agent_id=agent_id, kind=kind, detail=detail))


async def events_of(session: AsyncSession, case_id: int, limit: int = 100) -> Sequence[CaseEvent]:
    """The case's latest events, newest first."""
    statement = (
        select(CaseEvent).where(CaseEvent.case_id == case_id).order_by(CaseEvent.id.desc()).limit(limit)
    )
    return (await session.execute(statement)).scalars().all()


@dataclass(frozen=True)
class EventFilter:
    """Which lines of the audit trail to show."""

    agent_id: str | None = None
    kind: str | None = None
    since: datetime | None = None
    until: datetime | None = None


async def audit(
    session: AsyncSession, wanted: EventFilter, *, before: int | None = None, limit: int = PAGE
) -> Sequence[CaseEvent]:
    """Lines of the audit trail, newest first."""
    conditions: list[ColumnElement[bool]] = []
    if wanted.agent_id is not None:
        conditions.append(CaseEvent.agent_id == wanted.agent_id)
    if wanted.kind is not None:
        conditions.append(CaseEvent.kind == wanted.kind)
    if wanted.since is not None:
        conditions.append(CaseEvent.at >= wanted.since)
    if wanted.until is not None:
        conditions.append(CaseEvent.at < wanted.until)
    if before is not None:
        conditions.append(CaseEvent.id < before)
    statement = select(CaseEvent).where(*conditions).order_by(CaseEvent.id.desc()).limit(limit)
    return (await session.execute(statement)).scalars().all()


async def existing_cases(session: AsyncSession, case_ids: Collection[int]) -> set[int]:
    """Which of these cases are still kept."""
    return set((await session.execute(select(Case.id).where(Case.id.in_(case_ids)))).scalars())


async def last_event_id(session: AsyncSession) -> int:
    """The newest event's id, 0 when there is none."""
    return (await session.execute(select(func.coalesce(func.max(CaseEvent.id), 0)))).scalar_one()


async def case_events_after(session: AsyncSession, event_id: int, limit: int) -> Sequence[CaseEvent]:
    """Events newer than `event_id` that concern a case, oldest first."""
    statement = (
        select(CaseEvent)
        .where(CaseEvent.id > event_id, CaseEvent.case_id.is_not(None))
        .order_by(CaseEvent.id)
        .limit(limit)
    )
    return (await session.execute(statement)).scalars().all()


async def index_case(session: AsyncSession, case_id: int, exact: str, folded: str) -> None:
    """Keep a case's words for searching, in place of the ones before."""
    if session.get_bind().dialect.name == "postgresql":
        words = {
            name: func.to_tsvector(literal_column("'simple'"), text)
            for name, text in (("exact", exact), ("folded", folded))
        }
        statement = postgresql.insert(case_search).values(case_id=case_id, **words)
        await session.execute(statement.on_conflict_do_update(index_elements=["case_id"], set_=words))
    else:
        values = {"rowid": case_id, "exact": exact, "folded": folded}
        await session.execute(sqlite.insert(case_search).prefix_with("OR REPLACE").values(values))


# --- labels ------------------------------------------------------------------------------------


async def labels(session: AsyncSession) -> Sequence[Label]:
    """Every label, by name."""
    return (await session.execute(select(Label).order_by(Label.name))).scalars().all()


async def label_named(session: AsyncSession, name: str) -> int:
    """The label with this name, made when it is new; its id."""
    await session.execute(_insert(session, Label).values(name=name).on_conflict_do_nothing())
    return (await session.execute(select(Label.id).where(Label.name == name))).scalar_one()


async def labels_of(session: AsyncSession, case_ids: Sequence[int]) -> dict[int, list[Label]]:
    """The labels of several cases."""
    rows = await session.execute(
        select(CaseLabel.case_id, Label)
        .join(Label, Label.id == CaseLabel.label_id)
        .where(CaseLabel.case_id.in_(case_ids))
        .order_by(Label.name)
    )
    found: dict[int, list[Label]] = {}
    for case_id, label in rows:
        found.setdefault(case_id, []).append(label)
    return found


async def add_label(session: AsyncSession, case_id: int, label_id: int) -> bool:
    """Whether the case did not carry the label yet."""
    statement = _insert(session, CaseLabel).values(case_id=case_id, label_id=label_id)
    result = await session.execute(statement.on_conflict_do_nothing().returning(CaseLabel.case_id))
    return result.scalar_one_or_none() is not None


async def remove_label(session: AsyncSession, case_id: int, label_id: int) -> None:
    """Take a label off a case."""
    await session.execute(
        delete(CaseLabel).where(CaseLabel.case_id == case_id, CaseLabel.label_id == label_id)
    )


# --- what agents write -------------------------------------------------------------------------


async def notes_of(session: AsyncSession, case_id: int) -> Sequence[Note]:
    """The case's notes, oldest first."""
    return (
        (await session.execute(select(Note).where(Note.case_id == case_id).order_by(Note.id))).scalars().all()
    )


def add_note(session: AsyncSession, case_id: int, agent_id: str, at: datetime, text: str) -> None:
    """Add a note to the case."""
    session.add(Note(case_id=case_id, agent_id=agent_id, at=at, text=text))


async def save_draft(
    session: AsyncSession, case_id: int, agent_id: str, text: str, at: datetime, *, lost_claim: bool = False
) -> None:
    """Keep what an agent is writing; there is one draft per case and agent."""
    values = {"text": text, "saved_at": at, "lost_claim": lost_claim}
    statement = _insert(session, Draft).values(case_id=case_id, agent_id=agent_id, **values)
    await session.execute(
        statement.on_conflict_do_update(index_elements=["case_id", "agent_id"], set_=values)
    )


async def delete_draft(session: AsyncSession, case_id: int, agent_id: str) -> None:
    """Forget a draft that was sent or emptied."""
    await session.execute(delete(Draft).where(Draft.case_id == case_id, Draft.agent_id == agent_id))


async def drafts_of(session: AsyncSession, case_id: int) -> Sequence[Draft]:
    """Every agent's draft for the case."""
    return (await session.execute(select(Draft).where(Draft.case_id == case_id))).scalars().all()


async def schedule_reply(
    session: AsyncSession, case_id: int, agent_id: str, text: str, send_at: datetime
) -> None:
    """Keep an answer until it can no longer be undone."""
    session.add(ScheduledReply(case_id=case_id, agent_id=agent_id, text=text, send_at=send_at))


async def scheduled_for(session: AsyncSession, case_id: int) -> Sequence[ScheduledReply]:
    """The case's answers that can still be undone, oldest first."""
    statement = select(ScheduledReply).where(ScheduledReply.case_id == case_id).order_by(ScheduledReply.id)
    return (await session.execute(statement)).scalars().all()


async def due_reply_ids(session: AsyncSession, at: datetime) -> Sequence[int]:
    """Answers whose time to be undone is over."""
    statement = select(ScheduledReply.id).where(ScheduledReply.send_at <= at).order_by(ScheduledReply.id)
    return (await session.execute(statement)).scalars().all()


async def case_of_reply(session: AsyncSession, reply_id: int) -> int | None:
    """The case a kept answer belongs to; None when it was undone or sent."""
    statement = select(ScheduledReply.case_id).where(ScheduledReply.id == reply_id)
    return (await session.execute(statement)).scalar_one_or_none()


async def take_reply(
    session: AsyncSession, reply_id: int, agent_id: str | None = None
) -> tuple[int, str, str] | None:
    """Remove a kept answer (of this agent, if one is named): case, agent and text; None when another did."""
    mine = () if agent_id is None else (ScheduledReply.agent_id == agent_id,)
    row = (
        await session.execute(
            delete(ScheduledReply)
            .where(ScheduledReply.id == reply_id, *mine)
            .returning(ScheduledReply.case_id, ScheduledReply.agent_id, ScheduledReply.text)
            .execution_options(synchronize_session=False)
        )
    ).one_or_none()
    return None if row is None else (row[0], row[1], row[2])


async def canned_answers(session: AsyncSession, active_only: bool = True) -> Sequence[CannedAnswer]:
    """Prepared answers, by code."""
    statement = select(CannedAnswer).order_by(CannedAnswer.code)
    if active_only:
        statement = statement.where(CannedAnswer.active)
    return (await session.execute(statement)).scalars().all()


async def save_canned_answer(session: AsyncSession, code: str, **values: Any) -> None:
    """Make or change the prepared answer with this code."""
    statement = _insert(session, CannedAnswer).values(code=code, **values)
    await session.execute(statement.on_conflict_do_update(index_elements=["code"], set_=values))


# --- people and sessions -----------------------------------------------------------------------


async def team(session: AsyncSession, team_id: int) -> Team | None:
    """The team with this id."""
    return await session.get(Team, team_id)


async def add_team(session: AsyncSession, name: str) -> None:
    """Make a team, unless there is one of this name."""
    await session.execute(_insert(session, Team).values(name=name).on_conflict_do_nothing())


async def teams(session: AsyncSession) -> Sequence[Team]:
    """Every team, by name."""
    return (await session.execute(select(Team).order_by(Team.name))).scalars().all()


async def agent(session: AsyncSession, agent_id: str) -> Agent | None:
    """The account with this id."""
    return await session.get(Agent, agent_id)


async def agent_named(session: AsyncSession, username: str) -> Agent | None:
    """The account with this user name."""
    return (await session.execute(select(Agent).where(Agent.username == username))).scalar_one_or_none()


async def agents(session: AsyncSession) -> Sequence[Agent]:
    """Every account, by name."""
    return (await session.execute(select(Agent).order_by(Agent.display_name))).scalars().all()


async def agent_names(session: AsyncSession) -> dict[str, str]:
    """Display names by agent id."""
    rows = await session.execute(select(Agent.id, Agent.display_name))
    return {agent_id: display_name for agent_id, display_name in rows}


async def update_agent(session: AsyncSession, agent_id: str, **values: Any) -> None:
    """Change an account."""
    await session.execute(
        update(Agent)
        .where(Agent.id == agent_id)
        .values(**values)
        .execution_options(synchronize_session=False)
    )


async def count_login_failure(
    session: AsyncSession, username: str, at: datetime, *, allowed: int, locked_for: timedelta
) -> tuple[int, datetime | None]:
    """Count one more failure under a typed name; the count, and until when the name is locked.

    One statement counts and locks, so that guesses sent at the same moment cannot slip past each other.
    """
    over = or_(
        LoginThrottle.last_failure_at < literal(at - locked_for, UtcDateTime()),
        func.coalesce(LoginThrottle.locked_until <= literal(at, UtcDateTime()), false()),
    )
    until = literal(at + locked_for, UtcDateTime())
    statement = (
        _insert(session, LoginThrottle)
        .values(username=username, failures=1, last_failure_at=at)
        .on_conflict_do_update(
            index_elements=["username"],
            set_={
                "failures": either((over, 1), else_=LoginThrottle.failures + 1),
                "last_failure_at": at,
                "locked_until": either(
                    (over, null()),
                    (LoginThrottle.locked_until.is_not(None), LoginThrottle.locked_until),
                    (LoginThrottle.failures + 1 >= allowed, until),
                    else_=null(),
                ),
            },
        )
        .returning(LoginThrottle.failures, LoginThrottle.locked_until)
    )
    failures, locked_until = (await session.execute(statement)).one()
    return failures, locked_until


async def clear_throttle(session: AsyncSession, username: str) -> None:
    """Forget the failures of a name that logged in."""
    await session.execute(delete(LoginThrottle).where(LoginThrottle.username == username))


async def session_by_hash(session: AsyncSession, token_hash: str) -> tuple[AgentSession, Agent] | None:
    """A browser session and its agent."""
    statement = (
        select(AgentSession, Agent)
        .join(Agent, Agent.id == AgentSession.agent_id)
        .where(AgentSession.token_hash == token_hash)
    )
    row = (await session.execute(statement)).one_or_none()
    return None if row is None else (row[0], row[1])


async def touch_session(session: AsyncSession, session_id: int, at: datetime) -> None:
    """Remember that a session was used."""
    await session.execute(
        update(AgentSession)
        .where(AgentSession.id == session_id)
        .values(seen_at=at)
        .execution_options(synchronize_session=False)
    )


async def confirm_second_factor(session: AsyncSession, session_id: int, at: datetime) -> None:
    """Remember that a browser session gave the telephone's code."""
    await session.execute(
        update(AgentSession)
        .where(AgentSession.id == session_id)
        .values(second_factor_at=at)
        .execution_options(synchronize_session=False)
    )


async def use_code(session: AsyncSession, agent_id: str, step: int) -> bool:
    """Use up a code's step; False when it, or a later one, was used already."""
    statement = (
        update(Agent)
        .where(Agent.id == agent_id, func.coalesce(Agent.totp_last_step, 0) < step)
        .values(totp_last_step=step)
        .returning(Agent.id)
        .execution_options(synchronize_session=False)
    )
    return (await session.execute(statement)).scalar_one_or_none() is not None


async def replace_recovery_codes(session: AsyncSession, agent_id: str, hashes: Sequence[str]) -> None:
    """Keep these recovery codes of an account instead of any before."""
    await session.execute(delete(RecoveryCode).where(RecoveryCode.agent_id == agent_id))
    session.add_all(RecoveryCode(agent_id=agent_id, code_hash=code_hash) for code_hash in hashes)


async def recovery_codes(session: AsyncSession, agent_id: str) -> Sequence[RecoveryCode]:
    """An account's recovery codes that were not used."""
    statement = select(RecoveryCode).where(RecoveryCode.agent_id == agent_id).order_by(RecoveryCode.id)
    return (await session.execute(statement)).scalars().all()


async def use_recovery_code(session: AsyncSession, code_id: int) -> bool:
    """Use up a recovery code; False when it was used already."""
    statement = delete(RecoveryCode).where(RecoveryCode.id == code_id).returning(RecoveryCode.id)
    return (await session.execute(statement)).scalar_one_or_none() is not None


async def live_sessions(session: AsyncSession, agent_id: str, at: datetime) -> Sequence[AgentSession]:
    """An agent's browser sessions that have not ended, last used first."""
    statement = (
        select(AgentSession)
        .where(
            AgentSession.agent_id == agent_id, AgentSession.revoked_at.is_(None), AgentSession.expires_at > at
        )
        .order_by(AgentSession.seen_at.desc())
    )
    return (await session.execute(statement)).scalars().all()


async def revoke_session(session: AsyncSession, session_id: int, at: datetime, agent_id: str) -> bool:
    """End one browser session of an agent; whether there was one to end."""
    return await _revoke(session, at, AgentSession.id == session_id, AgentSession.agent_id == agent_id) == 1


async def revoke_agent_sessions(
    session: AsyncSession, agent_id: str, at: datetime, keep: int | None = None
) -> None:
    """End an agent's browser sessions, except the one to keep."""
    kept = () if keep is None else (AgentSession.id != keep,)
    await _revoke(session, at, AgentSession.agent_id == agent_id, *kept)


async def _revoke(session: AsyncSession, at: datetime, *conditions: ColumnElement[bool]) -> int:
    statement = (
        update(AgentSession)
        .where(AgentSession.revoked_at.is_(None), *conditions)
        .values(revoked_at=at)
        .execution_options(synchronize_session=False)
    )
    result = await session.execute(statement)
    assert isinstance(result, CursorResult)
    return result.rowcount


# --- what is not kept any longer ---------------------------------------------------------------

WORDS_OF_CASE = (Note, CaseLabel, Draft, ScheduledReply)
MERGED_AT_ONCE = 500  # pages of the search index


def _over(before: datetime) -> ColumnElement[bool]:
    """A closed case to which nothing happened since."""
    since = exists().where(CaseEvent.case_id == Case.id, CaseEvent.at >= before)
    return and_(Case.state == State.CLOSED, Case.closed_at.is_not(None), Case.closed_at < before, ~since)


async def _removed(session: AsyncSession, table: type[Base], *conditions: ColumnElement[bool]) -> int:
    statement = delete(table).where(*conditions).execution_options(synchronize_session=False)
    result = await session.execute(statement)
    assert isinstance(result, CursorResult)
    return result.rowcount


async def _count(session: AsyncSession, table: type[Base], *conditions: ColumnElement[bool]) -> int:
    return (await session.execute(select(func.count()).select_from(table).where(*conditions))).scalar_one()


async def cases_over(
    session: AsyncSession, before: datetime, *, after: int, limit: int
) -> list[tuple[int, str]]:
    """Ids and conversations of closed cases to which nothing happened since, above an id."""
    statement = (
        select(Case.id, Case.conversation_id)
        .where(_over(before), Case.id > after)
        .order_by(Case.id)
        .limit(limit)
    )
    return [(case_id, conversation_id) for case_id, conversation_id in await session.execute(statement)]


async def delete_cases(session: AsyncSession, case_ids: Collection[int], before: datetime) -> int:
    """Delete those of the cases that are over and nobody changes, with all that was written about them.

    The audit trail stays. How many there were.
    """
    unlocked = select(Case.id).where(Case.id.in_(case_ids)).order_by(Case.id)
    locked = (await session.execute(unlocked.with_for_update(skip_locked=True))).scalars().all()
    # Looked at only now that nothing can happen to them meanwhile.
    over = (await session.execute(select(Case.id).where(Case.id.in_(locked), _over(before)))).scalars().all()
    for table in WORDS_OF_CASE:
        await _removed(session, table, table.case_id.in_(over))
    in_index = case_search.c.case_id if _is_postgresql(session) else case_search.c.rowid
    await session.execute(delete(case_search).where(in_index.in_(over)))
    await session.execute(
        update(Case)
        .where(Case.merged_into.in_(over))
        .values(merged_into=None)
        .execution_options(synchronize_session=False)
    )
    return await _removed(session, Case, Case.id.in_(over))


async def cases_kept(
    session: AsyncSession, conversation_ids: Collection[str], before: datetime
) -> Sequence[Case]:
    """The cases of these conversations that are not over."""
    statement = select(Case).where(Case.conversation_id.in_(conversation_ids), not_(_over(before)))
    return (await session.execute(statement.order_by(Case.id))).scalars().all()


async def count_events(session: AsyncSession, before: datetime) -> int:
    """How many lines of the audit trail are older."""
    return await _count(session, CaseEvent, CaseEvent.at < before)


async def delete_events(session: AsyncSession, before: datetime, limit: int) -> int:
    """Delete the oldest lines of the audit trail before a moment; how many there were."""
    oldest = select(CaseEvent.id).where(CaseEvent.at < before).order_by(CaseEvent.at, CaseEvent.id)
    locked = await session.execute(oldest.limit(limit).with_for_update(skip_locked=True))
    return await _removed(session, CaseEvent, CaseEvent.id.in_(locked.scalars().all()))


async def count_sessions(session: AsyncSession, before: datetime) -> int:
    """How many browser sessions expired before a moment."""
    return await _count(session, AgentSession, AgentSession.expires_at < before)


async def delete_sessions(session: AsyncSession, before: datetime) -> int:
    """Delete browser sessions that expired before a moment; how many there were."""
    return await _removed(session, AgentSession, AgentSession.expires_at < before)


def _forgiven(before: datetime, now: datetime) -> tuple[ColumnElement[bool], ...]:
    locked = and_(LoginThrottle.locked_until.is_not(None), LoginThrottle.locked_until > now)
    return LoginThrottle.last_failure_at < before, not_(locked)


async def count_throttles(session: AsyncSession, before: datetime, now: datetime) -> int:
    """How many names had their last failed login before a moment and are not locked."""
    return await _count(session, LoginThrottle, *_forgiven(before, now))


async def delete_throttles(session: AsyncSession, before: datetime, now: datetime) -> int:
    """Forget names whose last failed login was before a moment and that are not locked; how many."""
    return await _removed(session, LoginThrottle, *_forgiven(before, now))


async def compact_search(session: AsyncSession, *, begin: bool) -> bool:
    """Rewrite a part of the search index without what was deleted; whether more is left to do.

    SQLite only marks words as deleted until it merges the parts of its index; PostgreSQL's goes with the row.
    """
    if _is_postgresql(session):
        return False
    changes = select(func.total_changes(type_=Integer))
    before: int = (await session.execute(changes)).scalar_one()
    pages = -MERGED_AT_ONCE if begin else MERGED_AT_ONCE  # negative: all parts become one
    merge = text("INSERT INTO case_search (case_search, rank) VALUES ('merge', :pages)")
    await session.execute(merge, {"pages": pages})
    # As FTS5 has it: less than two rows changed means that nothing was left to merge.
    after: int = (await session.execute(changes)).scalar_one()
    return after - before >= 2
