"""The rules of the queue: who holds a case, what is promised, and what the audit trail records."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import NoReturn

from sqlalchemy.ext.asyncio import AsyncSession

from call_centre import repository
from call_centre.model import (
    AnotherCaseOpen,
    CallCentreError,
    CaseAlreadyClaimed,
    CaseClosed,
    CaseNotClosed,
    CaseNotFound,
    CaseNotYours,
    Escalation,
    InvalidInput,
    NotAllowed,
    OpenedCase,
    Outcome,
    Reason,
    Reply,
    Role,
    State,
)
from call_centre.protocols import Conversations, Outbox, Ownership
from call_centre.repository import Search
from call_centre.tables import Agent, Case
from call_centre.texts import say
from call_centre.working_hours import (
    OFFICE_TIME,
    add_working_minutes,
    is_open,
    may_be_tet,
    next_opening,
    utc_now,
)
from knowledge_base.office import Office
from vietnamese.masking import mask
from vietnamese.text import fold

REPLY_LIMIT = 2_000  # characters; Messenger and Zalo refuse more
TYPING_FOR = timedelta(seconds=15)
UNDO_FOR = timedelta(seconds=10)
WINDOW_WARNING = timedelta(hours=1)
REASON_MINIMUM = 5  # characters
REASON_LIMIT = 200
LABEL_LIMIT = 50  # characters
SCHEDULED = "scheduled"
WORD = re.compile(r"[^\W_]+")
WORD_LIMIT = 100  # characters; PostgreSQL indexes no word over 2,046 bytes
RATING_WAIT = timedelta(days=2)
RATING = re.compile(r"^\W*(?:số\s*)?([1-5])(?:\s*(?:điểm|diem|sao|/\s*5))?\W*$", re.IGNORECASE)


class CaseService:
    """Opens, moves and closes cases; every method works inside the caller's transaction.

    Actions that need the current claim are one conditional UPDATE: when nothing changed somebody else was
    faster, and the error names who.
    """

    def __init__(
        self,
        outbox: Outbox,
        ownership: Ownership,
        conversations: Conversations,
        office: Office,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self.outbox = outbox
        self.ownership = ownership
        self.conversations = conversations
        self.office = office
        self.clock = clock

    # --- what the gateway calls ---

    async def open_case(
        self, session: AsyncSession, conversation_id: str, channel: str, escalation: Escalation
    ) -> OpenedCase:
        """Put a question into the queue; the conversation's open case if it already has one.

        With the reason `answered_outside_console` the case is filed as answered and promises nothing.
        """
        now = self.clock()
        outside = escalation.reason == Reason.ANSWERED_OUTSIDE_CONSOLE
        await self.ownership.lock(session, conversation_id)
        conversation = await self.conversations.view(session, conversation_id)
        due_at = self._due(now)
        case_id = await repository.insert_case(
            session,
            {
                "conversation_id": conversation_id,
                "channel": channel,
                "citizen_key": conversation.citizen_key,
                "citizen_name": conversation.citizen_name,
                "state": State.WAITING,
                "reason": Reason(escalation.reason),
                "summary": mask(escalation.summary),
                "question": mask(escalation.question),
                "intent": escalation.intent,
                "confidence": escalation.confidence,
                "topics": list(escalation.topics),
                "subject": escalation.topics[0].partition(".")[0] if escalation.topics else None,
                "entities": [asdict(entity) | {"text": mask(entity.text)} for entity in escalation.entities],
                "as_of": escalation.as_of,
                "opened_at": now,
                "due_at": due_at,
                "window_closes_at": conversation.window_closes_at,
                "last_citizen_at": now,
                "unread": 1,
            },
        )
        is_new = case_id is not None
        case = await repository.open_case_of(session, conversation_id)
        if case is None:
            raise CaseNotFound(conversation_id=conversation_id)
        if is_new:
            repository.append_event(session, case.id, now, "opened", reason=case.reason)
        await self._index(session, case)
        if outside:
            await repository.mark_answered_outside(session, case.id, now)
            repository.append_event(session, case.id, now, "answered_outside")
            return OpenedCase(case.id, case.number, is_new, "")
        if is_new:
            await self.ownership.wait(session, conversation_id)
        return OpenedCase(case.id, case.number, is_new, await self._promise(session, case, is_new))

    async def citizen_wrote(self, session: AsyncSession, conversation_id: str) -> str | None:
        """Add a citizen's message to the open case; the case number, or None when no case is open."""
        now = self.clock()
        await self.ownership.lock(session, conversation_id)
        conversation = await self.conversations.view(session, conversation_id)
        case_id = await repository.mark_citizen_wrote(
            session, conversation_id, now, self._due(now), conversation.window_closes_at
        )
        if case_id is None:
            return None
        repository.append_event(session, case_id, now, "citizen_wrote")
        case = await self._case(session, case_id)
        await self._index(session, case)
        return case.number

    async def take_rating(self, session: AsyncSession, conversation_id: str, text: str) -> str | None:
        """Record 1 to 5 if the citizen was just asked for it; the sentence of thanks, else None."""
        found = RATING.match(text.strip())
        if found is None:
            return None
        now = self.clock()
        await self.ownership.lock(session, conversation_id)
        case = await repository.case_to_rate(session, conversation_id, now - RATING_WAIT)
        if case is None:
            return None
        case.satisfaction = int(found[1])
        repository.append_event(session, case.id, now, "rated", score=case.satisfaction)
        return self._say("satisfaction_thanks")

    # --- what agents do ---

    async def claim(self, session: AsyncSession, case_id: int, agent_id: str) -> None:
        """Take a waiting case. Raises CaseAlreadyClaimed naming who has it, CaseClosed, CaseNotFound."""
        now = self.clock()
        case = await self._locked(session, case_id)
        if not await repository.claim_case(session, case_id, agent_id, now):
            case = await self._case(session, case_id)
            if case.state == State.CLOSED:
                raise CaseClosed(number=case.number)
            raise CaseAlreadyClaimed(case.number, await self._holder(session, case))
        await self.ownership.give_to_agent(session, case.conversation_id, agent_id)
        repository.append_event(session, case_id, now, "claimed", agent_id)

    async def take_over(
        self, session: AsyncSession, case_id: int, supervisor_id: str, from_agent: str
    ) -> None:
        """Take a case out of a colleague's hands; nothing happens if that colleague no longer has it."""
        await self._move(session, case_id, from_agent, supervisor_id, by=supervisor_id, kind="taken_over")

    async def answer(self, session: AsyncSession, case_id: int, agent_id: str, text: str) -> Reply:
        """Send the citizen an answer, if the agent still holds the case; otherwise keep it as a draft."""
        text = checked_text(text)
        now = self.clock()
        case = await self._locked(session, case_id)
        if not await repository.mark_answered(session, case_id, agent_id, now):
            holder = await self._holder(session, await self._case(session, case_id))
            await repository.save_draft(session, case_id, agent_id, text, now, lost_claim=True)
            repository.append_event(session, case_id, now, "answer_kept", agent_id, holder=holder)
            return Reply(None, holder)
        outbox_id = await self.outbox.enqueue_agent_reply(session, case.conversation_id, text, agent_id)
        await repository.delete_draft(session, case_id, agent_id)
        repository.append_event(session, case_id, now, "answered", agent_id, line=outbox_id)
        await self._index(session, case)
        return Reply(outbox_id)

    async def answer_soon(self, session: AsyncSession, case_id: int, agent_id: str, text: str) -> Reply:
        """Answer after a moment in which the agent can undo it; the claim is checked now and again then."""
        text = checked_text(text)
        case = await self._case(session, case_id)
        if case.claimed_by != agent_id or case.state == State.CLOSED:
            return await self.answer(session, case_id, agent_id, text)
        await repository.delete_draft(session, case_id, agent_id)
        await repository.schedule_reply(session, case_id, agent_id, text, self.clock() + UNDO_FOR)
        return Reply(SCHEDULED)

    async def undo(self, session: AsyncSession, case_id: int, agent_id: str) -> bool:
        """Take back the answers not sent yet, into the agent's draft; whether there were any."""
        taken = [
            reply
            for kept in await repository.scheduled_for(session, case_id)
            if (reply := await repository.take_reply(session, kept.id, agent_id)) is not None
        ]
        if not taken:
            return False
        now = self.clock()
        text = "\n\n".join(text for _, _, text in taken)
        await repository.save_draft(session, case_id, agent_id, text, now)
        repository.append_event(session, case_id, now, "undone", agent_id)
        return True

    async def send_now(self, session: AsyncSession, case_id: int) -> None:
        """Send the answers of a case that still wait to be undone."""
        await self._locked(session, case_id)
        for kept in await repository.scheduled_for(session, case_id):
            await self.send_scheduled(session, kept.id)

    async def send_scheduled(self, session: AsyncSession, reply_id: int) -> None:
        """Send one kept answer, unless it was undone or sent meanwhile."""
        case_id = await repository.case_of_reply(session, reply_id)
        if case_id is None:
            return
        await self._locked(session, case_id)
        taken = await repository.take_reply(session, reply_id)
        if taken is not None:
            await self.answer(session, *taken)

    async def save_draft(self, session: AsyncSession, case_id: int, agent_id: str, text: str) -> None:
        """Keep what the agent is writing; an empty text forgets it."""
        text = unicodedata.normalize("NFC", text.replace("\r\n", "\n"))[:REPLY_LIMIT]
        if text.strip():
            await repository.save_draft(session, case_id, agent_id, text, self.clock())
        else:
            await repository.delete_draft(session, case_id, agent_id)

    async def release(self, session: AsyncSession, case_id: int, agent_id: str) -> None:
        """Put a case back into the queue. Raises CaseNotYours."""
        await self._give_up(session, case_id, agent_id)
        repository.append_event(session, case_id, self.clock(), "released", agent_id)

    async def transfer(
        self,
        session: AsyncSession,
        case_id: int,
        agent_id: str,
        to_agent: str | None = None,
        to_team: int | None = None,
    ) -> None:
        """Give a case to one colleague, or back to the queue of a team. Raises CaseNotYours."""
        if to_agent is not None:
            colleague = await repository.agent(session, to_agent)
            if colleague is None or not colleague.active or to_agent == agent_id:
                raise InvalidInput("unknown_colleague")
            await self._move(session, case_id, agent_id, to_agent, by=agent_id, kind="transferred")
            return
        team = None if to_team is None else await repository.team(session, to_team)
        if team is None:
            raise InvalidInput("unknown_colleague")
        await self._give_up(session, case_id, agent_id, team.id)
        repository.append_event(
            session, case_id, self.clock(), "transferred", agent_id, to=team.id, to_name=team.name
        )

    async def close(self, session: AsyncSession, case_id: int, agent_id: str, outcome: str) -> None:
        """Close a case and give the conversation back to the bot. Raises CaseNotYours, InvalidInput."""
        if outcome not in set(Outcome) - {Outcome.HANDED_BACK, Outcome.MERGED}:
            raise InvalidInput("unknown_outcome")
        await self.send_now(session, case_id)
        asks = outcome in (Outcome.ANSWERED, Outcome.REFERRED)
        case = await self._close(session, case_id, agent_id, outcome, asks)
        if asks:
            await self.outbox.enqueue_system_note(
                session, case.conversation_id, self._say("satisfaction", number=case.number)
            )

    async def hand_back(self, session: AsyncSession, case_id: int, agent_id: str, summary: str) -> None:
        """Give the conversation back to the bot, with a note of what was settled. Raises CaseNotYours."""
        summary = checked_text(summary)
        await self.send_now(session, case_id)
        case = await self._close(session, case_id, agent_id, Outcome.HANDED_BACK, False)
        repository.add_note(session, case_id, agent_id, self.clock(), summary)
        await self.outbox.enqueue_system_note(session, case.conversation_id, self._say("handed_back"))

    async def reopen(self, session: AsyncSession, case_id: int, agent_id: str) -> None:
        """Open a closed case again, held by this agent. Raises CaseNotClosed, AnotherCaseOpen."""
        now = self.clock()
        case = await self._locked(session, case_id)
        other = await repository.open_case_of(session, case.conversation_id)
        if other is not None and other.id != case_id:
            raise AnotherCaseOpen(number=other.number)
        if not await repository.reopen_case(session, case_id, agent_id, now, self._due(now)):
            raise CaseNotClosed(number=case.number)
        await self.ownership.give_to_agent(session, case.conversation_id, agent_id)
        repository.append_event(session, case_id, now, "reopened", agent_id)

    async def note(self, session: AsyncSession, case_id: int, agent_id: str, text: str) -> None:
        """Leave a note for colleagues; needs no claim."""
        now = self.clock()
        repository.add_note(session, case_id, agent_id, now, checked_text(text))
        repository.append_event(session, case_id, now, "noted", agent_id)

    async def label(self, session: AsyncSession, case_id: int, agent_id: str, name: str) -> None:
        """Put a label on a case, made when it is new."""
        name = " ".join(checked_text(name, LABEL_LIMIT).split())
        if await repository.add_label(session, case_id, await repository.label_named(session, name)):
            repository.append_event(session, case_id, self.clock(), "labelled", agent_id, label=name)

    async def unlabel(self, session: AsyncSession, case_id: int, agent_id: str, label_id: int) -> None:
        """Take a label off a case."""
        for label in (await repository.labels_of(session, [case_id])).get(case_id, []):
            if label.id == label_id:
                await repository.remove_label(session, case_id, label_id)
                repository.append_event(
                    session, case_id, self.clock(), "unlabelled", agent_id, label=label.name
                )

    async def merge(self, session: AsyncSession, case_id: int, agent_id: str, into_id: int) -> None:
        """Close a repeated case as part of another of the same citizen, which the agent holds.

        The repeated case may be waiting or the agent's own. Raises CaseNotYours, InvalidInput.
        """
        for conversation_id in sorted(
            {(await self._case(session, one)).conversation_id for one in (case_id, into_id)}
        ):
            await self.ownership.lock(session, conversation_id)
        case, into = await self._case(session, case_id), await self._case(session, into_id)
        same = case.citizen_key is not None and (case.channel, case.citizen_key) == (
            into.channel,
            into.citizen_key,
        )
        if not same or into.id == case_id:
            raise InvalidInput("not_same_citizen")
        if into.claimed_by != agent_id or into.state == State.CLOSED:
            await self._refuse(session, into.id)
        if case.claimed_by not in (None, agent_id):
            await self._refuse(session, case_id)
        now = self.clock()
        if not await repository.merge_case(session, case_id, into.id, now):
            raise CaseClosed(number=case.number)
        await self.ownership.give_to_bot(session, case.conversation_id)
        await self.outbox.enqueue_system_note(
            session, case.conversation_id, self._say("merged", number=case.number, into=into.number)
        )
        repository.append_event(session, case_id, now, "merged", agent_id, into=into.number)
        repository.append_event(session, into.id, now, "merged_here", agent_id, number=case.number)

    async def warn_of_closing_windows(self, session: AsyncSession) -> None:
        """Append one event to each unanswered case whose channel soon stops accepting a reply."""
        now = self.clock()
        for case_id in await repository.window_closing(session, now, now + WINDOW_WARNING):
            repository.append_event(session, case_id, now, "window_closing")

    async def reveal(self, session: AsyncSession, case_id: int, agent: Agent, line_id: str, why: str) -> None:
        """Record that an agent sees one message unmasked, and why.

        For the holder and for supervisors. Raises NotAllowed, InvalidInput, CaseNotFound.
        """
        why = checked_text(why, REASON_LIMIT)
        if len(why) < REASON_MINIMUM:
            raise InvalidInput("reason_short", minimum=REASON_MINIMUM)
        case = await self._case(session, case_id)
        if agent.role == Role.AGENT and (case.claimed_by != agent.id or case.state == State.CLOSED):
            raise NotAllowed()
        transcript = await self.conversations.transcript(session, case.conversation_id)
        if not any(line.id == line_id for line in transcript):
            raise CaseNotFound(case_id=case_id)
        repository.append_event(
            session, case_id, self.clock(), "revealed", agent.id, line=line_id, why=mask(why)
        )

    async def retry(self, session: AsyncSession, case_id: int, agent_id: str, line_id: str) -> None:
        """Send a failed or ambiguous answer again, because the holder decided so. Raises CaseNotYours."""
        case = await self._case(session, case_id)
        if case.claimed_by != agent_id:
            await self._refuse(session, case_id)
        transcript = await self.conversations.transcript(session, case.conversation_id)
        if not any(line.id == line_id and line.status in ("failed", "ambiguous") for line in transcript):
            raise CaseNotFound(case_id=case_id)
        await self.outbox.retry(session, line_id)
        repository.append_event(session, case_id, self.clock(), "retried", agent_id, line=line_id)

    # --- for the pages ---

    async def seen_by(self, session: AsyncSession, case_id: int, agent: Agent) -> Case:
        """The case, if the agent may see it. Raises CaseNotFound."""
        case = await repository.visible_case(session, case_id, agent)
        if case is None:
            raise CaseNotFound(case_id=case_id)
        return case

    async def fingerprint(self, session: AsyncSession, case_id: int, agent_id: str) -> str:
        """Changes whenever a message of the case moves or a colleague starts or stops typing."""
        case = await self._case(session, case_id)
        transcript = await self.conversations.transcript(session, case.conversation_id)
        lines = [(line.id, line.status) for line in transcript[-50:]]
        kept = [reply.id for reply in await repository.scheduled_for(session, case_id)]
        return repr((lines, kept, await self.typing(session, case_id, agent_id)))

    async def typing(self, session: AsyncSession, case_id: int, agent_id: str) -> list[str]:
        """Ids of colleagues who saved a draft of this case within the last seconds."""
        since = self.clock() - TYPING_FOR
        return sorted(
            draft.agent_id
            for draft in await repository.drafts_of(session, case_id)
            if draft.agent_id != agent_id and draft.saved_at > since and not draft.lost_claim
        )

    # --- parts ---

    def _due(self, now: datetime) -> datetime:
        promised = add_working_minutes(self.office, now, self.office.answer_within_minutes)
        return promised or now + timedelta(minutes=self.office.answer_within_minutes)

    def _say(self, key: str, **values: object) -> str:
        you = self.office.address_citizen_as
        return say("citizen", key, you=you, You=you[0].upper() + you[1:], **values)

    async def _promise(self, session: AsyncSession, case: Case, is_new: bool) -> str:
        if case.claimed_by is not None:
            return self._say("in_progress", number=case.number)
        when = self._when(self.clock(), case.due_at)
        if not is_new:
            return self._say("already_open", number=case.number, when=when)
        ahead = await repository.waiting_before(session, case.id)
        if ahead:
            when = f"{self._say('position', ahead=ahead)} {when}"
        return self._say("opened", number=case.number, when=when)

    def _when(self, now: datetime, due_at: datetime) -> str:
        opening = next_opening(self.office, now)
        if opening is None or due_at <= now or may_be_tet(self.office, due_at):
            return self._say("no_time", hotline=self.office.hotline)
        due = due_at.astimezone(OFFICE_TIME)
        promised = {"time": f"{due:%H:%M}", "date": f"{due:%d/%m/%Y}"}
        if is_open(self.office, now):
            return self._say("answer_by", **promised)
        return self._say(
            "answer_by_outside_hours",
            opening_time=f"{opening:%H:%M}",
            opening_date=f"{opening:%d/%m/%Y}",
            **promised,
        )

    async def _case(self, session: AsyncSession, case_id: int) -> Case:
        case = await repository.case(session, case_id)
        if case is None:
            raise CaseNotFound(case_id=case_id)
        return case

    async def _locked(self, session: AsyncSession, case_id: int) -> Case:
        """The case as it is once nobody else changes it or its conversation."""
        await self.ownership.lock(session, (await self._case(session, case_id)).conversation_id)
        return await self._case(session, case_id)

    async def _index(self, session: AsyncSession, case: Case) -> None:
        lines = await self.conversations.transcript(session, case.conversation_id)
        words = (case.number, case.citizen_name or "", case.question, *(line.text for line in lines))
        text = mask("\n".join(words))
        await repository.index_case(
            session, case.id, " ".join(searchable(text)), " ".join(searchable(fold(text)))
        )

    async def index_again(self, session: AsyncSession, cases: Iterable[Case]) -> None:
        """Let search find of these cases what their conversations hold now."""
        for case in cases:
            await self._index(session, case)

    async def _holder(self, session: AsyncSession, case: Case) -> str:
        if case.claimed_by is None:
            return say("names", "nobody")
        return (await repository.agent_names(session))[case.claimed_by]

    async def _refuse(self, session: AsyncSession, case_id: int) -> NoReturn:
        case = await self._case(session, case_id)
        error: CallCentreError
        if case.state == State.CLOSED:
            error = CaseClosed(number=case.number)
        else:
            error = CaseNotYours(number=case.number, holder=await self._holder(session, case))
        raise error

    async def _move(
        self, session: AsyncSession, case_id: int, from_agent: str, to_agent: str, *, by: str, kind: str
    ) -> None:
        now = self.clock()
        case = await self._locked(session, case_id)
        if not await repository.move_claim(session, case_id, from_agent, to_agent, now):
            await self._refuse(session, case_id)
        await self.ownership.give_to_agent(session, case.conversation_id, to_agent)
        names = await repository.agent_names(session)
        repository.append_event(
            session,
            case_id,
            now,
            kind,
            by,
            **{
                "from": from_agent,
                "from_name": names[from_agent],
                "to": to_agent,
                "to_name": names[to_agent],
            },
        )

    async def _give_up(
        self, session: AsyncSession, case_id: int, agent_id: str, to_team: int | None = None
    ) -> None:
        case = await self._locked(session, case_id)
        if not await repository.give_up_claim(session, case_id, agent_id, to_team):
            await self._refuse(session, case_id)
        await self.ownership.wait(session, case.conversation_id)

    async def _close(
        self, session: AsyncSession, case_id: int, agent_id: str, outcome: str, asks: bool
    ) -> Case:
        now = self.clock()
        case = await self._locked(session, case_id)
        if not await repository.close_case(
            session, case_id, agent_id, now, outcome=outcome, satisfaction_asked_at=now if asks else None
        ):
            await self._refuse(session, case_id)
        await self.ownership.give_to_bot(session, case.conversation_id)
        repository.append_event(session, case_id, now, "closed", agent_id, outcome=outcome)
        return case


def searchable(text: str) -> list[str]:
    """The words of a text as the search index keeps them: letters and digits, in lower case."""
    return [word[:WORD_LIMIT] for word in WORD.findall(text.lower())]


def search_for(typed: str) -> Search | None:
    """What a search asks for: every word in any order without accents; in double quotes just as it stands.

    None when there is no word in it.
    """
    typed = unicodedata.normalize("NFC", typed).strip()
    exact = len(typed) > 2 and typed[0] == typed[-1] == '"'
    words = searchable(typed if exact else fold(typed))
    return Search(tuple(words), exact) if words else None


def checked_text(text: str, limit: int = REPLY_LIMIT) -> str:
    """NFC without surrounding space. Raises InvalidInput when it is empty or over `limit` characters."""
    text = unicodedata.normalize("NFC", text.replace("\r\n", "\n")).strip()
    if not text:
        raise InvalidInput("empty_text")
    if len(text) > limit:
        raise InvalidInput("text_too_long", length=len(text), limit=limit)
    return text
