"""Keeps of a conversation what the next turn needs: its slots, and none of the citizen's words.

The gateway holds the transcript. Rasa's own SQL store writes every event of a turn, the citizen's words among
them, and reads all of them again at the next: a third of the CPU of a turn (docs/decisions/0009).
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any, Dict, Iterable, Optional, Text

import sqlalchemy as sa
from rasa.core.brokers.broker import EventBroker
from rasa.core.tracker_store import TrackerStore
from rasa.shared.core.constants import ACTION_LISTEN_NAME, ACTION_SESSION_START_NAME, DEFAULT_SLOT_NAMES
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import ActionExecuted, SessionStarted, SlotSet
from rasa.shared.core.trackers import DialogueStateTracker
from sqlalchemy.dialects import postgresql, sqlite

from knowledge_base.office import load_office

DAY = 86_400  # seconds

_metadata = sa.MetaData()
_conversations = sa.Table(
    "conversations",
    _metadata,
    sa.Column("sender_id", sa.String(255), primary_key=True),
    sa.Column("slots", sa.Text, nullable=False),  # JSON: slot name to value
    sa.Column("changed", sa.Integer, nullable=False, index=True),  # seconds since 1970
)


def _upsert(dialect: Text) -> Any:
    """Inserts a row, or replaces what it says."""
    statement = (postgresql if dialect == "postgresql" else sqlite).insert(_conversations)
    changed = {name: statement.excluded[name] for name in ("slots", "changed")}
    return statement.on_conflict_do_update(index_elements=["sender_id"], set_=changed)


def _engine(db: Text) -> sa.engine.Engine:
    if "://" in db:
        return sa.create_engine(db, pool_pre_ping=True, hide_parameters=True)
    Path(db).parent.mkdir(parents=True, exist_ok=True)
    # One connection, since Rasa answers in one thread; opening a file anew for every statement costs more.
    engine = sa.create_engine(f"sqlite:///{db}", poolclass=sa.pool.StaticPool, hide_parameters=True)

    @sa.event.listens_for(engine, "connect")
    def _configure(connection: Any, _: Any) -> None:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute("PRAGMA secure_delete=ON")  # what is deleted leaves no trace in the file

    return engine


class SlotTrackerStore(TrackerStore):
    """A tracker store of one row a conversation.

    `db` is a file of SQLite or the URL of a database. What was not touched for `retention.rasa_tracker_days`
    of office.yml is deleted. A restored tracker has the slots, and listens; what a tracker may hold beside
    (paused, an active form, a reminder) is not kept, since the gateway decides who owns a conversation.
    Errors of the database are raised: a message is then put to Rasa again by the gateway.
    """

    def __init__(
        self,
        domain: Optional[Domain],
        event_broker: Optional[EventBroker] = None,
        host: Optional[Text] = None,
        db: Text = "",
        **kwargs: Any,
    ) -> None:
        super().__init__(domain, event_broker, **kwargs)
        self._engine = _engine(db)
        self._upsert = _upsert(self._engine.dialect.name)
        self._kept_for = load_office().retention.rasa_tracker_days * DAY
        self._purged = 0.0
        _metadata.create_all(self._engine)
        with self._engine.begin() as connection:  # where Rasa's own store kept citizens' words
            connection.execute(sa.text("DROP TABLE IF EXISTS events"))

    async def save(self, tracker: DialogueStateTracker) -> None:
        """Write the slots that have a value; nothing before the first turn."""
        if not tracker.latest_action_name:
            return
        now = time.time()
        slots = {
            slot.name: slot.value
            for slot in tracker.slots.values()
            if slot.value is not None and slot.name not in DEFAULT_SLOT_NAMES
        }
        row = {"sender_id": tracker.sender_id, "slots": json.dumps(slots), "changed": int(now)}
        with self._engine.begin() as connection:
            connection.execute(self._upsert, row)
            if now - self._purged > DAY:
                old = _conversations.c.changed < int(now) - self._kept_for
                connection.execute(_conversations.delete().where(old))
                self._purged = now

    async def retrieve(self, sender_id: Text) -> Optional[DialogueStateTracker]:
        """A tracker that listens and has the slots; None for a conversation not known."""
        query = sa.select(_conversations.c.slots).where(_conversations.c.sender_id == sender_id)
        with self._engine.connect() as connection:
            found = connection.execute(query).scalar()
        if found is None:
            return None
        slots: Dict[Text, Any] = json.loads(found)
        tracker = self.init_tracker(sender_id)
        tracker.update_with_events(
            [
                ActionExecuted(ACTION_SESSION_START_NAME),
                SessionStarted(),
                *(SlotSet(name, value) for name, value in slots.items() if name in tracker.slots),
                ActionExecuted(ACTION_LISTEN_NAME),
            ],
            self.domain,
        )
        return tracker

    async def keys(self) -> Iterable[Text]:
        """The ids of the conversations kept."""
        with self._engine.connect() as connection:
            return list(connection.execute(sa.select(_conversations.c.sender_id)).scalars())
