"""A conversation's life in any order of events: answered once, in order, and never by two at a time."""

from __future__ import annotations

import asyncio
import tempfile
from collections import Counter
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from gateway.database import Database, utc_now
from gateway.echoes import Echo, Echoes
from gateway.inbox import Incoming
from gateway.outbox import Channel, MaybeSent, NotSent, Sender
from gateway.rasa_client import Answer, BotTurn, RasaFailed, Reply
from gateway.review import Reviewer
from gateway.tables import Conversation, InboxMessage, OutboxMessage, Turn
from tests.gateway.conftest import _create_tables
from tests.gateway.fakes import Gateway


class Rasa:
    """Answers at once, or fails when told."""

    longest_turn_seconds = 1.0

    def __init__(self) -> None:
        self.fails = False

    async def ask(self, conversation_id: str, text: str, channel: str, as_of: object) -> Answer:
        if self.fails:
            raise RasaFailed("timeout")
        return Answer((Reply(f"Đáp: {text}"),), BotTurn("answered"))


class Platform(Channel):
    """Accepts, is away, or accepts and breaks off; remembers what citizens saw."""

    def __init__(self) -> None:
        self.seen: list[tuple[int, str]] = []
        self.mood = "well"

    async def send(self, conversation: Conversation, message: OutboxMessage) -> str | None:
        if self.mood == "away":
            raise NotSent
        self.seen.append((message.id, message.text))
        if self.mood == "cut":
            raise MaybeSent
        return f"mid-{message.id}"


class Life(RuleBasedStateMachine):
    """One citizen, the bot, agents in the console and staff in Page Inbox."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.folder = tempfile.TemporaryDirectory()
        self.platform, self.rasa = Platform(), Rasa()
        self.wrote: list[str] = []
        self.staff = 0
        self.run(self._start())

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.runner.run(work)

    async def _start(self) -> None:
        url = f"sqlite+aiosqlite:///{Path(self.folder.name) / 'life.db'}"
        await _create_tables(url)
        self.gateway = Gateway(Database(url), self.rasa)  # type: ignore[arg-type]
        parts: dict[str, Any] = {
            "database": self.gateway.database,
            "signals": self.gateway.signals,
            "cases": self.gateway.cases,
            "ownership": self.gateway.ownership,
            "texts": self.gateway.texts,
        }
        self.echoes, self.reviewer = Echoes(**parts), Reviewer(**parts)
        self.sender = Sender(
            parts["database"], parts["signals"], {"messenger": self.platform}, parts["texts"]
        )

    def teardown(self) -> None:
        self.run(self.gateway.database.close())
        self.runner.close()
        self.folder.cleanup()

    async def _deliver(self, text: str) -> None:
        await self.gateway.inbox.accept(
            Incoming(
                channel="messenger", account="page", citizen_id="psid", message_id=f"m-{text}", text=text
            )
        )

    async def _echo(self, mid: str, text: str, outbox_id: int | None) -> None:
        echo = Echo("messenger", "page", "psid", mid, text, utc_now(), outbox_id)
        await self.echoes.apply(echo)

    @rule(mood=st.sampled_from(["well", "away", "cut"]), fails=st.booleans())
    def weather(self, mood: str, fails: bool) -> None:
        self.platform.mood, self.rasa.fails = mood, fails

    @rule()
    def citizen_writes(self) -> None:
        self.wrote.append(f"câu {len(self.wrote)}")
        self.run(self._deliver(self.wrote[-1]))

    @precondition(lambda self: self.wrote)
    @rule(data=st.data())
    def an_old_webhook_comes_again(self, data: st.DataObject) -> None:
        self.run(self._deliver(data.draw(st.sampled_from(self.wrote))))

    @rule(times=st.integers(1, 3))
    def the_worker_works(self, times: int) -> None:
        async def work() -> None:
            for _ in range(times):
                for claim in await self.gateway.worker._claim(1):
                    await self.gateway.worker._process(claim)

        self.run(work())

    @rule(times=st.integers(1, 3))
    def the_sender_sends(self, times: int) -> None:
        async def work() -> None:
            for _ in range(times):
                for claimed in await self.sender._claim(1):
                    await self.sender._send(claimed)

        self.run(work())

    @precondition(lambda self: self.platform.seen)
    @rule(data=st.data())
    def an_echo_of_ours_comes(self, data: st.DataObject) -> None:
        outbox_id, text = data.draw(st.sampled_from(self.platform.seen))
        self.run(self._echo(f"mid-{outbox_id}", text, outbox_id))

    @precondition(lambda self: self.wrote)
    @rule(again=st.booleans())
    def staff_answer_in_page_inbox(self, again: bool) -> None:
        before = self.owner()
        repeated = again and self.staff > 0
        self.staff += 0 if repeated else 1
        self.run(self._echo(f"staff-{self.staff}", f"nhân viên {self.staff}", None))
        # A delivery that comes again changes nothing: the conversation may be the bot's by now.
        assert self.owner() == (before if repeated else "agent")

    @precondition(lambda self: self.wrote)
    @rule()
    def the_conversation_goes_back_to_the_bot(self) -> None:
        async def give() -> None:
            conversation = await self.gateway.conversation()
            async with self.gateway.database.sessions.begin() as session:
                await self.gateway.ownership.give_to_bot(session, conversation.id)

        self.run(give())

    @precondition(lambda self: self.wrote)
    @rule()
    def an_agent_takes_it_and_the_bot_is_silent(self) -> None:
        async def take() -> None:
            await self.gateway.give_to_agent()
            before = len(await self.gateway.all(OutboxMessage))
            for claim in await self.gateway.worker._claim(1):
                await self.gateway.worker._process(claim)
            assert len(await self.gateway.all(OutboxMessage)) == before

        self.run(take())

    def owner(self) -> str:
        return str(self.run(self.gateway.conversation()).owner)

    @invariant()
    def every_message_is_kept_once_in_order(self) -> None:
        rows: list[InboxMessage] = self.run(self.gateway.all(InboxMessage))
        assert [row.text for row in rows] == self.wrote
        done = [row.status == "done" for row in rows]
        assert done == sorted(done, reverse=True)

    @invariant()
    def every_message_done_has_one_turn_and_at_most_one_answer(self) -> None:
        rows: list[InboxMessage] = self.run(self.gateway.all(InboxMessage))
        turns = {turn.inbox_id: turn for turn in self.run(self.gateway.all(Turn))}
        assert set(turns) == {row.id for row in rows if row.status == "done"}
        written: list[OutboxMessage] = self.run(self.gateway.all(OutboxMessage))
        answers = Counter(row.in_reply_to for row in written if row.author == "bot")
        for inbox_id, turn in turns.items():
            assert answers[inbox_id] == (0 if turn.outcome == "with_agent" else 1)

    @invariant()
    def what_staff_wrote_stands_there_once(self) -> None:
        written: list[OutboxMessage] = self.run(self.gateway.all(OutboxMessage))
        staff = [row.text for row in written if row.author == "agent"]
        assert staff == [f"nhân viên {number + 1}" for number in range(self.staff)]

    @invariant()
    def nothing_is_sent_twice_or_out_of_order(self) -> None:
        ids = [outbox_id for outbox_id, _ in self.platform.seen]
        assert ids == sorted(set(ids))


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=15, stateful_step_count=25, deadline=None)
