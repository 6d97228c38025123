"""The simulated Meta is as strict as the real one, and as badly behaved as told."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from simulators.meta import MetaSimulator

Client = TestClient[web.Request, web.Application]
MESSAGES = "/v23.0/100000000000001/messages"
GOOD = {"text": "chào", "metadata": "outbox:1"}


@pytest.fixture
def meta() -> MetaSimulator:
    made = MetaSimulator("http://127.0.0.1:1/", per_second=50, pauses=())
    made.write("psid-1", "hỏi")
    return made


@pytest.fixture
async def client(meta: MetaSimulator) -> AsyncIterator[Client]:
    async with TestClient(TestServer(meta.app())) as made:
        yield made


async def send(client: Client, body: Any, token: str = "simulated-page-token") -> dict[str, Any]:
    async with client.post(MESSAGES, json=body, headers={"Authorization": f"Bearer {token}"}) as response:
        answer: dict[str, Any] = await response.json()
        assert response.status == (400 if "error" in answer else 200)
        return answer


def body(message: dict[str, Any] = GOOD, **fields: Any) -> dict[str, Any]:
    return {"messaging_type": "RESPONSE", "recipient": {"id": "psid-1"}, "message": message, **fields}


async def test_a_good_message_arrives_and_comes_back_as_an_echo(meta: MetaSimulator, client: Client) -> None:
    answer = await send(client, body())
    assert answer["recipient_id"] == "psid-1"
    assert [line.text for line in meta.citizens["psid-1"].lines] == ["hỏi", "chào"]
    echo = json.loads(meta.deliverer._waiting[-1].body)["entry"][0]["messaging"][0]["message"]
    assert (echo["is_echo"], echo["metadata"], echo["mid"]) == (True, "outbox:1", answer["message_id"])


@pytest.mark.parametrize(
    ("given", "code"),
    [
        (body({**GOOD, "text": "x" * 2_001}), 100),
        (body({**GOOD, "text": " "}), 100),
        (body({"text": "x"}), 100),
        (body({**GOOD, "attachment": {}}), 100),
        (body({**GOOD, "quick_replies": []}), 100),
        (body({**GOOD, "quick_replies": [{"content_type": "text", "title": "x" * 21, "payload": "p"}]}), 100),
        (
            body({**GOOD, "quick_replies": [{"content_type": "text", "title": "x", "payload": "p"}] * 14}),
            100,
        ),
        (body(tag="ACCOUNT_UPDATE", messaging_type="MESSAGE_TAG"), 100),
        (body(tag="HUMAN_AGENT"), 100),
        (body(unknown=1), 100),
        (body(recipient={"id": "nobody"}), 100),
        (body(recipient={"comment_id": "c_0"}), 100),
        ([], 100),
    ],
)
async def test_what_meta_would_not_take_is_refused(client: Client, given: Any, code: int) -> None:
    assert (await send(client, given))["error"]["code"] == code


async def test_tokens_windows_and_rates_are_checked(meta: MetaSimulator, client: Client) -> None:
    assert (await send(client, body(), "other"))["error"]["code"] == 190
    citizen = meta.citizens["psid-1"]
    assert citizen.last_wrote_at is not None
    citizen.last_wrote_at -= timedelta(hours=24)
    assert (await send(client, body()))["error"]["error_subcode"] == 2018278
    tagged = body(messaging_type="MESSAGE_TAG", tag="HUMAN_AGENT")
    assert "message_id" in await send(client, tagged)
    citizen.last_wrote_at -= timedelta(days=6)
    assert (await send(client, tagged))["error"]["error_subcode"] == 2018278
    codes = [(await send(client, tagged))["error"]["code"] for _ in range(60)]
    assert 613 in codes


async def test_a_comment_is_answered_in_private_once_within_a_week(
    meta: MetaSimulator, client: Client
) -> None:
    comment = meta.comment("psid-2", "hỏi")
    private = body(recipient={"comment_id": comment})
    assert "message_id" in await send(client, private)
    assert (await send(client, private))["error"]["code"] == 10900
    old = meta.comment("psid-2", "hỏi nữa")
    meta.comments[old].at -= timedelta(days=7)
    assert (await send(client, body(recipient={"comment_id": old})))["error"]["code"] == 10
    assert (await send(client, body(recipient={"id": "psid-2"})))["error"]["error_subcode"] == 2018278


async def test_a_batch_leaves_in_one_webhook_and_a_wrong_control_is_named(
    meta: MetaSimulator, client: Client
) -> None:
    async with client.post("/control", json={"batch": 3, "hold": 1}) as response:
        assert response.status == 200
    before = len(meta.deliverer._waiting)
    for _ in range(3):
        meta.write("psid-1", "x")
    (waiting,) = meta.deliverer._waiting[before:]
    assert len(json.loads(waiting.body)["entry"]) == 3
    async with client.post("/control", json={"nonsense": 1}) as response:
        assert response.status == 400
        assert "nonsense" in await response.text()


async def test_a_person_plays_a_citizen_on_the_page(meta: MetaSimulator, client: Client) -> None:
    async with client.get("/") as response:
        assert 'lang="vi"' in await response.text()
    for act in ({"do": "write", "text": "chào"}, {"do": "comment", "text": "hỏi"}, {"do": "start"}):
        async with client.post("/play/citizen-1", json=act) as response:
            assert response.status == 204
    async with client.get("/play/citizen-1") as response:
        lines = (await response.json())["lines"]
    assert [(line["text"], line["public"]) for line in lines] == [("chào", False), ("hỏi", True)]
    async with client.post("/play/citizen-1", json={"do": "fly"}) as response:
        assert response.status == 400
