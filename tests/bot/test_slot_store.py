"""What Rasa remembers of a conversation between two turns."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from uuid import uuid4

import psycopg2
import pytest
from rasa.core.tracker_store import SQLTrackerStore
from rasa.shared.core.constants import ACTION_LISTEN_NAME, ACTION_SESSION_START_NAME
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import ActionExecuted, SessionStarted, SlotSet, UserUttered
from rasa.shared.core.trackers import DialogueStateTracker

from bot.components import slot_store
from bot.components.slot_store import DAY, SlotTrackerStore
from knowledge_base.office import load_office
from tests import postgresql

FRAME = {"topic": "voluntary.calculate", "values": {"amount": 1_500_000}, "said": "abc"}
WORDS = "em đóng một triệu rưỡi thì mỗi tháng hết bao nhiêu"


@pytest.fixture(scope="module")
def domain() -> Domain:
    return Domain.load("bot/domain.yml")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "rasa.db"


@pytest.fixture(params=["sqlite", "postgresql"])
def db(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A file of SQLite, and the URL of an empty PostgreSQL database."""
    if request.param == "sqlite":
        yield str(tmp_path / "rasa.db")
        return
    try:
        server = psycopg2.connect(postgresql.URL)
    except psycopg2.OperationalError as error:
        postgresql.unreachable(error)
    server.autocommit = True
    name = f"slots_{uuid4().hex}"
    with closing(server), server.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name}")
        yield f"{postgresql.URL.rpartition('/')[0]}/{name}"
        cursor.execute(f"DROP DATABASE {name} WITH (FORCE)")


def told(domain: Domain, sender: str = "a") -> DialogueStateTracker:
    events = [
        ActionExecuted(ACTION_SESSION_START_NAME),
        SessionStarted(),
        ActionExecuted(ACTION_LISTEN_NAME),
        UserUttered(WORDS, {"name": "ask_topic", "confidence": 0.9}),
        SlotSet("session_started_metadata", {"as_of": "2026-11-22"}),
        SlotSet("frame", FRAME),
        ActionExecuted(ACTION_LISTEN_NAME),
    ]
    return DialogueStateTracker.from_events(sender, events, domain.slots, domain=domain)


def test_slots_outlive_a_restart_and_nothing_else(domain: Domain, db: str) -> None:
    asyncio.run(SlotTrackerStore(domain, db=db).save(told(domain)))
    reopened = SlotTrackerStore(domain, db=db)
    tracker = asyncio.run(reopened.retrieve("a"))
    assert tracker is not None
    assert tracker.get_slot("frame") == FRAME
    assert tracker.get_slot("session_started_metadata") is None
    assert tracker.latest_action_name == ACTION_LISTEN_NAME
    assert [event for event in tracker.events if isinstance(event, UserUttered)] == []
    assert list(asyncio.run(reopened.keys())) == ["a"]
    assert asyncio.run(reopened.retrieve("b")) is None


def test_no_word_of_the_citizen_is_written(domain: Domain, file: Path) -> None:
    asyncio.run(SlotTrackerStore(domain, db=str(file)).save(told(domain)))
    written = b"".join(path.read_bytes() for path in file.parent.iterdir())
    assert b"voluntary.calculate" in written
    for word in ("rưỡi", "hết bao nhiêu"):
        assert word.encode() not in written
        assert word.encode("unicode_escape") not in written


def test_what_rasas_own_store_kept_before_is_deleted(domain: Domain, file: Path) -> None:
    store = SQLTrackerStore(domain, db=str(file))
    asyncio.run(store.save(told(domain)))
    store.engine.dispose()
    words = json.dumps(WORDS)[1:-1].encode()  # as Rasa writes them
    assert words in file.read_bytes()
    SlotTrackerStore(domain, db=str(file))._engine.dispose()
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert words not in file.read_bytes()


def test_a_later_turn_replaces_what_was_kept(domain: Domain, db: str) -> None:
    store = SlotTrackerStore(domain, db=db)
    tracker = told(domain)
    asyncio.run(store.save(tracker))
    tracker.update(SlotSet("frame", {"topic": "health.lost_card"}), domain)
    asyncio.run(store.save(tracker))
    kept = asyncio.run(store.retrieve("a"))
    assert kept is not None and kept.get_slot("frame") == {"topic": "health.lost_card"}


def test_a_slot_the_domain_no_longer_has_is_forgotten(domain: Domain, file: Path) -> None:
    asyncio.run(SlotTrackerStore(domain, db=str(file)).save(told(domain)))
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("UPDATE conversations SET slots = '{\"old\": 1}'")
    tracker = asyncio.run(SlotTrackerStore(domain, db=str(file)).retrieve("a"))
    assert tracker is not None and tracker.get_slot("frame") is None


def test_what_is_older_than_the_retention_period_is_deleted(
    domain: Domain, db: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    days = load_office().retention.rasa_tracker_days
    store = SlotTrackerStore(domain, db=db)
    now = 2_000_000_000.0
    for sender, age in (("old", days + 1), ("young", days - 1), ("new", 0)):
        monkeypatch.setattr(slot_store.time, "time", lambda age=age: now - age * DAY)
        asyncio.run(store.save(told(domain, sender)))
    assert sorted(asyncio.run(store.keys())) == ["new", "young"]
