"""The tables of the call-centre queue: cases, their audit trail, agents and what agents write."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import (
    DDL,
    JSON,
    BigInteger,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Text,
    TypeDecorator,
    column,
    event,
    table,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class UtcDateTime(TypeDecorator[datetime]):
    """An aware moment, kept in UTC; SQLite forgets time zones, so it is given back as UTC."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value!r} has no time zone; give an aware moment")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


# SQLite numbers rows by itself only where the key is exactly INTEGER.
BigId = BigInteger().with_variant(Integer, "sqlite")


class Base(DeclarativeBase):
    """Base of every call-centre table."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012
        datetime: UtcDateTime,
        dict[str, Any]: JSON,
        list[str]: JSON,
        list[dict[str, Any]]: JSON,
    }


class Team(Base):
    """A group of agents that cases can be transferred to (tổ, nhóm)."""

    __tablename__ = "team"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(100), unique=True)


class Agent(Base):
    """One person who works in the console; accounts are switched off, never deleted."""

    __tablename__ = "agent"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    username: Mapped[str] = mapped_column(String(64), unique=True)
    display_name: Mapped[str] = mapped_column(String(100))
    role: Mapped[str] = mapped_column(String(16))  # agent, supervisor, administrator
    team_id: Mapped[int | None] = mapped_column(ForeignKey("team.id"))
    password_hash: Mapped[str] = mapped_column(String(255))
    must_change_password: Mapped[bool] = mapped_column(default=True)
    totp_secret: Mapped[str | None] = mapped_column(String(255))  # encrypted with the console's key
    totp_last_step: Mapped[int | None] = mapped_column(BigInteger)  # a code is good once
    active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime]
    last_login_at: Mapped[datetime | None]


class LoginThrottle(Base):
    """Failed logins per typed user name, existing or not, so that lock-out tells nobody who exists."""

    __tablename__ = "login_throttle"

    username: Mapped[str] = mapped_column(String(64), primary_key=True)
    failures: Mapped[int]
    last_failure_at: Mapped[datetime]
    locked_until: Mapped[datetime | None]


class AgentSession(Base):
    """A signed-in browser; only the hash of its cookie is kept."""

    __tablename__ = "session"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    agent_id: Mapped[str] = mapped_column(ForeignKey("agent.id"), index=True)
    csrf_token: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    second_factor_at: Mapped[datetime | None]
    address: Mapped[str] = mapped_column(String(64))
    user_agent: Mapped[str] = mapped_column(String(255))


OPEN = text("state <> 'closed'")
# Most cases are nobody's: counted in, they would make an agent's few look like half of everything.
HELD = text("claimed_by IS NOT NULL")


class Case(Base):
    """One question a person must answer (hồ sơ); a conversation has at most one open case."""

    __tablename__ = "support_case"
    __table_args__ = (
        Index(
            "uq_support_case_open_conversation",
            "conversation_id",
            unique=True,
            sqlite_where=OPEN,
            postgresql_where=OPEN,
        ),
        Index("ix_support_case_open", "due_at", "id", sqlite_where=OPEN, postgresql_where=OPEN),
        Index("ix_support_case_state_due", "state", "due_at", "id"),
        Index(
            "ix_support_case_holder",
            "claimed_by",
            "state",
            "due_at",
            "id",
            sqlite_where=HELD,
            postgresql_where=HELD,
        ),
        Index("ix_support_case_team", "team_id", "state", "due_at", "id"),
        Index("ix_support_case_closed", "state", "closed_at", "id"),
        Index("ix_support_case_citizen", "channel", "citizen_key", "id"),
        Index("ix_support_case_opened", "opened_at", "id"),
        Index("ix_support_case_conversation", "conversation_id", "id"),
        {"sqlite_autoincrement": True},  # a number once told is never given to another case
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    conversation_id: Mapped[str] = mapped_column(String(64))
    channel: Mapped[str] = mapped_column(String(32))
    citizen_key: Mapped[str | None] = mapped_column(String(128))  # one citizen within a channel
    citizen_name: Mapped[str | None] = mapped_column(String(200))
    state: Mapped[str] = mapped_column(String(16))  # waiting, claimed, answered, closed
    reason: Mapped[str] = mapped_column(String(32))
    summary: Mapped[str] = mapped_column(Text)  # this and the question with personal numbers masked
    question: Mapped[str] = mapped_column(Text)
    intent: Mapped[str | None] = mapped_column(String(100))
    confidence: Mapped[float | None]
    topics: Mapped[list[str]]
    # What the bot found in the message, of {name, value, text}; the text as the citizen wrote it, masked.
    entities: Mapped[list[dict[str, Any]]] = mapped_column(server_default="[]")
    subject: Mapped[str | None] = mapped_column(String(64))  # what the first topic is about
    as_of: Mapped[date | None]
    opened_at: Mapped[datetime]
    due_at: Mapped[datetime]  # the time promised to the citizen
    window_closes_at: Mapped[datetime | None]  # when the channel stops accepting our reply
    window_warned_at: Mapped[datetime | None]
    last_citizen_at: Mapped[datetime]
    unread: Mapped[int] = mapped_column(default=0)  # citizen's messages the holder has not opened
    claimed_by: Mapped[str | None] = mapped_column(ForeignKey("agent.id"))
    claimed_at: Mapped[datetime | None]
    team_id: Mapped[int | None] = mapped_column(ForeignKey("team.id"))
    first_answered_at: Mapped[datetime | None]
    answered_by: Mapped[str | None] = mapped_column(ForeignKey("agent.id"))
    closed_at: Mapped[datetime | None]
    outcome: Mapped[str | None] = mapped_column(String(32))
    merged_into: Mapped[int | None] = mapped_column(ForeignKey("support_case.id"), index=True)
    satisfaction_asked_at: Mapped[datetime | None]
    satisfaction: Mapped[int | None]  # 1 to 5

    @property
    def number(self) -> str:
        """The case number as citizens and agents say it (mã hồ sơ)."""
        return case_number(self.id)


def case_number(case_id: int) -> str:
    """The number of the case with this id, whether it is still kept or not."""
    return f"HS-{case_id:06d}"


class CaseEvent(Base):
    """The audit trail: appended to, never changed; `case_id` is empty for what concerns no case.

    The trail is kept longer than the cases, so that `case_id` is no foreign key.
    """

    __tablename__ = "case_event"
    __table_args__ = (
        Index("ix_case_event_case", "case_id", "id"),
        Index("ix_case_event_at", "at", "id"),
        {"sqlite_autoincrement": True},  # ids are cursors of open pages
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    case_id: Mapped[int | None] = mapped_column(BigId)
    at: Mapped[datetime]
    agent_id: Mapped[str | None] = mapped_column(ForeignKey("agent.id"))
    kind: Mapped[str] = mapped_column(String(32))
    detail: Mapped[dict[str, Any]]


class Note(Base):
    """What agents tell each other about a case; the citizen never sees it."""

    __tablename__ = "note"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("support_case.id"), index=True)
    agent_id: Mapped[str] = mapped_column(ForeignKey("agent.id"))
    at: Mapped[datetime]
    text: Mapped[str] = mapped_column(Text)


class Label(Base):
    """A word agents sort cases by (nhãn)."""

    __tablename__ = "label"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(50), unique=True)


class CaseLabel(Base):
    """Which labels a case carries."""

    __tablename__ = "case_label"

    case_id: Mapped[int] = mapped_column(ForeignKey("support_case.id"), primary_key=True)
    label_id: Mapped[int] = mapped_column(ForeignKey("label.id"), primary_key=True, index=True)


class CannedAnswer(Base):
    """A prepared answer (câu trả lời mẫu), inserted by typing its code after a slash."""

    __tablename__ = "canned_answer"

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(32), unique=True)
    title: Mapped[str] = mapped_column(String(100))
    text: Mapped[str] = mapped_column(Text)
    active: Mapped[bool] = mapped_column(default=True)
    updated_by: Mapped[str | None] = mapped_column(ForeignKey("agent.id"))
    updated_at: Mapped[datetime]


class Draft(Base):
    """What an agent is writing to a case, or wrote when the claim was already lost."""

    __tablename__ = "draft"

    case_id: Mapped[int] = mapped_column(ForeignKey("support_case.id"), primary_key=True)
    agent_id: Mapped[str] = mapped_column(ForeignKey("agent.id"), primary_key=True)
    text: Mapped[str] = mapped_column(Text)
    saved_at: Mapped[datetime]
    lost_claim: Mapped[bool] = mapped_column(default=False)


class ScheduledReply(Base):
    """An answer that can still be undone: it is handed to the outbox at `send_at`."""

    __tablename__ = "scheduled_reply"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("support_case.id"), index=True)
    agent_id: Mapped[str] = mapped_column(ForeignKey("agent.id"))
    text: Mapped[str] = mapped_column(Text)
    send_at: Mapped[datetime] = mapped_column(index=True)


class RecoveryCode(Base):
    """Replaces the telephone's code once, when the telephone is lost (mã dự phòng)."""

    __tablename__ = "recovery_code"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    agent_id: Mapped[str] = mapped_column(ForeignKey("agent.id"), index=True)
    code_hash: Mapped[str] = mapped_column(String(255))  # argon2id


# A case's words for searching: lower case as written, and folded without accents, personal numbers masked.
# Each database has a full-text index of its own kind, so this table is not in the metadata.
SEARCH_INDEX = {
    "sqlite": (
        "CREATE VIRTUAL TABLE IF NOT EXISTS case_search USING fts5"
        '(exact, folded, tokenize = "unicode61 remove_diacritics 0")',
    ),
    "postgresql": (
        "CREATE TABLE IF NOT EXISTS case_search"
        " (case_id BIGINT PRIMARY KEY REFERENCES support_case (id) ON DELETE CASCADE,"
        " exact TSVECTOR NOT NULL, folded TSVECTOR NOT NULL)",
        "CREATE INDEX IF NOT EXISTS ix_case_search_exact ON case_search USING gin (exact)",
        "CREATE INDEX IF NOT EXISTS ix_case_search_folded ON case_search USING gin (folded)",
    ),
}
case_search = table("case_search", column("case_id"), column("rowid"), column("exact"), column("folded"))

for _dialect, _statements in SEARCH_INDEX.items():
    for _statement in _statements:
        event.listen(Base.metadata, "after_create", DDL(_statement).execute_if(dialect=_dialect))  # type: ignore[no-untyped-call]
