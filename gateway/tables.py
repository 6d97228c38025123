"""The gateway's tables: conversations, what came in, what goes out, and what the bot made of it."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any, Literal

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Text,
    TypeDecorator,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

Owner = Literal["bot", "waiting", "agent"]
# greeting: the citizen opened the conversation; note: recorded for agents, not answered.
Kind = Literal["text", "button", "attachment", "greeting", "note"]
InboxStatus = Literal["pending", "processing", "done"]
OutboxStatus = Literal["queued", "sending", "sent", "delivered", "seen", "ambiguous", "failed"]
OutboxAuthor = Literal["bot", "agent", "system"]
OutboxKind = Literal["message", "public_reply", "hide_comment"]

# What a partial index and the query that wants it must both say, word for word.
NOT_DONE = text("status <> 'done'")
UNSENT = text("status IN ('queued', 'sending')")

TO_REVIEW = text("review_at IS NOT NULL")

# SQLite numbers rows by itself only where the key is exactly INTEGER.
RowId = BigInteger().with_variant(Integer, "sqlite")


class Moment(TypeDecorator[datetime]):
    """A time-zone-aware moment; SQLite, which forgets time zones, holds it in UTC."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is not None and value.tzinfo is None:
            raise ValueError(f"{value.isoformat()} has no time zone")
        return value and value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value and value.replace(tzinfo=value.tzinfo or UTC)


class Base(DeclarativeBase):
    """Base of the gateway's tables."""

    metadata = MetaData(
        naming_convention={
            "pk": "pk_%(table_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
        }
    )
    type_annotation_map = {datetime: Moment, dict[str, Any]: JSON, list[Any]: JSON}  # noqa: RUF012


class Conversation(Base):
    """One citizen on one account of one channel, and whose turn it is to answer."""

    __tablename__ = "conversation"
    __table_args__ = (
        UniqueConstraint("channel", "account", "citizen_id"),
        CheckConstraint("owner IN ('bot', 'waiting', 'agent')", name="owner"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    channel: Mapped[str] = mapped_column(String(32))
    account: Mapped[str] = mapped_column(String(64))  # the page, Official Account or site written to
    citizen_id: Mapped[str] = mapped_column(String(128))
    citizen_name: Mapped[str | None] = mapped_column(String(200))
    owner: Mapped[Owner] = mapped_column(String(8), default="bot")
    agent_id: Mapped[str | None] = mapped_column(String(32))
    rasa_conversation_id: Mapped[str] = mapped_column(String(32))  # a fresh one after a failed turn
    last_citizen_at: Mapped[datetime]
    created_at: Mapped[datetime]


class InboxMessage(Base):
    """A message accepted from a citizen; `attempts` fences off whoever lost its lease on it."""

    __tablename__ = "inbox"
    __table_args__ = (
        UniqueConstraint("channel", "account", "message_id"),
        CheckConstraint("status IN ('pending', 'processing', 'done')", name="status"),
        Index("ix_inbox_conversation", "conversation_id", "id"),
        Index("ix_inbox_open", "id", sqlite_where=NOT_DONE, postgresql_where=NOT_DONE),
        Index(
            "ix_inbox_open_conversation",
            "conversation_id",
            "id",
            sqlite_where=NOT_DONE,
            postgresql_where=NOT_DONE,
        ),
        {"sqlite_autoincrement": True},  # ids are cursors: one is never given out twice
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    channel: Mapped[str] = mapped_column(String(32))
    account: Mapped[str] = mapped_column(String(64))
    message_id: Mapped[str] = mapped_column(String(255))
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversation.id"))
    received_at: Mapped[datetime]
    platform_time: Mapped[datetime | None]
    kind: Mapped[Kind] = mapped_column(String(16))
    text: Mapped[str] = mapped_column(Text)
    as_of: Mapped[date | None]  # the date asked from, in development only
    status: Mapped[InboxStatus] = mapped_column(String(16), default="pending")
    attempts: Mapped[int] = mapped_column(default=0)
    lease_until: Mapped[datetime | None]


class OutboxMessage(Base):
    """A message to a citizen; ids of one conversation ascend in the order of sending."""

    __tablename__ = "outbox"
    __table_args__ = (
        CheckConstraint("author IN ('bot', 'agent', 'system')", name="author"),
        CheckConstraint(
            "status IN ('queued', 'sending', 'sent', 'delivered', 'seen', 'ambiguous', 'failed')",
            name="status",
        ),
        Index("ix_outbox_conversation", "conversation_id", "id"),
        Index("ix_outbox_platform_message", "platform_message_id"),
        Index("ix_outbox_unsent", "id", sqlite_where=UNSENT, postgresql_where=UNSENT),
        Index(
            "ix_outbox_unsent_conversation",
            "conversation_id",
            "id",
            sqlite_where=UNSENT,
            postgresql_where=UNSENT,
        ),
        Index("ix_outbox_to_review", "review_at", sqlite_where=TO_REVIEW, postgresql_where=TO_REVIEW),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversation.id"))
    kind: Mapped[OutboxKind] = mapped_column(String(16), default="message", server_default="message")
    in_reply_to: Mapped[int | None] = mapped_column(ForeignKey("inbox.id"), index=True)
    author: Mapped[OutboxAuthor] = mapped_column(String(8))
    agent_id: Mapped[str | None] = mapped_column(String(32))
    text: Mapped[str] = mapped_column(Text)
    buttons: Mapped[list[Any]]  # of {title, say, token}
    status: Mapped[OutboxStatus] = mapped_column(String(16))
    platform_message_id: Mapped[str | None] = mapped_column(String(255))
    error: Mapped[str | None] = mapped_column(Text)  # why it was not sent, in Vietnamese, for the agent
    attempts: Mapped[int] = mapped_column(default=0)
    not_before: Mapped[datetime | None]  # when to try again after a refused connection
    lease_until: Mapped[datetime | None]
    review_at: Mapped[datetime | None]  # when a person is shown what did not, or may not have, arrived
    created_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]


class Turn(Base):
    """What became of one inbox message."""

    __tablename__ = "turn"
    __table_args__ = (Index("ix_turn_created", "created_at"),)

    inbox_id: Mapped[int] = mapped_column(ForeignKey("inbox.id"), primary_key=True)
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversation.id"), index=True)
    outcome: Mapped[str] = mapped_column(String(16))
    topics: Mapped[list[Any]]
    citations: Mapped[list[Any]]
    as_of: Mapped[date | None]
    intent: Mapped[str | None] = mapped_column(String(128))
    confidence: Mapped[float | None]
    escalation_reason: Mapped[str | None] = mapped_column(String(32))
    failure: Mapped[str | None] = mapped_column(String(64))  # why the bot gave no turn
    latency_ms: Mapped[int]
    created_at: Mapped[datetime]


class Button(Base):
    """An offered quick reply: the opaque token a platform gives back, and the sentence it stands for."""

    __tablename__ = "button"

    token: Mapped[str] = mapped_column(String(16), primary_key=True)
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversation.id"), index=True)
    title: Mapped[str] = mapped_column(String(100))
    say: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime]


class ChannelAccount(Base):
    """How one account of a platform channel fares; sending pauses until `held_until`."""

    __tablename__ = "channel_account"

    channel: Mapped[str] = mapped_column(String(32), primary_key=True)
    account: Mapped[str] = mapped_column(String(64), primary_key=True)
    last_webhook_at: Mapped[datetime | None]
    held_until: Mapped[datetime | None]
    problem: Mapped[str | None] = mapped_column(Text)  # in Vietnamese; None once a message got through
    needs_administrator: Mapped[bool] = mapped_column(default=False)
    problem_at: Mapped[datetime | None]


class ChannelToken(Base):
    """The tokens of an account whose platform replaces them at each refresh; locked while refreshing."""

    __tablename__ = "channel_token"

    channel: Mapped[str] = mapped_column(String(32), primary_key=True)
    account: Mapped[str] = mapped_column(String(64), primary_key=True)
    access_token: Mapped[str] = mapped_column(Text)  # both encrypted
    access_expires_at: Mapped[datetime]
    refresh_token: Mapped[str] = mapped_column(Text)
    refresh_expires_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    renewing_until: Mapped[datetime | None]  # one process renews, or nobody tries again before
    problem: Mapped[str | None] = mapped_column(String(64))
    imported: Mapped[str | None] = mapped_column(String(64))  # hash of the token the environment gave first
