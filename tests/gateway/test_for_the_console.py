"""What the console needs of the gateway: what the bot understood, a citizen's talks, who locks first."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from call_centre.accounts import new_agent
from call_centre.model import Role
from call_centre.protocols import TopicTurns
from call_centre.services import CaseService
from call_centre.tables import Case
from gateway.database import Database, utc_now
from tests.gateway.fakes import PATIENCE_SECONDS, FakeRasa, Gateway, handover, turn

LAN, MINH = "lan", "minh"
Act = Callable[[CaseService, AsyncSession], Awaitable[object]]


async def test_what_the_bot_understood_goes_with_the_case(gateway: Gateway, rasa: FakeRasa) -> None:
    closing = handover()
    closing["custom"]["turn"]["entities"] = [
        {"name": "amount", "value": 5_000_000, "text": "5tr"},
        {"name": "group", "value": "near_poor", "text": "cận nghèo 0912345678"},
    ]
    rasa.behave = lambda body: [{"text": "Em chuyển nhân viên."}, closing]
    await gateway.open_case()
    assert (await gateway.case()).entities == [
        {"name": "amount", "value": "5000000", "text": "5tr"},
        {"name": "group", "value": "near_poor", "text": "cận nghèo •••••••678"},
    ]


async def test_turns_are_counted_by_topic(gateway: Gateway, rasa: FakeRasa) -> None:
    for outcome, topics in (
        ("answered", ["health.lost_card"]),
        ("answered", ["health.lost_card", "pension.age"]),
        ("escalated", ["pension.age"]),
        ("asked", ["pension.age"]),
        ("declined", []),
    ):
        fields = {"escalate": {"reason": "needs_human", "summary": ""}} if outcome == "escalated" else {}
        rasa.behave = lambda body, o=outcome, t=topics, f=fields: [{"text": "Dạ"}, turn(o, topics=t, **f)]  # type: ignore[misc]
        await gateway.say("hỏi")
    await gateway.say("hỏi", citizen="nobody", channel="evaluation", account="evaluation")
    now = utc_now()
    async with gateway.database.readers() as session:
        counted = await gateway.conversations.turns_by_topic(session, now - timedelta(hours=1), now)
        earlier = await gateway.conversations.turns_by_topic(
            session, now - timedelta(days=2), now - timedelta(days=1)
        )
    assert counted == {"health.lost_card": TopicTurns(2, 0), "pension.age": TopicTurns(1, 1)}
    assert earlier == {}


async def test_comments_of_one_person_are_one_citizens_conversations(gateway: Gateway) -> None:
    for citizen in ("1234/one", "1234/two", "1234", "12345/three"):
        await gateway.say("hỏi", citizen=citizen, channel="facebook_comment", account="page")
    await gateway.say("hỏi", citizen="1234", channel="messenger", account="page")
    async with gateway.database.readers() as session:
        views = [
            await gateway.conversations.view(session, one)
            for one in await gateway.conversations.of_citizen(session, "facebook_comment", "1234")
        ]
    assert {(view.channel, view.citizen_key) for view in views} == {("facebook_comment", "1234")}
    assert len(views) == 3


# --- whoever changes a case locks its conversation first -----------------------------------------


async def prepared(gateway: Gateway, *before: Act) -> None:
    """Two agents, and a case on which `before` has been done."""
    async with gateway.database.sessions.begin() as session:
        for name in (LAN, MINH):
            agent = new_agent(name, name.title(), Role.AGENT, "", utc_now())
            agent.id = name
            session.add(agent)
    await gateway.open_case()
    for act in before:
        async with gateway.database.sessions.begin() as session:
            await act(gateway.cases, session)


async def somebody_waits(database: Database) -> bool:
    waiting = text(
        "SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid)"
        " WHERE NOT granted AND datname = current_database()"
    )
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            async with database.readers() as session:
                if (await session.execute(waiting)).scalar_one():
                    return True


async def the_talk(session: AsyncSession) -> str:
    return (await session.execute(select(Case.conversation_id))).scalar_one()


async def rate(cases: CaseService, session: AsyncSession) -> None:
    assert await cases.take_rating(session, await the_talk(session), "5")


async def wrote(cases: CaseService, session: AsyncSession) -> None:
    assert await cases.citizen_wrote(session, await the_talk(session))


def claim(cases: CaseService, session: AsyncSession) -> Awaitable[object]:
    return cases.claim(session, 1, LAN)


def close(cases: CaseService, session: AsyncSession) -> Awaitable[object]:
    return cases.close(session, 1, LAN, "answered")


def answer_soon(cases: CaseService, session: AsyncSession) -> Awaitable[object]:
    return cases.answer_soon(session, 1, LAN, "Dạ")


@pytest.mark.parametrize("used_url", ["postgresql"], indirect=True)
@pytest.mark.parametrize(
    ("act", "before"),
    [
        (claim, ()),
        (wrote, ()),
        (lambda cases, session: cases.answer(session, 1, LAN, "Dạ"), (claim,)),
        (lambda cases, session: cases.send_scheduled(session, 1), (claim, answer_soon)),
        (lambda cases, session: cases.release(session, 1, LAN), (claim,)),
        (lambda cases, session: cases.transfer(session, 1, LAN, to_agent=MINH), (claim,)),
        (lambda cases, session: cases.take_over(session, 1, MINH, LAN), (claim,)),
        (lambda cases, session: cases.hand_back(session, 1, LAN, "xong"), (claim,)),
        (close, (claim, answer_soon)),
        (lambda cases, session: cases.reopen(session, 1, MINH), (claim, close)),
        (rate, (claim, close)),
    ],
    ids=[
        "claim",
        "wrote",
        "answer",
        "send",
        "release",
        "transfer",
        "take_over",
        "hand_back",
        "close",
        "reopen",
        "rate",
    ],
)
async def test_conversation_is_locked_before_its_case(
    gateway: Gateway, rasa: FakeRasa, act: Act, before: tuple[Act, ...]
) -> None:
    """The worker holds the conversation and then wants the case: taken the other way, they deadlock."""
    rasa.behave = lambda body: [{"text": "Em chuyển nhân viên."}, handover()]
    await prepared(gateway, *before)

    async def console() -> None:
        async with gateway.database.sessions.begin() as session:
            await act(gateway.cases, session)

    async with gateway.database.sessions.begin() as worker:
        await gateway.ownership.lock(worker, await the_talk(worker))
        waiting = asyncio.create_task(console())
        assert await somebody_waits(gateway.database)
        # Fails at once if the console holds the case already.
        await worker.execute(select(Case.id).with_for_update(nowait=True))
    await waiting
