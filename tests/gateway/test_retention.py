"""What is older than the office's periods goes, all of it; what is recent, open or unsent stays."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from sqlalchemy import func, select

from call_centre import repository as queue
from call_centre.accounts import new_agent
from call_centre.model import Role
from call_centre.services import search_for
from call_centre.tables import (
    Agent,
    AgentSession,
    Case,
    CaseEvent,
    CaseLabel,
    Draft,
    LoginThrottle,
    Note,
    ScheduledReply,
)
from call_centre.tables import Base as CallCentreBase
from gateway import repository
from gateway.__main__ import main
from gateway.app import create_app
from gateway.conversations import received_id
from gateway.database import Database, utc_now
from gateway.retention import NIGHT, Counts, Purge, until_night
from gateway.schema import upgrade
from gateway.settings import read_settings
from gateway.tables import Base, Button, Conversation, InboxMessage, OutboxMessage, Turn
from tests.gateway.fakes import OFFICE, PATIENCE_SECONDS, FakeRasa, Gateway, eventually, handover, said, turn
from vietnamese.text import fold

LAN = "lan"
WORDS = (
    Conversation,
    InboxMessage,
    OutboxMessage,
    Turn,
    Button,
    Case,
    Note,
    CaseLabel,
    Draft,
    ScheduledReply,
)
OLD = OFFICE.retention.conversations_days + 1  # days
SECRET = "quảcầuthủytinh"  # a word that stands nowhere else


def purge_of(gateway: Gateway, **options: Any) -> Purge:
    return Purge(gateway.database, gateway.cases, gateway.signals, OFFICE.retention, **options)


async def purged(gateway: Gateway, **options: Any) -> Counts:
    """What a purge deleted that had no trouble."""
    purge = purge_of(gateway, **options)
    async with asyncio.timeout(PATIENCE_SECONDS):
        counts = await purge.run()
    assert purge.failed == 0
    return counts


async def age(database: Database, days: int) -> None:
    """Let everything there is have happened so many days earlier."""
    async with database.sessions.begin() as session:
        for base in (Base, CallCentreBase):
            for mapper in base.registry.mappers:
                for row in (await session.execute(select(mapper.class_))).scalars():
                    for column in mapper.column_attrs:
                        moment = getattr(row, column.key)
                        if isinstance(moment, datetime):
                            setattr(row, column.key, moment - timedelta(days=days))


async def count(database: Database, tables: Collection[type[Any]] = WORDS) -> dict[str, int]:
    async with database.readers() as session:
        return {
            table.__name__: (await session.execute(select(func.count()).select_from(table))).scalar_one()
            for table in tables
        }


async def an_agent(gateway: Gateway) -> None:
    agent = new_agent(LAN, "Lan", Role.ADMINISTRATOR, "", utc_now())
    agent.id = LAN
    async with gateway.database.sessions.begin() as session:
        session.add(agent)


async def found(gateway: Gateway, words: str) -> list[int]:
    """The cases a search finds."""
    async with gateway.database.readers() as session:
        agent = await session.get(Agent, LAN)
        assert agent is not None
        page = await queue.list_cases(session, queue.CaseFilter("found", search=search_for(words)), agent)
    return [case.id for case in page.cases]


async def ask_for_person(gateway: Gateway, rasa: FakeRasa, **fields: Any) -> int:
    """A question that becomes a case; its id."""
    rasa.behave = lambda body: [{"text": "Em chuyển nhân viên."}, handover()]
    await gateway.say("cho tôi gặp nhân viên", **fields)
    rasa.behave = said
    return max(case.id for case in await gateway.all(Case))


async def answered_and_closed(gateway: Gateway, rasa: FakeRasa, **fields: Any) -> int:
    """A case on which everything was done that leaves a row; its id."""
    rasa.behave = lambda body: [
        {"text": "Chọn đi ạ", "buttons": [{"title": "Mua thẻ", "payload": "mua thẻ"}]},
        turn(),
    ]
    asked = await gateway.say(f"tôi hỏi về {SECRET} 0912345678", **fields)
    case_id = await ask_for_person(gateway, rasa, **fields)
    async with gateway.database.sessions.begin() as session:
        await gateway.cases.claim(session, case_id, LAN)
        await gateway.cases.label(session, case_id, LAN, "gấp")
        await gateway.cases.note(session, case_id, LAN, f"họ hỏi {SECRET}")
        (agent,) = await queue.agents(session)
        await gateway.cases.reveal(session, case_id, agent, received_id(asked.inbox_id), "tra thẻ")
        await gateway.cases.answer(session, case_id, LAN, f"Dạ, {SECRET} còn hạn")
        await gateway.cases.close(session, case_id, LAN, "answered")
        await gateway.cases.save_draft(session, case_id, LAN, f"nháp {SECRET}")
    return case_id


async def test_all_of_an_old_conversation_goes(gateway: Gateway, rasa: FakeRasa, database_url: str) -> None:
    await an_agent(gateway)
    case_id = await answered_and_closed(gateway, rasa)
    assert await found(gateway, SECRET) == [case_id]
    there = await count(gateway.database)
    assert all(there[name] for name in there if name != "ScheduledReply")
    await age(gateway.database, OLD)
    trail = {(one.id, one.kind, one.case_id) for one in await gateway.all(CaseEvent)}

    counts = await purged(gateway)

    messages = there["InboxMessage"] + there["OutboxMessage"]
    assert counts == Counts(conversations=1, messages=messages, cases=1)
    assert set((await count(gateway.database)).values()) == {0}
    assert await found(gateway, SECRET) == []
    # The trail outlives the case, with its number and without the citizen's words.
    left = await gateway.all(CaseEvent)
    assert {(one.id, one.kind, one.case_id) for one in left} >= trail
    assert ("revealed", case_id) in {(one.kind, one.case_id) for one in left}
    assert not any(SECRET in json.dumps(one.detail, ensure_ascii=False) for one in left)
    assert left[-1].kind == "purged" and left[-1].detail["messages"] == messages
    # What the pages of figures read.
    async with gateway.database.readers() as session:
        ever = (utc_now() - timedelta(days=3 * OLD), utc_now())
        assert await queue.case_rows(session, *ever) == []
        assert await gateway.conversations.turns_by_topic(session, *ever) == {}
    # Its number is not told to anybody else.
    assert await ask_for_person(gateway, rasa) > case_id
    if gateway.database.is_sqlite:
        await gateway.worker.pump.stop(0)
        await gateway.database.close()  # what stands in the log is written to the file
        left_behind = await asyncio.to_thread(Path(database_url.partition(":///")[2]).read_bytes)
        assert SECRET.encode() not in left_behind
        assert fold(SECRET).encode() not in left_behind


async def test_what_is_recent_stays(gateway: Gateway, rasa: FakeRasa) -> None:
    await an_agent(gateway)
    case_id = await answered_and_closed(gateway, rasa)
    before = await count(gateway.database)
    await age(gateway.database, OFFICE.retention.conversations_days - 1)
    assert await purged(gateway) == Counts()
    assert await count(gateway.database) == before
    assert await found(gateway, SECRET) == [case_id]


async def test_a_conversation_that_goes_on_keeps_what_is_recent(gateway: Gateway, rasa: FakeRasa) -> None:
    await gateway.say("câu cũ")
    conversation = await gateway.conversation()
    await age(gateway.database, OLD)
    await gateway.say("câu mới", message_id="m-2")

    counts = await purged(gateway)

    assert (counts.conversations, counts.messages) == (0, 2)
    assert [row.text for row in await gateway.inbox_rows()] == ["câu mới"]
    assert await gateway.replies() == ["Đáp: câu mới"]
    assert (await gateway.conversation()).id == conversation.id
    assert len(await gateway.all(Turn)) == 1
    again = await gateway.accept("câu mới", message_id="m-2")
    assert not again.is_new
    before = max(row.id for row in await gateway.inbox_rows())
    assert (await gateway.accept("câu sau")).inbox_id > before


async def test_message_ids_go_on_after_all_messages_went(gateway: Gateway) -> None:
    last = await gateway.accept("câu cũ")
    await gateway.turn(last)
    written = (await gateway.all(OutboxMessage))[-1].id
    await age(gateway.database, OLD)
    assert (await purged(gateway)).messages == 2
    following = await gateway.accept("câu mới")
    await gateway.turn(following)
    assert following.inbox_id > last.inbox_id
    assert (await gateway.all(OutboxMessage))[-1].id > written


async def test_an_open_case_keeps_its_conversation(gateway: Gateway, rasa: FakeRasa) -> None:
    await an_agent(gateway)
    case_id = await ask_for_person(gateway, rasa)
    before = await count(gateway.database)
    await age(gateway.database, OLD)
    assert await purged(gateway) == Counts()
    assert await count(gateway.database) == before
    async with gateway.database.sessions.begin() as session:
        await gateway.cases.claim(session, case_id, LAN)
        await gateway.cases.close(session, case_id, LAN, "unreachable")
    # Closed today: the case stays for its period, the old messages need not.
    assert await purged(gateway) == Counts(messages=3)
    assert [case.id for case in await gateway.all(Case)] == [case_id]
    async with gateway.database.readers() as session:
        (case,) = await gateway.all(Case)
        await gateway.conversations.view(session, case.conversation_id)


async def test_search_finds_no_deleted_word_of_a_case_that_is_kept(gateway: Gateway, rasa: FakeRasa) -> None:
    await an_agent(gateway)
    case_id = await answered_and_closed(gateway, rasa)
    await age(gateway.database, OLD)
    async with gateway.database.sessions.begin() as session:
        await gateway.cases.note(session, case_id, LAN, "xem lại")  # something happened to it
    assert await found(gateway, SECRET) == [case_id]
    counts = await purged(gateway)
    assert (counts.cases, counts.conversations) == (0, 0)
    assert counts.messages > 0
    assert await found(gateway, SECRET) == []
    assert await found(gateway, "gặp nhân viên") == [case_id]


async def test_what_is_not_answered_or_sent_stays(idle_gateway: Gateway) -> None:
    gateway = idle_gateway
    await gateway.accept("chưa ai trả lời", citizen="waits")
    async with gateway.database.sessions.begin() as session:
        for citizen, status, review_at in (
            ("queued", "queued", None),
            ("doubtful", "ambiguous", utc_now()),
            ("failed", "failed", None),
        ):
            conversation = await repository.ensure_conversation(
                session, ("messenger", "page", citizen), utc_now(), utc_now()
            )
            row = await repository.insert_outbox(
                session, conversation, "agent", "câu trả lời", utc_now(), sent=False
            )
            row.status, row.review_at = status, review_at  # type: ignore[assignment]
    await age(gateway.database, OLD)
    assert await purged(gateway) == Counts(conversations=1, messages=1)
    left = {row.citizen_id for row in await gateway.all(Conversation)}
    assert left == {"waits", "queued", "doubtful"}


async def test_a_message_stays_with_an_answer_that_is_not_sent(gateway: Gateway) -> None:
    await gateway.say("câu hỏi")
    await age(gateway.database, OLD)
    async with gateway.database.sessions.begin() as session:
        (row,) = (await session.execute(select(OutboxMessage))).scalars()
        row.status = "queued"
    assert await purged(gateway) == Counts()
    assert len(await gateway.inbox_rows()) == 1


async def test_batches_smaller_than_the_data_delete_all_of_it(gateway: Gateway, rasa: FakeRasa) -> None:
    await an_agent(gateway)
    for citizen in ("a", "b", "c"):
        await answered_and_closed(gateway, rasa, citizen=citizen)
        for n in range(4):
            await gateway.say(f"câu {n}", citizen=citizen)
    there = await count(gateway.database)
    await age(gateway.database, OFFICE.retention.audit_days + 1)
    events = len(await gateway.all(CaseEvent))
    counts = await purged(gateway, batch=2)
    messages = there["InboxMessage"] + there["OutboxMessage"]
    assert counts == Counts(conversations=3, messages=messages, cases=3, audit_records=events)
    assert set((await count(gateway.database)).values()) == {0}


async def test_a_preview_counts_what_a_purge_deletes_and_deletes_nothing(
    gateway: Gateway, rasa: FakeRasa
) -> None:
    await an_agent(gateway)
    await answered_and_closed(gateway, rasa, citizen="closed")
    await ask_for_person(gateway, rasa, citizen="open")
    await gateway.say("câu cũ", citizen="goes-on")
    await age(gateway.database, OFFICE.retention.audit_days + 1)
    await gateway.say("câu mới", citizen="goes-on")
    everything = (*WORDS, CaseEvent)
    before = await count(gateway.database, everything)
    purge = purge_of(gateway, batch=2)
    counts = await purge.preview()
    assert await count(gateway.database, everything) == before
    assert (counts.conversations, counts.cases) == (1, 1)
    assert await purge.run() == counts


async def test_two_purges_at_once_delete_each_row_once(gateway: Gateway, rasa: FakeRasa) -> None:
    await an_agent(gateway)
    for n in range(6):
        await answered_and_closed(gateway, rasa, citizen=f"citizen-{n}")
    await age(gateway.database, OFFICE.retention.audit_days + 1)
    expected = await purge_of(gateway).preview()
    first, second = purge_of(gateway, batch=1), purge_of(gateway, batch=2)
    one, other = await asyncio.gather(first.run(), second.run())
    assert first.failed == second.failed == 0
    # What both left to each other goes the next time.
    rest = await purged(gateway)
    total = {name: sum(vars(c)[name] for c in (one, other, rest)) for name in vars(expected)}
    assert total == vars(expected)
    assert set((await count(gateway.database)).values()) == {0}


async def test_messages_that_arrive_meanwhile_are_answered(gateway: Gateway) -> None:
    citizens = [f"citizen-{n}" for n in range(12)]
    for citizen in citizens:
        await gateway.say("câu cũ", citizen=citizen)
    await age(gateway.database, OLD)
    purge = purge_of(gateway, batch=1)
    _, *accepted = await asyncio.gather(
        purge.run(), *(gateway.accept("câu mới", citizen=citizen) for citizen in reversed(citizens))
    )
    for one in accepted:
        assert one.is_new
        assert (await gateway.turn(one)).outcome == "answered"
    assert purge.failed == 0
    await purge.run()
    assert [row.text for row in await gateway.inbox_rows()] == ["câu mới"] * len(citizens)
    assert {row.citizen_id for row in await gateway.all(Conversation)} == set(citizens)


@pytest.mark.parametrize("used_url", ["postgresql"], indirect=True)
async def test_a_conversation_somebody_works_on_is_left_alone(gateway: Gateway, rasa: FakeRasa) -> None:
    await an_agent(gateway)
    await answered_and_closed(gateway, rasa)
    await age(gateway.database, OLD)
    conversation = await gateway.conversation()
    before = await count(gateway.database)
    async with gateway.database.sessions.begin() as session:
        await repository.lock_conversation(session, conversation.id)
        assert await purged(gateway) == Counts()
    assert await count(gateway.database) == before
    assert (await purged(gateway)).conversations == 1


async def test_the_audit_trail_is_kept_longer_then_goes(gateway: Gateway, rasa: FakeRasa) -> None:
    await an_agent(gateway)
    case_id = await answered_and_closed(gateway, rasa)
    await age(gateway.database, OFFICE.retention.audit_days - 1)
    await purged(gateway)
    trail = [one for one in await gateway.all(CaseEvent) if one.case_id == case_id]
    assert {one.kind for one in trail} >= {"opened", "claimed", "revealed", "answered", "closed"}
    newest = max(one.id for one in await gateway.all(CaseEvent))
    await age(gateway.database, 2)
    assert (await purged(gateway)).audit_records == len(trail)
    assert [one.kind for one in await gateway.all(CaseEvent)] == ["purged", "purged"]
    assert (await gateway.all(CaseEvent))[-1].id > newest  # pages resume by these ids


async def test_a_merged_case_is_counted_once_when_the_other_is_gone(gateway: Gateway, rasa: FakeRasa) -> None:
    await an_agent(gateway)
    asked = {"channel": "facebook_comment", "account": "page"}
    main_case = await ask_for_person(gateway, rasa, citizen="7/one", **asked)
    repeated = await ask_for_person(gateway, rasa, citizen="7/two", **asked)
    async with gateway.database.sessions.begin() as session:
        await gateway.cases.claim(session, main_case, LAN)
        await gateway.cases.merge(session, repeated, LAN, main_case)
        await gateway.cases.close(session, main_case, LAN, "unreachable")
    for row in await gateway.all(OutboxMessage):
        async with gateway.database.sessions.begin() as session:
            await repository.confirm(session, row.id, f"mid-{row.id}", utc_now())
    await age(gateway.database, OLD)
    async with gateway.database.sessions.begin() as session:
        await gateway.cases.note(session, repeated, LAN, "xem lại")
    assert (await purged(gateway)).cases == 1
    (left,) = await gateway.all(Case)
    assert (left.id, left.merged_into, left.outcome) == (repeated, None, "merged")
    async with gateway.database.readers() as session:
        assert await queue.case_rows(session, utc_now() - timedelta(days=2 * OLD), utc_now()) == []


async def test_ended_sessions_and_failed_log_ins_go(gateway: Gateway) -> None:
    await an_agent(gateway)
    now = utc_now()
    async with gateway.database.sessions.begin() as session:
        for token, days in (("old", 31), ("recent", 29), ("live", 0)):
            session.add(
                AgentSession(
                    token_hash=token,
                    agent_id=LAN,
                    csrf_token=token,
                    created_at=now - timedelta(days=days),
                    seen_at=now - timedelta(days=days),
                    expires_at=now - timedelta(days=days),
                    address="127.0.0.1",
                    user_agent="test",
                )
            )
        for name, days, locked_until in (
            ("old", 2, None),
            ("locked", 2, now + timedelta(minutes=5)),
            ("recent", 0, None),
        ):
            session.add(
                LoginThrottle(
                    username=name,
                    failures=3,
                    last_failure_at=now - timedelta(days=days),
                    locked_until=locked_until,
                )
            )
    assert (await purge_of(gateway).preview()).log_ins == 2
    assert (await purged(gateway)).log_ins == 2
    assert {one.token_hash for one in await gateway.all(AgentSession)} == {"recent", "live"}
    assert {one.username for one in await gateway.all(LoginThrottle)} == {"locked", "recent"}


async def test_the_gateway_purges_while_it_runs(
    gateway: Gateway, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await gateway.say("câu cũ")
    await age(gateway.database, OLD)
    monkeypatch.setattr("gateway.app.is_current", _always_current)
    settings = read_settings({"DATABASE_URL": database_url, "DATA_DIR": str(tmp_path)})
    runner = web.AppRunner(await create_app(settings, "k" * 32))

    async def nothing_left() -> bool:
        return not any((await count(gateway.database)).values())

    await runner.setup()
    await eventually(nothing_left, gateway.signals, "nobody wakes")
    await runner.cleanup()


async def _always_current(*_: object) -> bool:
    return True


def test_the_next_night() -> None:
    evening = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)  # 19:00 in Vietnam
    assert until_night(evening) == timedelta(hours=7 + NIGHT.hour - 2, minutes=NIGHT.minute)
    assert until_night(evening + until_night(evening)) == timedelta(days=1)


# --- the command ---------------------------------------------------------------------------------


@pytest.fixture
def migrated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    monkeypatch.setenv("DATABASE_URL", "")
    url = read_settings().database_url
    upgrade(url)
    return url


async def _an_old_talk(url: str) -> None:
    database = Database(url)
    async with database.sessions.begin() as session:
        long_ago = utc_now() - timedelta(days=OLD)
        citizen = ("web_chat", "site", "citizen-1")
        conversation = await repository.ensure_conversation(session, citizen, long_ago, long_ago)
        await repository.insert_outbox(session, conversation, "bot", f"Đáp: {SECRET}", long_ago, sent=True)
    await database.close()


def test_the_command_counts_and_deletes(migrated: str, capfd: pytest.CaptureFixture[str]) -> None:
    asyncio.run(_an_old_talk(migrated))
    for arguments, heading in (
        (["--dry-run"], "Would delete:"),
        (["--dry-run"], "Would delete:"),
        ([], "Deleted:"),
    ):
        assert main(["purge", *arguments]) == 0
        printed, logged = capfd.readouterr()
        assert printed.splitlines()[0] == heading
        assert [line.split()[-1] for line in printed.splitlines()[1:]] == ["1", "1", "0", "0", "0"]
        assert SECRET not in logged
        (line,) = [json.loads(one) for one in logged.splitlines() if "purge" in one]
        assert (line["conversations"], line["messages"]) == (1, 1)
    assert main(["purge"]) == 0
    assert {line.split()[-1] for line in capfd.readouterr().out.splitlines()[1:]} == {"0"}


def test_the_command_says_what_is_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    monkeypatch.setenv("DATABASE_URL", "")
    assert main(["purge"]) == 2
    assert "run: uv run python -m gateway migrate" in capsys.readouterr().err
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/nowhere/a.db")
    assert main(["purge", "--dry-run"]) == 1
    assert "the database of DATABASE_URL cannot be used" in capsys.readouterr().err.splitlines()[-1]
