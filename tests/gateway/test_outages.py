"""The database away, or shared with agents: nothing is lost, answered twice, out of order or stuck."""

from __future__ import annotations

import asyncio
import sqlite3

import asyncpg
from sqlalchemy import make_url
from structlog.testing import capture_logs

from call_centre import repository as queue
from tests import postgresql
from tests.call_centre.conftest import add_agent
from tests.gateway.fakes import FakeRasa, Gateway, handover, said
from tests.gateway.fanpage import fanpage

CITIZENS, QUESTIONS = 4, 5


async def cut_connections(url: str) -> None:
    """What a restart of the database server does to everybody connected."""
    connection = await asyncpg.connect(postgresql.URL)
    try:
        await connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1",
            make_url(url).database,
        )
    finally:
        await connection.close()


async def test_a_database_that_goes_away_loses_nothing_and_answers_late_in_order(
    idle_gateway: Gateway, database_url: str
) -> None:
    async with fanpage(idle_gateway) as page:
        locked = None
        for number in range(QUESTIONS):
            for citizen in range(CITIZENS):
                page.meta.write(f"psid-{citizen}", f"câu {number} của {citizen}")
            if database_url.startswith("sqlite"):
                locked = locked or sqlite3.connect(
                    make_url(database_url).database or "", isolation_level=None
                )
                locked.execute("BEGIN EXCLUSIVE")
                await asyncio.sleep(0.05)  # others find it locked
                locked.execute("COMMIT")
            else:
                await cut_connections(database_url)
        if locked is not None:
            locked.close()
        await page.settled(CITIZENS * QUESTIONS)
        told: dict[str, list[str]] = {f"psid-{citizen}": [] for citizen in range(CITIZENS)}
        for one in page.meta.sent:
            told[one["citizen"]].append(one["text"])
        failed = sum(one.status != 200 for one in page.meta.deliverer.delivered)
    for citizen in range(CITIZENS):
        assert told[f"psid-{citizen}"] == [f"Đáp: câu {number} của {citizen}" for number in range(QUESTIONS)]
    print(f"\n{CITIZENS * QUESTIONS} messages answered once, in order; {failed} deliveries repeated")


async def answer_and_close(gateway: Gateway, conversation_id: str, agent_id: str) -> None:
    """What an agent does in the console, a transaction for each button."""
    sessions, cases = gateway.database.sessions, gateway.cases
    async with sessions() as session:
        case = await queue.open_case_of(session, conversation_id)
    assert case is not None
    async with sessions.begin() as session:
        await cases.claim(session, case.id, agent_id)
    async with sessions.begin() as session:
        await cases.answer(session, case.id, agent_id, "Dạ em trả lời đây ạ.")
    async with sessions.begin() as session:
        await cases.close(session, case.id, agent_id, "answered")


async def test_agents_at_work_and_citizens_writing_never_block_each_other(
    idle_gateway: Gateway, rasa: FakeRasa
) -> None:
    """A deadlock would end a transaction of one of the two."""
    handed_over = [{"text": "Em chuyển."}, handover()]
    rasa.behave = lambda body: handed_over if "gặp" in body["message"] else said(body)
    agent_id = (await add_agent(idle_gateway.database.sessions, "lan")).id

    async def work_on(citizen: int) -> None:
        for number in range(QUESTIONS):
            await idle_gateway.accept(f"gặp nhân viên {number}", f"c{citizen}")
            waiting = await idle_gateway.accept(f"thêm {number}", f"c{citizen}")
            await idle_gateway.turn(waiting)
            await idle_gateway.accept(f"nữa {number}", f"c{citizen}")
            await answer_and_close(idle_gateway, waiting.conversation_id, agent_id)

    with capture_logs() as logs:
        idle_gateway.worker.pump.start()
        await asyncio.gather(*(work_on(citizen) for citizen in range(CITIZENS)))
        await idle_gateway.worker.pump.stop(20)
    assert not {"transaction_failed", "claim_failed", "job_failed"} & {one["event"] for one in logs}
