"""The status of channels: what it counts, when it alerts, and that administrators alone see it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pyotp
import pytest
from aiohttp.test_utils import TestClient, TestServer
from sqlalchemy import update

from call_centre.model import Role
from call_centre.web.app import create_console
from gateway import repository
from gateway.channels.rules import FACEBOOK_COMMENT, MESSENGER, ZALO
from gateway.database import utc_now
from gateway.settings import MessengerSettings, Settings, ZaloSettings, read_settings
from gateway.status import ChannelStatus, Queue, Status, channel_statuses
from gateway.tables import InboxMessage, OutboxMessage
from tests.call_centre.conftest import Browser, add_agent
from tests.gateway.fakes import OFFICE, Gateway

ZALO_SETTINGS = ZaloSettings("oa-1", "s", "app-1", "s", None, "https://x.example", "https://x.example")
PAGE = MessengerSettings("page-1", "t", "s", "v", None, "v23.0", "https://x.example", False, True)


@pytest.fixture
def settings() -> Settings:
    return replace(read_settings({}), zalo=ZALO_SETTINGS)


async def of_zalo(gateway: Gateway, settings: Settings) -> ChannelStatus:
    (found,) = [one for one in await channel_statuses(gateway.database, settings) if one.channel == ZALO]
    return found


async def keep_token(gateway: Gateway, **columns: Any) -> None:
    now = utc_now()
    async with gateway.database.sessions.begin() as session:
        await repository.insert_channel_token(
            session,
            ZALO,
            "oa-1",
            {
                "access_token": "x",
                "access_expires_at": now,
                "refresh_token": "x",
                "refresh_expires_at": now + timedelta(days=80, hours=1),
                "updated_at": now,
                **columns,
            },
        )


async def written(gateway: Gateway, **fields: Any) -> None:
    """An agent's answer to a citizen of Zalo, whose own message is done with."""
    accepted = await gateway.accept("hỏi", channel=ZALO, account="oa-1")
    async with gateway.database.sessions.begin() as session:
        await session.execute(update(InboxMessage).values(status="done"))
        await gateway.outbox.enqueue_agent_reply(session, accepted.conversation_id, "đáp", "agent-1")
        if fields:
            await session.execute(update(OutboxMessage).values(**fields))


async def test_a_channel_nobody_used_yet_is_fine_once_it_has_a_token(
    idle_gateway: Gateway, settings: Settings
) -> None:
    await keep_token(idle_gateway)
    status = await of_zalo(idle_gateway, settings)
    assert status == ChannelStatus(
        channel=ZALO,
        configured=True,
        last_webhook_at=None,
        last_received_at=None,
        last_sent_at=None,
        questions=Queue(0, None),
        answers=Queue(0, None),
        in_doubt=0,
        held_until=None,
        problem=None,
        token_days_left=80,
        alerts=(),
    )


async def test_only_what_is_configured_or_was_used_is_listed(
    idle_gateway: Gateway, settings: Settings
) -> None:
    async def listed(settings: Settings) -> list[tuple[str, bool]]:
        found = await channel_statuses(idle_gateway.database, settings)
        return [(one.channel, one.configured) for one in found]

    plain = replace(settings, zalo=None)
    assert await listed(plain) == [("web_chat", True)]
    assert await listed(replace(settings, messenger=PAGE)) == [
        (MESSENGER, True),
        (FACEBOOK_COMMENT, True),
        (ZALO, True),
        ("web_chat", True),
    ]
    await idle_gateway.accept("hỏi", channel=ZALO, account="oa-1")
    assert await listed(plain) == [(ZALO, False), ("web_chat", True)]


async def test_waiting_questions_and_answers_are_counted_with_their_age(
    idle_gateway: Gateway, settings: Settings
) -> None:
    await keep_token(idle_gateway)
    await written(idle_gateway)
    await idle_gateway.accept("hỏi nữa", channel=ZALO, account="oa-1")
    status = await of_zalo(idle_gateway, settings)
    assert (status.questions.waiting, status.answers.waiting) == (1, 1)
    assert status.alerts == ()
    assert status.last_received_at is not None and status.last_sent_at is None
    long_ago = utc_now() - timedelta(minutes=3)
    async with idle_gateway.database.sessions.begin() as session:
        await session.execute(update(OutboxMessage).values(created_at=long_ago))
    status = await of_zalo(idle_gateway, settings)
    assert status.answers.oldest == long_ago
    assert status.alerts == ("slow",)


async def test_the_last_message_sent_counts_and_doubt_alerts_for_a_day(
    idle_gateway: Gateway, settings: Settings
) -> None:
    await keep_token(idle_gateway)
    now = utc_now()
    await written(idle_gateway, status="sent", sent_at=now)
    assert (await of_zalo(idle_gateway, settings)).last_sent_at == now
    for status in ("ambiguous", "failed"):
        async with idle_gateway.database.sessions.begin() as session:
            await session.execute(update(OutboxMessage).values(status=status))
        found = await of_zalo(idle_gateway, settings)
        assert (found.in_doubt, found.alerts) == (1, ("in_doubt",))
    async with idle_gateway.database.sessions.begin() as session:
        await session.execute(update(OutboxMessage).values(created_at=now - timedelta(days=2)))
    assert (await of_zalo(idle_gateway, settings)).in_doubt == 0


@pytest.mark.parametrize(
    ("columns", "alerts"),
    [
        (None, ("token_missing",)),
        ({"problem": "refused:-14014"}, ("token_refused",)),
        ({"refresh_expires_at": utc_now() + timedelta(days=13)}, ("token_ends",)),
        ({"refresh_expires_at": utc_now() + timedelta(days=15)}, ()),
    ],
)
async def test_tokens_alert(
    idle_gateway: Gateway, settings: Settings, columns: dict[str, Any] | None, alerts: tuple[str, ...]
) -> None:
    if columns is not None:
        await keep_token(idle_gateway, **columns)
    assert (await of_zalo(idle_gateway, settings)).alerts == alerts


async def test_a_held_account_shows_until_when_and_why(idle_gateway: Gateway, settings: Settings) -> None:
    await keep_token(idle_gateway)
    now = utc_now()
    async with idle_gateway.database.sessions.begin() as session:
        await repository.note_webhook(session, ZALO, "oa-1", now)
        await repository.hold_account(
            session,
            ZALO,
            "oa-1",
            now=now,
            until=now + timedelta(hours=1),
            problem="Hết lượt gửi tin.",
            needs_administrator=True,
        )
    status = await of_zalo(idle_gateway, settings)
    assert status.last_webhook_at == now
    assert (status.held_until, status.problem) == (now + timedelta(hours=1), "Hết lượt gửi tin.")
    assert status.alerts == ("problem",)
    later = await channel_statuses(idle_gateway.database, settings, lambda: now + timedelta(hours=2))
    assert later[0].held_until is None


# --- the page ----------------------------------------------------------------------------------


@pytest.fixture
async def browser(idle_gateway: Gateway, settings: Settings) -> AsyncIterator[Browser]:
    """A browser at a console with the status page."""
    database = idle_gateway.database
    console = create_console(
        idle_gateway.cases, database.sessions, OFFICE, "test key", readers=database.readers
    )
    Status(database, settings).add_routes(console)
    async with TestClient(TestServer(console, host="127.0.0.1")) as client:
        yield Browser(client)


async def signed_in(gateway: Gateway, browser: Browser, role: Role) -> None:
    """Logged in, with a second factor."""
    await add_agent(gateway.database.sessions, "lan", role)
    await browser.log_in("lan")
    await browser.get("/account/second-factor")
    found = re.search(r"<code[^>]*>([A-Z2-7 ]+)</code>", browser.text)
    sealed = re.search(r'name="sealed" value="([^"]+)"', browser.text)
    assert found is not None and sealed is not None
    code = pyotp.TOTP(found[1].replace(" ", "")).at(gateway.cases.clock())
    await browser.post("/account/second-factor", sealed=sealed[1], code=code)


async def test_an_administrator_sees_every_channel_in_words(idle_gateway: Gateway, browser: Browser) -> None:
    await keep_token(idle_gateway, problem="refused:-14014")
    await written(idle_gateway)
    await signed_in(idle_gateway, browser, Role.ADMINISTRATOR)
    text = await browser.get("/status")
    assert browser.status == 200
    for words in ("Zalo OA", "Trang web", "Zalo không gia hạn khóa", "80 ngày", "Tin đang chờ gửi"):
        assert words in text, words
    async with browser.client.get("/status.json") as response:
        report = await response.json()
    (zalo,) = [one for one in report["channels"] if one["channel"] == ZALO]
    assert zalo["alerts"] == ["token_refused"]
    assert zalo["answers"]["waiting"] == 1
    assert zalo["answers"]["oldest"].endswith("+00:00")


@pytest.mark.parametrize("path", ["/status", "/status.json"])
async def test_agents_and_strangers_do_not(idle_gateway: Gateway, browser: Browser, path: str) -> None:
    await browser.get(path)
    assert browser.url.path == "/login"
    await add_agent(idle_gateway.database.sessions, "lan", Role.AGENT)
    await browser.log_in("lan")
    await browser.get(path)
    assert browser.status == 403
    assert "Khóa gia hạn" not in browser.text
