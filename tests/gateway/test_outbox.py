"""Queued messages leave in order, once; what may have left is never sent again by itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from gateway import repository
from gateway.database import utc_now
from gateway.outbox import MaybeSent, NotSent, Rejected, Sender
from gateway.tables import Conversation, OutboxMessage, OutboxStatus
from tests.gateway.fakes import PATIENCE_SECONDS, Gateway, eventually

NOW = timedelta()


class FakeChannel:
    """A platform that refuses, times out or rejects as many sends as a test lines up."""

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.tried: list[str] = []
        self.problems: list[Exception] = []
        self.hold: asyncio.Event | None = None
        self.trying = asyncio.Event()

    async def send(self, conversation: Conversation, message: OutboxMessage) -> str | None:
        self.tried.append(message.text)
        self.trying.set()
        if self.hold is not None:
            await self.hold.wait()
        if self.problems:
            raise self.problems.pop(0)
        self.sent.append(message.text)
        return f"platform-{message.id}"


@pytest.fixture
def channel() -> FakeChannel:
    return FakeChannel()


@pytest.fixture
async def sender(idle_gateway: Gateway, channel: FakeChannel) -> AsyncIterator[Sender]:
    made = Sender(idle_gateway.database, idle_gateway.signals, {"zalo": channel}, idle_gateway.texts)
    yield made
    await made.pump.stop(0)


async def enqueue(gateway: Gateway, *texts: str, citizen: str = "citizen-1", channel: str = "zalo") -> str:
    """Agent's answers to a new citizen of the channel; the conversation."""
    accepted = await gateway.accept("hỏi", citizen=citizen, channel=channel)
    for text in texts:
        async with gateway.database.sessions.begin() as session:
            await gateway.outbox.enqueue_agent_reply(session, accepted.conversation_id, text, "agent-1")
    return accepted.conversation_id


async def rows_with(gateway: Gateway, conversation_id: str, *statuses: OutboxStatus) -> list[OutboxMessage]:
    """The outbox once its rows have these statuses."""

    async def settled() -> list[OutboxMessage] | None:
        rows: list[OutboxMessage] = await gateway.all(OutboxMessage)
        return rows if [row.status for row in rows] == list(statuses) else None

    found: list[OutboxMessage] = await eventually(settled, gateway.signals, conversation_id)
    return found


async def test_messages_are_sent_once_and_in_order(
    idle_gateway: Gateway, sender: Sender, channel: FakeChannel
) -> None:
    conversation_id = await enqueue(idle_gateway, "một", "hai", "ba")
    sender.pump.start()
    rows = await rows_with(idle_gateway, conversation_id, "sent", "sent", "sent")
    assert channel.sent == ["một", "hai", "ba"]
    assert rows[0].platform_message_id == f"platform-{rows[0].id}"
    assert rows[0].sent_at is not None


async def test_a_refused_message_is_tried_again_before_the_next_one(
    idle_gateway: Gateway, sender: Sender, channel: FakeChannel
) -> None:
    channel.problems = [NotSent(NOW), NotSent(NOW)]
    conversation_id = await enqueue(idle_gateway, "một", "hai")
    sender.pump.start()
    rows = await rows_with(idle_gateway, conversation_id, "sent", "sent")
    assert channel.tried == ["một", "một", "một", "hai"]
    assert channel.sent == ["một", "hai"]
    assert rows[0].attempts == 3


async def test_a_refused_message_waits_longer_each_time(
    idle_gateway: Gateway, sender: Sender, channel: FakeChannel
) -> None:
    await enqueue(idle_gateway, "một")
    waits = []
    for _ in range(3):
        channel.problems = [NotSent()]
        async with idle_gateway.database.sessions.begin() as session:
            later = utc_now() + timedelta(hours=1)
            (claimed,) = await repository.claim_outbox(session, ["zalo"], later, later, 1)
        before = utc_now()
        await sender._send(claimed)
        (row,) = await idle_gateway.all(OutboxMessage)
        assert row.status == "queued"
        assert row.not_before is not None
        waits.append(round((row.not_before - before).total_seconds()))
    assert waits == [1, 2, 4]


async def test_a_time_out_is_ambiguous_and_shown_to_the_agent_not_sent_again(
    idle_gateway: Gateway, sender: Sender, channel: FakeChannel
) -> None:
    channel.problems = [MaybeSent()]
    conversation_id = await enqueue(idle_gateway, "một", "hai")
    sender.pump.start()
    await rows_with(idle_gateway, conversation_id, "ambiguous", "sent")
    assert channel.tried == ["một", "hai"]
    async with idle_gateway.database.readers() as session:
        lines = await idle_gateway.conversations.transcript(session, conversation_id)
    assert [(line.status, line.failure) for line in lines[1:]] == [
        ("ambiguous", idle_gateway.texts["maybe_sent"]),
        ("sent", None),
    ]


async def test_an_agent_may_send_an_ambiguous_message_again(
    idle_gateway: Gateway, sender: Sender, channel: FakeChannel
) -> None:
    channel.problems = [MaybeSent()]
    conversation_id = await enqueue(idle_gateway, "một")
    sender.pump.start()
    (row,) = await rows_with(idle_gateway, conversation_id, "ambiguous")
    async with idle_gateway.database.sessions.begin() as session:
        await idle_gateway.outbox.retry(session, f"out-{row.id}")
    await rows_with(idle_gateway, conversation_id, "sent")
    assert channel.sent == ["một"]
    with pytest.raises(ValueError, match="neither failed nor ambiguous"):
        async with idle_gateway.database.sessions.begin() as session:
            await idle_gateway.outbox.retry(session, f"out-{row.id}")


async def test_a_rejected_message_fails_with_the_reason_and_lets_the_next_one_through(
    idle_gateway: Gateway, sender: Sender, channel: FakeChannel
) -> None:
    channel.problems = [Rejected("Đã quá 7 ngày")]
    conversation_id = await enqueue(idle_gateway, "một", "hai")
    sender.pump.start()
    rows = await rows_with(idle_gateway, conversation_id, "failed", "sent")
    assert rows[0].error == "Đã quá 7 ngày"


async def test_what_was_being_sent_in_a_crash_is_ambiguous(
    idle_gateway: Gateway, sender: Sender, channel: FakeChannel
) -> None:
    channel.hold = asyncio.Event()
    conversation_id = await enqueue(idle_gateway, "một")
    sender.pump.start()
    async with asyncio.timeout(PATIENCE_SECONDS):
        await channel.trying.wait()
    await sender.pump.stop(0)
    channel.hold = None
    async with idle_gateway.database.sessions.begin() as session:
        await repository.end_leases(session, utc_now())
    second = Sender(idle_gateway.database, idle_gateway.signals, {"zalo": channel}, idle_gateway.texts)
    second.pump.start()
    await rows_with(idle_gateway, conversation_id, "ambiguous")
    await second.pump.stop(0)
    assert channel.tried == ["một"]


async def test_a_held_up_citizen_does_not_hold_up_another(
    idle_gateway: Gateway, sender: Sender, channel: FakeChannel
) -> None:
    channel.problems = [NotSent(timedelta(hours=1))]
    await enqueue(idle_gateway, "một", citizen="a")
    other = await enqueue(idle_gateway, "hai", citizen="b")
    sender.pump.start()
    await rows_with(idle_gateway, other, "queued", "sent")
    assert channel.sent == ["hai"]


async def test_what_a_citizen_comes_to_read_is_sent_by_being_stored(idle_gateway: Gateway) -> None:
    await enqueue(idle_gateway, "một", channel="web_chat")
    (row,) = await idle_gateway.all(OutboxMessage)
    assert row.status == "sent"


async def test_nothing_is_queued_by_a_transaction_that_fails(idle_gateway: Gateway) -> None:
    conversation_id = await enqueue(idle_gateway)
    with pytest.raises(RuntimeError):
        async with idle_gateway.database.sessions.begin() as session:
            await idle_gateway.outbox.enqueue_agent_reply(session, conversation_id, "một", "agent-1")
            raise RuntimeError
    assert await idle_gateway.all(OutboxMessage) == []
