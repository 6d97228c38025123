"""Reads and writes the gateway's tables; the only SQL of this package besides tables.py."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import (
    ColumnClause,
    ColumnElement,
    CursorResult,
    Text,
    and_,
    cast,
    delete,
    exists,
    func,
    literal_column,
    not_,
    or_,
    select,
    text,
    tuple_,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from gateway.tables import (
    Base,
    Button,
    ChannelAccount,
    ChannelToken,
    Conversation,
    InboxMessage,
    OutboxAuthor,
    OutboxKind,
    OutboxMessage,
    OutboxStatus,
    Turn,
)

# Partial indexes are used only for literals: a bound parameter proves nothing to the planner.
DONE: ColumnClause[str] = literal_column("'done'")
UNSENT: tuple[ColumnClause[str], ...] = (literal_column("'queued'"), literal_column("'sending'"))
LONGEST_HISTORY = 50  # conversations of one citizen


Citizen = tuple[str, str, str]  # channel, account and the citizen's id there


def new_id() -> str:
    """An id nobody can guess: 32 hexadecimal digits."""
    return uuid4().hex


def _insert(session: AsyncSession, table: type[Base]) -> postgresql.Insert | sqlite.Insert:
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    return insert(table)


async def _changed(session: AsyncSession, statement: Any) -> int:
    result = await session.execute(statement.execution_options(synchronize_session=False))
    assert isinstance(result, CursorResult)
    return result.rowcount


async def ping(session: AsyncSession) -> None:
    """Fail if the database does not answer."""
    await session.execute(text("SELECT 1"))


# --- conversations -----------------------------------------------------------------------------


async def ensure_conversation(
    session: AsyncSession, citizen: Citizen, wrote_at: datetime, now: datetime
) -> Conversation:
    """The citizen's conversation, made if needed, locked until the transaction ends."""
    return (await ensure_conversations(session, {citizen: wrote_at}, now))[citizen]


async def ensure_conversations(
    session: AsyncSession, wrote_at: Mapping[Citizen, datetime], now: datetime
) -> dict[Citizen, Conversation]:
    """The citizens' conversations, made if needed, locked until the transaction ends."""
    found = await _lock_conversations_of(session, wrote_at.keys())
    # Everybody locks and inserts in the same order, or two who do so at once would wait for each other.
    missing = sorted(wrote_at.keys() - found.keys())
    if missing:
        rows = [
            {
                "id": new_id(),
                "channel": channel,
                "account": account,
                "citizen_id": citizen_id,
                "owner": "bot",
                "rasa_conversation_id": new_id(),
                "last_citizen_at": wrote_at[channel, account, citizen_id],
                "created_at": now,
            }
            for channel, account, citizen_id in missing
        ]
        await session.execute(_insert(session, Conversation).on_conflict_do_nothing(), rows)
        found |= await _lock_conversations_of(session, missing)
    return found


async def _lock_conversations_of(
    session: AsyncSession, citizens: Collection[Citizen]
) -> dict[Citizen, Conversation]:
    columns = (Conversation.channel, Conversation.account, Conversation.citizen_id)
    statement = select(Conversation).where(tuple_(*columns).in_(list(citizens)))
    rows = (await session.execute(statement.order_by(Conversation.id).with_for_update())).scalars()
    return {(row.channel, row.account, row.citizen_id): row for row in rows}


async def find_conversation(
    session: AsyncSession, channel: str, account: str, citizen_id: str
) -> Conversation | None:
    statement = select(Conversation).where(
        Conversation.channel == channel,
        Conversation.account == account,
        Conversation.citizen_id == citizen_id,
    )
    return (await session.execute(statement)).scalar_one_or_none()


async def conversations_of_citizen(session: AsyncSession, channel: str, citizen_key: str) -> Sequence[str]:
    """Ids of one citizen's conversations within a channel, newest first; each comment is one of its own."""
    whose = or_(
        Conversation.citizen_id == citizen_key,
        Conversation.citizen_id.startswith(f"{citizen_key}/", autoescape=True),
    )
    statement = (
        select(Conversation.id)
        .where(Conversation.channel == channel, whose)
        .order_by(Conversation.last_citizen_at.desc())
        .limit(LONGEST_HISTORY)
    )
    return (await session.execute(statement)).scalars().all()


async def conversation(session: AsyncSession, conversation_id: str) -> Conversation:
    """Raises NoResultFound."""
    return (
        await session.execute(select(Conversation).where(Conversation.id == conversation_id))
    ).scalar_one()


async def lock_conversation(session: AsyncSession, conversation_id: str) -> Conversation:
    """The conversation as it is now; nobody else changes it or writes to it until the transaction ends.

    Raises NoResultFound.
    """
    statement = select(Conversation).where(Conversation.id == conversation_id).with_for_update()
    return (await session.execute(statement.execution_options(populate_existing=True))).scalar_one()


# --- inbox -------------------------------------------------------------------------------------


async def insert_inbox(
    session: AsyncSession, rows: Sequence[Mapping[str, object]]
) -> dict[tuple[str, str, str], int]:
    """Store messages in their order; the new rows' ids by channel, account and message id.

    A message that was accepted before, or stands twice among the rows, is left as it is.
    """
    statement = (
        _insert(session, InboxMessage)
        .on_conflict_do_nothing()
        .returning(InboxMessage.channel, InboxMessage.account, InboxMessage.message_id, InboxMessage.id)
    )
    given = [{"status": "pending", "attempts": 0, **row} for row in rows]
    found = await session.execute(statement, given)
    return {(channel, account, message_id): id for channel, account, message_id, id in found}


async def inbox_by_message_id(
    session: AsyncSession, channel: str, account: str, message_id: str
) -> InboxMessage:
    """Raises NoResultFound."""
    statement = select(InboxMessage).where(
        InboxMessage.channel == channel,
        InboxMessage.account == account,
        InboxMessage.message_id == message_id,
    )
    return (await session.execute(statement)).scalar_one()


async def claim_inbox(
    session: AsyncSession, now: datetime, lease_until: datetime, limit: int
) -> list[tuple[InboxMessage, Conversation]]:
    """The oldest messages nobody works on and nothing of their conversation stands before; leased.

    A lease that ran out (its process died) is given to the next who asks.
    """
    earlier = aliased(InboxMessage)
    blocked = exists().where(
        earlier.conversation_id == InboxMessage.conversation_id,
        earlier.id < InboxMessage.id,
        earlier.status != DONE,
    )
    statement = (
        select(InboxMessage, Conversation)
        .join(Conversation, Conversation.id == InboxMessage.conversation_id)
        .where(
            InboxMessage.status != DONE,
            or_(InboxMessage.status == "pending", InboxMessage.lease_until <= now),
            ~blocked,
        )
        .order_by(InboxMessage.id)
        .limit(limit)
        .with_for_update(of=InboxMessage, skip_locked=True)
    )
    found = [(message, conversation) for message, conversation in await session.execute(statement)]
    for message, _ in found:
        message.status = "processing"
        _lease(message, lease_until)
    return found


def _lease(row: InboxMessage | OutboxMessage, until: datetime) -> None:
    """Another attempt; whoever makes it has the row until then."""
    row.attempts += 1
    row.lease_until = until


async def finish_inbox(session: AsyncSession, message: InboxMessage) -> bool:
    """Mark a claimed message as done; False if somebody else claimed it meanwhile."""
    statement = (
        update(InboxMessage)
        .where(
            InboxMessage.id == message.id,
            InboxMessage.status == "processing",
            InboxMessage.attempts == message.attempts,
        )
        .values(status="done", lease_until=None)
    )
    return await _changed(session, statement) == 1


async def release_inbox(session: AsyncSession, message: InboxMessage) -> None:
    """Give a claimed message back, to be claimed anew."""
    statement = (
        update(InboxMessage)
        .where(
            InboxMessage.id == message.id,
            InboxMessage.status == "processing",
            InboxMessage.attempts == message.attempts,
        )
        .values(status="pending", lease_until=None)
    )
    await _changed(session, statement)


async def end_leases(session: AsyncSession, now: datetime) -> None:
    """Let everything in work be claimed anew: for a start when no other process can be at work."""
    await _changed(
        session,
        update(InboxMessage)
        .where(InboxMessage.status != DONE, InboxMessage.status == "processing")
        .values(lease_until=now),
    )
    await _changed(
        session,
        update(OutboxMessage)
        .where(OutboxMessage.status.in_(UNSENT), OutboxMessage.status == "sending")
        .values(lease_until=now),
    )


async def unfinished(session: AsyncSession, conversation_id: str) -> bool:
    """Whether a message of the conversation still waits for its answer."""
    statement = select(
        exists().where(InboxMessage.conversation_id == conversation_id, InboxMessage.status != DONE)
    )
    return bool((await session.execute(statement)).scalar_one())


# --- turns and buttons -------------------------------------------------------------------------


async def turn_of(session: AsyncSession, inbox_id: int) -> Turn | None:
    return await session.get(Turn, inbox_id)


async def outcomes_by_topics(
    session: AsyncSession, start: datetime, end: datetime
) -> list[tuple[list[str], str, int]]:
    """How many turns from `start` up to `end` had which topics and outcome; evaluation left out."""
    topics = cast(Turn.topics, Text)  # PostgreSQL does not group by JSON
    statement = (
        select(topics, Turn.outcome, func.count())
        .join(Conversation, Conversation.id == Turn.conversation_id)
        .where(Turn.created_at >= start, Turn.created_at < end, Conversation.channel != "evaluation")
        .group_by(topics, Turn.outcome)
    )
    return [(json.loads(names), outcome, count) for names, outcome, count in await session.execute(statement)]


async def replies_to(session: AsyncSession, inbox_id: int) -> Sequence[OutboxMessage]:
    """What was written in answer to one message, in order."""
    statement = select(OutboxMessage).where(OutboxMessage.in_reply_to == inbox_id).order_by(OutboxMessage.id)
    return (await session.execute(statement)).scalars().all()


async def just_offered(session: AsyncSession, message: InboxMessage) -> list[dict[str, str]]:
    """The buttons `{title, say, token}` under the answer to the citizen's previous message."""
    previous = (
        select(InboxMessage.id)
        .where(InboxMessage.conversation_id == message.conversation_id, InboxMessage.id < message.id)
        .order_by(InboxMessage.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    statement = select(OutboxMessage.buttons).where(OutboxMessage.in_reply_to == previous)
    return [button for buttons in (await session.execute(statement)).scalars() for button in buttons]


async def button_sentence(session: AsyncSession, conversation_id: str, token: str) -> str | None:
    """What a button of this conversation says."""
    statement = select(Button.say).where(Button.token == token, Button.conversation_id == conversation_id)
    return (await session.execute(statement)).scalar_one_or_none()


async def sentence_of_account(session: AsyncSession, channel: str, account: str, token: str) -> str | None:
    """What a button says that was offered on this account; a private reply offers them to a commenter."""
    offered_on = (channel, "facebook_comment") if channel == "messenger" else (channel,)
    statement = (
        select(Button.say)
        .join(Conversation, Conversation.id == Button.conversation_id)
        .where(
            Button.token == token,
            Conversation.channel.in_(offered_on),
            Conversation.account == account,
        )
    )
    return (await session.execute(statement)).scalar_one_or_none()


# --- outbox ------------------------------------------------------------------------------------


async def insert_outbox(
    session: AsyncSession,
    conversation: Conversation,
    author: OutboxAuthor,
    text: str,
    now: datetime,
    *,
    sent: bool,
    kind: OutboxKind = "message",
    platform_message_id: str | None = None,
    agent_id: str | None = None,
    in_reply_to: int | None = None,
    buttons: Sequence[dict[str, str]] = (),
) -> OutboxMessage:
    """A message at the end of a locked conversation; `sent` where storing it is all there is to do."""
    row = OutboxMessage(
        conversation_id=conversation.id,
        in_reply_to=in_reply_to,
        author=author,
        kind=kind,
        agent_id=agent_id,
        text=text,
        buttons=list(buttons),
        status="sent" if sent else "queued",
        platform_message_id=platform_message_id,
        attempts=0,
        created_at=now,
        sent_at=now if sent else None,
    )
    session.add(row)
    session.add_all(
        Button(
            token=button["token"],
            conversation_id=conversation.id,
            title=button["title"],
            say=button["say"],
            created_at=now,
        )
        for button in buttons
    )
    await session.flush()
    return row


async def last_author(session: AsyncSession, conversation_id: str) -> OutboxAuthor | None:
    """Who wrote last to the citizen."""
    statement = (
        select(OutboxMessage.author)
        .where(OutboxMessage.conversation_id == conversation_id)
        .order_by(OutboxMessage.id.desc())
        .limit(1)
    )
    return (await session.execute(statement)).scalar_one_or_none()


async def claim_outbox(
    session: AsyncSession, channels: Sequence[str], now: datetime, lease_until: datetime, limit: int
) -> list[tuple[OutboxMessage, Conversation]]:
    """The oldest messages of these channels due for sending and first of their conversation; leased."""
    earlier = aliased(OutboxMessage)
    blocked = exists().where(
        earlier.conversation_id == OutboxMessage.conversation_id,
        earlier.id < OutboxMessage.id,
        earlier.status.in_(UNSENT),
    )
    held = exists().where(
        ChannelAccount.channel == Conversation.channel,
        ChannelAccount.account == Conversation.account,
        ChannelAccount.held_until > now,
    )
    statement = (
        select(OutboxMessage, Conversation)
        .join(Conversation, Conversation.id == OutboxMessage.conversation_id)
        .where(
            OutboxMessage.status.in_(UNSENT),
            OutboxMessage.status == "queued",
            Conversation.channel.in_(channels),
            or_(OutboxMessage.not_before.is_(None), OutboxMessage.not_before <= now),
            ~blocked,
            ~held,
        )
        .order_by(OutboxMessage.id)
        .limit(limit)
        .with_for_update(of=OutboxMessage, skip_locked=True)
    )
    found = [(row, conversation) for row, conversation in await session.execute(statement)]
    for row, _ in found:
        row.status = "sending"
        _lease(row, lease_until)
    return found


async def settle_outbox(
    session: AsyncSession, row: OutboxMessage, status: OutboxStatus, **values: object
) -> bool:
    """Record how a claimed sending ended; False if its lease had run out and it was settled otherwise."""
    statement = (
        update(OutboxMessage)
        .where(
            OutboxMessage.id == row.id,
            OutboxMessage.status == "sending",
            OutboxMessage.attempts == row.attempts,
        )
        .values(status=status, lease_until=None, **values)
    )
    return await _changed(session, statement) == 1


async def doubt_interrupted_sendings(
    session: AsyncSession, now: datetime, review_at: datetime, error: str
) -> int:
    """Mark what was being sent when its process died: it may have arrived, so it is not sent again."""
    statement = (
        update(OutboxMessage)
        .where(
            OutboxMessage.status.in_(UNSENT),
            and_(OutboxMessage.status == "sending", OutboxMessage.lease_until <= now),
        )
        .values(status="ambiguous", lease_until=None, error=error, review_at=review_at)
    )
    return await _changed(session, statement)


async def requeue(session: AsyncSession, outbox_id: int) -> str | None:
    """Queue a failed or ambiguous message again; its conversation, or None if it is neither."""
    statement = (
        update(OutboxMessage)
        .where(OutboxMessage.id == outbox_id, OutboxMessage.status.in_(("failed", "ambiguous")))
        .values(status="queued", error=None, not_before=None, review_at=None)
        .returning(OutboxMessage.conversation_id)
    )
    return (await session.execute(statement)).scalar_one_or_none()


async def claim_review(
    session: AsyncSession, now: datetime, lease_until: datetime, limit: int
) -> Sequence[OutboxMessage]:
    """Messages whose failure or doubt is to be shown to a person; given out again if that fails."""
    statement = (
        select(OutboxMessage)
        .where(OutboxMessage.review_at.is_not(None), OutboxMessage.review_at <= now)
        .order_by(OutboxMessage.review_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    rows = (await session.execute(statement)).scalars().all()
    for row in rows:
        row.review_at = lease_until
    return rows


async def outbox_row(session: AsyncSession, outbox_id: int) -> OutboxMessage | None:
    """The row as it is now."""
    return await session.get(OutboxMessage, outbox_id, populate_existing=True)


async def question_of(session: AsyncSession, row: OutboxMessage) -> str:
    """The citizen's words that a message answers; the last ones where it answers none in particular."""
    statement = select(InboxMessage.text).where(InboxMessage.conversation_id == row.conversation_id)
    if row.in_reply_to is not None:
        statement = statement.where(InboxMessage.id == row.in_reply_to)
    found = await session.execute(statement.order_by(InboxMessage.id.desc()).limit(1))
    return found.scalar_one_or_none() or ""


async def find_written(session: AsyncSession, account: str, platform_message_id: str) -> OutboxMessage | None:
    """The message of this account that the platform knows under this id."""
    statement = (
        select(OutboxMessage)
        .join(Conversation, Conversation.id == OutboxMessage.conversation_id)
        .where(OutboxMessage.platform_message_id == platform_message_id, Conversation.account == account)
        .limit(1)
    )
    return (await session.execute(statement)).scalar_one_or_none()


async def unconfirmed(
    session: AsyncSession, conversation_id: str, text: str, since: datetime
) -> OutboxMessage | None:
    """The oldest message with exactly this text that left, or may have, without the platform naming it."""
    statement = (
        select(OutboxMessage)
        .where(
            OutboxMessage.conversation_id == conversation_id,
            OutboxMessage.text == text,
            OutboxMessage.attempts > 0,
            OutboxMessage.status.in_(("queued", "sending", "ambiguous")),
            OutboxMessage.platform_message_id.is_(None),
            # One that was held up for long before it left is still on its way, or its doubt not yet reviewed.
            or_(
                OutboxMessage.created_at >= since,
                OutboxMessage.status == "sending",
                OutboxMessage.review_at.is_not(None),
            ),
        )
        .order_by(OutboxMessage.id)
        .limit(1)
    )
    return (await session.execute(statement)).scalar_one_or_none()


async def was_written_to(session: AsyncSession, message: OutboxMessage) -> bool:
    """Whether another message of the conversation reached the citizen, or may have."""
    statement = select(
        exists().where(
            OutboxMessage.conversation_id == message.conversation_id,
            OutboxMessage.id != message.id,
            OutboxMessage.kind == "message",
            OutboxMessage.status.in_(("sent", "delivered", "seen", "ambiguous")),
        )
    )
    return bool((await session.execute(statement)).scalar_one())


async def reply_failed(session: AsyncSession, message: OutboxMessage) -> bool:
    """Whether the reply that a public line points to was refused."""
    statement = select(
        exists().where(
            OutboxMessage.in_reply_to == message.in_reply_to,
            OutboxMessage.kind == "message",
            OutboxMessage.author == "bot",
            OutboxMessage.status == "failed",
        )
    )
    return bool((await session.execute(statement)).scalar_one())


async def outbox_of_account(session: AsyncSession, account: str, outbox_id: int) -> OutboxMessage | None:
    """A message written from this account."""
    statement = (
        select(OutboxMessage)
        .join(Conversation, Conversation.id == OutboxMessage.conversation_id)
        .where(OutboxMessage.id == outbox_id, Conversation.account == account)
    )
    return (await session.execute(statement)).scalar_one_or_none()


async def is_sending(session: AsyncSession, conversation_id: str) -> bool:
    """Whether something of the conversation is on its way to the platform at this moment."""
    statement = select(
        exists().where(
            OutboxMessage.conversation_id == conversation_id,
            OutboxMessage.status.in_(UNSENT),
            OutboxMessage.status == "sending",
        )
    )
    return bool((await session.execute(statement)).scalar_one())


async def confirm(session: AsyncSession, outbox_id: int, platform_message_id: str, at: datetime) -> bool:
    """Record that the platform has a message, whatever we believed; False if it was known to be sent."""
    statement = (
        update(OutboxMessage)
        .where(
            OutboxMessage.id == outbox_id,
            OutboxMessage.status.in_(("queued", "sending", "ambiguous", "failed")),
        )
        .values(
            status="sent",
            platform_message_id=platform_message_id,
            sent_at=at,
            error=None,
            lease_until=None,
            review_at=None,
        )
    )
    return await _changed(session, statement) == 1


async def mark_delivered(session: AsyncSession, conversation_id: str, message_ids: Sequence[str]) -> None:
    """Record that these messages reached the citizen's device."""
    statement = (
        update(OutboxMessage)
        .where(
            OutboxMessage.conversation_id == conversation_id,
            OutboxMessage.platform_message_id.in_(message_ids),
            OutboxMessage.status == "sent",
        )
        .values(status="delivered")
    )
    await _changed(session, statement)


async def mark_seen(session: AsyncSession, conversation_id: str, until: datetime) -> None:
    """Record that the citizen has read everything sent up to a moment."""
    statement = (
        update(OutboxMessage)
        .where(
            OutboxMessage.conversation_id == conversation_id,
            OutboxMessage.status.in_(("sent", "delivered")),
            OutboxMessage.sent_at <= until,
        )
        .values(status="seen")
    )
    await _changed(session, statement)


# --- accounts of platform channels -------------------------------------------------------------


async def hold_account(
    session: AsyncSession,
    channel: str,
    account: str,
    *,
    now: datetime,
    until: datetime | None,
    problem: str,
    needs_administrator: bool,
) -> None:
    """Record what is wrong with an account, and until when nothing is sent from it."""
    values = {
        "held_until": until,
        "problem": problem,
        "problem_at": now,
        "needs_administrator": needs_administrator,
    }
    await session.execute(
        _insert(session, ChannelAccount)
        .values(channel=channel, account=account, **values)
        .on_conflict_do_update(index_elements=["channel", "account"], set_=values)
    )


async def release_account(session: AsyncSession, channel: str, account: str) -> None:
    """A message got through: whatever was wrong with the account is over."""
    statement = (
        update(ChannelAccount)
        .where(
            ChannelAccount.channel == channel,
            ChannelAccount.account == account,
            ChannelAccount.problem.is_not(None),
        )
        .values(held_until=None, problem=None, problem_at=None, needs_administrator=False)
    )
    await _changed(session, statement)


async def note_webhook(session: AsyncSession, channel: str, account: str, now: datetime) -> None:
    """Record that the platform called."""
    await session.execute(
        _insert(session, ChannelAccount)
        .values(channel=channel, account=account, last_webhook_at=now, needs_administrator=False)
        .on_conflict_do_update(index_elements=["channel", "account"], set_={"last_webhook_at": now})
    )


async def accounts(session: AsyncSession) -> Sequence[ChannelAccount]:
    """Every account that ever received or held something."""
    statement = select(ChannelAccount).order_by(ChannelAccount.channel, ChannelAccount.account)
    return (await session.execute(statement)).scalars().all()


async def channel_token(
    session: AsyncSession, channel: str, account: str, *, lock: bool = False
) -> ChannelToken | None:
    """The tokens of an account; `lock` keeps others from them until the transaction ends."""
    statement = select(ChannelToken).where(ChannelToken.channel == channel, ChannelToken.account == account)
    if lock:
        statement = statement.with_for_update().execution_options(populate_existing=True)
    return (await session.execute(statement)).scalar_one_or_none()


async def insert_channel_token(
    session: AsyncSession, channel: str, account: str, columns: Mapping[str, object]
) -> bool:
    """Keep an account's first tokens; False if it has some."""
    statement = (
        _insert(session, ChannelToken)
        .values(channel=channel, account=account, **columns)
        .on_conflict_do_nothing()
        .returning(ChannelToken.account)
    )
    return (await session.execute(statement)).scalar_one_or_none() is not None


async def save_channel_token(
    session: AsyncSession, channel: str, account: str, columns: Mapping[str, object]
) -> None:
    """Keep the newest tokens of an account in place of the ones before."""
    await session.execute(
        _insert(session, ChannelToken)
        .values(channel=channel, account=account, **columns)
        .on_conflict_do_update(
            index_elements=["channel", "account"],
            set_=dict(columns),
            where=ChannelToken.updated_at <= columns["updated_at"],
        )
    )


# --- how channels fare -------------------------------------------------------------------------


async def last_received(session: AsyncSession) -> dict[str, datetime]:
    """By channel, when a citizen's last message came."""
    statement = select(InboxMessage.channel, func.max(InboxMessage.received_at)).group_by(
        InboxMessage.channel
    )
    return {channel: at for channel, at in await session.execute(statement)}


async def last_sent(session: AsyncSession) -> dict[str, datetime]:
    """By channel, when the last message left."""
    statement = (
        select(Conversation.channel, func.max(OutboxMessage.sent_at))
        .select_from(OutboxMessage)
        .join(Conversation, Conversation.id == OutboxMessage.conversation_id)
        .where(OutboxMessage.sent_at.is_not(None))
        .group_by(Conversation.channel)
    )
    return {channel: at for channel, at in await session.execute(statement) if at is not None}


async def waiting_questions(session: AsyncSession) -> dict[str, tuple[int, datetime]]:
    """By channel, how many citizens' messages are not done with, and when the oldest came."""
    statement = (
        select(InboxMessage.channel, func.count(), func.min(InboxMessage.received_at))
        .where(InboxMessage.status != DONE)
        .group_by(InboxMessage.channel)
    )
    return {channel: (count, oldest) for channel, count, oldest in await session.execute(statement)}


async def waiting_answers(session: AsyncSession) -> dict[str, tuple[int, datetime]]:
    """By channel, how many messages have not left, and when the oldest was written."""
    statement = (
        select(Conversation.channel, func.count(), func.min(OutboxMessage.created_at))
        .select_from(OutboxMessage)
        .join(Conversation, Conversation.id == OutboxMessage.conversation_id)
        .where(OutboxMessage.status.in_(UNSENT))
        .group_by(Conversation.channel)
    )
    return {channel: (count, oldest) for channel, count, oldest in await session.execute(statement)}


async def doubtful_since(session: AsyncSession, since: datetime) -> dict[str, int]:
    """By channel, how many messages written since then failed or may not have arrived."""
    statement = (
        select(Conversation.channel, func.count())
        .select_from(OutboxMessage)
        .join(Conversation, Conversation.id == OutboxMessage.conversation_id)
        .where(OutboxMessage.status.in_(("failed", "ambiguous")), OutboxMessage.created_at >= since)
        .group_by(Conversation.channel)
    )
    return {channel: count for channel, count in await session.execute(statement)}


# --- reading a conversation --------------------------------------------------------------------


async def received(
    session: AsyncSession, conversation_id: str, limit: int, after: int = 0
) -> list[InboxMessage]:
    """The newest `limit` messages from the citizen with ids above `after`, oldest first."""
    statement = (
        select(InboxMessage)
        .where(InboxMessage.conversation_id == conversation_id, InboxMessage.id > after)
        .order_by(InboxMessage.id.desc())
        .limit(limit)
    )
    return list(reversed((await session.execute(statement)).scalars().all()))


async def written(
    session: AsyncSession, conversation_id: str, limit: int, after: int = 0
) -> list[tuple[OutboxMessage, Turn | None]]:
    """The newest `limit` messages to the citizen with ids above `after`, oldest first, with their turns."""
    statement = (
        select(OutboxMessage, Turn)
        .outerjoin(Turn, Turn.inbox_id == OutboxMessage.in_reply_to)
        .where(OutboxMessage.conversation_id == conversation_id, OutboxMessage.id > after)
        .order_by(OutboxMessage.id.desc())
        .limit(limit)
    )
    rows = (await session.execute(statement)).all()
    return [(message, turn) for message, turn in reversed(rows)]


# --- what is not kept any longer ---------------------------------------------------------------


def _old_written(before: datetime) -> ColumnElement[bool]:
    """Written before, and nothing is left to do about it."""
    return and_(
        OutboxMessage.created_at < before,
        OutboxMessage.status.not_in(UNSENT),
        OutboxMessage.review_at.is_(None),
    )


def _old_received(before: datetime) -> ColumnElement[bool]:
    """Received before and answered, by nothing that is kept."""
    answered = exists().where(OutboxMessage.in_reply_to == InboxMessage.id, not_(_old_written(before)))
    return and_(InboxMessage.received_at < before, InboxMessage.status == DONE, ~answered)


def _abandoned(before: datetime) -> ColumnElement[bool]:
    """A conversation in which nothing happened since, and of which no message is kept."""
    # What an answer that is kept keeps (see `_old_received`) needs no look: the answer is found here itself.
    received = exists().where(
        InboxMessage.conversation_id == Conversation.id,
        or_(InboxMessage.received_at >= before, InboxMessage.status != DONE),
    )
    written = exists().where(OutboxMessage.conversation_id == Conversation.id, not_(_old_written(before)))
    return and_(Conversation.created_at < before, Conversation.last_citizen_at < before, ~received, ~written)


async def conversations_begun(
    session: AsyncSession, before: datetime, *, after: str, limit: int
) -> Sequence[str]:
    """Ids, above one, of conversations begun before a moment."""
    statement = select(Conversation.id).where(Conversation.created_at < before, Conversation.id > after)
    return (await session.execute(statement.order_by(Conversation.id).limit(limit))).scalars().all()


async def conversations_to_purge(
    session: AsyncSession, ids: Collection[str], before: datetime
) -> Sequence[str]:
    """Those of some conversations that hold something older or are abandoned."""
    old = (
        select(OutboxMessage.conversation_id).where(
            OutboxMessage.conversation_id.in_(ids), _old_written(before)
        ),
        select(InboxMessage.conversation_id).where(
            InboxMessage.conversation_id.in_(ids), _old_received(before)
        ),
        select(Button.conversation_id).where(Button.conversation_id.in_(ids), Button.created_at < before),
        select(Conversation.id).where(Conversation.id.in_(ids), _abandoned(before)),
    )
    return sorted({one for look in old for one in (await session.execute(look.distinct())).scalars()})


async def lock_free_conversations(session: AsyncSession, ids: Collection[str]) -> Sequence[str]:
    """Lock those of the conversations that still exist and nobody has locked; their ids."""
    statement = select(Conversation.id).where(Conversation.id.in_(ids)).order_by(Conversation.id)
    return (await session.execute(statement.with_for_update(skip_locked=True))).scalars().all()


def _old_messages(
    ids: Collection[str], before: datetime
) -> tuple[tuple[ColumnElement[bool], ...], tuple[ColumnElement[bool], ...]]:
    return (
        (OutboxMessage.conversation_id.in_(ids), _old_written(before)),
        (InboxMessage.conversation_id.in_(ids), _old_received(before)),
    )


async def count_old_messages(session: AsyncSession, ids: Collection[str], before: datetime) -> int:
    """How many messages of these conversations, in either direction, are older and done with."""
    written, received = _old_messages(ids, before)
    counts = (
        select(func.count()).select_from(OutboxMessage).where(*written),
        select(func.count()).select_from(InboxMessage).where(*received),
    )
    return sum([(await session.execute(count)).scalar_one() for count in counts])


async def delete_old_messages(
    session: AsyncSession, ids: Collection[str], before: datetime, limit: int
) -> int:
    """Delete messages of locked conversations that are older and done with, at most `limit`; how many.

    With a citizen's message goes what the bot made of it.
    """
    written, received = _old_messages(ids, before)
    # By the index of conversations: by id alone, PostgreSQL would walk through everybody's messages.
    oldest = select(OutboxMessage.id).where(*written)
    oldest = oldest.order_by(OutboxMessage.conversation_id, OutboxMessage.id).limit(limit)
    answers = (await session.execute(oldest)).scalars().all()
    await _changed(session, delete(OutboxMessage).where(OutboxMessage.id.in_(answers)))
    if len(answers) == limit:
        return limit
    # Once its answers are gone a message refers to nothing and nothing to it, but its turn.
    oldest = select(InboxMessage.id).where(*received)
    oldest = oldest.order_by(InboxMessage.conversation_id, InboxMessage.id).limit(limit - len(answers))
    messages = (await session.execute(oldest)).scalars().all()
    await _changed(session, delete(Turn).where(Turn.inbox_id.in_(messages)))
    await _changed(session, delete(InboxMessage).where(InboxMessage.id.in_(messages)))
    return len(answers) + len(messages)


async def delete_old_buttons(session: AsyncSession, ids: Collection[str], before: datetime) -> None:
    """Forget buttons that these conversations were offered before."""
    await _changed(session, delete(Button).where(Button.conversation_id.in_(ids), Button.created_at < before))


async def count_abandoned(session: AsyncSession, ids: Collection[str], before: datetime) -> int:
    """How many of these conversations have nothing in them that is kept."""
    statement = select(func.count()).select_from(Conversation)
    found = await session.execute(statement.where(Conversation.id.in_(ids), _abandoned(before)))
    return found.scalar_one()


async def delete_abandoned(session: AsyncSession, ids: Collection[str], before: datetime) -> int:
    """Delete those of these locked conversations that have nothing left in them; how many."""
    gone = select(Conversation.id).where(Conversation.id.in_(ids), _abandoned(before))
    abandoned = (await session.execute(gone)).scalars().all()
    await _changed(session, delete(Button).where(Button.conversation_id.in_(abandoned)))
    return await _changed(session, delete(Conversation).where(Conversation.id.in_(abandoned)))


async def overwrite_deleted(session: AsyncSession) -> None:
    """From here on SQLite overwrites what is deleted, instead of leaving it in the file."""
    if session.get_bind().dialect.name == "sqlite":
        await session.execute(text("PRAGMA secure_delete = ON"))
