"""Reads and writes the gateway's tables; the only SQL of this package besides tables.py."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import ColumnClause, CursorResult, and_, exists, literal_column, or_, select, text, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from gateway.tables import (
    Base,
    Button,
    Conversation,
    InboxMessage,
    Kind,
    OutboxAuthor,
    OutboxMessage,
    OutboxStatus,
    Turn,
)

# Partial indexes are used only for literals: a bound parameter proves nothing to the planner.
DONE: ColumnClause[str] = literal_column("'done'")
UNSENT: tuple[ColumnClause[str], ...] = (literal_column("'queued'"), literal_column("'sending'"))


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
    session: AsyncSession,
    *,
    channel: str,
    account: str,
    citizen_id: str,
    citizen_name: str | None,
    now: datetime,
) -> Conversation:
    """The citizen's conversation, made if needed, locked until the transaction ends."""
    await session.execute(
        _insert(session, Conversation)
        .values(
            id=new_id(),
            channel=channel,
            account=account,
            citizen_id=citizen_id,
            citizen_name=citizen_name,
            owner="bot",
            rasa_conversation_id=new_id(),
            last_citizen_at=now,
            created_at=now,
        )
        .on_conflict_do_nothing()
    )
    statement = select(Conversation).where(
        Conversation.channel == channel,
        Conversation.account == account,
        Conversation.citizen_id == citizen_id,
    )
    return (await session.execute(statement.with_for_update())).scalar_one()


async def find_conversation(
    session: AsyncSession, channel: str, account: str, citizen_id: str
) -> Conversation | None:
    statement = select(Conversation).where(
        Conversation.channel == channel,
        Conversation.account == account,
        Conversation.citizen_id == citizen_id,
    )
    return (await session.execute(statement)).scalar_one_or_none()


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
    session: AsyncSession,
    conversation: Conversation,
    *,
    message_id: str,
    kind: Kind,
    text: str,
    now: datetime,
    platform_time: datetime | None,
    as_of: date | None,
) -> int | None:
    """The new row's id; None when the message was accepted before."""
    statement = (
        _insert(session, InboxMessage)
        .values(
            channel=conversation.channel,
            account=conversation.account,
            message_id=message_id,
            conversation_id=conversation.id,
            received_at=now,
            platform_time=platform_time,
            kind=kind,
            text=text,
            as_of=as_of,
            status="pending",
            attempts=0,
        )
        .on_conflict_do_nothing()
        .returning(InboxMessage.id)
    )
    return (await session.execute(statement)).scalar_one_or_none()


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
    session: AsyncSession, now: datetime, lease_until: datetime
) -> tuple[InboxMessage, Conversation] | None:
    """The oldest message nobody works on and nothing of its conversation stands before; leased.

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
        .limit(1)
        .with_for_update(of=InboxMessage, skip_locked=True)
    )
    found = (await session.execute(statement)).one_or_none()
    if found is None:
        return None
    message, conversation = found
    message.status = "processing"
    message.attempts += 1
    message.lease_until = lease_until
    return message, conversation


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
    )
    previous_id = (await session.execute(previous)).scalar_one_or_none()
    if previous_id is None:
        return []
    return [button for reply in await replies_to(session, previous_id) for button in reply.buttons]


async def button_sentence(session: AsyncSession, conversation_id: str, token: str) -> str | None:
    """What a button of this conversation says."""
    statement = select(Button.say).where(Button.token == token, Button.conversation_id == conversation_id)
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
    agent_id: str | None = None,
    in_reply_to: int | None = None,
    buttons: Sequence[dict[str, str]] = (),
) -> OutboxMessage:
    """A message at the end of a locked conversation; `sent` where storing it is all there is to do."""
    row = OutboxMessage(
        conversation_id=conversation.id,
        in_reply_to=in_reply_to,
        author=author,
        agent_id=agent_id,
        text=text,
        buttons=list(buttons),
        status="sent" if sent else "queued",
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
    session: AsyncSession, channels: Sequence[str], now: datetime, lease_until: datetime
) -> tuple[OutboxMessage, Conversation] | None:
    """The oldest message of these channels due for sending and first of its conversation; leased."""
    earlier = aliased(OutboxMessage)
    blocked = exists().where(
        earlier.conversation_id == OutboxMessage.conversation_id,
        earlier.id < OutboxMessage.id,
        earlier.status.in_(UNSENT),
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
        )
        .order_by(OutboxMessage.id)
        .limit(1)
        .with_for_update(of=OutboxMessage, skip_locked=True)
    )
    found = (await session.execute(statement)).one_or_none()
    if found is None:
        return None
    row, conversation = found
    row.status = "sending"
    row.attempts += 1
    row.lease_until = lease_until
    return row, conversation


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


async def doubt_interrupted_sendings(session: AsyncSession, now: datetime, error: str) -> int:
    """Mark what was being sent when its process died: it may have arrived, so it is not sent again."""
    statement = (
        update(OutboxMessage)
        .where(
            OutboxMessage.status.in_(UNSENT),
            and_(OutboxMessage.status == "sending", OutboxMessage.lease_until <= now),
        )
        .values(status="ambiguous", lease_until=None, error=error)
    )
    return await _changed(session, statement)


async def requeue(session: AsyncSession, outbox_id: int) -> str | None:
    """Queue a failed or ambiguous message again; its conversation, or None if it is neither."""
    statement = (
        update(OutboxMessage)
        .where(OutboxMessage.id == outbox_id, OutboxMessage.status.in_(("failed", "ambiguous")))
        .values(status="queued", error=None, not_before=None)
        .returning(OutboxMessage.conversation_id)
    )
    return (await session.execute(statement)).scalar_one_or_none()


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
