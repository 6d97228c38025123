"""Works through the inbox: asks Rasa, and writes reply, turn and case in one transaction."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Protocol

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from call_centre.model import Escalation, OpenedCase
from call_centre.protocols import Ownership
from gateway import repository
from gateway.channels.facebook_comments import CommentPolicy, answer_comment, shows_personal_numbers
from gateway.channels.rules import FACEBOOK_COMMENT
from gateway.database import Database, insist, utc_now
from gateway.outbox import StoredOutbox
from gateway.pump import Pump
from gateway.rasa_client import Answer, BotTurn, Handover, RasaClient, RasaFailed, Reply, text_for_rasa
from gateway.signals import INBOX, Signals
from gateway.tables import Conversation, InboxMessage, Turn
from gateway.texts import Texts
from vietnamese.masking import mask
from vietnamese.text import normalise

MAX_ATTEMPTS = 3  # a message that kills its worker this often goes to a person unasked
LEASE_MARGIN = timedelta(seconds=30)  # beyond the longest turn, to write it down
LONGEST_RATING = 16  # characters
LONGEST_TITLE = 100  # characters, of a button

log = structlog.get_logger(__name__)


class Cases(Protocol):
    """What the gateway asks of `call_centre.services.CaseService`."""

    async def open_case(
        self, session: AsyncSession, conversation_id: str, channel: str, escalation: Escalation
    ) -> OpenedCase: ...

    async def citizen_wrote(self, session: AsyncSession, conversation_id: str) -> str | None: ...

    async def take_rating(self, session: AsyncSession, conversation_id: str, text: str) -> str | None: ...


@dataclass(frozen=True)
class Claim:
    """A leased message with its conversation as it was then, and what to ask."""

    message: InboxMessage
    conversation: Conversation
    question: str


@dataclass(frozen=True)
class Failed:
    """The bot gave no usable turn."""

    reason: str


Result = Answer | Failed | None  # None: nobody was asked, an agent answers


class Worker:
    """One message at a time per conversation, in order, several conversations at once."""

    def __init__(
        self,
        *,
        database: Database,
        signals: Signals,
        rasa: RasaClient,
        cases: Cases,
        outbox: StoredOutbox,
        ownership: Ownership,
        texts: Texts,
        comments: CommentPolicy = CommentPolicy(),
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._database = database
        self._signals = signals
        self._rasa = rasa
        self._cases = cases
        self._outbox = outbox
        self._ownership = ownership
        self._texts = texts
        self._comments = comments
        self._clock = clock
        self._lease = timedelta(seconds=rasa.longest_turn_seconds) + LEASE_MARGIN
        self.pump = Pump(INBOX, signals, self._claim, self._process)

    async def _claim(self, limit: int) -> list[Claim]:
        now = self._clock()
        async with self._database.sessions.begin() as session:
            claims = []
            for message, conversation in await repository.claim_inbox(session, now, now + self._lease, limit):
                if message.attempts > 1:
                    # Rasa may have heard it: asked again in the same dialogue it would fill slots twice.
                    await repository.lock_conversation(session, conversation.id)
                    conversation.rasa_conversation_id = repository.new_id()
                    log.warning("message_claimed_again", inbox_id=message.id, attempts=message.attempts)
                claims.append(Claim(message, conversation, message.text))
        return claims

    async def _process(self, claim: Claim) -> None:
        message = claim.message
        lease_until = message.lease_until or self._clock()
        if await insist(partial(self._is_rating, claim), lease_until, self._clock):
            return
        claim = replace(claim, question=await insist(partial(self._meant, message), lease_until, self._clock))
        result = await self._answer(claim)
        # What Rasa said is not to be asked twice: it is written down however long that takes.
        finished = await insist(partial(self._finish, claim, result), lease_until, self._clock)
        log.info(
            "message_done",
            inbox_id=message.id,
            channel=message.channel,
            failure=result.reason if isinstance(result, Failed) else None,
            written=finished,
        )
        self._signals.wake(claim.conversation.id)

    async def _finish(self, claim: Claim, result: Result) -> bool:
        async with self._database.sessions.begin() as session:
            return await self._write(session, claim, result)

    async def _meant(self, message: InboxMessage) -> str:
        """What a message asks: typing the title of a button just offered is a tap on it."""
        typed = message.text.casefold()
        if len(typed) > LONGEST_TITLE:
            return message.text
        async with self._database.readers() as session:
            offered = await repository.just_offered(session, message)
        taps = (button["say"] for button in offered if normalise(button["title"]).casefold() == typed)
        return next(taps, message.text)

    async def _answer(self, claim: Claim) -> Result:
        message, conversation = claim.message, claim.conversation
        if conversation.owner == "agent":
            return None
        if message.kind == "note":
            return Answer((), BotTurn("noted"))
        if message.attempts > MAX_ATTEMPTS:
            return Failed("too_many_attempts")
        if message.kind == "greeting":
            return self._own_words("greeting", "chitchat")
        if message.kind == "attachment":
            waiting = conversation.owner == "waiting"
            return self._own_words("attachment_waiting" if waiting else "attachment")
        question = text_for_rasa(claim.question)
        if not question:
            return self._own_words("empty")
        try:
            return await self._rasa.ask(
                conversation.rasa_conversation_id, question, message.channel, message.as_of
            )
        except RasaFailed as error:
            log.warning("turn_failed", inbox_id=message.id, reason=error.reason)
            return Failed(error.reason)

    def _own_words(self, key: str, outcome: str = "asked") -> Answer:
        return Answer((Reply(self._texts[key]),), BotTurn(outcome))

    async def _is_rating(self, claim: Claim) -> bool:
        """Take a bare mark as the answer to the question how satisfied the citizen was, and thank."""
        message = claim.message
        if len(message.text) > LONGEST_RATING or claim.conversation.owner != "bot":
            return False
        async with self._database.readers() as session:
            if await repository.last_author(session, message.conversation_id) != "system":
                return False
        async with self._database.sessions.begin() as session:
            thanks = await self._cases.take_rating(session, message.conversation_id, message.text)
            if thanks is None:
                return False
            await self._write(session, claim, Answer((Reply(thanks),), BotTurn("chitchat")))
        self._signals.wake(message.conversation_id)
        return True

    async def _write(self, session: AsyncSession, claim: Claim, result: Result) -> bool:
        """Write down what became of a message; False if another worker did so first."""
        message = claim.message
        conversation = await repository.lock_conversation(session, message.conversation_id)
        if result is None and conversation.owner != "agent":
            # Handed back since the claim: now it is the bot's to answer.
            await repository.release_inbox(session, message)
            return False
        if not await repository.finish_inbox(session, message):
            return False
        personal = shows_personal_numbers(message)
        if personal and self._comments.hide_personal:
            await self._outbox.enqueue_public(
                session, conversation, "hide_comment", self._texts["comment_hidden"], message.id
            )
        if conversation.owner != "bot":
            await self._cases.citizen_wrote(session, conversation.id)
        if conversation.owner == "agent" or result is None:
            # What Rasa said to a conversation taken meanwhile is dropped.
            self._record(session, message, BotTurn("with_agent"))
            return True
        failure = result.reason if isinstance(result, Failed) else None
        if isinstance(result, Failed):
            result = self._apology(conversation)
        if conversation.channel == FACEBOOK_COMMENT:
            await answer_comment(
                session,
                self._outbox,
                self._texts,
                self._comments,
                conversation=conversation,
                message=message,
                answer=result,
            )
        else:
            await self._outbox.enqueue_replies(session, conversation, message.id, result.replies)
        self._record(session, message, result.turn, failure)
        handover = result.turn.escalate
        if handover is None and personal:
            handover = Handover("needs_human", self._texts["comment_personal"])
        if handover is not None:
            await self._escalate(session, conversation, claim, result.turn, handover)
        return True

    def _apology(self, conversation: Conversation) -> Answer:
        conversation.rasa_conversation_id = repository.new_id()
        text = self._texts["failure" if conversation.owner == "bot" else "failure_again"]
        escalate = Handover("technical_failure", self._texts["failure_summary"])
        return Answer((Reply(text),), BotTurn("escalated", escalate=escalate))

    async def _escalate(
        self,
        session: AsyncSession,
        conversation: Conversation,
        claim: Claim,
        turn: BotTurn,
        handover: Handover,
    ) -> None:
        opened = await self._cases.open_case(
            session,
            conversation.id,
            conversation.channel,
            Escalation(
                reason=handover.reason,
                summary=handover.summary,
                question=mask(claim.question),
                intent=turn.intent,
                confidence=turn.confidence,
                topics=turn.topics,
                as_of=turn.as_of,
                entities=turn.entities,
            ),
        )
        if conversation.owner == "bot":
            await self._ownership.wait(session, conversation.id)
        # Nobody but the answering agent may use a comment's one private reply.
        if opened.is_new and opened.promise and conversation.channel != FACEBOOK_COMMENT:
            await self._outbox.enqueue_system_note(
                session, conversation.id, opened.promise, in_reply_to=claim.message.id
            )

    def _record(
        self, session: AsyncSession, message: InboxMessage, turn: BotTurn, failure: str | None = None
    ) -> None:
        now = self._clock()
        session.add(
            Turn(
                inbox_id=message.id,
                conversation_id=message.conversation_id,
                outcome=turn.outcome,
                topics=list(turn.topics),
                citations=list(turn.citations),
                as_of=turn.as_of,
                intent=turn.intent,
                confidence=turn.confidence,
                escalation_reason=turn.escalate and turn.escalate.reason,
                failure=failure,
                latency_ms=round((now - message.received_at).total_seconds() * 1000),
                created_at=now,
            )
        )
