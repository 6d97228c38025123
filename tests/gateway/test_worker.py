"""Nothing is lost, nobody is answered twice, one owner, and Rasa down is not citizen down."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import unused_port
from sqlalchemy.exc import OperationalError

from call_centre.accounts import new_agent
from call_centre.model import Role
from call_centre.tables import Case, CaseEvent
from gateway import repository
from gateway.database import Database, utc_now
from gateway.rasa_client import RasaClient
from gateway.tables import OutboxMessage, Turn
from gateway.worker import MAX_ATTEMPTS
from tests.gateway.fakes import (
    PATIENCE_SECONDS,
    FakeRasa,
    Gateway,
    Held,
    Message,
    handover,
    said,
    turn,
)


async def stop_in_the_middle(gateway: Gateway, rasa: FakeRasa) -> None:
    """Let Rasa hear a question, then end the worker as a crash would: nothing is written down."""
    rasa.behave = Held()
    gateway.worker.pump.start()
    async with asyncio.timeout(PATIENCE_SECONDS):
        await rasa.arrived.wait()
    await gateway.worker.pump.stop(0)
    rasa.behave = said


# --- order and duplicates ----------------------------------------------------------------------


async def test_a_question_is_answered_and_its_turn_recorded(gateway: Gateway, rasa: FakeRasa) -> None:
    found = await gateway.say("đóng bao nhiêu?", as_of=date(2026, 11, 21))
    assert await gateway.replies() == ["Đáp: đóng bao nhiêu?"]
    assert (found.outcome, found.topics, found.intent) == (
        "answered",
        ["voluntary.contribution_rate"],
        "ask_topic",
    )
    assert found.as_of == date(2026, 11, 21)
    assert rasa.asked[0]["metadata"] == {"as_of": "2026-11-21", "channel": "web_chat"}
    assert rasa.asked[0]["sender"] == (await gateway.conversation()).rasa_conversation_id


async def test_a_delivery_repeated_five_times_is_answered_once(gateway: Gateway, rasa: FakeRasa) -> None:
    accepted = [await gateway.accept("hỏi", message_id="m-1") for _ in range(5)]
    await gateway.turn(accepted[0])
    await gateway.say("hỏi nữa")
    assert [one.is_new for one in accepted] == [True, False, False, False, False]
    assert {one.inbox_id for one in accepted} == {accepted[0].inbox_id}
    assert await gateway.replies() == ["Đáp: hỏi", "Đáp: hỏi nữa"]


async def test_deliveries_at_the_same_moment_are_answered_once(gateway: Gateway, rasa: FakeRasa) -> None:
    accepted = await asyncio.gather(*(gateway.accept("hỏi", message_id="m-1") for _ in range(5)))
    await gateway.turn(accepted[0])
    assert sum(one.is_new for one in accepted) == 1
    assert rasa.questions == ["hỏi"]


async def test_the_same_message_id_on_another_account_is_another_message(gateway: Gateway) -> None:
    await gateway.say("một", message_id="m-1", account="page-a")
    await gateway.say("hai", message_id="m-1", account="page-b")
    assert await gateway.replies() == ["Đáp: một", "Đáp: hai"]


async def test_messages_of_a_conversation_are_asked_in_order_and_never_at_once(
    gateway: Gateway, rasa: FakeRasa
) -> None:
    held = Held()
    rasa.behave = lambda body: held(body) if body["message"].startswith("câu") else said(body)
    accepted = [await gateway.accept(f"câu {number}") for number in range(6)]
    async with asyncio.timeout(PATIENCE_SECONDS):
        await rasa.arrived.wait()
    # Somebody else's turn shows that the worker looked for work while the first question was with Rasa.
    await gateway.say("khác", citizen="somebody else")
    assert rasa.questions == ["câu 0", "khác"]
    held.release.set()
    await gateway.turn(accepted[-1])
    assert rasa.questions == ["câu 0", "khác", *(f"câu {number}" for number in range(1, 6))]
    assert rasa.most_at_once == 1
    assert await gateway.replies() == ["Đáp: khác", *(f"Đáp: câu {number}" for number in range(6))]


async def test_a_slow_conversation_does_not_hold_up_another(gateway: Gateway, rasa: FakeRasa) -> None:
    held = Held()
    rasa.behave = held
    slow = await gateway.accept("chậm", citizen="slow")
    async with asyncio.timeout(PATIENCE_SECONDS):
        await rasa.arrived.wait()
    rasa.behave = said
    await gateway.say("nhanh", citizen="fast")
    assert await gateway.replies() == ["Đáp: nhanh"]
    held.release.set()
    await gateway.turn(slow)
    assert await gateway.replies() == ["Đáp: nhanh", "Đáp: chậm"]


# --- crashes -----------------------------------------------------------------------------------


async def test_after_a_crash_between_question_and_reply_there_is_one_reply(
    idle_gateway: Gateway, rasa: FakeRasa, database_url: str
) -> None:
    accepted = await idle_gateway.accept("hỏi")
    before = (await idle_gateway.conversation()).rasa_conversation_id
    await stop_in_the_middle(idle_gateway, rasa)
    assert (await idle_gateway.inbox_rows())[0].status == "processing"

    reopened = Database(database_url)
    client = RasaClient(rasa.url, actions_url=rasa.url, retry_seconds=0)
    second = Gateway(reopened, client)
    async with reopened.sessions.begin() as session:
        await repository.end_leases(session, utc_now())
    second.worker.pump.start()
    await second.turn(accepted)
    await second.worker.pump.stop(0)

    assert await second.replies() == ["Đáp: hỏi"]
    assert rasa.asked[1]["sender"] != before, "asked twice in one dialogue, Rasa would fill slots twice"
    await client.close()
    await reopened.close()


async def test_another_process_takes_over_only_when_the_lease_ran_out(
    idle_gateway: Gateway, rasa: FakeRasa
) -> None:
    await idle_gateway.accept("hỏi")
    await stop_in_the_middle(idle_gateway, rasa)
    now = utc_now()

    async def claim(at: datetime) -> Any:
        async with idle_gateway.database.sessions.begin() as session:
            return await repository.claim_inbox(session, at, at + timedelta(minutes=1), 1)

    assert await claim(now) == []
    assert len(await claim(now + timedelta(hours=1))) == 1


async def test_whoever_lost_the_lease_writes_nothing(idle_gateway: Gateway, rasa: FakeRasa) -> None:
    await idle_gateway.accept("hỏi")
    (lost,) = await idle_gateway.worker._claim(1)
    async with idle_gateway.database.sessions.begin() as session:
        await repository.end_leases(session, utc_now())
    (held,) = await idle_gateway.worker._claim(1)
    await idle_gateway.worker._process(lost)
    assert await idle_gateway.replies() == []
    await idle_gateway.worker._process(held)
    assert await idle_gateway.replies() == ["Đáp: hỏi"]
    assert len(rasa.asked) == 2


async def test_two_workers_over_one_table_answer_everything_once(
    idle_gateway: Gateway, rasa: FakeRasa, database_url: str
) -> None:
    other_database = Database(database_url)
    other = Gateway(other_database, idle_gateway.worker._rasa)
    accepted = [await idle_gateway.accept(f"câu {n}", citizen=f"c{n % 3}") for n in range(12)]
    idle_gateway.worker.pump.start()
    other.worker.pump.start()
    for one in accepted:
        await idle_gateway.turn(one)
    await idle_gateway.worker.pump.stop(PATIENCE_SECONDS)
    await other.worker.pump.stop(PATIENCE_SECONDS)
    await other_database.close()
    assert sorted(await idle_gateway.replies()) == sorted(f"Đáp: câu {n}" for n in range(12))
    assert rasa.most_at_once == 1
    for citizen in range(3):
        asked = [int(text.split()[1]) for text in rasa.questions if int(text.split()[1]) % 3 == citizen]
        assert asked == sorted(asked)


async def test_a_message_that_keeps_killing_its_worker_goes_to_a_person(
    idle_gateway: Gateway, rasa: FakeRasa
) -> None:
    accepted = await idle_gateway.accept("hỏi")
    for _ in range(MAX_ATTEMPTS):
        assert len(await idle_gateway.worker._claim(1)) == 1
        async with idle_gateway.database.sessions.begin() as session:
            await repository.end_leases(session, utc_now())
    idle_gateway.worker.pump.start()
    found = await idle_gateway.turn(accepted)
    await idle_gateway.worker.pump.stop(0)
    assert found.failure == "too_many_attempts"
    assert rasa.asked == []
    assert (await idle_gateway.case()).reason == "technical_failure"


async def test_a_database_error_while_writing_does_not_ask_rasa_again(
    gateway: Gateway, rasa: FakeRasa, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.database.PAUSE_SECONDS", 0)
    finish = repository.finish_inbox
    failures = [OperationalError("UPDATE inbox", {}, Exception("deadlock detected")) for _ in range(2)]

    async def failing(*arguments: Any) -> bool:
        if failures:
            raise failures.pop()
        return await finish(*arguments)

    monkeypatch.setattr(repository, "finish_inbox", failing)
    await gateway.say("hỏi")
    assert not failures
    assert rasa.questions == ["hỏi"]
    assert await gateway.replies() == ["Đáp: hỏi"]


# --- Rasa fails --------------------------------------------------------------------------------


def server_error(_body: Message) -> web.Response:
    return web.Response(status=500)


def not_json(_body: Message) -> web.Response:
    return web.Response(text="<html>", content_type="text/html")


@pytest.mark.parametrize(
    ("behaviour", "failure"),
    [
        (lambda _body: [{"text": "nửa chừng"}], "no_turn"),
        (lambda _body: [], "no_answer"),
        (lambda _body: [turn()], "no_reply"),
        (lambda _body: [{"text": "a"}, turn(), turn()], "several_turns"),
        (lambda _body: [{"text": "a"}, turn("perhaps")], "bad_turn"),
        (lambda _body: [{"text": "a"}, turn(as_of="hôm nay")], "bad_turn"),
        (lambda _body: [{"text": "a"}, {"custom": {"turn": None}}], "bad_turn"),
        (lambda _body: [{"text": "a", "buttons": [{"title": "x"}]}, turn()], "bad_buttons"),
        (lambda _body: {"error": "x"}, "bad_response"),
        (server_error, "http_500"),
        (not_json, "broken_response"),
    ],
)
async def test_a_failed_turn_means_apology_case_and_a_fresh_dialogue(
    gateway: Gateway, rasa: FakeRasa, behaviour: Callable[[Message], Any], failure: str
) -> None:
    rasa.behave = behaviour
    found = await gateway.say("hỏi")
    assert (found.failure, found.outcome) == (failure, "escalated")
    case = await gateway.case()
    assert (case.reason, case.question) == ("technical_failure", "hỏi")
    apology, promise = await gateway.replies()
    assert apology == gateway.texts["failure"]
    assert case.number in promise
    assert (await gateway.conversation()).owner == "waiting"
    rasa.behave = said
    await gateway.say("hỏi lại")
    assert rasa.asked[1]["sender"] != rasa.asked[0]["sender"]
    assert (await gateway.replies())[-1] == "Đáp: hỏi lại"


async def test_a_second_failure_joins_the_case_and_promises_nothing_more(
    gateway: Gateway, rasa: FakeRasa
) -> None:
    rasa.behave = server_error
    await gateway.say("một")
    await gateway.say("hai")
    assert (await gateway.replies())[2:] == [gateway.texts["failure_again"]]
    assert (await gateway.case()).unread >= 2


async def test_a_turn_that_takes_too_long_goes_to_a_person(database: Database, rasa: FakeRasa) -> None:
    client = RasaClient(rasa.url, actions_url=rasa.url, retry_seconds=0, timeout_seconds=0.2)
    gateway = Gateway(database, client)
    held = Held()
    rasa.behave = held
    gateway.worker.pump.start()
    found = await gateway.say("hỏi")
    held.release.set()
    await gateway.worker.pump.stop(0)
    await client.close()
    assert found.failure == "timeout"
    assert len(rasa.asked) == 1, "a question that left is not asked again"
    assert (await gateway.case()).reason == "technical_failure"


async def test_a_refused_connection_is_tried_again(database: Database) -> None:
    rasa = FakeRasa()
    port = unused_port()
    pauses: list[float] = []

    async def start_rasa_meanwhile(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 2:
            await rasa.start(port)

    url = f"http://127.0.0.1:{port}"
    client = RasaClient(url, actions_url=url, retry_seconds=60, sleep=start_rasa_meanwhile)
    behind = Gateway(database, client)
    behind.worker.pump.start()
    await behind.say("hỏi")
    await behind.worker.pump.stop(0)
    await client.close()
    await rasa.stop()
    assert pauses == [0.25, 0.5]
    assert await behind.replies() == ["Đáp: hỏi"]
    assert rasa.questions == ["hỏi"]


async def test_a_rasa_that_stays_away_means_a_person(database: Database) -> None:
    url = f"http://127.0.0.1:{unused_port()}"
    client = RasaClient(url, actions_url=url, retry_seconds=0)
    behind = Gateway(database, client)
    behind.worker.pump.start()
    found = await behind.say("hỏi")
    await behind.worker.pump.stop(0)
    await client.close()
    assert found.failure == "refused"
    assert (await behind.case()).reason == "technical_failure"


async def test_an_outage_is_waited_out_once_not_by_every_question(database: Database) -> None:
    pauses: list[float] = []

    async def note(seconds: float) -> None:
        pauses.append(seconds)

    url = f"http://127.0.0.1:{unused_port()}"
    client = RasaClient(url, actions_url=url, retry_seconds=1, sleep=note)
    behind = Gateway(database, client)
    behind.worker.pump.start()
    assert (await behind.say("một")).failure == "refused"
    assert pauses
    pauses.clear()
    client._outage_from -= 1  # as long ago as an outage is waited for
    assert (await behind.say("hai")).failure == "refused"
    assert not pauses
    await behind.worker.pump.stop(0)
    await client.close()


@pytest.mark.parametrize("comes_back", [True, False])
async def test_an_action_server_away_is_waited_for_and_the_questions_are_answered_in_order(
    database: Database, rasa: FakeRasa, comes_back: bool
) -> None:
    actions = FakeRasa()
    port = unused_port()

    async def start_actions_meanwhile(seconds: float) -> None:
        if comes_back and seconds > 0.25:
            await actions.start(port)

    def with_actions(body: dict[str, Any]) -> list[dict[str, Any]]:
        return said(body) if actions.port else []

    rasa.behave = with_actions
    client = RasaClient(
        rasa.url, actions_url=f"http://127.0.0.1:{port}", retry_seconds=1, sleep=start_actions_meanwhile
    )
    behind = Gateway(database, client)
    behind.worker.pump.start()
    accepted = [await behind.accept(text) for text in ("một", "hai")]
    failures = [(await behind.turn(one)).failure for one in accepted]
    await behind.worker.pump.stop(0)
    await client.close()
    await actions.stop()
    if comes_back:
        assert failures == [None, None]
        assert await behind.replies() == ["Đáp: một", "Đáp: hai"]
        assert rasa.questions == ["một", "một", "hai"]
    else:
        assert failures == ["actions_refused", "actions_refused"]
        assert (await behind.case()).reason == "technical_failure"


# --- ownership ---------------------------------------------------------------------------------


async def test_handover_opens_one_case_and_promises_once(gateway: Gateway, rasa: FakeRasa) -> None:
    rasa.behave = lambda _body: [{"text": "Em chuyển ngay."}, handover()]
    found = await gateway.say("cho tôi gặp nhân viên")
    await gateway.say("gặp nhân viên đi")
    case = await gateway.case()
    assert found.escalation_reason == case.reason == "asked_for_person"
    first, promise, second = await gateway.replies()
    assert (first, second) == ("Em chuyển ngay.", "Em chuyển ngay.")
    assert case.number in promise
    assert (await gateway.conversation()).owner == "waiting"


async def test_while_waiting_the_bot_answers_and_the_message_joins_the_case(
    gateway: Gateway, rasa: FakeRasa
) -> None:
    rasa.behave = lambda _body: [{"text": "Em chuyển ngay."}, handover()]
    await gateway.say("gặp nhân viên")
    rasa.behave = said
    await gateway.say("mức đóng?")
    assert (await gateway.replies())[-1] == "Đáp: mức đóng?"
    assert (await gateway.case()).unread == 2
    assert [event.kind for event in await gateway.all(CaseEvent)] == ["opened", "citizen_wrote"]


async def claim_case(gateway: Gateway, rasa: FakeRasa) -> None:
    rasa.behave = lambda _body: [{"text": "Em chuyển ngay."}, handover()]
    await gateway.say("gặp nhân viên")
    rasa.behave = said
    await gateway.give_to_agent()


async def test_while_an_agent_owns_the_conversation_rasa_is_not_asked(
    gateway: Gateway, rasa: FakeRasa
) -> None:
    await claim_case(gateway, rasa)
    rasa.asked.clear()
    spoken = await gateway.replies()
    found = await gateway.say("còn đây là câu hỏi thêm")
    assert found.outcome == "with_agent"
    assert rasa.asked == []
    assert await gateway.replies() == spoken
    assert (await gateway.case()).unread == 2


async def test_a_reply_is_dropped_when_an_agent_took_over_while_rasa_was_thinking(
    gateway: Gateway, rasa: FakeRasa
) -> None:
    rasa.behave = lambda _body: [{"text": "Em chuyển ngay."}, handover()]
    await gateway.say("gặp nhân viên")
    held = Held()
    rasa.behave = held
    rasa.arrived.clear()
    spoken = await gateway.replies()
    accepted = await gateway.accept("câu nữa")
    async with asyncio.timeout(PATIENCE_SECONDS):
        await rasa.arrived.wait()
    await gateway.give_to_agent()
    held.release.set()
    found = await gateway.turn(accepted)
    assert found.outcome == "with_agent"
    assert await gateway.replies() == spoken
    assert (await gateway.case()).unread == 2


async def test_a_message_handed_back_between_claim_and_writing_is_answered_by_the_bot(
    idle_gateway: Gateway, rasa: FakeRasa
) -> None:
    accepted = await idle_gateway.accept("hỏi")
    await idle_gateway.give_to_agent()
    (claim,) = await idle_gateway.worker._claim(1)
    async with idle_gateway.database.sessions.begin() as session:
        await idle_gateway.ownership.give_to_bot(session, accepted.conversation_id)
    await idle_gateway.worker._process(claim)
    idle_gateway.worker.pump.start()
    await idle_gateway.turn(accepted)
    await idle_gateway.worker.pump.stop(0)
    assert await idle_gateway.replies() == ["Đáp: hỏi"]


async def test_handing_back_begins_a_fresh_dialogue(gateway: Gateway, rasa: FakeRasa) -> None:
    await gateway.say("một")
    await gateway.give_to_agent()
    async with gateway.database.sessions.begin() as session:
        await gateway.ownership.give_to_bot(session, (await gateway.conversation()).id)
    await gateway.say("hai")
    assert rasa.asked[0]["sender"] != rasa.asked[1]["sender"]


async def test_an_answer_through_the_console_services_reaches_the_citizen_and_the_mark_is_taken(
    gateway: Gateway, rasa: FakeRasa
) -> None:
    """The whole life of a case with the real services: claim, answer, close, satisfaction."""
    agent = new_agent("lan", "Lan", Role.AGENT, "hash", utc_now())
    rasa.behave = lambda _body: [{"text": "Em chuyển ngay."}, handover()]
    await gateway.say("gặp nhân viên")
    rasa.behave = said
    case = await gateway.case()
    async with gateway.database.sessions.begin() as session:
        session.add(agent)
    async with gateway.database.sessions.begin() as session:
        await gateway.cases.claim(session, case.id, agent.id)
        await gateway.cases.answer(session, case.id, agent.id, "Chị xem trên VssID nhé.")
    assert (await gateway.conversation()).owner == "agent"
    assert (await gateway.replies())[-1] == "Chị xem trên VssID nhé."
    async with gateway.database.sessions.begin() as session:
        await gateway.cases.close(session, case.id, agent.id, "answered")
    assert (await gateway.conversation()).owner == "bot"
    rasa.asked.clear()
    await gateway.say("5")
    assert rasa.asked == []
    assert (await gateway.case()).satisfaction == 5
    await gateway.say("5")
    assert rasa.questions == ["5"], "only the answer to the question asked is a mark"


# --- text --------------------------------------------------------------------------------------


async def test_commands_do_not_reach_rasa(gateway: Gateway, rasa: FakeRasa) -> None:
    await gateway.say('/ask_person{"income": "1"}')
    await gateway.say(" \u200b/ /restart")
    assert rasa.questions == ['ask_person{"income": "1"}', "restart"]
    found = await gateway.say("///")
    assert len(rasa.asked) == 2
    assert (await gateway.replies())[-1] == gateway.texts["empty"]
    assert found.outcome == "asked"


async def test_personal_numbers_are_masked_for_rasa_and_the_queue_but_kept_in_the_transcript(
    gateway: Gateway, rasa: FakeRasa
) -> None:
    rasa.behave = lambda _body: [{"text": "Em chuyển ngay."}, handover("personal_record")]
    accepted = await gateway.accept("CCCD của tôi 001203004567, sổ của tôi sao rồi")
    await gateway.turn(accepted)
    assert "001203004567" not in rasa.questions[0]
    assert "001203004567" not in (await gateway.case()).question
    async with gateway.database.readers() as session:
        lines = await gateway.conversations.transcript(session, accepted.conversation_id)
    assert [line.author for line in lines] == ["citizen", "bot", "system"]
    assert "001203004567" in lines[0].text


async def test_an_attachment_gets_a_polite_reply_and_joins_a_case(gateway: Gateway, rasa: FakeRasa) -> None:
    await gateway.say("", kind="attachment")
    assert await gateway.replies() == [gateway.texts["attachment"]]
    rasa.behave = lambda _body: [{"text": "Em chuyển ngay."}, handover()]
    await gateway.say("gặp nhân viên")
    await gateway.say("", kind="attachment")
    assert (await gateway.replies())[-1] == gateway.texts["attachment_waiting"]
    assert (await gateway.case()).unread == 2
    assert rasa.questions == ["gặp nhân viên"]


async def test_typing_the_title_of_a_button_just_offered_is_a_tap(gateway: Gateway, rasa: FakeRasa) -> None:
    offer = {"title": "6 tháng", "payload": "Đóng BHXH tự nguyện 6 tháng một lần thì bao nhiêu?"}
    rasa.behave = lambda _body: [{"text": "Mấy tháng?", "buttons": [offer]}, turn("asked")]
    await gateway.say("đóng bao nhiêu")
    rasa.behave = said
    await gateway.say("6 THÁNG")
    await gateway.say("6 tháng")
    assert rasa.questions[1:] == [offer["payload"], "6 tháng"]


async def test_only_the_newest_lines_of_a_long_transcript_are_read(gateway: Gateway) -> None:
    for number in range(5):
        accepted = await gateway.accept(f"câu {number}")
        await gateway.turn(accepted)
    async with gateway.database.readers() as session:
        lines = await gateway.conversations.transcript(session, accepted.conversation_id, limit=3)
    assert [line.text for line in lines] == ["Đáp: câu 3", "câu 4", "Đáp: câu 4"]
    assert lines[-1].topics == ["voluntary.contribution_rate"]
    assert lines[-1].confidence == 0.9
    assert lines[-1].at.tzinfo is not None


async def test_nothing_of_a_failed_transaction_remains(
    gateway: Gateway, rasa: FakeRasa, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reply, turn and case stand or fall together."""
    monkeypatch.setattr("gateway.database.PAUSE_SECONDS", 0)
    open_case = gateway.cases.open_case
    failures = [OperationalError("INSERT", {}, Exception("away"))]

    async def failing(*arguments: Any) -> Any:
        opened = await open_case(*arguments)
        if failures:
            assert len(await repository.replies_to(arguments[0], 1)) == 1
            raise failures.pop()
        return opened

    monkeypatch.setattr(gateway.cases, "open_case", failing)
    rasa.behave = lambda _body: [{"text": "Em chuyển ngay."}, handover()]
    await gateway.say("gặp nhân viên")
    assert len(await gateway.all(OutboxMessage)) == 2
    assert len(await gateway.all(Case)) == 1
    assert len(await gateway.all(Turn)) == 1
