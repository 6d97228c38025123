"""The web chat over real HTTP: cookie, de-duplication, live answers and resuming."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from gateway.channels.web_chat import MAX_BODY, MAX_LINES, Cursor, RateLimit, Visitors
from gateway.inbox import MAX_TEXT
from tests.gateway.fakes import OFFICE, PATIENCE_SECONDS, FakeRasa, Gateway, Held, handover, said, site, turn

Client = TestClient[web.Request, web.Application]


@pytest.fixture
async def visitor(gateway: Gateway) -> AsyncIterator[Client]:
    """A browser that has opened the page."""
    async with TestClient(TestServer(site(gateway))) as client:
        await client.get("/")
        yield client


async def post(client: Client, text: str | None = None, number: int = 0, **fields: Any) -> Any:
    """Post a message; status and body."""
    body = {"client_id": f"message-{number:04}", **fields}
    if text is not None:
        body["text"] = text
    async with client.post("/chat/messages", json=body) as response:
        return response.status, await response.json()


async def read_events(response: aiohttp.ClientResponse, until: str) -> list[dict[str, Any]]:
    """Events of a stream up to the one whose text or name is `until`."""
    found: list[dict[str, Any]] = []
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            block = (await response.content.readuntil(b"\n\n")).decode()
            if block.startswith(":"):
                continue
            event: dict[str, Any] = dict(line.split(": ", 1) for line in block.strip().split("\n"))
            event["data"] = json.loads(event["data"])
            found.append(event)
            if until in (event["event"], event["data"].get("text")):
                return found


def texts(events: list[dict[str, Any]]) -> list[str]:
    return [event["data"]["text"] for event in events if event["event"] == "line"]


async def history(client: Client) -> dict[str, Any]:
    async with client.get("/chat/history") as response:
        found: dict[str, Any] = await response.json()
        return found


async def answered(client: Client, text: str) -> dict[str, Any]:
    """The history once `text` is in it, awaited over the live stream."""
    async with client.get("/chat/events?after=0-0") as stream:
        await read_events(stream, text)
    return await history(client)


async def test_the_page_says_what_it_is_and_warns(visitor: Client) -> None:
    async with visitor.get("/") as response:
        page = await response.text()
        assert response.headers["Content-Security-Policy"].startswith("default-src 'none'; script-src 'self'")
        assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert '<html lang="vi">' in page
    assert f"<title>{OFFICE.assistant_name}" in page
    assert "trợ lý tự động" in page
    assert "CCCD" in page
    assert "OTP" in page
    assert "<script>" not in page
    assert "style=" not in page
    for asset in ("/static/chat.js", "/static/chat.css", "/static/icon.svg"):
        assert asset in page
        async with visitor.get(asset) as response:
            assert response.status == 200


async def test_the_cookie_is_for_this_site_and_out_of_reach_of_scripts(gateway: Gateway) -> None:
    async with (
        TestClient(TestServer(site(gateway))) as client,
        client.get("/", headers={"X-Forwarded-Proto": "https"}) as response,
    ):
        cookie = response.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Secure" in cookie


def test_a_forged_cookie_is_nobody() -> None:
    visitors = Visitors("k" * 32)
    cookie = visitors.sign("citizen")
    assert visitors.read(cookie) == "citizen"
    for forged in (
        None,
        "",
        "citizen",
        "citizen.",
        cookie[:-1],
        "other" + cookie[7:],
        Visitors("l" * 32).sign("citizen"),
        "citizen.é",
    ):
        assert visitors.read(forged) is None


async def test_a_question_is_accepted_then_answered_live(visitor: Client) -> None:
    status, body = await post(visitor, "  đóng   bao nhiêu ")
    assert (status, body["text"]) == (202, "đóng bao nhiêu")
    found = await answered(visitor, "Đáp: đóng bao nhiêu")
    assert [(line["author"], line["text"]) for line in found["lines"]] == [
        ("citizen", "đóng bao nhiêu"),
        ("bot", "Đáp: đóng bao nhiêu"),
    ]


async def test_the_same_client_id_is_one_message(visitor: Client, rasa: FakeRasa) -> None:
    first = await post(visitor, "hỏi")
    assert await post(visitor, "hỏi") == first
    await answered(visitor, "Đáp: hỏi")
    assert rasa.questions == ["hỏi"]


async def test_two_browsers_may_choose_the_same_client_id(gateway: Gateway, visitor: Client) -> None:
    async with TestClient(TestServer(site(gateway))) as other:
        await other.get("/")
        await post(visitor, "một")
        await post(other, "hai")
        assert len((await answered(visitor, "Đáp: một"))["lines"]) == 2
        assert len((await answered(other, "Đáp: hai"))["lines"]) == 2


async def test_a_stream_resumes_where_it_broke_off(visitor: Client, rasa: FakeRasa) -> None:
    await post(visitor, "một", 1)
    async with visitor.get("/chat/events?after=0-0") as stream:
        seen = await read_events(stream, "Đáp: một")
    last = [event["id"] for event in seen if "id" in event][-1]
    await post(visitor, "hai", 2)
    await answered(visitor, "Đáp: hai")
    async with visitor.get("/chat/events?after=0-0", headers={"Last-Event-ID": last}) as stream:
        resumed = await read_events(stream, "Đáp: hai")
    assert texts(seen) == ["một", "Đáp: một"]
    assert texts(resumed) == ["hai", "Đáp: hai"]


async def test_every_event_can_be_resumed_from(visitor: Client) -> None:
    await post(visitor, "một", 1)
    await answered(visitor, "Đáp: một")
    await post(visitor, "hai", 2)
    await answered(visitor, "Đáp: hai")
    async with visitor.get("/chat/events?after=0-0") as stream:
        whole = [event for event in await read_events(stream, "Đáp: hai") if event["event"] == "line"]
    for number, event in enumerate(whole[:-1]):
        async with visitor.get("/chat/events", headers={"Last-Event-ID": event["id"]}) as stream:
            rest = await read_events(stream, "Đáp: hai")
        assert texts(rest) == texts(whole[number + 1 :])


async def test_a_stream_without_a_usable_cursor_asks_the_page_to_reload(visitor: Client) -> None:
    await post(visitor, "một")
    for after in ("", "x", "1", "-1-2"):
        async with visitor.get(f"/chat/events?after={after}") as stream:
            assert [event["event"] for event in await read_events(stream, "reset")] == ["reset"]


async def test_a_stream_too_far_behind_asks_the_page_to_reload(gateway: Gateway, visitor: Client) -> None:
    await post(visitor, "hỏi")
    await answered(visitor, "Đáp: hỏi")
    conversation = await gateway.conversation()
    for number in range(MAX_LINES + 1):
        async with gateway.database.sessions.begin() as session:
            await gateway.outbox.enqueue_system_note(session, conversation.id, f"tin {number}")
    async with visitor.get("/chat/events?after=1-1") as stream:
        assert (await read_events(stream, "reset"))[0]["event"] == "reset"
    lines = (await history(visitor))["lines"]
    assert len(lines) == MAX_LINES
    assert lines[-1]["text"] == f"tin {MAX_LINES}"


async def test_the_page_knows_that_an_answer_is_under_way(visitor: Client, rasa: FakeRasa) -> None:
    held = Held()
    rasa.behave = held
    await post(visitor, "hỏi")
    async with visitor.get("/chat/events?after=0-0") as stream:
        before = await read_events(stream, "state")
        assert before[-1]["data"] == {"thinking": True, "owner": "bot"}
        assert (await history(visitor))["thinking"] is True
        held.release.set()
        after = await read_events(stream, "state")
    assert texts(after) == ["Đáp: hỏi"]
    assert after[-1]["data"] == {"thinking": False, "owner": "bot"}


async def test_an_agents_answer_arrives_live(gateway: Gateway, visitor: Client, rasa: FakeRasa) -> None:
    rasa.behave = lambda _body: [{"text": "Em chuyển ngay."}, handover()]
    await post(visitor, "gặp nhân viên")
    await answered(visitor, "Em chuyển ngay.")
    conversation = await gateway.conversation()
    cursor = (await history(visitor))["cursor"]
    async with visitor.get(f"/chat/events?after={cursor}") as stream:
        assert (await read_events(stream, "state"))[-1]["data"]["owner"] == "waiting"
        async with gateway.database.sessions.begin() as session:
            await gateway.ownership.give_to_agent(session, conversation.id, "agent-1")
            await gateway.outbox.enqueue_agent_reply(session, conversation.id, "Chào chị.", "agent-1")
        events = await read_events(stream, "state")
    assert [event["data"]["author"] for event in events if event["event"] == "line"] == ["agent"]
    assert events[-1]["data"] == {"thinking": False, "owner": "agent"}


async def test_a_tap_says_the_buttons_sentence_and_the_page_never_sees_it(
    visitor: Client, rasa: FakeRasa
) -> None:
    offer = {"title": "6 tháng", "payload": "Đóng 6 tháng một lần thì bao nhiêu?"}
    rasa.behave = lambda _body: [{"text": "Mấy tháng?", "buttons": [offer]}, turn("asked")]
    await post(visitor, "đóng bao nhiêu", 1)
    (button,) = (await answered(visitor, "Mấy tháng?"))["lines"][-1]["buttons"]
    assert set(button) == {"title", "token"}
    rasa.behave = said
    status, body = await post(visitor, number=2, button=button["token"])
    assert (status, body["text"]) == (202, offer["payload"])
    await answered(visitor, f"Đáp: {offer['payload']}")
    assert rasa.questions[-1] == offer["payload"]


async def test_a_button_of_somebody_elses_conversation_does_nothing(
    gateway: Gateway, visitor: Client, rasa: FakeRasa
) -> None:
    offer = {"title": "6 tháng", "payload": "Đóng 6 tháng?"}
    rasa.behave = lambda _body: [{"text": "Mấy tháng?", "buttons": [offer]}, turn("asked")]
    await post(visitor, "đóng bao nhiêu", 1)
    (button,) = (await answered(visitor, "Mấy tháng?"))["lines"][-1]["buttons"]
    async with TestClient(TestServer(site(gateway))) as other:
        await other.get("/")
        assert (await post(other, number=1, button=button["token"]))[0] == 410
        await post(other, "hỏi", 2)
        assert (await post(other, number=3, button=button["token"]))[0] == 410


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"text": "hỏi"}, 400),
        ({"text": "hỏi", "client_id": "../../etc"}, 400),
        ({"text": "   ", "client_id": "message-1"}, 400),
        ({"text": ["hỏi"], "client_id": "message-1"}, 400),
        ({"client_id": "message-1"}, 400),
        ({"text": "x" * (MAX_TEXT + 1), "client_id": "message-1"}, 413),
        ({"text": "x" * MAX_BODY, "client_id": "message-1"}, 413),
        ([], 400),
    ],
)
async def test_a_malformed_message_is_refused_and_changes_nothing(
    gateway: Gateway, visitor: Client, body: Any, status: int
) -> None:
    async with visitor.post("/chat/messages", json=body) as response:
        assert response.status == status
    assert await gateway.inbox_rows() == []


async def test_only_json_is_taken(visitor: Client, gateway: Gateway) -> None:
    """A form on another site can post anything but this content type without asking first."""
    async with visitor.post("/chat/messages", data='{"text": "x", "client_id": "message-1"}') as response:
        assert response.status == 415
    headers = {"Content-Type": "application/json"}
    async with visitor.post("/chat/messages", data=b"{", headers=headers) as response:
        assert response.status == 400
    assert await gateway.inbox_rows() == []


async def test_a_body_without_length_is_cut_off_too(visitor: Client) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(MAX_BODY):
            yield b"x" * 1024

    headers = {"Content-Type": "application/json"}
    try:
        async with visitor.post("/chat/messages", data=endless(), headers=headers) as response:
            assert response.status == 413
    except aiohttp.ClientConnectionError:
        pass  # the server hung up before it was all sent


async def test_without_a_cookie_one_is_told_to_reload(gateway: Gateway) -> None:
    async with TestClient(TestServer(site(gateway))) as client:
        status, body = await post(client, "hỏi")
        assert (status, body["message"]) == (401, gateway.texts["session_expired"])
        for path in ("/chat/history", "/chat/events"):
            async with client.get(path) as response:
                assert response.status == 401


async def test_before_the_first_message_there_is_nothing_to_follow(visitor: Client) -> None:
    assert await history(visitor) == {"lines": [], "cursor": None, "thinking": False, "owner": "bot"}
    async with visitor.get("/chat/events") as response:
        assert response.status == 204


async def test_starting_anew_hides_the_old_conversation(visitor: Client) -> None:
    await post(visitor, "hỏi")
    await answered(visitor, "Đáp: hỏi")
    async with visitor.post("/chat/new", json={}) as response:
        assert response.status == 204
    assert (await history(visitor))["lines"] == []


async def test_who_writes_too_fast_is_told_so_once_per_message_and_nobody_else_is(gateway: Gateway) -> None:
    now = 0.0
    limit = RateLimit(burst=2, per_minute=6, clock=lambda: now)
    async with TestClient(TestServer(site(gateway, limit))) as client:
        await client.get("/")
        assert [(await post(client, "x", n))[0] for n in range(3)] == [202, 202, 429]
        assert (await post(client, "x", 3))[1]["message"] == gateway.texts["rate_limited"]
        now = 10.0
        assert [(await post(client, "x", n))[0] for n in (4, 5)] == [202, 429]
    assert limit.allows("somebody else")


def test_the_longest_silent_are_forgotten_first() -> None:
    limit = RateLimit(burst=1, per_minute=1, remembered=2, clock=lambda: 0.0)
    assert [limit.allows(citizen) for citizen in ("a", "b", "c", "c", "a")] == [True, True, True, False, True]


def test_a_cursor_reads_back() -> None:
    assert Cursor.parse(str(Cursor(12, 40))) == Cursor(12, 40)
    for text in (None, "", "12", "a-b", "1-2-3", "1-" + "9" * 30):
        assert Cursor.parse(text) is None
