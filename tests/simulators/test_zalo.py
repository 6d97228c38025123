"""The simulated Zalo refuses what Zalo would refuse, misbehaves on request, and can be played by a person."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from aiohttp import ClientSession, web
from aiohttp.client_exceptions import ServerDisconnectedError
from aiohttp.test_utils import TestServer

from gateway.channels.zalo_events import signed_by
from gateway.settings import read_settings
from simulators.controls import Controls
from simulators.zalo import Refused, ZaloSimulator, environment, read_message, utc_now
from tests.chromium import launched
from tests.gateway.fakes import PATIENCE_SECONDS

BUTTON = {"title": "Mức đóng", "type": "oa.query.hide", "payload": "#abc"}


class Clock:
    """A clock that tests move."""

    def __init__(self) -> None:
        self.now = utc_now()

    def __call__(self) -> datetime:
        return self.now


class Stage:
    """The simulator, somebody who receives its webhooks, and an application that calls it."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.received: list[dict[str, Any]] = []
        self.signed: list[bool] = []
        self.status = 200
        self.arrived = asyncio.Event()
        app = web.Application()
        app.router.add_post("/", self._receive)
        self.receiver = TestServer(app, host="127.0.0.1")
        self.http = ClientSession()

    async def start(self, **options: Any) -> None:
        await self.receiver.start_server()
        self.simulator = ZaloSimulator(
            str(self.receiver.make_url("/")), clock=self.clock, pauses=(0.01, 0.02, 0.04), **options
        )
        self.server = TestServer(self.simulator.app(), host="127.0.0.1")
        await self.server.start_server()

    async def stop(self) -> None:
        await self.http.close()
        await self.server.close()
        await self.receiver.close()

    async def _receive(self, request: web.Request) -> web.Response:
        body = await request.read()
        account = self.simulator.account
        form = signed_by(
            body,
            request.headers["X-ZEvent-Signature"],
            request.headers.get("X-ZEvent-Timestamp"),
            account.app_id,
            account.oa_secret_key,
        )
        self.signed.append(form is not None)
        self.received.append(json.loads(body))
        self.arrived.set()
        return web.Response(status=self.status)

    async def webhooks(self, count: int) -> list[dict[str, Any]]:
        """What was delivered, once there is so much."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while len(self.received) < count:
                self.arrived.clear()
                await self.arrived.wait()
        return self.received

    async def token(self) -> str:
        return str((await self.renew(self.simulator.first_refresh_token))["access_token"])

    async def renew(self, refresh_token: str, **changes: str) -> dict[str, Any]:
        account = self.simulator.account
        form = {"grant_type": "refresh_token", "refresh_token": refresh_token, "app_id": account.app_id}
        headers = {"secret_key": changes.pop("secret_key", account.app_secret)}
        url = self.server.make_url("/v4/oa/access_token")
        async with self.http.post(url, data={**form, **changes}, headers=headers) as response:
            answer: dict[str, Any] = await response.json()
        return answer

    async def send(self, token: str, **message: Any) -> dict[str, Any]:
        body = {"recipient": {"user_id": "a"}, "message": message or {"text": "Chào"}}
        url = self.server.make_url("/v3.0/oa/message/cs")
        async with self.http.post(url, json=body, headers={"access_token": token}) as response:
            assert response.status == 200
            answer: dict[str, Any] = await response.json()
        return answer

    async def control(self, **controls: object) -> int:
        async with self.http.post(self.server.make_url("/control"), json=controls) as response:
            return response.status


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    made = Stage()
    await made.start()
    yield made
    await made.stop()


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("not JSON", -201),
        ([], -201),
        ({"recipient": {"user_id": "a"}}, -201),
        ({"recipient": {"user_id": ""}, "message": {"text": "a"}}, -201),
        ({"recipient": {"user_id": 7}, "message": {"text": "a"}}, -201),
        ({"recipient": {"user_id": "a"}, "message": {"text": "a"}, "tag": "x"}, -201),
        ({"recipient": {"user_id": "a"}, "message": {"text": " "}}, -201),
        ({"recipient": {"user_id": "a"}, "message": {"text": "a", "metadata": "x"}}, -201),
        ({"recipient": {"user_id": "a"}, "message": {"text": "a" * 2001}}, -210),
    ],
)
def test_a_message_zalo_would_refuse_is_refused(body: object, code: int) -> None:
    with pytest.raises(Refused) as caught:
        read_message(body.encode() if isinstance(body, str) else json.dumps(body).encode())
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("buttons", "code"),
    [
        ([], -210),
        ([BUTTON] * 6, -210),
        ([{**BUTTON, "title": "x" * 101}], -210),
        ([{**BUTTON, "payload": "x" * 1001}], -210),
        ([{**BUTTON, "payload": {"say": "x"}}], -210),
        ([{**BUTTON, "type": "postback"}], -201),
        ([{**BUTTON, "say": "x"}], -201),
    ],
)
def test_buttons_zalo_would_refuse_are_refused(buttons: list[Any], code: int) -> None:
    attachment = {"type": "template", "payload": {"buttons": buttons}}
    body = {"recipient": {"user_id": "a"}, "message": {"text": "a", "attachment": attachment}}
    with pytest.raises(Refused) as caught:
        read_message(json.dumps(body).encode())
    assert caught.value.code == code


def test_the_longest_message_is_accepted() -> None:
    attachment = {"type": "template", "payload": {"buttons": [BUTTON] * 5}}
    body = {"recipient": {"user_id": "a"}, "message": {"text": "a" * 2000, "attachment": attachment}}
    citizen_id, line = read_message(json.dumps(body).encode())
    assert (citizen_id, len(line.text), len(line.buttons)) == ("a", 2000, 5)


async def test_a_refresh_token_works_once(stage: Stage) -> None:
    first = await stage.renew(stage.simulator.first_refresh_token)
    assert (await stage.renew(stage.simulator.first_refresh_token))["error"] == -14014
    second = await stage.renew(first["refresh_token"])
    assert second["access_token"] != first["access_token"]
    assert (await stage.renew(second["refresh_token"], secret_key="x"))["error"] == -14004
    assert (await stage.renew(second["refresh_token"], app_id="x"))["error"] == -14002
    assert (await stage.renew(second["refresh_token"], grant_type="x"))["error"] == -14001
    stage.clock.now += timedelta(days=91)
    assert (await stage.renew(second["refresh_token"]))["error"] == -14014


async def test_windows_tokens_and_rates_are_enforced(stage: Stage) -> None:
    token = await stage.token()
    assert (await stage.send(token))["error"] == -201
    citizen = stage.simulator.citizen("a")
    assert (await stage.send(token))["error"] == -232
    stage.simulator.write("a", "hỏi")
    assert (await stage.send(token))["error"] == 0
    citizen.blocked = True
    assert (await stage.send(token))["error"] == -244
    citizen.blocked = False
    assert (await stage.send("another"))["error"] == -216
    stage.clock.now += timedelta(hours=25)
    assert (await stage.send(token))["error"] == -220
    (refresh,) = stage.simulator._refresh_tokens
    stage.clock.now += timedelta(days=6)
    assert (await stage.send((await stage.renew(refresh))["access_token"]))["error"] == -230
    assert len(stage.simulator.sent) == 1


async def test_too_many_calls_a_minute_are_refused() -> None:
    stage = Stage()
    await stage.start(per_minute=2)
    try:
        token = await stage.token()
        stage.simulator.write("a", "hỏi")
        assert [(await stage.send(token))["error"] for _ in range(3)] == [0, 0, -32]
        stage.clock.now += timedelta(minutes=1)
        assert (await stage.send(token))["error"] == 0
    finally:
        await stage.stop()


async def test_misbehaviour_on_request(stage: Stage) -> None:
    token = await stage.token()
    stage.simulator.write("a", "hỏi")
    assert await stage.control(refuse=1, refuse_code=-211) == 200
    assert (await stage.send(token))["error"] == -211
    assert await stage.control(cut=1) == 200
    with pytest.raises(ServerDisconnectedError):
        await stage.send(token)
    assert len(stage.simulator.sent) == 1
    assert await stage.control(fail=1) == 200
    url = stage.server.make_url("/v3.0/oa/message/cs")
    async with stage.http.post(url) as response:
        assert response.status == 503
    assert await stage.control(fire=1) == 400
    assert await stage.control(fail="x") == 400
    assert await stage.control(fail=-1) == 400


async def test_webhooks_are_signed_and_name_what_happened(stage: Stage) -> None:
    token = await stage.token()
    stage.simulator.follow("a", True)
    stage.simulator.write("a", "hỏi")
    stage.simulator.attach("a", "location")
    stage.simulator.share("a", "An", "0912345678")
    await stage.send(token)
    stage.simulator.staff("a", "Dạ")
    stage.simulator.read("a")
    names = [event["event_name"] for event in await stage.webhooks(7)]
    assert names == [
        "follow",
        "user_send_text",
        "user_send_location",
        "user_submit_info",
        "oa_send_text",
        "oa_send_text",
        "user_seen_message",
    ]
    assert all(stage.signed)


@pytest.mark.parametrize(("header", "prefix"), [(True, ""), (False, "mac="), (False, "")])
async def test_every_form_of_signature_can_be_simulated(header: bool, prefix: str) -> None:
    stage = Stage()
    await stage.start(sign_header_timestamp=header, prefix=prefix)
    try:
        stage.simulator.write("a", "hỏi")
        await stage.webhooks(1)
        assert stage.signed == [True]
    finally:
        await stage.stop()


async def test_webhooks_are_repeated_until_accepted_and_then_given_up(stage: Stage) -> None:
    stage.status = 500
    stage.simulator.write("a", "hỏi")
    await stage.webhooks(4)
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not stage.simulator.deliverer.idle:
            await asyncio.wait(stage.simulator.deliverer._repeating)
    assert len(stage.simulator.deliverer.lost) == 1
    assert [one.status for one in stage.simulator.deliverer.delivered] == [500] * 4


async def test_held_webhooks_leave_repeated_and_shuffled(stage: Stage) -> None:
    await stage.control(hold=1, deliveries=3, shuffle=1)
    for number in range(5):
        stage.simulator.write("a", str(number))
    assert stage.received == []
    await stage.control(hold=0)
    texts = [event["message"]["text"] for event in await stage.webhooks(15)]
    assert sorted(texts) == sorted("01234" * 3)
    assert texts != sorted(texts)


async def test_the_last_webhooks_are_replayed_once(stage: Stage) -> None:
    for text in ("một", "hai", "ba"):
        stage.simulator.write("a", text)
    await stage.webhooks(3)
    await stage.control(replay=2)
    texts = [event["message"]["text"] for event in await stage.webhooks(5)]
    assert texts == ["một", "hai", "ba", "hai", "ba"]
    assert stage.simulator.controls.replay == 0


def test_controls_change_together_or_not_at_all() -> None:
    controls = Controls()
    with pytest.raises(ValueError, match="no control 'x'"):
        controls.change({"fail": 2, "x": 1})
    assert controls.fail == 0
    controls.change({"fail": 2, "hold": True, "refuse_code": -32})
    assert (controls.fail, controls.hold, controls.refuse_code) == (2, 1, -32)
    assert [controls.use("fail") for _ in range(3)] == [True, True, False]


def test_the_printed_environment_is_a_configuration() -> None:
    simulator = ZaloSimulator("http://127.0.0.1:1/")
    given = environment(simulator.account, "http://127.0.0.1:8091", simulator.first_refresh_token)
    zalo = read_settings(given).zalo
    assert zalo is not None
    assert (zalo.oa_id, zalo.api_url) == (simulator.account.oa_id, "http://127.0.0.1:8091")


@pytest.mark.browser
async def test_a_person_plays_a_citizen(stage: Stage) -> None:
    token = await stage.token()
    async with launched() as browser:
        page = await browser.new_page()
        await page.goto(str(stage.server.make_url("/")))
        await page.get_by_label("Tin nhắn của người dân").fill("đóng bao nhiêu")
        await page.get_by_role("button", name="Gửi", exact=True).click()
        (event,) = await stage.webhooks(1)
        assert event["message"]["text"] == "đóng bao nhiêu"
        attachment = {"type": "template", "payload": {"buttons": [BUTTON]}}
        body = {
            "recipient": {"user_id": event["sender"]["id"]},
            "message": {"text": "Nhóm nào ạ?", "attachment": attachment},
        }
        url = stage.server.make_url("/v3.0/oa/message/cs")
        async with stage.http.post(url, json=body, headers={"access_token": token}) as response:
            assert (await response.json())["error"] == 0
        await page.get_by_role("button", name="Mức đóng").click()
        events = await stage.webhooks(3)
        assert events[2]["message"]["text"] == "#abc"
        await page.get_by_text("(Mức đóng)").wait_for()
        await page.get_by_label("Nhân viên trả lời trong ứng dụng OA").fill("Dạ để em xem")
        await page.get_by_role("button", name="Trả lời").click()
        await page.get_by_text("Dạ để em xem").wait_for()
        assert (await stage.webhooks(4))[3]["sender"]["admin_id"] == "1"
        await page.get_by_role("button", name="Gửi vị trí").click()
        assert (await stage.webhooks(5))[4]["event_name"] == "user_send_location"
